"""Units of work: whole or not at all, durable, never lost to one another, and seen by whoever waits for a change."""

from __future__ import annotations

import os
import resource
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import database_writers
import pytest
from bodyworn.errors import DatabaseUnsafe
from bodyworn.models import Camera, CameraUser, Chain, Controller, Database, Profile, Trust, new_id
from bodyworn.services import systems
from bodyworn.services.keyring import Keyring
from database_writers import raise_version
from rig_parts import found_system
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session

pytest_plugins = ["fixtures_database"]

TIMES = 25
PAST_INT4 = 5 * 1024**4


class Unwanted(Exception):
    """Raised by a test within a unit of work."""


def add_profile(session: Session, name: str = "Patrol") -> Profile:
    profile = Profile(name=name, settings={}, version=0)
    session.add(profile)
    session.flush()
    return profile


def change_and_fail(session: Session) -> None:
    add_profile(session)
    raise Unwanted


def version_of(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(Profile.version).where(Profile.name == "Patrol")).one()


def test_two_threads_lose_no_update(database: Database) -> None:
    with database.write() as session:
        add_profile(session)
    threads = [threading.Thread(target=raise_version, args=(database, TIMES)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert version_of(database) == 2 * TIMES


def test_two_processes_lose_no_update(database: Database, database_url: str) -> None:
    with database.write() as session:
        add_profile(session)
    processes = [database_writers.start("raise-version", database_url, TIMES) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert version_of(database) == 2 * TIMES


def test_what_raises_leaves_nothing(database: Database) -> None:
    counter = database.change_counter()
    with pytest.raises(Unwanted), database.write() as session:
        change_and_fail(session)
    with database.read() as session:
        assert session.scalars(select(Profile)).all() == []
    assert database.change_counter() == counter


def test_what_is_changed_while_reading_is_not_kept(database: Database) -> None:
    with database.read() as session:
        add_profile(session)
    with database.read() as session:
        assert session.scalars(select(Profile)).all() == []


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.write() as session:
        add_profile(session)
    with database.read() as session:
        before = session.scalars(select(Profile.version)).one()
        raise_version(database, 1)
        assert session.scalars(select(Profile.version)).one() == before
    assert version_of(database) == before + 1


def test_every_write_raises_the_change_counter(database: Database) -> None:
    seen = database.change_counter()
    with database.write() as session:
        add_profile(session)
    with database.read() as session:
        session.scalars(select(Profile)).all()
    assert database.change_counter() == seen + 1


def test_a_waiter_wakes_soon_after_a_change_and_not_before(database: Database) -> None:
    seen, woken = database.change_counter(), []

    def wait() -> None:
        woken.append((database.wait_for_change(seen, 10), time.monotonic()))

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)
    assert not woken
    changed_at = time.monotonic()
    with database.write() as session:
        add_profile(session)
    thread.join()
    assert woken[0][0] == seen + 1
    assert woken[0][1] - changed_at < 0.6


def test_a_waiter_gives_up_in_time(database: Database) -> None:
    seen, began = database.change_counter(), time.monotonic()
    assert database.wait_for_change(seen, 0.3) == seen
    assert 0.25 < time.monotonic() - began < 1.5


def test_waiting_again_and_again_keeps_nothing(database: Database) -> None:
    """A connection that went on listening would collect every notice that nobody reads."""
    database.wait_for_change(database.change_counter(), 0.01)
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM pg_listening_channels()")).scalar_one() == 0


def test_sqlite_is_told_what_a_power_cut_needs(sqlite_database: Database) -> None:
    with sqlite_database.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_what_memory_holds_is_let_go_of_when_the_disk_reports_an_error(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux takes it for written; that commits were lost by that is shown by the fault campaign."""
    let_go: set[str] = set()
    monkeypatch.setattr(os, "posix_fadvise", lambda file, *_: let_go.add(os.readlink(f"/proc/self/fd/{file}")))
    with sqlite_database.write() as session:
        add_profile(session, "before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OperationalError, match="disk I/O error"), sqlite_database.write() as session:
            add_profile(session, "never")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    path = sqlite_database.engine.url.database
    assert let_go == {path, f"{path}-wal"}
    with sqlite_database.write() as session:
        add_profile(session, "after")


def test_every_connection_is_told_so(sqlite_database: Database) -> None:
    found = []

    def look() -> None:
        with sqlite_database.read() as session:
            barrier.wait()
            found.append(session.connection().exec_driver_sql("PRAGMA synchronous").scalar_one())

    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2, 2, 2, 2]


def test_a_database_that_cannot_be_safe_is_refused() -> None:
    with pytest.raises(DatabaseUnsafe, match="journal_mode"), Database.at("sqlite://").read() as session:
        session.execute(text("SELECT 1"))


def test_connections_of_before_are_not_used_again(migrated_file: Path) -> None:
    """An engine that a host has used already is set up for evidence all the same."""
    engine = create_engine(f"sqlite:///{migrated_file}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 0
    with Database(engine).read() as session:
        assert session.connection().exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    assert Database(engine).change_counter() == 0
    engine.dispose()


def test_references_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(CameraUser(name="Ada", profile_id=new_id(), created_at=datetime.now(UTC)))


def test_moments_come_back_aware_and_in_utc(database: Database) -> None:
    moment = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with database.write() as session:
        session.add(CameraUser(name="Ada", created_at=moment))
    with database.read() as session:
        found = session.scalars(select(CameraUser.created_at)).one()
    assert found == moment
    assert found.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), database.write() as session:
        session.add(CameraUser(name="Ada", created_at=datetime(2026, 3, 4)))  # noqa: DTZ001


def test_large_numbers_fit(database: Database, tmp_path: Path) -> None:
    """A disk has more bytes than 32 bits can count, and a camera may count as far as it likes."""
    with database.write() as session:
        found_system(session, Keyring(tmp_path / "keys"))
    with database.write() as session:
        controller = systems.local_controller(session)
        controller.spool_free_bytes = controller.spool_total_bytes = PAST_INT4
        controller.order_sequence = 2**53
        now = datetime.now(UTC)
        session.add(
            Camera(
                serial="A", trust=Trust.MARKED, driver="d", model="m", name="A", first_seen_at=now, last_seen_at=now,
                storage_total_bytes=PAST_INT4, docking_counter=2**53, applied_settings=2**53, wanted_settings=2**53,
            )
        )  # fmt: skip
        session.scalars(select(Chain)).one().sequence = 2**40
    with database.read() as session:
        assert session.scalars(select(Controller.spool_free_bytes)).one() == PAST_INT4
        assert session.scalars(select(Camera.docking_counter)).one() == 2**53


def test_what_nobody_has_to_hear_of_is_kept_and_leaves_the_counter(database: Database) -> None:
    before = database.change_counter()
    with database.write(heard=False) as session:
        session.add(Profile(name="quiet", settings={}))
    assert database.change_counter() == before
    with database.read() as session:
        assert session.scalars(select(Profile.name)).all() == ["quiet"]
