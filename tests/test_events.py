"""The chain of events: whole across threads and processes, one with the change it tells of, and every edit is found."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import database_writers
import pytest
from bodyworn.models import Chain, Database, Event, Profile
from bodyworn.services import events
from bodyworn.services.events import Break
from database_writers import record_events
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

pytest_plugins = ["fixtures_database"]

ENTRIES = 12


class Unwanted(Exception):
    """Raised by a test within a unit of work."""


@pytest.fixture
def chained(database: Database) -> Database:
    """A database with a dozen events in its chain."""
    record_events(database, ENTRIES)
    assert breaks(database) == []
    return database


def breaks(database: Database) -> list[Break]:
    with database.read() as session:
        return list(events.check(session))


def kinds(database: Database) -> set[str]:
    return {one.kind for one in breaks(database)}


def tamper(database: Database, *statements: str, **values: Any) -> None:
    """Change the database as somebody with root could, past every rule of ours."""
    with database.engine.begin() as connection:
        _without_references(connection)
        for statement in statements:
            assert connection.execute(text(statement), values).rowcount > 0


def sequences(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(Event.sequence).order_by(Event.sequence)))


@pytest.mark.feature("SYS-10")
def test_events_follow_one_another_from_the_first(chained: Database) -> None:
    with chained.read() as session:
        entries = session.scalars(select(Event).order_by(Event.sequence)).all()
        head = session.scalars(select(Chain)).one()
    assert [entry.sequence for entry in entries] == list(range(1, ENTRIES + 1))
    assert entries[0].previous_hash == events.GENESIS
    assert [one.previous_hash for one in entries[1:]] == [one.hash for one in entries[:-1]]
    assert (head.sequence, head.hash) == (ENTRIES, entries[-1].hash)


def test_an_event_says_who_what_and_when_by_which_clock(database: Database) -> None:
    with database.write() as session:
        events.record(session, "camera.added", "camera", "c1", actor="olga", result="done", serial="A", clips=3)
    with database.read() as session:
        entry = session.scalars(select(Event)).one()
    assert (entry.actor, entry.action, entry.object_kind, entry.object_id) == ("olga", "camera.added", "camera", "c1")
    assert entry.detail == {"serial": "A", "clips": 3}
    assert entry.boot_seconds > 0
    assert len(entry.boot_id) == 36


def test_any_text_survives_the_database(database: Database) -> None:
    for words in ("Zoë + 1 %", "日本", "\u2028", '"\\', "🎥" * 20):
        with database.write() as session:
            events.record(session, "a", "b", words, actor=words, words=words, ratio=0.1 + 0.2, huge=2**62, none=None)
    assert breaks(database) == []


def test_an_event_goes_with_its_change_or_not_at_all(database: Database) -> None:
    with pytest.raises(Unwanted), database.write() as session:
        _change_and_fail(session)
    assert sequences(database) == []
    assert breaks(database) == []
    record_events(database, 1)
    assert sequences(database) == [1]


def test_threads_stand_in_line_at_the_head(database: Database) -> None:
    threads = [threading.Thread(target=record_events, args=(database, 15)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sequences(database) == list(range(1, 46))
    assert breaks(database) == []


def test_processes_stand_in_line_at_the_head(database: Database, database_url: str) -> None:
    processes = [database_writers.start("record-events", database_url, 20) for _ in range(2)]
    record_events(database, 20)
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert sequences(database) == list(range(1, 61))
    assert breaks(database) == []


EDITS: dict[str, Any] = {
    "at": "2020-01-01 00:00:00.000000+00:00",
    "boot_seconds": 1.5,
    "boot_id": "another",
    "actor": "somebody",
    "address": "192.0.2.9",
    "action": "other",
    "object_kind": "other",
    "object_id": "other",
    "result": "failed",
    "detail": '{"number": 99}',
    "tool_version": "9",
    "previous_hash": "0" * 64,
    "hash": "0" * 64,
}


def test_edits_of_every_column_are_tried() -> None:
    assert set(EDITS) | {"chain_id", "sequence"} == set(Event.__table__.columns.keys())


def test_an_edit_of_any_column_is_found(chained: Database) -> None:
    for column, value in EDITS.items():
        for sequence in (1, 6, ENTRIES):
            with chained.read() as session:
                edit = text(f"UPDATE bodyworn_event SET {column} = :value WHERE sequence = :at")
                session.execute(edit, {"value": value, "at": sequence})
                assert list(events.check(session)), f"{column} of {sequence}"
    assert breaks(chained) == []


@pytest.mark.parametrize(("column", "value"), [("at", "no moment"), ("detail", "{no JSON"), ("at", "2026-13-45 00:00")])
def test_an_event_that_cannot_even_be_read_is_found_and_no_other(
    sqlite_database: Database, column: str, value: str
) -> None:
    with sqlite_database.write() as session:
        for number in range(5):
            events.record(session, "profile.made", "profile", f"p{number}")
        session.execute(text(f"UPDATE bodyworn_event SET {column} = :value WHERE sequence = 3"), {"value": value})
    with sqlite_database.read() as session:
        assert [(found.sequence, found.kind) for found in events.check(session)] == [(3, "edited")]


@pytest.mark.parametrize("sequence", [1, 6, ENTRIES])
def test_an_edit_that_hashes_anew_is_found(chained: Database, sequence: int) -> None:
    """Who edits an event and its hash breaks the next one, or the head."""

    def edit(session: Session) -> None:
        entry = session.scalars(select(Event).where(Event.sequence == sequence)).one()
        entry.actor = "somebody"
        entry.hash = events.digest(entry)

    _change(chained, edit)
    assert breaks(chained)


@pytest.mark.parametrize("sequence", [1, 6, ENTRIES])
def test_a_dropped_event_is_found(chained: Database, sequence: int) -> None:
    tamper(chained, f"DELETE FROM bodyworn_event WHERE sequence = {sequence}")
    assert kinds(chained) & {"missing", "truncated"}


@pytest.mark.parametrize("sequence", [1, 6])
def test_a_drop_that_closes_the_gap_is_found(chained: Database, sequence: int) -> None:
    tamper(chained, f"DELETE FROM bodyworn_event WHERE sequence = {sequence}")
    for following in range(sequence + 1, ENTRIES + 1):
        tamper(chained, f"UPDATE bodyworn_event SET sequence = {following - 1} WHERE sequence = {following}")
    tamper(chained, f"UPDATE bodyworn_chain SET sequence = {ENTRIES - 1}")
    assert "edited" in kinds(chained)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (3, 9), (ENTRIES - 1, ENTRIES)])
def test_swapped_events_are_found(chained: Database, one: int, other: int) -> None:
    move = "UPDATE bodyworn_event SET sequence = {1} WHERE sequence = {0}"
    tamper(chained, move.format(one, 999), move.format(other, one), move.format(999, other))
    assert "edited" in kinds(chained)


def test_an_inserted_event_is_found(chained: Database) -> None:
    for following in range(ENTRIES, 5, -1):
        tamper(chained, f"UPDATE bodyworn_event SET sequence = {following + 1} WHERE sequence = {following}")
    _append_copy(chained, after=5)
    tamper(chained, f"UPDATE bodyworn_chain SET sequence = {ENTRIES + 1}")
    assert "edited" in kinds(chained)


def test_an_event_appended_past_the_head_is_found(chained: Database) -> None:
    _append_copy(chained, after=ENTRIES)
    assert kinds(chained) == {"truncated"}


@pytest.mark.parametrize("left", [0, 1, ENTRIES - 1])
def test_a_truncated_chain_is_found(chained: Database, left: int) -> None:
    tamper(chained, f"DELETE FROM bodyworn_event WHERE sequence > {left}")
    assert breaks(chained) == [Break(breaks(chained)[0].chain_id, left + 1, "truncated")]


def test_a_head_that_was_turned_back_is_found(chained: Database) -> None:
    tamper(
        chained, "UPDATE bodyworn_chain SET sequence = 3, hash = (SELECT hash FROM bodyworn_event WHERE sequence = 3)"
    )
    assert kinds(chained) == {"truncated"}


def test_a_chain_that_is_gone_is_found(chained: Database) -> None:
    tamper(chained, "DELETE FROM bodyworn_event", "DELETE FROM bodyworn_chain")
    assert kinds(chained) == {"missing"}


def test_events_of_no_chain_are_found(chained: Database) -> None:
    turn_back = "SET sequence = 11, hash = (SELECT hash FROM bodyworn_event WHERE sequence = 11)"
    tamper(
        chained,
        "UPDATE bodyworn_event SET chain_id = 'nobody' WHERE sequence = 12",
        f"UPDATE bodyworn_chain {turn_back}",
    )
    assert {one.chain_id for one in breaks(chained)} == {"nobody"}


def test_every_break_is_listed_and_sound_events_are_not(chained: Database) -> None:
    tamper(chained, "UPDATE bodyworn_event SET actor = 'x' WHERE sequence IN (4, 9)")
    assert [(one.sequence, one.kind) for one in breaks(chained)] == [(4, "edited"), (9, "edited")]


@pytest.mark.parametrize("values", [{"a": "1", "b": ""}, {"a": "", "b": "1"}])
def test_no_field_lends_bytes_to_another(sqlite_database: Database, values: dict[str, str]) -> None:
    with sqlite_database.write() as session:
        entry = events.record(session, values["a"], values["b"], "x")
        before, entry.action, entry.object_kind = entry.hash, values["b"], values["a"]
        assert events.digest(entry) != before
        session.rollback()


def _change(database: Database, change: Callable[[Session], None]) -> None:
    with database.write() as session:
        change(session)


def _change_and_fail(session: Session) -> None:
    session.add(Profile(name="Patrol", settings={}))
    events.record(session, "profile.made", "profile", "p1")
    raise Unwanted


def _append_copy(database: Database, *, after: int) -> None:
    """Insert an event with everything right but its place."""

    def insert(session: Session) -> None:
        before = session.scalars(select(Event).where(Event.sequence == after)).one()
        values = {key: getattr(before, key) for key in Event.__table__.columns.keys()}  # noqa: SIM118
        copy = Event(**(values | {"sequence": after + 1, "previous_hash": before.hash, "action": "forged"}))
        copy.hash = events.digest(copy)
        session.add(copy)

    _change(database, insert)


def _without_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=1")
        connection.connection.driver_connection.commit()
        connection.exec_driver_sql("PRAGMA foreign_keys=0")
    else:
        connection.exec_driver_sql("SET session_replication_role = replica")
