"""USB default deny: new devices come up switched off, and only storage in the bays of docks is switched on.

Nothing but reading and writing the kernel's attributes of USB devices; it needs root. Whether the policy is wanted,
and what follows from a refusal, is decided in ``usb_guard``. What was plugged in before stays as it is, so that the
keyboard of a console goes on working, except in bays: there all that is no storage is switched off at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsbGuardFailed
from .usb_device import HUB, MASS_STORAGE, interface_classes, kinds
from .usb_place import place_of

DEVICES = Path("/sys/bus/usb/devices")
_PROBE = Path("/sys/bus/usb/drivers_probe")
#: What the kernel does by itself; -1 means 1 for everything with a wire.
_BUILT_IN = Path("/sys/module/usbcore/parameters/authorized_default")
#: Says that this policy was turned on by us, until the machine starts again.
MARK = Path("/run/bodyworn/usb-guard")

_ON, _OFF = "1", "0"
#: What decides about new devices and about their interfaces, in each host controller's own hub.
_DEFAULTS = ("authorized_default", "interface_authorized_default")
_ROOT_HUB = re.compile(r"usb\d+")
_DEVICE = re.compile(r"\d+-[\d.]+")


@dataclass(frozen=True)
class Tree:
    """Where the kernel shows its USB devices; tests show others."""

    devices: Path = DEVICES
    probe: Path = _PROBE
    built_in: Path = _BUILT_IN
    mark: Path = MARK


@dataclass(frozen=True)
class Refusal:
    """A device that was not let in, or not with all that it says that it is. Names are its claims."""

    place: str
    #: Another attachment is another plugging in.
    attachment: str
    name: str
    kinds: tuple[str, ...]


KERNEL = Tree()


def deny(tree: Tree = KERNEL) -> None:
    """Let new devices come up switched off, at every host controller; cheap when that is so already.

    :raises UsbGuardFailed: when this process may not.
    """
    _put_mark(tree.mark)
    for attribute in _defaults(tree):
        if _read(attribute) != _OFF:
            _write(attribute, _OFF)


def allow(tree: Tree = KERNEL) -> None:
    """Take back what :func:`deny` did; devices that were refused stay off until they are plugged in anew.

    :raises UsbGuardFailed: when this process may not.
    """
    if not tree.mark.exists():
        return
    own = _read(tree.built_in)
    for attribute in _defaults(tree):
        _write(attribute, own if attribute.name == _DEFAULTS[0] and own in ("0", "2") else _ON)
    tree.mark.unlink()


def is_denying(tree: Tree = KERNEL) -> bool:
    """Tell whether new devices come up switched off, whoever wanted that."""
    found = list(_defaults(tree))
    return bool(found) and all(_read(attribute) == _OFF for attribute in found)


def admit(places: Collection[str], tree: Tree = KERNEL, *, learning_beneath: str | None = None) -> list[Refusal]:
    """Switch storage on in these places, and the hubs that lead to them; tell of everything else that is off.

    ``learning_beneath`` is the place beneath which bays are being learned, empty for anywhere, None for nowhere:
    hubs are let in there as well, because nobody can say yet which of their ports will be bays.

    :raises UsbGuardFailed: when this process may not.
    """
    devices = [device for device in sorted(tree.devices.iterdir()) if _DEVICE.fullmatch(device.name)]
    refusals = [_attend(Path(os.path.realpath(device)), places, learning_beneath, tree) for device in devices]
    return [one for one in refusals if one is not None]


def _attend(path: Path, places: Collection[str], learning_beneath: str | None, tree: Tree) -> Refusal | None:
    place, classes = place_of(path), interface_classes(path)
    if place is None:
        return None
    if _read(path / "bDeviceClass") == HUB:
        if _leads_to_bays(place, places, learning_beneath):
            _switch_on(path, HUB, tree)
    elif place in places:
        if MASS_STORAGE in classes:
            _switch_on(path, MASS_STORAGE, tree)
        _switch_off_others(path)
        if classes - {MASS_STORAGE}:
            return _refusal(path, place, classes - {MASS_STORAGE})
        return None
    return _refusal(path, place, classes) if _read(path / "authorized") == _OFF else None


def _switch_on(device: Path, kind: str, tree: Tree) -> None:
    """Switch a device on, and of its interfaces those of one kind; each finds its driver then."""
    if _read(device / "authorized") == _OFF:
        _write(device / "authorized", _ON)
    for interface in device.glob("*:*"):
        if _read(interface / "bInterfaceClass") == kind and _read(interface / "authorized") == _OFF:
            _write(interface / "authorized", _ON)
            _write(tree.probe, interface.name)


def _switch_off_others(device: Path) -> None:
    """Part whatever is no storage from its driver."""
    for interface in device.glob("*:*"):
        if _read(interface / "bInterfaceClass") not in ("", MASS_STORAGE) and _read(interface / "authorized") == _ON:
            _write(interface / "authorized", _OFF)


def _refusal(device: Path, place: str, classes: frozenset[str]) -> Refusal:
    claimed = " ".join(filter(None, (_read(device / "manufacturer"), _read(device / "product"))))
    name = claimed or f"{_read(device / 'idVendor')}:{_read(device / 'idProduct')}"
    return Refusal(place, f"{device.name}#{_read(device / 'devnum')}", name[:128], kinds(classes))


def _leads_to_bays(place: str, places: Collection[str], learning_beneath: str | None) -> bool:
    """Tell whether a hub is needed; one that stands in a bay is none that anybody knows of."""
    if any(one.startswith(f"{place}.") for one in places):
        return True
    if learning_beneath is None or place in places:
        return False
    here, beneath = f"{place}.", f"{learning_beneath}."
    return not learning_beneath or here.startswith(beneath) or beneath.startswith(here)


def _defaults(tree: Tree) -> Iterator[Path]:
    for root in tree.devices.iterdir():
        if _ROOT_HUB.fullmatch(root.name):
            yield from (root / name for name in _DEFAULTS if (root / name).exists())


def _put_mark(mark: Path) -> None:
    if mark.exists():
        return
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        raise UsbGuardFailed(reason=os.strerror(error.errno or 0)) from error


def _read(attribute: Path) -> str:
    """Read an attribute; empty when the device has just gone."""
    try:
        return attribute.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _write(attribute: Path, value: str) -> None:
    """Write an attribute; a device that has just gone needs nothing any more."""
    try:
        attribute.write_text(value, "ascii")
    except (FileNotFoundError, ProcessLookupError):
        return
    except OSError as error:
        if not attribute.exists():
            return
        raise UsbGuardFailed(reason=f"{attribute.name}: {os.strerror(error.errno or 0)}") from error
