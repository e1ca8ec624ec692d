"""Bays of USB docks: sets of places, learned by docking, with names that stay; and the commands for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bodyworn.cli.dock import command
from bodyworn.errors import PlaceTaken, UnknownDock
from bodyworn.hw import usb_marks, usb_place
from bodyworn.models import Bay, Database, DockKind
from bodyworn.services import docks
from bodyworn.services.keyring import Keyring
from click.testing import CliRunner
from rig_parts import ACTOR, Depot, event_actions

pytest_plugins = ["fixtures_database"]

HERE, THERE = "0000:00:14.0/3.1", "0000:00:14.0/3.2"


@pytest.fixture
def dock_id(depot: Depot) -> str:
    with depot.database.write() as session:
        return docks.add_dock(session, name="Rack", kind=DockKind.USB, locator="", bays=0, actor=ACTOR).id


def bays(database: Database, dock_id: str) -> list[tuple[str, list[str]]]:
    with database.read() as session:
        found = {dock.id: dock for dock in docks.local_docks(session)}[dock_id].bays
        return [(bay.name, bay.places) for bay in found]


def learned(database: Database, dock_id: str, *places: str) -> list[str]:
    with database.write() as session:
        return [docks.learn_place(session, dock_id, place).id for place in places]


def test_each_new_place_becomes_a_bay_behind_the_others(depot: Depot, dock_id: str) -> None:
    first, _ = learned(depot.database, dock_id, HERE, THERE)
    assert bays(depot.database, dock_id) == [("Bay 1", [HERE]), ("Bay 2", [THERE])]
    assert event_actions(depot.database, first) == ["bay.learned"]


def test_a_place_that_is_learned_again_keeps_its_bay_and_name(depot: Depot, dock_id: str) -> None:
    first, _ = learned(depot.database, dock_id, HERE, THERE)
    with depot.database.write() as session:
        session.get_one(Bay, first).name = "Left"
    assert learned(depot.database, dock_id, HERE) == [first]
    assert bays(depot.database, dock_id) == [("Left", [HERE]), ("Bay 2", [THERE])]


def test_a_bay_may_be_several_places_and_a_place_only_one_bay(depot: Depot, dock_id: str) -> None:
    first, second = learned(depot.database, dock_id, HERE, THERE)
    other = "0000:00:1a.0/1"
    with depot.database.write() as session:
        docks.add_place(session, first, other, actor=ACTOR)
        docks.add_place(session, first, other, actor=ACTOR)
    assert bays(depot.database, dock_id)[0] == ("Bay 1", [HERE, other])
    with pytest.raises(PlaceTaken, match="Bay 1"), depot.database.write() as session:
        docks.add_place(session, second, other, actor=ACTOR)
    with depot.database.write() as session:
        docks.remove_place(session, first, other, actor=ACTOR)
        docks.add_place(session, second, other, actor=ACTOR)
    assert bays(depot.database, dock_id) == [("Bay 1", [HERE]), ("Bay 2", [THERE, other])]
    assert event_actions(depot.database, first) == ["bay.learned", "bay.place-added", "bay.place-removed"]


def test_one_dock_learns_at_a_time(depot: Depot, dock_id: str) -> None:
    with depot.database.write() as session:
        second = docks.add_dock(session, name="Other", kind=DockKind.USB, locator="", bays=0, actor=ACTOR).id
    for learning in (dock_id, second):
        with depot.database.write() as session:
            docks.learn(session, learning, actor=ACTOR)
    with depot.database.read() as session:
        assert [dock.name for dock in docks.local_docks(session) if dock.learning] == ["Other"]
    with depot.database.write() as session:
        docks.learn(session, second, on=False, actor=ACTOR)
    with depot.database.read() as session:
        assert not any(dock.learning for dock in docks.local_docks(session))
    assert event_actions(depot.database, dock_id) == ["dock.added", "dock.learning", "dock.learning"]


# commands


@pytest.fixture
def url(empty_url: str, tmp_path: Path) -> Iterator[str]:
    from bodyworn.migrations.run import upgrade

    database = Database.at(empty_url)
    upgrade(database.engine)
    Depot.found(database, Keyring(tmp_path / "keys"))
    yield empty_url
    database.close()


def run(url: str, *arguments: str) -> str:
    done = CliRunner().invoke(command, [*arguments], env={"BODYWORN_DATABASE": url}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_dock_is_set_up_by_commands(url: str) -> None:
    run(url, "add", "Rack", "--beneath", "0000:00:14.0/3")
    run(url, "learn", "Rack")
    assert "Rack (learning)" in run(url, "list")
    run(url, "learn", "Rack", "--end")
    assert "(learning)" not in run(url, "list")


def test_places_of_a_bay_are_changed_by_commands(url: str) -> None:
    assert HERE in run(url, "place", "Dock 1", "Bay 1", HERE)
    assert f"Bay 1: empty, {HERE}" in run(url, "list")
    assert "no place" in run(url, "place", "Dock 1", "Bay 1", HERE, "--remove")


@pytest.mark.parametrize("arguments", [("learn", "Nobody"), ("place", "Dock 1", "Bay 9", HERE)])
def test_what_does_not_exist_is_said(url: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(UnknownDock):
        run(url, *arguments)


def test_the_rules_for_udev_are_printed(url: str) -> None:
    assert 'ENV{UDISKS_IGNORE}="1"' in run(url, "rules")


# ports, as sysfs has them


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """One controller with a USB 3 hub: socket 3 and 1 of its root hubs, and its own port 4, have two halves each."""
    controller, found = tmp_path / "devices/pci0000:00/0000:00:14.0", tmp_path / "bus"
    found.mkdir()
    pairs = [
        ("usb1/1-0:1.0/usb1-port3", "usb2/2-0:1.0/usb2-port1"),
        ("usb1/1-3/1-3:1.0/1-3-port4", "usb2/2-1/2-1:1.0/2-1-port4"),
    ]
    for pair in pairs:
        for port, peer in (pair, pair[::-1]):
            (controller / port).mkdir(parents=True)
            (controller / port / "peer").symlink_to(controller / peer)
            (found / Path(port).parent.name).symlink_to(controller / Path(port).parent)
    for bus, speed in (("usb1", "480"), ("usb2", "20000")):
        (controller / bus / "speed").write_text(f"{speed}\n")
    return found


def test_both_halves_of_every_port_have_one_place(devices: Path) -> None:
    assert usb_place.places_of_ports(devices) == {
        "1-3": "0000:00:14.0/3",
        "2-1": "0000:00:14.0/3",
        "1-3.4": "0000:00:14.0/3.4",
        "2-1.4": "0000:00:14.0/3.4",
    }


def test_udev_is_told_which_ports_are_bays(devices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usb_marks, "places_of_ports", lambda: usb_place.places_of_ports(devices))
    ports = tmp_path / "ports"
    usb_marks.mark_ports({"0000:00:1a.0/1"}, ports)
    assert not ports.exists()
    usb_marks.mark_ports({"0000:00:14.0/3", "0000:00:14.0/3.4"}, ports)
    assert {path.name for path in ports.iterdir()} == {"1-3", "2-1", "1-3.4", "2-1.4"}
    usb_marks.mark_ports({"0000:00:14.0/3.4"}, ports)
    assert {path.name for path in ports.iterdir()} == {"1-3.4", "2-1.4"}


def test_a_controller_that_may_not_tell_udev_works_all_the_same(devices: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(usb_marks, "places_of_ports", lambda: usb_place.places_of_ports(devices))
    (tmp_path / "file").touch()
    usb_marks.mark_ports({"0000:00:14.0/3"}, tmp_path / "file" / "ports")
