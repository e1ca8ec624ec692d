"""A camera in a USB socket: its units are media that appear, are mounted, and are ejected.

A camera may come loose for a moment, or enumerate anew; for a grace time it still counts as being there. Whether it is
the same one is asked again afterwards, because plugs and serial numbers prove nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ..camera_volume.documents import Unit
from ..errors import BodywornError, CameraGone, CameraInterrupted, NeverADisk, TurnTimedOut, UnitAbsent
from . import mounts
from .usb_device import Attached, Disk
from .usb_watch import UsbWatch

#: For so long a camera that vanished may come back and go on.
GRACE_SECONDS = 3.0
#: Cameras that speak first and become disks later need a few seconds for it.
_DISK_SECONDS = 20.0
#: A device that has been quiet for so long has shown all its units, and what is on them.
_SETTLED_SECONDS = 0.5
_LUNS = {Unit.MEDIA: 0, Unit.CONTROL: 1}

Eject = Callable[[str], None]


class UsbPort:
    """One docking of the camera that stands in a place; used by one thread, except ``is_there``."""

    def __init__(self, watch: UsbWatch, docked: Attached, scratch: Path, eject: Eject = mounts.eject) -> None:
        """``scratch`` is where its units are mounted."""
        self._watch, self._docked, self._scratch, self._eject_medium = watch, docked, scratch, eject
        self._allowed = mounts.allowed_filesystems()
        self._began_at = time.monotonic()
        self._missing_since: float | None = None
        self._had_medium = False
        #: The camera has a unit of its own will or ours; that it is not here is no undocking, however long it takes.
        self._in_turn = False
        #: Media that were handed back: until another one is in, the camera has the unit.
        self._ejected: dict[Unit, str] = {}

    # whether it is there

    def is_there(self) -> bool:
        """Tell whether it stands there, or went missing within the grace time."""
        present = self._watch.at(self._docked.place)
        if present is not None and not present.looks_like(self._docked):
            return False
        if self._stands(present):
            self._missing_since = None
            return True
        now = time.monotonic()
        self._missing_since = self._missing_since or now
        return now - self._missing_since < GRACE_SECONDS

    def _stands(self, present: Attached | None) -> bool:
        """A medium that goes by itself, with all others gone, was taken out: that is how card readers undock."""
        if present is None:
            return False
        self._had_medium = self._had_medium or present.has_medium
        return present.has_medium or self._in_turn or not self._had_medium

    def ensure_connected(self) -> None:
        """Raise CameraGone, or CameraInterrupted when it came loose since ``begin``."""
        if not self.is_there():
            raise CameraGone
        if self._missing_since is not None or self._present().attachment != self._docked.attachment:
            raise CameraInterrupted

    def begin(self) -> None:
        """Take the camera as it is connected now, waiting for the grace time if it came loose."""
        self._ejected.clear()
        self._docked = self._wait_for_it()

    def _wait_for_it(self) -> Attached:
        while self.is_there():
            seen = self._watch.version
            present = self._watch.at(self._docked.place)
            if present is not None and self._missing_since is None:
                return present
            self._watch.wait(seen, 0.1)
        raise CameraGone

    def _present(self) -> Attached:
        present = self._watch.at(self._docked.place)
        if present is None:
            raise CameraInterrupted
        return present

    @property
    def attached(self) -> Attached:
        """What stands there, as it is now."""
        return self._present()

    # units

    def wait_until_shown(self) -> None:
        """Wait until the device has shown its disks and what is on them, as far as anybody can tell.

        A camera that has not put its media in again is no disk without a filesystem.

        :raises NeverADisk: when it shows none, or none with a medium.
        """
        while True:
            seen = self._watch.version
            self.ensure_connected()
            present = self._present()
            if present.foreign_kinds or self._unit(Unit.CONTROL):
                return
            if present.has_medium and self._is_settled():
                return
            self._check_disk(present.has_medium)
            self._watch.wait(seen, 0.1)

    def first_disk(self) -> Disk:
        """Give the disk of a device that is no volume camera: the first that has a medium."""
        return next((disk for disk in self._present().disks if disk.medium), self._present().disks[0])

    def first_disk_opened(self, *, read_only: bool) -> AbstractContextManager[Path]:
        """Mount that disk for the block's time."""
        self.ensure_connected()
        return self._mounted(self.first_disk(), "disk", read_only=read_only)

    def wait_until_present(self, units: Collection[Unit], timeout_seconds: float) -> None:
        """Wait until the camera has put the units' media in.

        :raises TurnTimedOut: NeverADisk when it shows no disk at all.
        """
        end = time.monotonic() + timeout_seconds
        while True:
            seen = self._watch.version
            self.ensure_connected()
            if all(self._unit(unit) for unit in units):
                self._in_turn = False
                return
            self._check_disk(bool(self._present().disks))
            left = end - time.monotonic()
            if left <= 0:
                raise TurnTimedOut(seconds=timeout_seconds)
            self._watch.wait(seen, min(left, 0.1))

    def turn(self, units: Collection[Unit], timeout_seconds: float) -> None:
        """Eject the units' media, control last, and wait until the camera has put them back in.

        A camera that enumerates anew in its turn is no interruption: it has nothing of ours open.
        """
        self.ensure_connected()
        self._in_turn = True
        for unit in sorted(units, key=lambda unit: unit is Unit.CONTROL):
            self._eject(unit)
        self._wait_for_turn(units, time.monotonic() + timeout_seconds, timeout_seconds)

    def _wait_for_turn(self, units: Collection[Unit], end: float, timeout_seconds: float) -> None:
        while True:
            seen = self._watch.version
            if not self.is_there():
                raise CameraGone
            present = self._watch.at(self._docked.place)
            if present is not None:
                self._docked = present
                if all(self._unit(unit) for unit in units):
                    self._in_turn = False
                    return
            left = end - time.monotonic()
            if left <= 0:
                raise TurnTimedOut(seconds=timeout_seconds)
            self._watch.wait(seen, min(left, 0.1))

    def _eject(self, unit: Unit) -> None:
        disk = self._needed(unit)
        self._ejected[unit] = disk.medium
        try:
            self._eject_medium(disk.node)
        except BodywornError:
            self.ensure_connected()
            raise

    def opened(self, unit: Unit, *, read_only: bool) -> AbstractContextManager[Path]:
        """Mount the unit for the block's time."""
        self.ensure_connected()
        return self._mounted(self._needed(unit), unit, read_only=read_only)

    @contextmanager
    def _mounted(self, disk: Disk, name: str, *, read_only: bool) -> Iterator[Path]:
        """Mount a disk; what fails because the camera came loose is told as that."""
        node, target = Path(disk.filesystem_node or disk.node), self._scratch / name
        try:
            with mounts.mounted(node, disk.filesystem, target, read_only=read_only, allowed=self._allowed) as folder:
                yield folder
        except BodywornError:
            self.ensure_connected()
            raise

    def _needed(self, unit: Unit) -> Disk:
        disk = self._unit(unit)
        if disk is None:
            raise UnitAbsent(unit=unit)
        return disk

    def _unit(self, unit: Unit) -> Disk | None:
        """Find a unit whose medium is in the host's hands. A device with one disk has control alone."""
        disks = self._present().disks
        settled = self._is_settled()
        if len(disks) == 1 and disks[0].lun == 0:
            found = disks[0] if unit is Unit.CONTROL and settled else None
        else:
            found = next((disk for disk in disks if disk.lun == _LUNS[unit]), None)
        if found is None or not found.medium or found.medium == self._ejected.get(unit):
            return None
        return found if found.filesystem or settled else None

    def _is_settled(self) -> bool:
        return self._watch.quiet_seconds(self._docked.place) >= _SETTLED_SECONDS

    def _check_disk(self, is_shown: bool) -> None:
        if not is_shown and time.monotonic() - self._began_at > _DISK_SECONDS:
            raise NeverADisk(name=self._docked.name)
