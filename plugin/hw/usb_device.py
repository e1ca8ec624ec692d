"""What stands in a socket, as plain facts read from pyudev's devices: the USB device, and its disks.

The kernel's facts are a camera's claims: they say where it is and what to try, never who it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .usb_place import place_of

MASS_STORAGE = "08"
_VENDOR_SPECIFIC = "ff"
HUB = "09"
#: Descriptors of USB: one of an interface says its class at this offset.
_INTERFACE, _CLASS_AT = 4, 5
_MOST_DESCRIPTOR_BYTES = 64 * 1024
_SECTOR_BYTES = 512
#: What is no filesystem, but a part of a RAID or encrypted, says so.
_FILESYSTEM = frozenset({None, "filesystem"})
_LUN = re.compile(r"/\d+:\d+:\d+:(\d+)/block/")
#: Local udev rules may say where a disk stands that is not on USB, a card reader's for example.
PLACE, LUN = "BODYWORN_PLACE", "BODYWORN_LUN"
_KINDS = {
    "01": "audio", "02": "modem", "03": "keyboard or mouse", "06": "pictures", "07": "printer", "0a": "network",
    "08": "storage", "09": "hub", "0b": "smart card", "0e": "video", "e0": "wireless", "ff": "its maker's own kind",
}  # fmt: skip


@dataclass(frozen=True)
class Disk:
    """A logical unit of a device."""

    #: The whole disk's node; this is what is ejected.
    node: str
    lun: int
    #: Which medium is in: another one, or the same one put back, has another name. Empty without a medium.
    medium: str
    size_bytes: int
    #: Where the filesystem is: the disk, or a partition of it. Empty when there is none that is known.
    filesystem_node: str
    filesystem: str
    label: str = ""
    filesystem_uuid: str = ""


@dataclass(frozen=True)
class Attached:
    """A device in its place. Another attachment is another plugging in, or a re-enumeration."""

    place: str
    attachment: str
    vendor_id: str
    product_id: str
    serial: str
    manufacturer: str
    model: str
    #: Two hexadecimal digits each.
    interface_classes: frozenset[str]
    disks: tuple[Disk, ...]

    @property
    def name(self) -> str:
        """What to call it to people."""
        return f"{self.manufacturer} {self.model}".strip() or f"{self.vendor_id}:{self.product_id}"

    @property
    def has_medium(self) -> bool:
        """Tell whether any of its disks has a medium."""
        return any(disk.medium for disk in self.disks)

    @property
    def could_be_camera(self) -> bool:
        """Tell whether it is a disk, or may become one."""
        return not self.interface_classes.isdisjoint({MASS_STORAGE, _VENDOR_SPECIFIC}) and not self.foreign_kinds

    @property
    def foreign_kinds(self) -> tuple[str, ...]:
        """Name what it is beside a disk: a camera in its dock has no business to be a keyboard."""
        return kinds(self.interface_classes - {MASS_STORAGE, _VENDOR_SPECIFIC})

    def looks_like(self, other: Attached) -> bool:
        """Tell whether it may be the same camera; cameras without serial numbers are known by their type alone."""
        mine, its = ((one.vendor_id, one.product_id, one.serial) for one in (self, other))
        return mine == its


@dataclass(frozen=True)
class BlockFacts:
    """A disk or partition as one event, or one look, told it."""

    sys_path: str
    node: str
    is_partition: bool
    size_bytes: int
    disk_sequence: str
    filesystem: str
    label: str
    filesystem_uuid: str
    usb_path: str
    place: str
    lun: int


def block_facts(device: Any) -> BlockFacts | None:
    """Read a block device; None for what can be no camera's: it is neither on USB nor given a place."""
    properties: Mapping[str, str] = device.properties
    usb = device.find_parent("usb", "usb_device")
    place = properties.get(PLACE, "")
    if (usb is None and not place) or not device.device_node:
        return None
    lun = _LUN.search(f"{device.sys_path}/")
    return BlockFacts(
        sys_path=device.sys_path,
        node=device.device_node,
        is_partition=properties.get("DEVTYPE") == "partition",
        size_bytes=_number(device, "size") * _SECTOR_BYTES,
        disk_sequence=properties.get("DISKSEQ", ""),
        filesystem=properties.get("ID_FS_TYPE", "")
        if properties.get("ID_FS_USAGE", "filesystem") == "filesystem"
        else "",
        label=properties.get("ID_FS_LABEL", "")[:64],
        filesystem_uuid=properties.get("ID_FS_UUID", "")[:64],
        usb_path="" if usb is None else usb.sys_path,
        place=place,
        lun=int(lun[1]) if lun else _to_number(properties.get(LUN, "0")),
    )


def attached_usb(device: Any, disks: tuple[Disk, ...]) -> Attached | None:
    """Read a USB device; None for hubs."""
    path = Path(device.sys_path)
    place = place_of(path)
    if place is None or _text(device, "bDeviceClass") == HUB:
        return None
    return Attached(
        place=place,
        attachment=f"{path.name}#{_text(device, 'devnum')}",
        vendor_id=_text(device, "idVendor"),
        product_id=_text(device, "idProduct"),
        serial=_text(device, "serial"),
        manufacturer=_text(device, "manufacturer"),
        model=_text(device, "product"),
        interface_classes=interface_classes(path),
        disks=disks,
    )


def attached_by_rule(place: str, disks: tuple[Disk, ...]) -> Attached:
    """Describe disks that a rule has given a place."""
    return Attached(place, place, "", "", "", "", "", frozenset({MASS_STORAGE}), disks)


def disks_of(facts: Iterable[BlockFacts], media: Mapping[str, str]) -> tuple[Disk, ...]:
    """Put the disks and partitions of one device together, by logical unit; ``media`` names each disk's medium."""
    known = list(facts)
    whole = [one for one in known if not one.is_partition]
    return tuple(sorted((_disk(one, known, media) for one in whole), key=lambda disk: (disk.lun, disk.node)))


def _disk(disk: BlockFacts, known: Iterable[BlockFacts], media: Mapping[str, str]) -> Disk:
    """A filesystem on the whole disk counts before partitions, of which the largest one with a filesystem counts."""
    parts = [one for one in known if one.is_partition and one.sys_path.startswith(f"{disk.sys_path}/")]
    formatted = [one for one in parts if one.filesystem]
    on = disk if disk.filesystem or not formatted else max(formatted, key=lambda part: part.size_bytes)
    return Disk(
        node=disk.node,
        lun=disk.lun,
        medium=media.get(disk.sys_path, "") if disk.size_bytes else "",
        size_bytes=disk.size_bytes,
        filesystem_node=on.node if on.filesystem else "",
        filesystem=on.filesystem,
        label=on.label,
        filesystem_uuid=on.filesystem_uuid,
    )


def kinds(classes: Iterable[str]) -> tuple[str, ...]:
    """Name classes of interfaces for people."""
    return tuple(_KINDS.get(one, f"class {one}") for one in sorted(classes))


def interface_classes(device: Path) -> frozenset[str]:
    """List what a device says that it is; one that is switched off has no interfaces yet, only descriptors of them."""
    found = set()
    for attribute in device.glob("*:*/bInterfaceClass"):
        try:
            found.add(attribute.read_text("ascii").strip())
        except OSError:
            continue  # it went while it was looked at; an event says so
    return frozenset(found) or _described_classes(device / "descriptors")


def _described_classes(descriptors: Path) -> frozenset[str]:
    try:
        with descriptors.open("rb") as file:
            data = file.read(_MOST_DESCRIPTOR_BYTES)
    except OSError:
        return frozenset()
    found, at = set(), 0
    while at + _CLASS_AT < len(data) and data[at] >= 2:
        if data[at + 1] == _INTERFACE:
            found.add(f"{data[at + _CLASS_AT]:02x}")
        at += data[at]
    return frozenset(found)


def _number(device: Any, name: str) -> int:
    return _to_number(_text(device, name))


def _to_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _text(device: Any, name: str) -> str:
    value = device.attributes.get(name)
    return value.decode("utf-8", "replace").strip()[:64] if value else ""
