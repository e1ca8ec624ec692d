"""Docks and their bays: made once, and what is seen in them is written down with its event."""

from __future__ import annotations

import pytest
from bodyworn.errors import CameraNotGenuine, StorageLow
from bodyworn.models import Bay, BayState, DockKind, Event
from bodyworn.services import docks, history
from bodyworn.services.docks import BayProgress
from rig_parts import ACTOR, Depot, event_actions
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

pytest_plugins = ["fixtures_database"]


def bay_of(depot: Depot) -> Bay:
    with depot.database.read() as session:
        return session.get_one(Bay, depot.bay_id)


def enter(depot: Depot, *states: BayState) -> None:
    for state in states:
        with depot.database.write() as session:
            docks.enter(session, depot.bay_id, state)


def test_a_dock_has_numbered_bays_and_follows_those_before(depot: Depot) -> None:
    with depot.database.write() as session:
        docks.add_dock(session, name="Dock 2", kind=DockKind.SIMULATED, locator="/two", bays=3, actor=ACTOR)
    with depot.database.read() as session:
        first, second = docks.local_docks(session)
        assert (first.name, second.name) == ("Dock 1", "Dock 2")
        assert [(bay.position, bay.name, bay.state) for bay in second.bays] == [
            (number, f"Bay {number}", BayState.EMPTY) for number in (1, 2, 3)
        ]


def test_a_place_is_one_bay(depot: Depot) -> None:
    dock_id = bay_of(depot).dock_id
    with pytest.raises(IntegrityError), depot.database.write() as session:
        session.add(Bay(dock_id=dock_id, position=1, name="Twin"))


def test_a_docking_begins_with_nothing_known(depot: Depot) -> None:
    with depot.database.write() as session:
        depot.camera(session)
        docks.expect(session, depot.bay_id, 1000)
    enter(depot, BayState.CONNECTING)
    bay = bay_of(depot)
    assert (bay.state, bay.camera_id, bay.total_bytes, bay.progress_at) == (BayState.CONNECTING, None, 0, None)
    assert bay.docked_at is not None


def test_states_leave_an_event_each_and_repeats_none(depot: Depot) -> None:
    enter(depot, BayState.CONNECTING, BayState.NEW, BayState.NEW, BayState.NEW, BayState.READY)
    assert event_actions(depot.database, depot.bay_id) == ["bay.connecting", "bay.new", "bay.ready"]


def test_a_problem_stands_at_the_bay_until_the_next_state(depot: Depot) -> None:
    with depot.database.write() as session:
        docks.enter(session, depot.bay_id, BayState.PROBLEM, CameraNotGenuine(serial="A"))
    assert (bay_of(depot).problem_id, bay_of(depot).problem_values) == ("camera-not-genuine", {"serial": "A"})
    with depot.database.read() as session:
        last = session.scalars(select(Event).order_by(Event.sequence.desc())).first()
    assert last is not None
    assert (last.action, last.result) == ("bay.problem", "camera-not-genuine")
    enter(depot, BayState.READY)
    assert bay_of(depot).problem_id is None


def test_the_same_problem_again_is_not_another_event(depot: Depot) -> None:
    for free_gigabytes in (1.5, 1.4, 1.3):
        with depot.database.write() as session:
            docks.enter(session, depot.bay_id, BayState.PROBLEM, StorageLow(free_gigabytes=free_gigabytes))
    assert event_actions(depot.database, depot.bay_id) == ["bay.problem"]
    assert bay_of(depot).problem_values == {"free_gigabytes": 1.3}


def test_progress_is_written_without_an_event(depot: Depot) -> None:
    with depot.database.write() as session:
        docks.expect(session, depot.bay_id, 5 * 1024**4)
        docks.progress(session, {depot.bay_id: BayProgress(4 * 1024**4, 60e6)})
    bay = bay_of(depot)
    assert (bay.total_bytes, bay.done_bytes, bay.bytes_per_second) == (5 * 1024**4, 4 * 1024**4, 60e6)
    assert bay.progress_at is not None
    assert event_actions(depot.database, depot.bay_id) == []


def test_a_bay_that_was_emptied_meanwhile_does_not_wait(depot: Depot) -> None:
    with depot.database.write() as session:
        docks.progress(session, {depot.bay_id: BayProgress(0, None, True, 60.0, 90.0)})
    assert (bay_of(depot).waiting, bay_of(depot).ready_in_seconds) == (False, None)


def test_an_empty_bay_remembers_nothing_but_its_event(depot: Depot) -> None:
    with depot.database.write() as session:
        camera_id = depot.camera(session).id
        docks.enter(session, depot.bay_id, BayState.PROBLEM, CameraNotGenuine(serial="A"))
    for _ in range(2):
        with depot.database.write() as session:
            docks.empty(session, depot.bay_id)
    bay = bay_of(depot)
    assert (bay.state, bay.camera_id, bay.docked_at, bay.problem_id) == (BayState.EMPTY, None, None, None)
    assert event_actions(depot.database, camera_id).count("camera.undocked") == 1


@pytest.mark.parametrize("state", BayState)
def test_every_state_of_a_bay_has_words_in_the_log(state: BayState) -> None:
    assert history.sentences()[f"bay.{state}"].one
