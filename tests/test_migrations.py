"""The tables are what the models say, in one step from nothing, and code refuses to work on others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bodyworn.migrations.run as run
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from bodyworn.errors import DatabaseOutdated
from bodyworn.migrations.run import VERSION_TABLE, check_head, upgrade
from bodyworn.models import Base, Database
from sqlalchemy import Engine, inspect, text

pytest_plugins = ["fixtures_database"]


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """A database of its own, whose tables may be changed."""
    opened = Database.at(empty_url)
    upgrade(opened.engine)
    yield opened
    opened.close()


def differences(engine: Engine) -> list[object]:
    """Ask Alembic what it would change."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory(str(Path(run.__file__).parent)).get_heads()) == 1


def test_the_migration_makes_what_the_models_say(database: Database) -> None:
    assert differences(database.engine) == []


def test_a_difference_would_be_noticed(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE bodyworn_bay DROP COLUMN progress_at"))
        connection.execute(text("DROP INDEX ix_bodyworn_event_at"))
    assert {difference[0] for difference in differences(database.engine)} == {"add_column", "add_index"}


def test_upgrading_again_changes_nothing(database: Database) -> None:
    counter = database.change_counter()
    upgrade(database.engine)
    assert database.change_counter() == counter
    check_head(database.engine)


def test_tables_come_from_nothing_and_begin_with_one_chain(empty_url: str) -> None:
    database = Database.at(empty_url)
    with pytest.raises(DatabaseOutdated, match="none"):
        check_head(database.engine)
    upgrade(database.engine)
    check_head(database.engine)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM bodyworn_chain")).scalar_one() == 1
    database.close()


def test_everybody_elses_tables_are_left_alone(empty_url: str) -> None:
    database = Database.at(empty_url)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
    upgrade(database.engine)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "theirs"
        names = set(inspect(connection).get_table_names())
    assert all(name.startswith("bodyworn_") for name in names - {"alembic_version"})
    database.close()


def test_tables_of_another_version_are_refused(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(DatabaseOutdated, match="9999"):
        check_head(database.engine)
