"""Drivers of other packages: found by entry points, asked first, and never able to take the others down."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from io import FileIO
from pathlib import Path
from types import ModuleType

import pytest
from bodyworn import errors
from bodyworn.hw.drivers.disk import DiskCamera
from bodyworn.hw.drivers.plugged import PluggedDisk, Surroundings
from bodyworn.hw.drivers.protocol import DockedCamera, Listed, Outcome, Wishes
from bodyworn.hw.drivers.registry import GROUP, Registry
from bodyworn.hw.order_book import OrderBook
from disk_parts import FolderDisk
from rig_parts import found_system, seen_facts

pytest_plugins = ["fixtures_database"]
PACKAGE = "someones_driver"


@dataclass
class SomeonesCamera:
    """A camera that fails wherever it is told to."""

    fails: set[str] = field(default_factory=set)
    closed: bool = False

    def __getattribute__(self, name: str):
        if not name.startswith("_") and name in object.__getattribute__(self, "fails"):
            raise RuntimeError(f"{name} is out of order")
        return object.__getattribute__(self, name)

    def identify(self):
        return seen_facts(None, driver="someones", serial="S1")

    facts = identify

    def synchronise(self, wishes: Wishes) -> Outcome:
        return Outcome(settings_sequence=3)

    @contextmanager
    def recordings(self) -> Iterator[SomeonesCamera]:
        try:
            yield self
        finally:
            self.closed = True

    def listed(self) -> list[Listed]:
        return [Listed("one", None, b"", errors.CameraGone())]

    def open(self, camera_recording_id: str, source_name: str) -> FileIO:
        raise errors.CameraFileMissing(name=source_name)

    def claim(self, camera_recording_ids):
        return list(camera_recording_ids)

    def acknowledge(self, stored):
        return []

    def erase(self, erasures):
        return ["one"]

    def is_there(self) -> bool:
        return True

    def ensure_connected(self) -> None:
        raise errors.CameraGone


@dataclass
class SomeonesDriver:
    """Takes disks of one vendor."""

    name: str = "someones"
    api: int = 1
    camera: object = field(default_factory=SomeonesCamera)

    def recognises(self, disk: PluggedDisk) -> bool:
        return disk.vendor_id == "4255"

    def open(self, disk: PluggedDisk, surroundings: Surroundings) -> DockedCamera:
        return self.camera


class Deaf(SomeonesDriver):
    def recognises(self, disk: PluggedDisk) -> bool:
        raise KeyError("vendor")


class Stuck(SomeonesDriver):
    def open(self, disk: PluggedDisk, surroundings: Surroundings) -> DockedCamera:
        raise ZeroDivisionError


@pytest.fixture
def disk(tmp_path: Path) -> PluggedDisk:
    return replace(FolderDisk(tmp_path).plugged(), vendor_id="4255")


@pytest.fixture
def surroundings(sqlite_database, keyring) -> Surroundings:
    with sqlite_database.write() as session:
        found_system(session, keyring)
    return Surroundings.of(sqlite_database, OrderBook(sqlite_database, keyring))


def installed(monkeypatch: pytest.MonkeyPatch, **drivers: object) -> list[EntryPoint]:
    """Install a package with these drivers."""
    package = ModuleType(PACKAGE)
    for name, driver in drivers.items():
        setattr(package, name, driver)
    monkeypatch.setitem(sys.modules, PACKAGE, package)
    return [EntryPoint(name, f"{PACKAGE}:{name}", GROUP) for name in drivers]


def test_this_installation_has_the_drivers_that_are_built_in() -> None:
    registry = Registry.load()
    assert registry.names[-1] == "disk"
    assert registry.broken == ()


def test_a_driver_is_loaded_from_its_entry_point_as_object_or_class(monkeypatch) -> None:
    points = installed(monkeypatch, a=SomeonesDriver("first"), b=SomeonesDriver)
    assert Registry.load(points).names == ("first", "someones", "disk")


def test_every_disk_has_a_driver(disk: PluggedDisk, surroundings: Surroundings) -> None:
    assert isinstance(Registry().camera(disk, surroundings), DiskCamera)


def test_a_driver_that_recognises_a_disk_has_it(disk: PluggedDisk, surroundings: Surroundings) -> None:
    registry = Registry([SomeonesDriver()])
    assert registry.camera(disk, surroundings).identify().serial == "S1"
    assert isinstance(registry.camera(replace(disk, vendor_id="0603"), surroundings), DiskCamera)


@pytest.mark.parametrize(
    ("driver", "why"),
    [
        (SomeonesDriver(api=2), "version 2"),
        (SomeonesDriver(name="disk"), "taken"),
        (SomeonesDriver(name="volume"), "taken"),
        (SomeonesDriver(name=""), "none"),
        (object(), "api"),
        (type("Half", (), {"name": "half", "api": 1}), "recognises"),
        (type("Bad", (), {"__init__": lambda self: 1 / 0}), "ZeroDivisionError"),
    ],
)
def test_a_driver_that_cannot_be_used_is_named_and_the_others_work(monkeypatch, driver: object, why: str) -> None:
    registry = Registry.load(installed(monkeypatch, bad=driver, good=SomeonesDriver()))
    assert registry.names == ("someones", "disk")
    assert [one.name for one in registry.broken] == ["bad"]
    assert why in registry.broken[0].reason


def test_a_package_that_cannot_be_imported_is_named() -> None:
    registry = Registry.load([EntryPoint("gone", "no_such_package_here:driver", GROUP)])
    assert registry.names == ("disk",)
    assert [one.name for one in registry.broken] == ["gone"]


def test_two_drivers_of_one_name_are_one(monkeypatch) -> None:
    registry = Registry.load(installed(monkeypatch, a=SomeonesDriver(), b=SomeonesDriver()))
    assert registry.names == ("someones", "disk")
    assert [one.name for one in registry.broken] == ["b"]


def test_a_driver_that_fails_to_look_is_passed_over(disk: PluggedDisk, surroundings: Surroundings) -> None:
    camera = Registry([Deaf("deaf"), SomeonesDriver()]).camera(disk, surroundings)
    assert camera.identify().serial == "S1"


def test_a_driver_that_recognises_and_cannot_go_on_says_so(disk: PluggedDisk, surroundings: Surroundings) -> None:
    with pytest.raises(errors.DriverBroken) as caught:
        Registry([Stuck("stuck")]).camera(disk, surroundings)
    assert caught.value.values["driver"] == "stuck"


CALLS = {
    "identify": lambda camera: camera.identify(),
    "facts": lambda camera: camera.facts(),
    "synchronise": lambda camera: camera.synchronise(Wishes()),
    "recordings": lambda camera: camera.recordings().__enter__(),
    "listed": lambda camera: camera.recordings().__enter__().listed(),
    "open": lambda camera: camera.recordings().__enter__().open("one", "two"),
    "claim": lambda camera: camera.claim(["one"]),
    "acknowledge": lambda camera: camera.acknowledge([]),
    "erase": lambda camera: camera.erase([]),
    "ensure_connected": lambda camera: camera.ensure_connected(),
}


@pytest.mark.parametrize("method", CALLS)
def test_whatever_a_driver_raises_becomes_an_error_of_the_tree(
    disk: PluggedDisk, surroundings: Surroundings, method: str
) -> None:
    driver = SomeonesDriver(camera=SomeonesCamera(fails={method}))
    camera = Registry([driver]).camera(disk, surroundings)
    with pytest.raises(errors.DriverBroken):
        CALLS[method](camera)


def test_errors_of_the_tree_pass_through(disk: PluggedDisk, surroundings: Surroundings) -> None:
    camera = Registry([SomeonesDriver()]).camera(disk, surroundings)
    with pytest.raises(errors.CameraGone):
        camera.ensure_connected()
    with camera.recordings() as source, pytest.raises(errors.CameraFileMissing):
        source.open("one", "two")


def test_a_drivers_storage_is_closed_after_an_error(disk: PluggedDisk, surroundings: Surroundings) -> None:
    someones = SomeonesCamera()
    camera = Registry([SomeonesDriver(camera=someones)]).camera(disk, surroundings)
    with pytest.raises(errors.StorageLow), camera.recordings():
        raise errors.StorageLow(free_gigabytes=1)
    assert someones.closed


def test_where_a_driver_cannot_tell_the_socket_does(disk: PluggedDisk, surroundings: Surroundings) -> None:
    camera = Registry([SomeonesDriver(camera=SomeonesCamera(fails={"is_there"}))]).camera(disk, surroundings)
    assert camera.is_there()
    gone = replace(disk, is_there=lambda: False)
    camera = Registry([SomeonesDriver(camera=SomeonesCamera(fails={"is_there"}))]).camera(gone, surroundings)
    assert not camera.is_there()
