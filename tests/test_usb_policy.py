"""USB default deny on a made tree of the kernel's attributes; the machine of test_usb_vm.py shows it on a real one."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from bodyworn.errors import UsbGuardFailed
from bodyworn.hw import usb_policy
from bodyworn.hw.usb_guard import UsbGuard
from bodyworn.hw.usb_policy import Refusal, Tree
from bodyworn.models import Database, DockKind
from bodyworn.services import docks, events, history, usb_guarding
from bodyworn.services.keyring import Keyring
from click.testing import CliRunner
from rig_parts import event_actions, found_system

pytest_plugins = ["fixtures_database"]

STORAGE, KEYBOARD, HUB = "08", "03", "09"
BAY, OTHER = "0000:00:10.0/1", "0000:00:10.0/2"


@dataclass
class Bus:
    """One host controller; a device is a folder, as the kernel shows it."""

    folder: Path

    def __post_init__(self) -> None:
        self.root = self.folder / "sys/devices/0000:00:10.0/usb1"
        self.links = self.folder / "sys/bus/usb/devices"
        self.links.mkdir(parents=True)
        self._put(self.root, authorized_default="1", interface_authorized_default="1", speed="480", bDeviceClass=HUB)
        self.probe = self.folder / "probe"
        self.built_in = self.folder / "built-in"
        self.built_in.write_text("-1\n")

    @property
    def tree(self) -> Tree:
        return Tree(self.links, self.probe, self.built_in, self.folder / "run/mark")

    def default(self) -> list[str]:
        names = ("authorized_default", "interface_authorized_default")
        return [(self.root / name).read_text() for name in names]

    def plug(self, port: str, *classes: str, device_class: str = "00") -> Path:
        """Plug in a device as the kernel's defaults have it: switched off, it has descriptors and no interfaces."""
        on = (self.root / "authorized_default").read_text() == "1"
        device = self.root.joinpath(*(f"1-{'.'.join(port.split('.')[:n])}" for n in range(1, port.count(".") + 2)))
        self._put(device, authorized="1" if on else "0", bDeviceClass=device_class, devnum="7", product="Thing")
        (device / "descriptors").write_bytes(described(classes))
        if on:
            self.show_interfaces(device, "1")
        return device

    def show_interfaces(self, device: Path, authorized: str) -> None:
        """Do what the kernel does once a device is switched on."""
        classes = [f"{byte:02x}" for byte in (device / "descriptors").read_bytes()[23::9]]
        for number, kind in enumerate(classes):
            self._put(device / f"{device.name}:1.{number}", bInterfaceClass=kind, authorized=authorized)

    def admit(self, *places: str, learning_beneath: str | None = None) -> list[Refusal]:
        """Let the policy look twice, as it does; the kernel shows interfaces in between."""
        usb_policy.admit(places, self.tree, learning_beneath=learning_beneath)
        for device in self.links.iterdir():
            path = device.resolve()
            if path != self.root and (path / "authorized").read_text() == "1" and not list(path.glob("*:*")):
                self.show_interfaces(path, "0")
        return usb_policy.admit(places, self.tree, learning_beneath=learning_beneath)

    def bound(self, device: Path) -> list[str]:
        """List the classes whose interfaces are on."""
        found = device.glob("*:*")
        return sorted((one / "bInterfaceClass").read_text() for one in found if (one / "authorized").read_text() == "1")

    def _put(self, device: Path, **attributes: str) -> None:
        device.mkdir(parents=True, exist_ok=True)
        for name, value in attributes.items():
            (device / name).write_text(value)
        if ":" not in device.name:
            (self.links / device.name).symlink_to(device)


def described(classes: Sequence[str]) -> bytes:
    """Write the descriptors of a device (18 bytes) without a configuration's, and of its interfaces (9 each)."""
    device = struct.pack("<BB16x", 18, 1)
    return device + b"".join(
        struct.pack("<BBBBBBBBB", 9, 4, n, 0, 2, int(one, 16), 0, 0, 0) for n, one in enumerate(classes)
    )


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    return Bus(tmp_path)


def test_new_devices_come_up_switched_off_until_the_policy_ends(bus: Bus) -> None:
    assert not usb_policy.is_denying(bus.tree)
    usb_policy.deny(bus.tree)
    assert bus.default() == ["0", "0"]
    assert usb_policy.is_denying(bus.tree)
    usb_policy.allow(bus.tree)
    assert bus.default() == ["1", "1"]


def test_what_somebody_else_denied_is_not_allowed(bus: Bus) -> None:
    (bus.root / "authorized_default").write_text("0")
    usb_policy.allow(bus.tree)
    assert bus.default() == ["0", "1"]


def test_the_kernels_own_stricter_default_comes_back(bus: Bus) -> None:
    bus.built_in.write_text("2\n")
    usb_policy.deny(bus.tree)
    usb_policy.allow(bus.tree)
    assert bus.default() == ["2", "1"]


def test_a_disk_in_a_bay_is_let_in_and_elsewhere_it_is_not(bus: Bus) -> None:
    usb_policy.deny(bus.tree)
    inside, outside = bus.plug("1", STORAGE), bus.plug("2", STORAGE)
    assert bus.admit(BAY) == [Refusal(OTHER, "1-2#7", "Thing", ("storage",))]
    assert bus.bound(inside) == [STORAGE]
    assert bus.probe.read_text() == "1-1:1.0"
    assert (outside / "authorized").read_text() == "0"


@pytest.mark.parametrize("kind", ["01", "02", "03", "06", "07", "0a", "0b", "0e", "e0", "ff"])
@pytest.mark.parametrize("with_disk", [True, False])
def test_nothing_but_storage_is_let_in_in_a_bay(bus: Bus, kind: str, with_disk: bool) -> None:
    usb_policy.deny(bus.tree)
    device = bus.plug("1", *([STORAGE] if with_disk else []), kind)
    (refusal,) = bus.admit(BAY)
    assert (refusal.place, len(refusal.kinds)) == (BAY, 1)
    assert bus.bound(device) == ([STORAGE] if with_disk else [])


def test_the_keyboard_of_the_console_stays_and_one_in_a_bay_does_not(bus: Bus) -> None:
    console, docked = bus.plug("2", KEYBOARD), bus.plug("1", KEYBOARD, STORAGE)
    usb_policy.deny(bus.tree)
    assert [one.kinds for one in bus.admit(BAY)] == [("keyboard or mouse",)]
    assert bus.bound(console) == [KEYBOARD]
    assert bus.bound(docked) == [STORAGE]


def test_a_hub_is_let_in_only_if_it_leads_to_a_bay(bus: Bus) -> None:
    usb_policy.deny(bus.tree)
    dock, other = (bus.plug(port, HUB, device_class=HUB) for port in "12")
    (refusal,) = bus.admit(f"{BAY}.3")
    assert (refusal.place, refusal.kinds) == (OTHER, ("hub",))
    assert (bus.bound(dock), bus.bound(other)) == ([HUB], [])


def test_a_hub_in_a_bay_leads_nowhere(bus: Bus) -> None:
    usb_policy.deny(bus.tree)
    hub = bus.plug("1", HUB, device_class=HUB)
    assert len(bus.admit(BAY, learning_beneath="")) == 1
    assert bus.bound(hub) == []


@pytest.mark.parametrize(("beneath", "let_in"), [("", True), (BAY, True), (f"{BAY}.4", True), (OTHER, False)])
def test_hubs_are_let_in_where_bays_are_learned(bus: Bus, beneath: str, let_in: bool) -> None:
    usb_policy.deny(bus.tree)
    hub = bus.plug("1", HUB, device_class=HUB)
    bus.admit(learning_beneath=beneath)
    assert bus.bound(hub) == ([HUB] if let_in else [])


def test_an_attribute_that_may_not_be_written_is_told(bus: Bus) -> None:
    (bus.root / "authorized_default").unlink()
    (bus.root / "authorized_default").mkdir()
    with pytest.raises(UsbGuardFailed, match="authorized_default"):
        usb_policy.deny(bus.tree)


def test_a_device_that_goes_while_it_is_looked_at_is_no_error(bus: Bus) -> None:
    usb_policy.deny(bus.tree)
    (bus.plug("1", STORAGE) / "authorized").unlink()
    assert usb_policy.admit([BAY], bus.tree) == []


@dataclass
class MadePolicy:
    """The policy on a made tree."""

    bus: Bus

    def deny(self) -> None:
        usb_policy.deny(self.bus.tree)

    def allow(self) -> None:
        usb_policy.allow(self.bus.tree)

    def admit(self, places: Sequence[str], learning_beneath: str | None) -> list[Refusal]:
        return self.bus.admit(*places, learning_beneath=learning_beneath)


@pytest.fixture
def guarded(database: Database, keyring: Keyring, bus: Bus) -> Callable[[int], UsbGuard]:
    """Give a guard that has looked, with a bay at the first port."""
    with database.write() as session:
        found_system(session, keyring)
        dock = docks.add_dock(session, name="Dock", kind=DockKind.USB, locator="", bays=0)
        docks.learn_place(session, dock.id, BAY)
    guard = UsbGuard(database, MadePolicy(bus))

    def look(counter: int) -> UsbGuard:
        guard.attend(counter)
        return guard

    return look


def turn(database: Database, on: bool) -> None:
    with database.write() as session:
        usb_guarding.turn(session, on=on, actor="olga")


def test_nothing_is_refused_until_an_administrator_wants_it(
    database: Database, guarded: Callable[[int], UsbGuard], bus: Bus
) -> None:
    guarded(1)
    assert bus.default() == ["1", "1"]
    turn(database, True)
    guarded(2)
    assert bus.default() == ["0", "0"]
    turn(database, False)
    guarded(3)
    assert bus.default() == ["1", "1"]


def test_each_refusal_is_written_down_once_and_in_words(
    database: Database, guarded: Callable[[int], UsbGuard], bus: Bus
) -> None:
    turn(database, True)
    guarded(1)
    bus.plug("1", KEYBOARD)
    bus.plug("2", "0e", "01")
    for counter in (2, 3, 4):
        guarded(counter)
    assert event_actions(database).count("usb.refused") == 2
    with database.read() as session:
        (bay,) = docks.find_dock(session, "Dock").bays
        (line,) = [one for one in history.history(session, "bay", [bay.id]) if "refused" in one.what.one]
        told = line.what.one.format(**line.what.values)
        assert told == f"Thing was plugged in at {BAY} and refused: keyboard or mouse"
        assert list(events.check(session)) == []


def test_a_guard_that_may_not_says_so_and_recovers(
    database: Database, guarded: Callable[[int], UsbGuard], bus: Bus
) -> None:
    turn(database, True)
    attribute = bus.root / "authorized_default"
    attribute.unlink()
    attribute.mkdir()
    problem = guarded(1).problem
    assert problem is not None
    assert problem.id == "usb-guard-failed"
    attribute.rmdir()
    attribute.write_text("1")
    assert guarded(2).problem is None


def test_the_command_turns_the_guard(database: Database, guarded: Callable[[int], UsbGuard]) -> None:
    from bodyworn.cli import dock

    url = database.engine.url.render_as_string(hide_password=False)
    for option, said in (("--on", "on"), ("--show", "on"), ("--off", "off")):
        done = CliRunner().invoke(dock.command, ["guard", option, "--database", url])
        assert f"The guard is {said}." in done.output
    assert event_actions(database)[-2:] == ["controller.usb-guard-on", "controller.usb-guard-off"]
