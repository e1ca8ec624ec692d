"""Docks as people set them up: named, put in order, forgotten; what stands in which place, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import seed
from bodyworn.errors import BayOccupied, DockNameTaken, NoUdevEvents, UnknownDock
from bodyworn.models import Bay, BayState, Database
from bodyworn.services import devices, dock_changes, dock_setup, docks, surroundings, systems
from bodyworn.services.dock_setup import DockSetup, Surroundings
from bodyworn.services.sentence import Tone
from bodyworn.services.surroundings import SeenBroken, SeenDevice
from rig_parts import ACTOR, event_actions

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
HERE, THERE = "0000:00:14.0/3.1", "0000:00:14.0/3.2"


@pytest.fixture
def database(tmp_path) -> Iterator[Database]:
    with seed.open_database(tmp_path) as opened:
        with opened.write() as session:
            seed.found_system(session, NOW)
        yield opened


@pytest.fixture
def dock_id(database: Database) -> str:
    with database.write() as session:
        made = dock_changes.add_usb_dock(session, "Rack", "", actor=ACTOR).id
        for place in (HERE, THERE):
            docks.learn_place(session, made, place)
    return made


def shown(database: Database) -> Surroundings:
    with database.read() as session:
        return dock_setup.surroundings(session, NOW)


def setup(database: Database, dock_id: str) -> DockSetup:
    with database.read() as session:
        return dock_setup.dock(session, dock_id, NOW)


def names(database: Database, dock_id: str) -> list[tuple[str, list[str]]]:
    bays = setup(database, dock_id).bays
    return [(bay.view.name, [place.place for place in bay.places]) for bay in bays]


def device(place: str = HERE, name: str = "Maker Camera", **changes) -> SeenDevice:
    facts = {"foreign_kinds": (), "could_be_camera": True, "has_disk": True, "has_medium": True}
    return SeenDevice(place=place, name=name, **(facts | changes))


def tell(database: Database, *seen: SeenDevice, broken: tuple[SeenBroken, ...] = ()) -> None:
    with database.write() as session:
        surroundings.take_down(session, seen, broken)


# changes


def test_names_stay_with_their_places(database: Database, dock_id: str) -> None:
    left, right = (bay.view.id for bay in setup(database, dock_id).bays)
    with database.write() as session:
        dock_changes.rename(session, dock_id, "Rack at the door", {left: "Left", right: "Bay 2"}, actor=ACTOR)
        docks.learn_place(session, dock_id, HERE)
    assert setup(database, dock_id).view.name == "Rack at the door"
    assert names(database, dock_id) == [("Left", [HERE]), ("Bay 2", [THERE])]
    assert event_actions(database, right) == ["bay.learned"], "nothing is written about what stayed as it was"


def test_bays_and_docks_change_places_with_their_neighbours(database: Database, dock_id: str) -> None:
    first, _ = (bay.view.id for bay in setup(database, dock_id).bays)
    with database.write() as session:
        dock_changes.move_bay(session, first, later=True, actor=ACTOR)
        dock_changes.move_bay(session, first, later=True, actor=ACTOR)
        other = dock_changes.add_usb_dock(session, "Table", "", actor=ACTOR).id
        dock_changes.move_dock(session, other, later=False, actor=ACTOR)
    assert names(database, dock_id) == [("Bay 2", [THERE]), ("Bay 1", [HERE])]
    assert [one.view.name for one in shown(database).docks] == ["Table", "Rack"]
    assert event_actions(database, first).count("bay.moved") == 1


def test_a_bay_that_was_forgotten_is_learned_as_a_new_one(database: Database, dock_id: str) -> None:
    first, second = (bay.view.id for bay in setup(database, dock_id).bays)
    with database.write() as session:
        dock_changes.forget_bay(session, first, actor=ACTOR)
    with database.write() as session:
        docks.learn_place(session, dock_id, HERE)
    assert names(database, dock_id) == [("Bay 2", [THERE]), ("Bay 3", [HERE])]
    assert event_actions(database, first)[-1] == "bay.forgotten"
    with database.write() as session:
        dock_changes.forget_place(session, second, THERE, actor=ACTOR)
        dock_changes.forget_dock(session, dock_id, actor=ACTOR)
    assert shown(database).docks == []
    assert event_actions(database, dock_id)[-1] == "dock.forgotten"


def test_a_bay_in_which_something_stands_is_not_forgotten(database: Database, dock_id: str) -> None:
    first, _ = (bay.view.id for bay in setup(database, dock_id).bays)
    with database.write() as session:
        session.get_one(Bay, first).state = BayState.CONNECTING
    for forget, of in ((dock_changes.forget_bay, first), (dock_changes.forget_dock, dock_id)):
        with pytest.raises(BayOccupied, match="Bay 1"), database.write() as session:
            forget(session, of, actor=ACTOR)
    assert len(names(database, dock_id)) == 2


def test_each_dock_has_a_name_of_its_own(database: Database, dock_id: str) -> None:
    with pytest.raises(DockNameTaken, match="Rack"), database.write() as session:
        dock_changes.add_usb_dock(session, "Rack", "", actor=ACTOR)
    with database.write() as session:
        other = dock_changes.add_usb_dock(session, "Table", "", actor=ACTOR).id
    with pytest.raises(DockNameTaken), database.write() as session:
        dock_changes.rename(session, other, "Rack", {}, actor=ACTOR)


@pytest.mark.parametrize("ask", [dock_setup.dock, dock_setup.bay])
def test_what_does_not_exist_is_told(database: Database, ask) -> None:
    with pytest.raises(UnknownDock), database.read() as session:
        ask(session, "absent", NOW)


# what is seen


@pytest.mark.parametrize(
    ("changes", "tone", "words"),
    [
        ({}, Tone.OKAY, "Shows its storage."),
        ({"foreign_kinds": ("keyboard or mouse",)}, Tone.PROBLEM, "a disk and also keyboard or mouse"),
        ({"foreign_kinds": ("network",), "has_disk": False}, Tone.INACTIVE, "Is no camera: network."),
        ({"has_disk": False}, Tone.ATTENTION, "Shows no storage yet"),
        ({"has_medium": False}, Tone.INACTIVE, "card reader without a card"),
    ],
)
def test_what_stands_in_a_place_is_said_in_words(database: Database, dock_id: str, changes, tone, words) -> None:
    tell(database, device(**changes))
    first, second = setup(database, dock_id).bays
    (place,) = first.places
    assert place.state.tone is tone
    assert words in place.said.one.format(**place.said.values)
    assert place.device == "Maker Camera"
    assert (second.places[0].device, second.places[0].state.tone) == (None, Tone.INACTIVE)


def test_what_stands_where_no_bay_is_is_listed_apart_and_goes_again(database: Database, dock_id: str) -> None:
    tell(database, device(), device("0000:00:14.0/9", "Some Keyboard", foreign_kinds=("keyboard or mouse",)))
    assert [place.device for place in shown(database).elsewhere] == ["Some Keyboard"]
    tell(database, device())
    assert shown(database).elsewhere == []


def test_drivers_that_were_not_loaded_are_named_with_package_and_reason(database: Database) -> None:
    tell(database, broken=(SeenBroken("acme", "bodyworn-acme", "ImportError: no module named acme"),))
    (driver,) = shown(database).drivers
    assert (driver.name, driver.package) == ("acme", "bodyworn-acme")
    assert "no module" in driver.reason


def test_a_controller_that_hears_nothing_says_how_to_mend_it(database: Database) -> None:
    assert shown(database).deaf is None
    with database.write() as session:
        systems.local_controller(session).problem_id = NoUdevEvents.id
    deaf = shown(database).deaf
    assert deaf is not None
    assert deaf.mend is not None
    assert "udev" in deaf.mend.one


def test_learning_says_which_bay_was_learned_last(database: Database) -> None:
    with database.write() as session:
        made = dock_changes.add_usb_dock(session, "Rack", "", actor=ACTOR).id
        docks.learn(session, made, actor=ACTOR)
    before = setup(database, made).learning
    assert before is not None
    assert before.last is None
    with database.write() as session:
        docks.learn_place(session, made, HERE)
    after = setup(database, made).learning
    assert after is not None
    assert (after.learned, after.last) == (1, "Bay 1")


def test_limits_are_kept_within_what_a_controller_can_use(database: Database) -> None:
    assert shown(database).limits == systems.Limits(8, 2)
    with database.write() as session:
        systems.set_limits(session, systems.Limits(1000, 0), actor=ACTOR)
    assert shown(database).limits == systems.Limits(systems.MOST_OFFLOADS, 1)
    assert event_actions(database)[-1] == "system.limits-changed"


# waiting


@pytest.mark.feature("REC-1")
def test_a_bay_that_waits_says_so_and_when_its_turn_comes(database: Database, dock_id: str) -> None:
    first, second = (bay.view.id for bay in setup(database, dock_id).bays)
    moving = docks.BayProgress(10**9, 40e6, ready_in_seconds=300.0)
    with database.write() as session:
        for bay_id in (first, second):
            docks.enter(session, bay_id, BayState.OFFLOADING)
            docks.expect(session, bay_id, 10 * 10**9)
        docks.progress(session, {first: moving, second: docks.BayProgress(0, None, True, 300.0, 550.0)})
    with database.read() as session:
        now = session.get_one(Bay, first).progress_at
        (dock,) = devices.docks(session, now)
    ahead, behind = dock.bays
    assert (ahead.state.tone, ahead.progress.seconds_left, ahead.progress.waiting) == (Tone.MOVING, 300.0, False)
    assert (behind.state.word.one, behind.progress.waiting) == ("Waiting", True)
    assert (behind.progress.turn_in_seconds, behind.progress.seconds_left) == (300.0, 550.0)
    with database.write() as session:
        docks.enter(session, second, BayState.READY)
        assert session.get_one(Bay, second).ready_in_seconds is None
