"""Databases for tests, on SQLite and on a real PostgreSQL: a test that takes ``database`` runs on both.

A test module that wants them says ``pytest_plugins = ["fixtures_database"]``. The tables are made once a session;
every test begins with them as the migration left them. A test that changes tables takes ``empty_url``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from bodyworn.migrations.run import upgrade
from bodyworn.models import Base, Chain, Change, Database, new_id
from bodyworn.services import events
from bodyworn.services.keyring import Keyring
from rig_parts import Depot
from sqlalchemy import Table, create_engine, insert, text

_BINARIES = Path("/usr/lib/postgresql")
_OWNER = "postgres"
_MIGRATED = "migrated"
_START_SECONDS = 30.0


class PostgresqlUnavailable(Exception):
    """Why there can be no PostgreSQL here."""


@dataclass
class Postgresql:
    """A running server whose superuser needs no password on loopback."""

    port: int
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, name: str) -> str:
        """Give the address of one of its databases."""
        return f"postgresql+psycopg://{_OWNER}@127.0.0.1:{self.port}/{name}"

    def create(self) -> str:
        """Make an empty database and give its address."""
        name = f"test_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name}")
        return self.url(name)

    def migrated(self) -> str:
        """Give the address of the one database that has our tables, as the migration left them."""
        engine = create_engine(self.url(_MIGRATED))
        with engine.begin() as connection:
            connection.execute(text("SET lock_timeout = '20s'"))
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(table.delete())
            connection.execute(insert(Change).values(id=1, counter=0))
            connection.execute(insert(Chain).values(id=new_id(), local=True, sequence=0, hash=events.GENESIS))
        engine.dispose()
        return self.url(_MIGRATED)

    def prepare(self) -> None:
        """Make that database."""
        self._run(f"CREATE DATABASE {_MIGRATED}")
        _migrate(self.url(_MIGRATED))

    def _run(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@dataclass(frozen=True)
class Founded:
    """What a founded system consists of: its keys, and its rows."""

    keys: Path
    bay_id: str
    rows: dict[Table, list[dict[str, Any]]]


@contextmanager
def running_postgresql() -> Iterator[Postgresql]:
    """Start a server in a folder of its own, and stop it at the end. Raises PostgresqlUnavailable."""
    binaries = max(_BINARIES.glob("*/bin"), default=None)
    if binaries is None:
        raise PostgresqlUnavailable(f"no PostgreSQL beneath {_BINARIES}")
    if shutil.which("setpriv") is None:
        raise PostgresqlUnavailable("setpriv is not installed")
    if os.geteuid() != 0:
        raise PostgresqlUnavailable("starting PostgreSQL as its own user needs root")
    owner = pwd.getpwnam(_OWNER)
    folder = Path(tempfile.mkdtemp(prefix="bodyworn-postgresql-"))
    try:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        data, port = folder / "data", _free_port()
        _as_owner(folder, binaries / "initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale", "C")
        with _server(binaries, folder, port):
            yield Postgresql(port)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _server(binaries: Path, folder: Path, port: int) -> Iterator[None]:
    """Run the server, which dies with this process, however that ends."""
    # what is tested is ours: the server itself may forget everything at a power cut
    where = ["-c", "listen_addresses=127.0.0.1", "-p", str(port), "-k", str(folder)]
    options = [*where, "-c", "fsync=off", "-c", "max_connections=50"]
    as_owner = ["setpriv", "--reuid", _OWNER, "--regid", _OWNER, "--init-groups", "--pdeathsig", "QUIT"]
    with (folder / "log").open("wb") as log:
        command = [*as_owner, str(binaries / "postgres"), "-D", str(folder / "data"), *options]
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while subprocess.run(
            [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False
        ).returncode:
            if server.poll() is not None or time.monotonic() > deadline:
                raise PostgresqlUnavailable(f"it did not start: {(folder / 'log').read_text()[-300:]}")
            time.sleep(0.05)
        yield
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """Start a PostgreSQL for the session, or skip with the reason why there is none."""
    try:
        with running_postgresql() as server:
            server.prepare()
            yield server
    except PostgresqlUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the tables once, in a SQLite file that tests copy."""
    path = tmp_path_factory.mktemp("migrated") / "bodyworn.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a database without tables, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Postgresql = request.getfixturevalue("postgresql")
    return server.create()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a database with our tables, of each kind."""
    if request.param == "postgresql":
        server: Postgresql = request.getfixturevalue("postgresql")
        return server.migrated()
    shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "bodyworn.db")
    return f"sqlite:///{tmp_path / 'bodyworn.db'}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Open a database with our tables, of each kind."""
    opened = Database.at(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    """Open a database with our tables, where the kind does not matter."""
    shutil.copy(migrated_file, tmp_path / "bodyworn.db")
    opened = Database.at(f"sqlite:///{tmp_path / 'bodyworn.db'}")
    yield opened
    opened.close()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    """Make the keys of a machine."""
    return Keyring(tmp_path / "keys")


@pytest.fixture(scope="session")
def founded(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Founded:
    """Found a system once; founding derives a key, which takes its time."""
    folder = tmp_path_factory.mktemp("founded")
    shutil.copy(migrated_file, folder / "bodyworn.db")
    database = Database.at(f"sqlite:///{folder / 'bodyworn.db'}")
    made = Depot.found(database, Keyring(folder / "keys"))
    with database.engine.connect() as connection:
        tables = Base.metadata.sorted_tables
        rows = {table: [dict(row) for row in connection.execute(table.select()).mappings()] for table in tables}
    database.close()
    return Founded(folder / "keys", made.bay_id, rows)


@pytest.fixture
def depot(database: Database, founded: Founded, tmp_path: Path) -> Depot:
    """Give a system with one bay, on each kind of database."""
    with database.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
        for table, rows in founded.rows.items():
            if rows:
                connection.execute(table.insert(), rows)
    shutil.copytree(founded.keys, tmp_path / "keys")
    return Depot(database, Keyring(tmp_path / "keys"), founded.bay_id)


def _migrate(url: str) -> None:
    database = Database.at(url)
    upgrade(database.engine)
    database.close()


def _as_owner(folder: Path, *command: str | Path) -> None:
    """Run a command as the server's user, which may not be root."""
    done = subprocess.run(
        [str(part) for part in command], user=_OWNER, group=_OWNER, extra_groups=[], cwd=folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise PostgresqlUnavailable(f"{Path(command[0]).name} failed: {done.stderr[-300:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
