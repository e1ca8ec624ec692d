"""Where a USB device stands: a name that stays the same over restarts and for both halves of a USB 3 socket.

Bus and device numbers change; the host controller's PCI address and the chain of ports do not. A USB 3 socket is two
ports on two hubs, and which one a camera comes up on depends on the camera and its cable. The kernel knows that they
belong together (``peer``), and the USB 2 half gives the name.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

#: Name of a port: of a root hub (``usb1-port3``) or of a hub (``1-3-port4``).
_PORT = re.compile(r"(?:usb\d+|\d+-([\d.]+))-port(\d+)")
_DEVICE = re.compile(r"\d+-([\d.]+)")
_ROOT = re.compile(r"usb\d+")
_FASTEST_OF_USB_2 = 480.0


@dataclass(frozen=True, order=True)
class _Half:
    """One of the two ports of a socket; the USB 2 half sorts first."""

    super_speed: bool
    controller: str
    chain: str

    @property
    def place(self) -> str:
        return f"{self.controller}/{'ss/' if self.super_speed else ''}{self.chain}"


def place_of(device: Path) -> str | None:
    """Name the place of a USB device, by its path in sysfs; None for root hubs and for what is no USB device."""
    named = _DEVICE.fullmatch(device.name)
    here = _half(device, named[1]) if named else None
    if here is None:
        return None
    return min(half for half in (here, _peer(device / "port")) if half).place


def bus_of(place: str) -> str:
    """Name what a place shares with others: the port of its host controller, behind which its hubs are."""
    controller, _, chain = place.rpartition("/")
    return f"{controller}/{chain.partition('.')[0]}"


def places_of_ports(devices: Path = Path("/sys/bus/usb/devices")) -> dict[str, str]:
    """Give the place of every port there is now, by the name that a device in it has (``1-3.4``)."""
    found = {}
    for port in devices.glob("*:1.0/*-port*"):
        match = _PORT.fullmatch(port.name)
        path = Path(os.path.realpath(port))
        here = _half(path, _chain(match)) if match else None
        if match and here:
            bus = next(part for part in path.parts if _ROOT.fullmatch(part)).removeprefix("usb")
            found[f"{bus}-{here.chain}"] = min(half for half in (here, _peer(path)) if half).place
    return found


def _peer(port: Path) -> _Half | None:
    path = Path(os.path.realpath(port / "peer"))
    match = _PORT.fullmatch(path.name)
    return _half(path, _chain(match)) if match else None


def _chain(match: re.Match[str]) -> str:
    return f"{match[1]}.{match[2]}" if match[1] else match[2]


def _half(path: Path, chain: str) -> _Half | None:
    """Find the root hub in a path; what is before it is the host controller."""
    for position, part in enumerate(path.parts):
        if position and _ROOT.fullmatch(part):
            return _Half(_is_super_speed(Path(*path.parts[: position + 1])), path.parts[position - 1], chain)
    return None


def _is_super_speed(root: Path) -> bool:
    try:
        return float((root / "speed").read_text("ascii")) > _FASTEST_OF_USB_2
    except (OSError, ValueError):
        return False
