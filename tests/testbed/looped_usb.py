"""A controller, real udev events, real filesystems, simulated cameras; in a network and mount namespace of its own.

``test_usb_dock.py`` runs this as a pytest of its own.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from bodyworn.camera_volume.documents import Unit
from bodyworn.camera_volume.port import UnitKind
from bodyworn.cli import rig as rigs
from bodyworn.errors import NoUdevEvents
from bodyworn.hw import mounts, usb_port
from bodyworn.hw.sockets import Sockets
from bodyworn.hw.usb_watch import UsbWatch
from bodyworn.models import Bay, BayState, Belonging, Camera, Controller, DockKind
from bodyworn.services import docks
from disk_parts import transcend
from helper_parts import helper_process, image, trusted
from running_station import SMALL, Station
from sqlalchemy import select
from testbed.loop_dock import LoopSocket, private_run, private_udev

pytest_plugins = ["fixtures_rig"]

EXFAT = {"kind": UnitKind.IMAGE, "filesystem": "exfat", "media_bytes": 24 * 2**20, "control_bytes": 4 * 2**20}
EXT4 = EXFAT | {"filesystem": "ext4"}


@pytest.fixture(scope="module", autouse=True)
def own_run() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    private_run()


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usb_port, "GRACE_SECONDS", 0.3)


def test_a_controller_that_hears_nothing_says_so_until_it_does() -> None:
    """The first test, because udev is not there yet."""
    watch = UsbWatch()
    watch.start()
    try:
        assert watch.problem is None
        wait(lambda: isinstance(watch.problem, NoUdevEvents), 6)
        with private_udev():
            Path("/sys/devices/virtual/mem/null/uevent").write_text("change")
            wait(lambda: watch.problem is None, 6)
    finally:
        watch.stop()


@pytest.fixture(scope="module")
def udev() -> Iterator[None]:
    with private_udev():
        yield


@pytest.fixture
def depot(udev: None, station: Station, tmp_path: Path) -> Iterator[Depot]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(LoopSocket(n, tmp_path / f"socket-{n}")) for n in (1, 2)]
        yield Depot(station, sockets)


class Depot:
    """A system with one USB dock that knows no bay yet."""

    def __init__(self, station: Station, loops: list[LoopSocket]) -> None:
        self.station, self.loops = station, loops
        with station.database.write() as session:
            for dock in docks.local_docks(session):
                session.delete(dock)
            self.dock_id = docks.add_dock(session, name="Dock", kind=DockKind.USB, locator="", bays=0).id

    def learn(self, on: bool = True) -> None:
        with self.station.database.write() as session:
            docks.learn(session, self.dock_id, on=on, actor="olga")

    def know(self) -> None:
        """Let the two sockets be bays, as if they had been learned."""
        with self.station.database.write() as session:
            for loop in self.loops:
                docks.learn_place(session, self.dock_id, loop.place)

    def running(self) -> Any:
        return self.station.running(sockets=Sockets(self.station.database, eject=self._eject))

    def _eject(self, node: str) -> None:
        next(loop for loop in self.loops if loop.has(node)).eject(node)

    def bays(self) -> list[Bay]:
        with self.station.database.read() as session:
            return [bay for dock in docks.local_docks(session) for bay in dock.bays]

    def state(self, number: int = 1) -> BayState | None:
        return next((bay.state for bay in self.bays() if bay.position == number), None)

    def camera(self, serial: str) -> Camera | None:
        with self.station.database.read() as session:
            return session.scalars(select(Camera).where(Camera.serial == serial)).first()

    def wait(self, condition: Callable[[], object], seconds: float = 20) -> float:
        """Wait until something is so; gives how long that took."""
        begin = time.monotonic()
        while not condition():
            assert time.monotonic() - begin < seconds, [
                (b.name, b.state, b.problem_id, b.problem_values) for b in self.bays()
            ]
            time.sleep(0.02)
        return time.monotonic() - begin


def wait(condition: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def mounted_beneath(folder: Path) -> list[str]:
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(folder) in line]


def test_a_new_camera_shows_within_two_seconds_and_is_not_read(depot: Depot) -> None:
    depot.know()
    camera = depot.station.camera(1, "SIM0001", **EXFAT)
    with depot.running():
        depot.wait(lambda: depot.state() is not None)
        time.sleep(0.5)
        camera.dock(depot.loops[0].bay)
        took = depot.wait(lambda: depot.state() is BayState.NEW)
        known = depot.camera("SIM0001")
        assert known is not None
        assert known.belonging is Belonging.NEW
        assert took < 2
        assert not mounted_beneath(depot.station.rig.data_dir / "mounts")
        camera.undock()
        depot.wait(lambda: depot.state() is BayState.EMPTY, 2)


def test_bays_are_learned_in_the_order_of_docking_and_keep_their_names(depot: Depot) -> None:
    first, second = (depot.station.camera(n, f"SIM000{n}", **EXFAT) for n in (1, 2))
    with depot.running():
        depot.learn()
        time.sleep(0.5)
        for camera, loop, count in ((second, depot.loops[1], 1), (first, depot.loops[0], 2)):
            camera.dock(loop.bay)
            depot.wait(lambda count=count: len(depot.bays()) == count)
        assert [(bay.name, bay.places) for bay in depot.bays()] == [("Bay 1", ["loops/2"]), ("Bay 2", ["loops/1"])]
        depot.wait(lambda: depot.state(1) is BayState.NEW and depot.state(2) is BayState.NEW)
        depot.learn(on=False)
        second.undock()
        depot.wait(lambda: depot.state(1) is BayState.EMPTY)
    assert len(depot.bays()) == 2


def test_the_whole_way_over_exfat(depot: Depot) -> None:
    whole_way(depot, EXFAT)


def test_a_plain_disk_of_vfat_is_emptied(depot: Depot, tmp_path: Path) -> None:
    """Added while it is empty, then worn, docked, offloaded, delivered, and its clips deleted on it."""
    depot.know()
    station, loop = depot.station, depot.loops[0]
    disk = image(tmp_path, "vfat", {})
    with depot.running():
        with loop.holding(disk):
            depot.wait(lambda: depot.state() is BayState.NEW)
            with station.database.read() as session:
                serial = session.scalars(select(Camera)).one().serial
            rigs.add_new_cameras(station.rig, [serial], ["Olga"])
            depot.wait(lambda: depot.state() is BayState.READY)
        depot.wait(lambda: depot.state() is BayState.EMPTY)
        with mounts.image_mounted(disk, "vfat", tmp_path / "worn", read_only=False) as folder:
            transcend(folder)
        with loop.holding(disk):
            depot.wait(lambda: [bool(one.erased_at) for one in station.recordings()] == [True, True])
            depot.wait(lambda: depot.state() is BayState.READY)
    with mounts.image_mounted(disk, "vfat", tmp_path / "worn", read_only=True) as folder:
        left = {path.name for path in folder.rglob("*") if path.is_file()}
    assert left == {"VERSION.TXT", "bodyworn.mark"}


def test_the_whole_way_by_the_helper(depot: Depot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is mounted is mounted by a process of its own; in its folder, and nowhere else."""
    with trusted() as folder, helper_process(folder, tmp_path, os.geteuid()):
        monkeypatch.setenv("BODYWORN_HELPER", str(folder / "socket"))
        whole_way(depot, EXFAT)
        assert not mounted_beneath(folder)


def test_the_whole_way_over_ext4_where_that_is_allowed(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BODYWORN_FILESYSTEMS", "ext4")
    whole_way(depot, EXT4)


def test_a_filesystem_that_is_not_allowed_is_told_at_the_bay(depot: Depot) -> None:
    depot.know()
    camera = depot.station.camera(1, "SIM0001", **EXT4)
    with depot.running():
        camera.dock(depot.loops[0].bay)
        depot.wait(lambda: depot.state() is BayState.PROBLEM)
        assert depot.bays()[0].problem_id == "filesystem-not-allowed"
        camera.undock()
        depot.wait(lambda: depot.state() is BayState.EMPTY)


def test_a_controller_whose_helper_is_gone_says_so(depot: Depot, tmp_path: Path, monkeypatch) -> None:
    """At the bay, and as a problem of the controller's own."""
    depot.know()
    monkeypatch.setenv("BODYWORN_HELPER", str(tmp_path / "gone"))
    camera = depot.station.camera(1, "SIM0001", **EXFAT)
    with depot.running():
        camera.dock(depot.loops[0].bay)
        depot.wait(lambda: depot.state() is BayState.PROBLEM)
        assert depot.bays()[0].problem_id == "helper-unreachable"
        with depot.station.database.read() as session:
            assert session.scalars(select(Controller)).one().problem_id == "helper-unreachable"
        camera.undock()
        depot.wait(lambda: depot.state() is BayState.EMPTY)


@pytest.mark.parametrize("label", ["BWC-MEDIA", "HOLIDAYS"])
def test_desktop_programs_are_kept_away_from_cameras_alone(udev: None, tmp_path: Path, label: str) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"")
    os.truncate(image, 4 * 2**20)
    run("mkfs.exfat", "-L", label, str(image))
    node = run("losetup", "--find", "--show", str(image)).strip()
    try:
        run("udevadm", "settle")
        found = run("udevadm", "info", "--query=property", node)
    finally:
        run("losetup", "--detach", node)
    assert f"ID_FS_LABEL={label}" in found
    assert ("UDISKS_IGNORE=1" in found) == label.startswith("BWC-")


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def whole_way(depot: Depot, build: dict[str, Any]) -> None:
    """Added, worn, docked, offloaded, delivered, deleted from the camera."""
    depot.know()
    station, loop = depot.station, depot.loops[0]
    camera = station.camera(1, "SIM0001", **build)
    with depot.running():
        camera.dock(loop.bay)
        depot.wait(lambda: depot.state() is BayState.NEW)
        station.add(camera)
        depot.wait(lambda: depot.state() is BayState.READY)
        camera.undock()
        depot.wait(lambda: depot.state() is BayState.EMPTY)
        recorded = camera.record(SMALL)
        camera.dock(loop.bay)
        depot.wait(lambda: station.is_delivered(recorded))
        depot.wait(lambda: station.is_erased(recorded))
        depot.wait(lambda: not camera.recordings())
        depot.wait(lambda: depot.state() is BayState.READY)
        with station.database.read() as session:
            assert session.scalars(select(Controller)).one().problem_id is None
        assert list(station.arrived(recorded)) == [clip.name for clip in recorded.clips]
        assert loop.backing(Unit.CONTROL).exists()
        camera.undock()
        depot.wait(lambda: depot.state() is BayState.EMPTY)
    assert not mounted_beneath(station.rig.data_dir / "mounts")
