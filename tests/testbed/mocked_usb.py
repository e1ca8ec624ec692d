"""What the watch sees of a mocked USB bus; ``test_usb_watch.py`` runs this as a pytest of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from bodyworn.camera_volume.documents import Unit
from bodyworn.errors import (
    CameraGone,
    CameraInterrupted,
    DiskWithoutIdentity,
    EjectFailed,
    FilesystemNotAllowed,
    NeverADisk,
    TurnTimedOut,
    UnitAbsent,
    UsbDeviceRefused,
)
from bodyworn.hw import usb_port
from bodyworn.hw.drivers.protocol import DockedCamera
from bodyworn.hw.order_book import OrderBook
from bodyworn.hw.sockets import Sockets
from bodyworn.hw.usb_camera import is_volume_camera
from bodyworn.hw.usb_device import Attached
from bodyworn.hw.usb_port import UsbPort
from bodyworn.hw.usb_watch import UsbWatch
from bodyworn.migrations.run import upgrade
from bodyworn.models import Database, DockKind, UsbDevice
from bodyworn.services import docks
from bodyworn.services.keyring import Keyring
from rig_parts import Depot
from sqlalchemy import select
from testbed.mock_bus import Gadget, Lun, MockBus

PLACE = "0000:00:14.0/3"
SINGLE = (Lun("sdb"),)


@pytest.fixture
def bus() -> Iterator[MockBus]:
    made = MockBus()
    yield made
    made.close()


@pytest.fixture
def watch(bus: MockBus) -> Iterator[UsbWatch]:
    made = UsbWatch()
    made.start()
    yield made
    made.stop()


def until(watch: UsbWatch, condition: Callable[[], object], seconds: float = 2.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, watch.places()
        watch.wait(watch.version, 0.02)


def seen(watch: UsbWatch, place: str = PLACE) -> Attached:
    """Wait for a device with every disk that it will have here."""
    until(watch, lambda: watch.at(place) and watch.quiet_seconds(place) > 0.1)
    found = watch.at(place)
    assert found is not None
    return found


def docked(bus: MockBus, watch: UsbWatch, gadget: Gadget, ejected: list[str] | None = None) -> UsbPort:
    bus.plug(gadget)
    return UsbPort(watch, seen(watch), Path("/nonexistent"), (ejected if ejected is not None else []).append)


# what is there


def test_a_camera_is_noticed_with_its_units_and_who_it_says_it_is(bus: MockBus, watch: UsbWatch) -> None:
    begin = time.monotonic()
    bus.plug(Gadget())
    until(watch, lambda: watch.at(PLACE) is not None and len(watch.at(PLACE).disks) == 2)  # type: ignore[union-attr]
    assert time.monotonic() - begin < 1
    found = seen(watch)
    assert (found.serial, found.vendor_id, found.name) == ("BWC0042", "1234", "Maker Camera")
    media, control = found.disks
    assert (media.node, media.lun, media.medium) == ("/dev/sdb", 0, "")
    assert (control.node, control.lun, control.medium, control.filesystem) == ("/dev/sdc", 1, "1", "exfat")
    assert watch.problem is None


def test_what_was_there_before_is_found(bus: MockBus) -> None:
    bus.plug(Gadget())
    watch = UsbWatch()
    watch.start()
    assert [disk.node for disk in watch.places()[PLACE].disks] == ["/dev/sdb", "/dev/sdc"]
    watch.stop()


def test_pulling_it_out_is_noticed(bus: MockBus, watch: UsbWatch) -> None:
    bus.plug(Gadget())
    seen(watch)
    bus.unplug(Gadget())
    until(watch, lambda: not watch.places())


def test_two_cameras_with_one_serial_number_are_two(bus: MockBus, watch: UsbWatch) -> None:
    bus.plug(Gadget())
    bus.plug(Gadget(port="4.2", devnum=8, luns=(Lun("sdd"), Lun("sde"))))
    other = "0000:00:14.0/4.2"
    found = seen(watch), seen(watch, other)
    assert [one.serial for one in found] == ["BWC0042", "BWC0042"]
    assert [one.disks[1].node for one in found] == ["/dev/sdc", "/dev/sde"]


def test_hubs_are_ways_and_not_places(bus: MockBus, watch: UsbWatch) -> None:
    bus.plug(Gadget(port="4", device_class="09", classes=("09",), luns=(), serial=""))
    bus.plug(Gadget(port="4.1"))
    seen(watch, "0000:00:14.0/4.1")
    assert list(watch.places()) == ["0000:00:14.0/4.1"]


def test_both_halves_of_a_socket_are_one_place(bus: MockBus, watch: UsbWatch) -> None:
    slow, fast = "usb1/1-0:1.0/usb1-port3", "usb2/2-0:1.0/usb2-port1"
    bus.pair(slow, fast)
    bus.plug(Gadget(bus=2, port="1"), port_object=fast)
    assert list(watch.places()) == [PLACE] if watch.places() else seen(watch).place == PLACE
    bus.unplug(Gadget(bus=2, port="1"))
    until(watch, lambda: not watch.places())
    bus.plug(Gadget(), port_object=slow)
    assert seen(watch).place == PLACE


def test_both_halves_of_a_hubs_socket_are_one_place(bus: MockBus, watch: UsbWatch) -> None:
    slow, fast = "usb1/1-3/1-3:1.0/1-3-port4", "usb2/2-1/2-1:1.0/2-1-port4"
    bus.pair(slow, fast)
    bus.plug(Gadget(bus=2, port="1.4"), port_object=fast)
    assert seen(watch, "0000:00:14.0/3.4").serial == "BWC0042"


def test_a_fast_socket_without_a_slow_half_has_a_name_of_its_own(bus: MockBus, watch: UsbWatch) -> None:
    bus.plug(Gadget(bus=2))
    assert seen(watch, "0000:00:14.0/ss/3").serial == "BWC0042"


def test_a_filesystem_on_a_partition_is_found(bus: MockBus, watch: UsbWatch) -> None:
    bus.plug(Gadget(luns=(Lun("sdb", partition="sdb1"),)))
    (disk,) = seen(watch).disks
    assert (disk.node, disk.filesystem_node, disk.filesystem) == ("/dev/sdb", "/dev/sdb1", "exfat")


def test_a_keyboard_is_no_camera_whatever_else_it_is(bus: MockBus, watch: UsbWatch) -> None:
    bus.plug(Gadget(classes=("08", "03")))
    found = seen(watch)
    assert found.foreign_kinds == ("keyboard or mouse",)
    assert not found.could_be_camera


# one docking


def test_control_is_there_as_soon_as_its_medium_is(bus: MockBus, watch: UsbWatch) -> None:
    port = docked(bus, watch, Gadget())
    port.begin()
    begin = time.monotonic()
    port.wait_until_present([Unit.CONTROL], 5)
    assert time.monotonic() - begin < 0.2
    with pytest.raises(UnitAbsent), port.opened(Unit.MEDIA, read_only=True):
        pytest.fail("media was not exported")


def test_the_only_disk_is_control(bus: MockBus, watch: UsbWatch) -> None:
    port = docked(bus, watch, Gadget(luns=SINGLE))
    port.begin()
    port.wait_until_present([Unit.CONTROL], 5)


def test_an_early_first_disk_is_not_taken_for_the_only_one(bus: MockBus, watch: UsbWatch) -> None:
    both = Gadget(luns=(Lun("sdb", sequence=1), Lun("sdc", sequence=2)))
    bus.plug(replace(both, luns=()))
    bus.add_disk(both, 0)
    until(watch, lambda: watch.at(PLACE) and watch.at(PLACE).disks)  # type: ignore[union-attr]
    port = UsbPort(watch, watch.places()[PLACE], Path("/nonexistent"), [].append)
    with pytest.raises(TurnTimedOut):
        port.wait_until_present([Unit.CONTROL], 0.1)
    bus.add_disk(both, 1)
    port.wait_until_present(list(Unit), 2)


def test_a_turn_ends_when_another_medium_is_in(bus: MockBus, watch: UsbWatch) -> None:
    gadget, ejected = Gadget(), []
    port = docked(bus, watch, gadget, ejected)
    with pytest.raises(TurnTimedOut):
        port.turn([Unit.CONTROL], 0.2)
    assert ejected == ["/dev/sdc"]
    bus.change_medium(gadget.with_lun(1, sectors=0, sequence=2), 1)
    until(watch, lambda: not watch.places()[PLACE].has_medium)
    bus.change_medium(gadget.with_lun(1, sequence=3), 1)
    port.wait_until_present([Unit.CONTROL], 2)


def test_an_event_about_the_ejected_medium_does_not_end_a_turn(bus: MockBus, watch: UsbWatch) -> None:
    """udev sends one whenever somebody who wrote closes the disk."""
    gadget = Gadget()
    port = docked(bus, watch, gadget)
    with pytest.raises(TurnTimedOut):
        port.turn([Unit.CONTROL], 0.05)
    bus.event(gadget.disk_path(1), "change")
    with pytest.raises(TurnTimedOut):
        port.wait_until_present([Unit.CONTROL], 0.3)


def test_kernels_that_do_not_number_media_are_understood(bus: MockBus, watch: UsbWatch) -> None:
    gadget = Gadget().with_lun(1, sequence=0)
    port = docked(bus, watch, gadget)
    with pytest.raises(TurnTimedOut):
        port.turn([Unit.CONTROL], 0.05)
    bus.change_medium(gadget.with_lun(1, sectors=0), 1)
    until(watch, lambda: not watch.places()[PLACE].has_medium)
    bus.change_medium(gadget, 1)
    port.wait_until_present([Unit.CONTROL], 2)


def test_a_camera_in_its_turn_has_not_been_undocked(bus: MockBus, watch: UsbWatch, monkeypatch) -> None:
    monkeypatch.setattr(usb_port, "GRACE_SECONDS", 0.0)
    gadget = Gadget()
    port = docked(bus, watch, gadget)
    assert port.is_there()
    with pytest.raises(TurnTimedOut):
        port.turn([Unit.CONTROL], 0.05)
    bus.change_medium(gadget.with_lun(1, sectors=0, sequence=2), 1)
    until(watch, lambda: not watch.places()[PLACE].has_medium)
    assert port.is_there()


def test_a_medium_that_goes_by_itself_was_taken_out(bus: MockBus, watch: UsbWatch, monkeypatch) -> None:
    monkeypatch.setattr(usb_port, "GRACE_SECONDS", 0.0)
    gadget = Gadget(luns=SINGLE)
    port = docked(bus, watch, gadget)
    assert port.is_there()
    bus.change_medium(gadget.with_lun(0, sectors=0, filesystem=""), 0)
    until(watch, lambda: not port.is_there())


def test_a_camera_that_came_loose_may_come_back(bus: MockBus, watch: UsbWatch) -> None:
    port = docked(bus, watch, Gadget())
    port.begin()
    bus.unplug(Gadget())
    until(watch, lambda: not watch.places())
    assert port.is_there()
    with pytest.raises(CameraInterrupted):
        port.ensure_connected()
    again = Gadget(devnum=8, luns=(Lun("sdd", sectors=0, sequence=5), Lun("sde", sequence=6)))
    bus.plug(again)
    seen(watch)
    with pytest.raises(CameraInterrupted):
        port.wait_until_present([Unit.CONTROL], 1)
    port.begin()
    port.wait_until_present([Unit.CONTROL], 1)
    port.ensure_connected()


def test_a_camera_that_stays_away_is_gone(bus: MockBus, watch: UsbWatch, monkeypatch) -> None:
    monkeypatch.setattr(usb_port, "GRACE_SECONDS", 0.2)
    port = docked(bus, watch, Gadget())
    bus.unplug(Gadget())
    until(watch, lambda: not watch.places())
    with pytest.raises(CameraGone):
        port.begin()
    assert not port.is_there()


def test_another_camera_in_its_place_is_not_it(bus: MockBus, watch: UsbWatch) -> None:
    port = docked(bus, watch, Gadget())
    bus.unplug(Gadget())
    bus.plug(Gadget(serial="BWC0043", devnum=8))
    until(watch, lambda: watch.at(PLACE) is not None and watch.places()[PLACE].serial == "BWC0043")
    assert not port.is_there()


def test_a_camera_that_enumerates_anew_in_its_turn_goes_on(bus: MockBus, watch: UsbWatch) -> None:
    again = Gadget(devnum=8, luns=(Lun("sdd", sectors=0, sequence=5), Lun("sde", sequence=6)))

    def reconnect(node: str) -> None:
        bus.unplug(Gadget())
        bus.plug(again)

    bus.plug(Gadget())
    port = UsbPort(watch, seen(watch), Path("/nonexistent"), reconnect)
    port.turn([Unit.CONTROL], 2)
    port.ensure_connected()


def test_a_device_that_never_becomes_a_disk_is_told(bus: MockBus, watch: UsbWatch, monkeypatch) -> None:
    monkeypatch.setattr(usb_port, "_DISK_SECONDS", 0.2)
    port = docked(bus, watch, Gadget(classes=("ff",), luns=()))
    with pytest.raises(NeverADisk, match="Maker Camera"):
        port.wait_until_present([Unit.CONTROL], 5)
    assert port.is_there()


def test_a_control_interface_that_becomes_a_disk_is_a_camera(bus: MockBus, watch: UsbWatch) -> None:
    port = docked(bus, watch, Gadget(classes=("ff",), luns=()))
    bus.unplug(Gadget(luns=()))
    bus.plug(Gadget(devnum=8))
    until(watch, lambda: watch.at(PLACE) is not None and len(watch.places()[PLACE].disks) == 2)
    port.begin()
    port.wait_until_present([Unit.CONTROL], 1)


def test_a_filesystem_that_is_not_allowed_is_not_touched(bus: MockBus, watch: UsbWatch) -> None:
    port = docked(bus, watch, Gadget().with_lun(1, filesystem="btrfs"))
    with pytest.raises(FilesystemNotAllowed, match="btrfs"), port.opened(Unit.CONTROL, read_only=True):
        pytest.fail("it was mounted")


def test_a_disk_that_cannot_be_ejected_is_told(bus: MockBus, watch: UsbWatch) -> None:
    def refuse(node: str) -> None:
        raise EjectFailed(reason="Input/output error")

    bus.plug(Gadget())
    until(watch, lambda: watch.at(PLACE) is not None and len(watch.places()[PLACE].disks) == 2)
    port = UsbPort(watch, seen(watch), Path("/nonexistent"), refuse)
    with pytest.raises(EjectFailed, match="Input/output"):
        port.turn([Unit.CONTROL], 1)


def test_a_dock_full_of_cameras_is_seen_at_once(bus: MockBus, watch: UsbWatch) -> None:
    for number in range(1, 9):
        luns = (Lun(f"sd{chr(97 + number)}"),)
        bus.plug(Gadget(port=f"4.{number}", devnum=number + 1, luns=luns, serial=f"S{number}"))
        until(watch, lambda number=number: len(watch.places()) == number)
    assert {one.serial for one in watch.places().values()} == {f"S{number}" for number in range(1, 9)}


# sockets of a controller


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Depot:
    folder = tmp_path_factory.mktemp("depot")
    database = Database.at(f"sqlite:///{folder / 'bodyworn.db'}")
    upgrade(database.engine)
    return Depot.found(database, Keyring(folder / "keys"))


class Rack:
    """A USB dock, and the sockets that a controller sees of it."""

    def __init__(self, depot: Depot, beneath: str) -> None:
        self.depot, self.sockets = depot, Sockets(depot.database)
        with depot.database.write() as session:
            for dock in docks.local_docks(session):
                session.delete(dock)
            self.dock_id = docks.add_dock(session, name="Rack", kind=DockKind.USB, locator=beneath, bays=0).id
        self.sockets.local()

    @property
    def watch(self) -> UsbWatch:
        assert self.sockets._hub is not None
        return self.sockets._hub.watch

    def learn(self) -> None:
        with self.depot.database.write() as session:
            docks.learn(session, self.dock_id, actor="olga")
        self.sockets.local()

    def places(self) -> list[list[str]]:
        self.sockets.learn()
        with self.depot.database.read() as session:
            return [bay.places for dock in docks.local_docks(session) for bay in dock.bays]

    def told(self) -> list[tuple[str, str, list[str], bool]]:
        """Write down what stands where, and read it as pages do."""
        self.sockets.tell()
        with self.depot.database.read() as session:
            rows = session.scalars(select(UsbDevice).order_by(UsbDevice.place))
            return [(one.place, one.name, one.foreign_kinds, one.has_disk) for one in rows]

    def camera(self, place: str = PLACE) -> DockedCamera | None:
        with self.depot.database.write() as session:
            docks.learn_place(session, self.dock_id, place)
        (socket,) = self.sockets.local()
        return socket.camera(OrderBook(self.depot.database, self.depot.keyring), Path("/nonexistent"))


@pytest.fixture
def make_rack(bus: MockBus, founded: Depot) -> Iterator[Callable[..., Rack]]:
    made: list[Rack] = []

    def make(beneath: str = "") -> Rack:
        made.append(Rack(founded, beneath))
        return made[-1]

    yield make
    for rack in made:
        rack.sockets.close()


def test_a_dock_learns_where_something_appears_and_not_what_was_there(bus: MockBus, make_rack) -> None:
    bus.plug(Gadget(port="1", luns=(Lun("sda"),), serial="DISK"))
    rack = make_rack()
    rack.learn()
    bus.plug(Gadget(port="2", devnum=8, classes=("03", "03"), luns=()))
    bus.plug(Gadget(port="5", devnum=9, classes=("e0",), luns=()))
    bus.plug(Gadget())
    seen(rack.watch)
    assert rack.places() == [[PLACE]]
    bus.unplug(Gadget())
    until(rack.watch, lambda: rack.watch.at(PLACE) is None)
    bus.plug(Gadget(devnum=10))
    seen(rack.watch)
    assert rack.places() == [[PLACE]]


def test_a_dock_behind_a_hub_learns_behind_that_hub(bus: MockBus, make_rack) -> None:
    rack = make_rack("0000:00:14.0/4")
    rack.learn()
    bus.plug(Gadget())
    bus.plug(Gadget(port="4.2", devnum=8, luns=(Lun("sdd"),)))
    seen(rack.watch, "0000:00:14.0/4.2")
    seen(rack.watch)
    assert rack.places() == [["0000:00:14.0/4.2"]]


def test_an_empty_card_reader_is_an_empty_bay(bus: MockBus, make_rack) -> None:
    rack = make_rack()
    bus.plug(Gadget(luns=(Lun("sdb", sectors=0, filesystem=""),)))
    seen(rack.watch)
    assert rack.camera() is None


def test_a_keyboard_that_says_it_is_a_camera_is_refused(bus: MockBus, make_rack) -> None:
    rack = make_rack()
    bus.plug(Gadget(classes=("08", "03")))
    seen(rack.watch)
    camera = rack.camera()
    assert camera is not None
    with pytest.raises(UsbDeviceRefused, match="keyboard or mouse"):
        camera.identify()
    assert camera.is_there()


def test_what_stands_where_is_written_down_even_when_it_is_no_camera(bus: MockBus, make_rack) -> None:
    rack, keyboard = make_rack(), Gadget(classes=("08", "03"), luns=SINGLE)
    bus.plug(keyboard)
    until(rack.watch, lambda: rack.watch.at(PLACE) and rack.watch.at(PLACE).disks)
    assert rack.told() == [(PLACE, "Maker Camera", ["keyboard or mouse"], True)]
    bus.unplug(keyboard)
    until(rack.watch, lambda: not rack.watch.places())
    assert rack.told() == []


def test_bays_behind_one_hub_share_a_bus(bus: MockBus, make_rack) -> None:
    rack = make_rack()
    rack.camera("0000:00:14.0/4.1")
    bus.plug(Gadget(port="4.1"))
    until(rack.watch, lambda: rack.watch.at("0000:00:14.0/4.1"))
    (socket,) = rack.sockets.local()
    assert socket.bus == "0000:00:14.0/4"


def test_a_plain_disk_gets_the_driver_for_disks(bus: MockBus, make_rack) -> None:
    rack = make_rack()
    bus.plug(Gadget(luns=(Lun("sdb", label="NO NAME"),)))
    seen(rack.watch)
    camera = rack.camera()
    assert camera is not None
    with pytest.raises(DiskWithoutIdentity):
        camera.identify()


def test_a_camera_of_the_open_format_is_known_by_its_units(bus: MockBus, watch: UsbWatch) -> None:
    bus.plug(Gadget())
    assert is_volume_camera(seen(watch))
    bus.plug(Gadget(port="4", devnum=8, luns=(Lun("sdd", label="BWC-CONTROL"),)))
    assert is_volume_camera(seen(watch, "0000:00:14.0/4"))
    bus.plug(Gadget(port="5", devnum=9, luns=(Lun("sde"), Lun("sdf", sectors=0, filesystem=""))))
    assert not is_volume_camera(seen(watch, "0000:00:14.0/5"))
