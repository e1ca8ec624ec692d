"""The simulated USB socket: a folder through which a camera and a host hand the camera's units to each other.

A unit is a folder, or an image file that its holder mounts. It is always in exactly one place: in the camera's own
folder, in the bay's ``host`` folder (exported), or in the bay's ``camera`` folder (ejected by the host, not yet taken
back). It moves by one rename, so whoever is not at turn does not merely keep away: the unit is not there. ``port.json``
says which camera is plugged in.

On a real dock the kernel plays this part: export is a medium that appears, eject is a SCSI stop with "load/eject".
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from uuid import uuid4

from msgspec import Meta

from ..errors import CameraGone, PortUnusable, TurnTimedOut, UnitAbsent
from .documents import Document, Line, Serial, Unit, Uuid, decode, encode

_POLL_SECONDS: Final = 0.02
_LARGEST_PORT_BYTES: Final = 4096
_PORT: Final = "port.json"


class UnitKind(StrEnum):
    """What a unit is on this socket."""

    FOLDER = "folder"
    IMAGE = "image"


class Plug(Document, frozen=True, kw_only=True):
    """``port.json``: what the socket shows of a camera before any unit is read. Each plug is a new attachment."""

    attachment: Uuid
    serial: Serial
    kind: UnitKind
    manufacturer: Line = ""
    model: Line = ""
    filesystem: Annotated[str, Meta(pattern=r"^[a-z0-9]{0,16}\Z")] = ""


@dataclass(frozen=True)
class PortState:
    """What the host's side sees: the plug, and the units that are in its hands."""

    plug: Plug | None
    present: frozenset[Unit]


class HostPort:
    """The host's side of a bay."""

    def __init__(self, bay: Path) -> None:
        self.bay = bay

    def state(self) -> PortState:
        """See what is there now."""
        plug = _read_plug(self.bay)
        if plug is None:
            return PortState(None, frozenset())
        return PortState(plug, frozenset(unit for unit in Unit if _place(self.bay / "host", unit, plug.kind).exists()))

    def wait_for_change(self, since: PortState, timeout_seconds: float) -> PortState:
        """Wait until the state differs from ``since``, or the time is over; gives the state then."""
        end = time.monotonic() + timeout_seconds
        while (state := self.state()) == since and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
        return state

    def path(self, unit: Unit) -> Path:
        """Give the folder or image file of a unit that is in the host's hands; raises UnitAbsent."""
        state = self.state()
        if state.plug is None or unit not in state.present:
            raise UnitAbsent(unit=unit)
        return _place(self.bay / "host", unit, state.plug.kind)

    def eject(self, units: Iterable[Unit]) -> Plug:
        """Give units back to the camera; everything on them must be closed and unmounted. Control goes last.

        Returns:
            The plug, for ``wait_until_present``.

        Raises:
            UnitAbsent: a unit is not in the host's hands.
        """
        plug = _read_plug(self.bay)
        for unit in _control_last(units):
            if plug is None:
                raise UnitAbsent(unit=unit)
            _move(_place(self.bay / "host", unit, plug.kind), _place(self.bay / "camera", unit, plug.kind), unit)
        if plug is None:
            raise CameraGone
        return plug

    def wait_until_present(self, units: Iterable[Unit], plug: Plug, timeout_seconds: float) -> PortState:
        """Wait until the camera that was plugged then has exported ``units``.

        Raises:
            CameraGone: it was undocked meanwhile, even if it is back.
            TurnTimedOut: it did not export them in time.
        """
        wanted = frozenset(units)
        end = time.monotonic() + timeout_seconds
        while True:
            state = self.state()
            if state.plug != plug:
                raise CameraGone
            if wanted <= state.present:
                return state
            if time.monotonic() >= end:
                raise TurnTimedOut(seconds=timeout_seconds)
            time.sleep(_POLL_SECONDS)

    def turn(self, units: Iterable[Unit], timeout_seconds: float) -> PortState:
        """Give units to the camera and wait until all of them are back."""
        units = tuple(units)
        return self.wait_until_present(units, self.eject(units), timeout_seconds)


class CameraPort:
    """The camera's side of a bay. ``home`` is the camera's folder for units in its own hands."""

    def __init__(self, bay: Path, home: Path, kind: UnitKind) -> None:
        self.bay = bay
        self._home = home
        self._kind = kind

    def plug(self, serial: str, manufacturer: str, model: str, filesystem: str = "") -> Plug:
        """Plug the camera in; no unit is exported yet. Raises PortUnusable when a camera is there already."""
        attachment = str(uuid4())
        plug = Plug(
            attachment=attachment,
            serial=serial,
            kind=self._kind,
            manufacturer=manufacturer,
            model=model,
            filesystem=filesystem,
        )
        for name in ("host", "camera"):
            (self.bay / name).mkdir(parents=True, exist_ok=True)
        part = self.bay / f".{attachment}.part"
        part.write_bytes(encode(plug))
        try:
            os.link(part, self.bay / _PORT)
        except FileExistsError as error:
            raise PortUnusable(reason="a camera is plugged in already") from error
        finally:
            part.unlink()
        return plug

    def plugged(self) -> Plug | None:
        """Tell which camera is plugged in, if any."""
        return _read_plug(self.bay)

    def unplug(self) -> None:
        """Pull the camera out, at any moment: its units are gone from the host at once."""
        (self.bay / _PORT).unlink(missing_ok=True)
        for unit in Unit:
            for side in ("host", "camera"):
                with suppress(UnitAbsent):
                    self._take(side, unit)

    def home_path(self, unit: Unit) -> Path:
        """Give the folder or image file of a unit, where it is while the camera holds it."""
        return _place(self._home, unit, self._kind)

    def export(self, units: Iterable[Unit]) -> None:
        """Give units to the host, control last; everything on them must be closed and unmounted."""
        for unit in _control_last(units):
            _move(self.home_path(unit), _place(self.bay / "host", unit, self._kind), unit)

    def ejected(self) -> frozenset[Unit]:
        """List the units that the host has ejected and the camera has not taken back.

        Control is looked for first: hosts eject it last, so whoever sees it sees all that was ejected before.
        """
        first_to_last = reversed(_control_last(Unit))
        return frozenset(unit for unit in first_to_last if _place(self.bay / "camera", unit, self._kind).exists())

    def take_back(self, units: Iterable[Unit]) -> None:
        """Take units that the host has ejected into the camera's own folder."""
        for unit in units:
            self._take("camera", unit)

    def _take(self, side: str, unit: Unit) -> None:
        _move(_place(self.bay / side, unit, self._kind), self.home_path(unit), unit)


def _place(folder: Path, unit: Unit, kind: UnitKind) -> Path:
    return folder / (unit.value if kind is UnitKind.FOLDER else f"{unit.value}.img")


def _control_last(units: Iterable[Unit]) -> list[Unit]:
    return sorted(units, key=lambda unit: unit is Unit.CONTROL)


def _move(source: Path, target: Path, unit: Unit) -> None:
    if not source.exists():
        raise UnitAbsent(unit=unit)
    if target.exists():
        raise PortUnusable(reason=f"the unit {unit} is in two places")
    try:
        os.rename(source, target)
    except FileNotFoundError as error:
        raise UnitAbsent(unit=unit) from error
    except OSError as error:
        crosses = error.errno == errno.EXDEV
        reason = "bay and camera are on different filesystems" if crosses else os.strerror(error.errno or 0)
        raise PortUnusable(reason=reason) from error


def _read_plug(bay: Path) -> Plug | None:
    try:
        with (bay / _PORT).open("rb") as file:
            data = file.read(_LARGEST_PORT_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PortUnusable(reason=os.strerror(error.errno or 0)) from error
    return decode(Plug, data, limit_bytes=_LARGEST_PORT_BYTES)
