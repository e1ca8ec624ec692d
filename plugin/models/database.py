"""The database: engine settings, units of work, and the change counter that wakes whoever waits.

What SQLite must be told so that a committed row survives a power cut is set here and asserted at every connection.
Migrations are in the room of that name.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from ..errors import DatabaseUnsafe
from .event import Change

_WRITES = "bodyworn_writes"
_POLL_SECONDS = 0.25
_PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


class Database:
    """Units of work on an engine that belongs to the plugin alone.

    Safe to share between threads; a session is not.
    """

    def __init__(self, engine: Engine) -> None:
        """Take the engine over: connections made before are closed, and later ones are set as evidence needs it."""
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._is_sqlite = engine.dialect.name == "sqlite"
        #: On SQLite one thread writes at a time anyway; so none writes between an error of the disk and what follows.
        self._line: AbstractContextManager[Any] = threading.Lock() if self._is_sqlite else nullcontext()
        if self._is_sqlite and not event.contains(engine, "begin", _begin):
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin)
            engine.dispose()

    @classmethod
    def at(cls, url: str) -> Database:
        """Open a database by its URL, with an engine of our own."""
        return cls(create_engine(url))

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a consistent view of one moment; nothing that is changed in it is kept."""
        with self._sessions() as session:
            session.connection(execution_options={} if self._is_sqlite else {"isolation_level": "REPEATABLE READ"})
            yield session

    @contextmanager
    def write(self, *, heard: bool = True) -> Iterator[Session]:
        """Open a unit of work: all of it is kept, durable, when the block ends, or nothing when it raises.

        Writers stand in line from the first statement on, so what was read cannot have changed at the end.

        :param heard: whether pages and controllers hear of it; False for what nobody waits for or would see.
        """
        with self._line, self._sessions() as session, self._trusting_the_disk():
            session.connection(execution_options={_WRITES: True})
            if not self._is_sqlite:
                session.execute(select(Change.counter).with_for_update())
            yield session
            session.flush()
            if heard:
                self._tell(session)
            session.commit()

    def _tell(self, session: Session) -> None:
        session.execute(update(Change).where(Change.id == 1).values(counter=Change.counter + 1))
        if not self._is_sqlite:
            session.execute(text("NOTIFY bodyworn"))

    def change_counter(self) -> int:
        """Give a number that every committed write raises that is to be heard of."""
        with self.read() as session:
            return session.scalars(select(Change.counter)).one()

    def wait_for_change(self, seen: int, timeout_seconds: float) -> int:
        """Wait until the counter is another than ``seen``, or the time is over; give the counter."""
        deadline = time.monotonic() + timeout_seconds
        with self.engine.connect() as connection, nullcontext() if self._is_sqlite else _listening(connection):
            while (counter := self._counter(connection)) == seen and time.monotonic() < deadline:
                self._pause(connection, deadline - time.monotonic())
        return counter

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    @contextmanager
    def _trusting_the_disk(self) -> Iterator[None]:
        """Let go of what memory holds of the files when the disk reports an error in the block.

        Linux takes it for written, and what is written over it as well: on ext4, forty transactions after an error
        were durable by their fsync and gone after a power cut; not one was when memory had been let go.
        """
        try:
            yield
        except DBAPIError as error:
            if _is_of_the_disk(error):
                self._let_go_of_memory()
            raise

    def _let_go_of_memory(self) -> None:
        """Go by the descriptors that SQLite has open: closing another one of the same file would drop its locks."""
        path = os.path.realpath(self.engine.url.database or "")
        for descriptor in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                if os.readlink(f"/proc/self/fd/{descriptor}") in (path, f"{path}-wal"):
                    os.posix_fadvise(int(descriptor), 0, 0, os.POSIX_FADV_DONTNEED)

    def _counter(self, connection: Connection) -> int:
        counter = connection.execute(select(Change.counter)).scalar_one()
        connection.rollback()
        return int(counter)

    def _pause(self, connection: Connection, seconds: float) -> None:
        """Sleep until something may have been committed: a quarter of a second, or until the server tells."""
        if self._is_sqlite:
            time.sleep(max(0.0, min(_POLL_SECONDS, seconds)))
        else:
            raw: Any = connection.connection.driver_connection
            for _ in raw.notifies(timeout=max(0.0, seconds), stop_after=1):
                return


@contextmanager
def _listening(connection: Connection) -> Iterator[None]:
    """Let the server tell of commits for the block's time; afterwards nobody would read what it tells."""
    _run(connection, "LISTEN bodyworn")
    try:
        yield
    finally:
        _run(connection, "UNLISTEN bodyworn")


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
    connection.commit()


def _is_of_the_disk(error: DBAPIError) -> bool:
    name = getattr(error.orig, "sqlite_errorname", "") if isinstance(error.orig, sqlite3.Error) else ""
    return str(name).startswith("SQLITE_IOERR")


def _prepare_sqlite(raw: Any, record: object) -> None:
    raw.isolation_level = None
    cursor = raw.cursor()
    for name, value in _PRAGMAS.items():
        cursor.execute(f"PRAGMA {name}={value}")
        found = cursor.execute(f"PRAGMA {name}").fetchone()[0]
        if found != value:
            raise DatabaseUnsafe(setting=name, wanted=str(value), found=str(found))
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
