"""Bring the plugin's tables to the version of the code, or tell that they are not. Alembic's own files lie beside."""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from ..errors import DatabaseOutdated
from ..models import Base

VERSION_TABLE = "bodyworn_alembic_version"
_UPGRADING = threading.Lock()


def upgrade(engine: Engine) -> None:
    """Create or change the tables; one process at a time, before anything else uses the database.

    Threads of a process stand in line: Alembic keeps what it works on in its modules.
    """
    with _UPGRADING, engine.begin() as connection:
        command.upgrade(config(connection), "head")


def check_head(engine: Engine) -> None:
    """Refuse to work on tables of another version.

    :raises DatabaseOutdated: with both versions named.
    """
    with engine.connect() as connection:
        found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    wanted = ScriptDirectory(str(Path(__file__).parent)).get_current_head()
    if found != wanted:
        raise DatabaseOutdated(found=found or "none", wanted=wanted or "none")


def config(connection: Connection) -> Config:
    """Give Alembic what it needs for one connection; a new revision is made with the same."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes.update(connection=connection, metadata=Base.metadata, version_table=VERSION_TABLE)
    return made
