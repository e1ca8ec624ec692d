"""A USB bus that does not exist, by umockdev: real pyudev hears real netlink messages about a made-up sysfs.

A process that uses it runs under ``umockdev-wrapper``. umockdev's C library is called by ctypes.
"""

from __future__ import annotations

import ctypes
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace

_umockdev = ctypes.CDLL("libumockdev.so.0")
_gobject = ctypes.CDLL("libgobject-2.0.so.0")
_POINTER, _TEXT = ctypes.c_void_p, ctypes.c_char_p

_umockdev.umockdev_testbed_new.restype = _POINTER
_umockdev.umockdev_testbed_get_root_dir.argtypes = [_POINTER]
_umockdev.umockdev_testbed_get_root_dir.restype = _TEXT
_umockdev.umockdev_testbed_add_from_string.argtypes = [_POINTER, _TEXT, _POINTER]
_umockdev.umockdev_testbed_add_from_string.restype = ctypes.c_int
_umockdev.umockdev_testbed_uevent.argtypes = [_POINTER, _TEXT, _TEXT]
_umockdev.umockdev_testbed_remove_device.argtypes = [_POINTER, _TEXT]
_umockdev.umockdev_testbed_set_attribute.argtypes = [_POINTER, _TEXT, _TEXT, _TEXT]
_umockdev.umockdev_testbed_set_property.argtypes = [_POINTER, _TEXT, _TEXT, _TEXT]
_gobject.g_object_unref.argtypes = [_POINTER]

CONTROLLER = "/devices/pci0000:00/0000:00:14.0"
SECTORS = 32768
#: The testbed aborts its process when ten messages wait unread, where the network namespace has the usual limit.
_BREATH_SECONDS = 0.003


@dataclass(frozen=True)
class Lun:
    """One disk of a device."""

    node: str
    filesystem: str = "exfat"
    sectors: int = SECTORS
    sequence: int = 1
    #: Node of its only partition, which has the filesystem then.
    partition: str = ""
    label: str = ""


@dataclass(frozen=True)
class Gadget:
    """A device on the bus; ``port`` is its chain behind root hub ``bus``."""

    port: str = "3"
    bus: int = 1
    serial: str = "BWC0042"
    devnum: int = 7
    vendor: str = "1234"
    product: str = "abcd"
    classes: tuple[str, ...] = ("08",)
    luns: tuple[Lun, ...] = field(default_factory=lambda: (Lun("sdb", sectors=0, filesystem=""), Lun("sdc")))
    device_class: str = "00"

    @property
    def path(self) -> str:
        """Its path below /sys."""
        ports, path = self.port.split("."), f"{CONTROLLER}/usb{self.bus}"
        for depth in range(1, len(ports) + 1):
            path += f"/{self.bus}-{'.'.join(ports[:depth])}"
        return path

    def disk_path(self, lun: int) -> str:
        """The path of one of its disks below /sys."""
        name = self.path.rpartition("/")[2]
        return f"{self.path}/{name}:1.0/host9/target9:0:0/9:0:0:{lun}/block/{self.luns[lun].node}"

    def with_lun(self, number: int, **changes: object) -> Gadget:
        """The same with one of its disks changed."""
        luns = list(self.luns)
        luns[number] = replace(luns[number], **changes)  # type: ignore[arg-type]
        return replace(self, luns=tuple(luns))


class MockBus:
    """One xHCI controller: root hub 1 is its USB 2 half, root hub 2 its USB 3 half."""

    def __init__(self) -> None:
        self._testbed = _umockdev.umockdev_testbed_new()
        self.root = _umockdev.umockdev_testbed_get_root_dir(self._testbed).decode()
        for bus, speed in ((1, "480"), (2, "5000")):
            path = f"{CONTROLLER}/usb{bus}"
            self._add(
                _described(path, "usb", "usb_device", bDeviceClass="09", speed=speed, devnum="1", busnum=str(bus))
            )

    def close(self) -> None:
        """Take the bus away."""
        _gobject.g_object_unref(self._testbed)

    def pair(self, usb2: str, usb3: str) -> None:
        """Make two ports (names as in sysfs) the halves of one socket."""
        for port, peer in ((usb2, usb3), (usb3, usb2)):
            os.makedirs(self._real(port))
            os.symlink(self._real(peer), self._real(port) + "/peer")

    def plug(self, gadget: Gadget, *, port_object: str | None = None) -> None:
        """Plug a device in: itself, its interfaces, its disks, each with its event."""
        facts = {"idVendor": gadget.vendor, "idProduct": gadget.product, "serial": gadget.serial}
        facts |= {"manufacturer": "Maker", "product": "Camera", "bDeviceClass": gadget.device_class}
        facts |= {"busnum": str(gadget.bus), "devnum": str(gadget.devnum)}
        self._add(_described(gadget.path, "usb", "usb_device", **facts))
        if port_object:
            os.symlink(self._real(port_object), f"{self.root}/sys{gadget.path}/port")
        name = gadget.path.rpartition("/")[2]
        for number, kind in enumerate(gadget.classes):
            path = f"{gadget.path}/{name}:1.{number}"
            self._add(_described(path, "usb", "usb_interface", bInterfaceClass=kind))
        for number in range(len(gadget.luns)):
            self.add_disk(gadget, number)

    def add_disk(self, gadget: Gadget, number: int) -> None:
        """Let a disk appear."""
        lun, path = gadget.luns[number], gadget.disk_path(number)
        self._add(_disk(path, lun.node, "disk", lun, "" if lun.partition else lun.filesystem))
        if lun.partition:
            self._add(_disk(f"{path}/{lun.partition}", lun.partition, "partition", lun, lun.filesystem))

    def change_medium(self, gadget: Gadget, number: int) -> None:
        """Tell that a disk has the medium that ``gadget`` says by now."""
        lun, path = gadget.luns[number], f"/sys{gadget.disk_path(number)}"
        self._attribute(path, "size", str(lun.sectors))
        for key, value in _medium(lun, lun.filesystem).items():
            self._property(path, key, value)
        self.event(gadget.disk_path(number), "change")

    def unplug(self, gadget: Gadget) -> None:
        """Pull the device out, disks first."""
        for number, lun in enumerate(gadget.luns):
            if lun.partition:
                self._remove(f"{gadget.disk_path(number)}/{lun.partition}")
            self._remove(gadget.disk_path(number))
        name = gadget.path.rpartition("/")[2]
        for number in range(len(gadget.classes)):
            self._remove(f"{gadget.path}/{name}:1.{number}")
        self._remove(gadget.path)

    def event(self, path: str, action: str) -> None:
        """Send an event about a device."""
        _umockdev.umockdev_testbed_uevent(self._testbed, f"/sys{path}".encode(), action.encode())
        time.sleep(_BREATH_SECONDS)

    def back(self, node: str, target: str) -> None:
        """Let a disk's node be a real device."""
        path = f"{self.root}/dev/{node}"
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink(target, path)

    def _remove(self, path: str) -> None:
        self.event(path, "remove")
        _umockdev.umockdev_testbed_remove_device(self._testbed, f"/sys{path}".encode())
        # the testbed forgets these, and asserts when they come again
        for folder in ("block", "bus/usb/devices"):
            with suppress(FileNotFoundError):
                os.unlink(f"{self.root}/sys/{folder}/{path.rpartition('/')[2]}")

    def _add(self, description: str) -> None:
        """Add a device; the testbed sends the event."""
        assert _umockdev.umockdev_testbed_add_from_string(self._testbed, description.encode(), None), description
        time.sleep(_BREATH_SECONDS)

    def _attribute(self, path: str, name: str, value: str) -> None:
        _umockdev.umockdev_testbed_set_attribute(self._testbed, path.encode(), name.encode(), value.encode())

    def _property(self, path: str, name: str, value: str) -> None:
        _umockdev.umockdev_testbed_set_property(self._testbed, path.encode(), name.encode(), value.encode())

    def _real(self, port: str) -> str:
        return f"{self.root}/sys{CONTROLLER}/{port}"


def _described(path: str, subsystem: str, kind: str, **attributes: str) -> str:
    lines = [f"P: {path}", f"E: SUBSYSTEM={subsystem}", f"E: DEVTYPE={kind}"]
    lines += [f"A: {name}={value}\\n" for name, value in attributes.items() if value]
    return "\n".join([*lines, "", ""])


def _disk(path: str, node: str, kind: str, lun: Lun, filesystem: str) -> str:
    properties = {"DEVNAME": f"/dev/{node}", "ID_BUS": "usb", **_medium(lun, filesystem)}
    lines = [f"P: {path}", f"N: {node}", "E: SUBSYSTEM=block", f"E: DEVTYPE={kind}"]
    lines += [f"E: {name}={value}" for name, value in properties.items() if value]
    return "\n".join([*lines, f"A: size={lun.sectors}\\n", "", ""])


def _medium(lun: Lun, filesystem: str) -> dict[str, str]:
    known = filesystem if lun.sectors else ""
    facts = {"ID_FS_TYPE": known, "ID_FS_LABEL": lun.label if known else ""}
    return facts | ({"DISKSEQ": str(lun.sequence)} if lun.sequence else {})
