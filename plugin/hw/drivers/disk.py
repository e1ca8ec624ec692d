"""Driver for every camera that is a plain USB disk. It cannot be told anything, and proves nothing: class *marked*.

Its storage is mounted read-only, but for the window in which files are deleted that are proved to be elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from io import FileIO
from typing import Final
from zoneinfo import ZoneInfo

from ...destination.names import wire_serial
from ...errors import CameraGone, DiskChanged, DiskNotAllStored, DiskWithoutIdentity
from ...services.cameras import SeenCamera
from ...services.findings import Finding, FoundFile, Known
from . import disk_files, disk_layouts, disk_listing, disk_mark, segments
from .disk_layouts import Shown
from .disk_listing import Ticket
from .disk_walk import Walk, space, walk
from .plugged import API, PluggedDisk, Surroundings
from .protocol import DockedCamera, Erasure, Listed, Outcome, Receipted, RecordingSource, Wishes

log = logging.getLogger(__name__)

NAME: Final = "disk"
_LONGEST_NAME: Final = 23


class DiskDriver:
    """Takes every disk; it is asked last."""

    name = NAME
    api = API

    def recognises(self, disk: PluggedDisk) -> bool:
        """Take it."""
        return True

    def open(self, disk: PluggedDisk, surroundings: Surroundings) -> DockedCamera:
        """See one docking through."""
        return DiskCamera(disk, surroundings)


class DiskCamera:
    """One docking of a disk camera."""

    def __init__(self, disk: PluggedDisk, surroundings: Surroundings) -> None:
        self._disk, self._surroundings = disk, surroundings
        self._zone = ZoneInfo(surroundings.time_zone)
        self._facts: SeenCamera | None = None
        #: Settings by which it worked until it was docked: who wore it follows from them (decision 18).
        self._came_with = 0
        #: Whether everything on it was listed since it was identified.
        self._listed = False
        #: Seconds by which its clock is behind at least; 0 when it is not, None when nothing on it tells.
        self._behind: float | None = None

    # who it is

    def identify(self) -> SeenCamera:
        """Know it again by everything that it shows from outside; its storage is not touched.

        :raises DiskWithoutIdentity: without the filesystem's number: a USB serial number alone is shared by clones.
        """
        self.ensure_connected()
        self._listed, self._behind = False, None
        if self._facts is None:
            self._facts = _seen(self._disk, _serial(self._disk))
        return self._facts

    def facts(self) -> SeenCamera:
        """Give what is known by now."""
        assert self._facts is not None, "a camera is identified first"
        return self._facts

    def is_there(self) -> bool:
        """Tell whether the same disk still stands there."""
        return self._disk.is_there()

    def ensure_connected(self) -> None:
        """Raise CameraGone; a disk that came loose and is back is another docking."""
        if not self.is_there():
            raise CameraGone

    # what it is told

    def synchronise(self, wishes: Wishes) -> Outcome:
        """Look at the disk. It can be told nothing: the system alone remembers its settings, its user and its lease.

        Settings count once what is on it was listed, so that none of it is taken for the next wearer's.
        """
        if wishes == Wishes():
            return Outcome()
        if wishes.release:
            return self._release()
        if not self._listed:
            self._came_with = wishes.came_with_settings
        with self._read() as root:
            disk_mark.check(root, self._surroundings.book, self.facts().serial)
            walked = walk(root)
        self._observe(walked)
        return Outcome(
            settings_sequence=wishes.settings.sequence if wishes.settings and self._listed else None,
            lease_issued_at=datetime.now(UTC) if wishes.renew_lease else None,
        )

    def _release(self) -> Outcome:
        """Take our mark off, once nothing is left that is not stored; what else is on the disk stays as it is."""
        with self._read() as root:
            self._check_all_stored(root, self._known())
        with self._disk.mount(read_only=False) as path, disk_files.opened_root(path) as root:
            disk_mark.remove(root)
        return Outcome(released=True)

    def _observe(self, walked: Walk) -> None:
        files = disk_listing.evidence(walked)
        recognised = self._recognised(walked)
        for name in walked.strange:
            log.info("camera %s: %s is no ordinary file and is left alone", self.facts().serial, name)
        if not self._listed:
            self._behind = self._seconds_behind(walked)
        ahead = segments.seconds_ahead(files, datetime.now(UTC), self._zone)
        self._facts = replace(
            self.facts(),
            manufacturer=_line(self._disk.manufacturer) or recognised.manufacturer[:64],
            model=_line(self._disk.product) or recognised.model[:64],
            enrolled=True,
            storage_used_bytes=walked.used_bytes if walked.total_bytes else None,
            storage_total_bytes=walked.total_bytes or None,
            clock_offset_seconds=-self._behind if self._behind else ahead,
            clock_is_behind=None if self._behind is None else bool(self._behind),
        )

    def _seconds_behind(self, walked: Walk) -> float | None:
        """Compare what is new on it with the time when all that was on it then was listed."""
        listed_at = self._surroundings.listed_at(NAME, self.facts().serial)
        fresh = disk_listing.new_on(walked, self._known())
        if listed_at is None or not fresh:
            return None
        return segments.seconds_behind(fresh, listed_at, self._zone) or 0.0

    def _recognised(self, walked: Walk) -> disk_layouts.Recognised:
        disk = self._disk
        shown = Shown(disk.label, disk.product, f"{disk.vendor_id}:{disk.product_id}".lower())
        return disk_layouts.recognise(disk_listing.evidence(walked), shown)

    # its recordings

    @contextmanager
    def recordings(self) -> Iterator[RecordingSource]:
        """Mount it read-only."""
        with self._read() as root:
            yield _Recordings(root, self._list)

    def _list(self, root: int) -> list[Listed]:
        walked = walk(root)
        ticket = Ticket(self.facts().serial, self._recognised(walked), self._came_with, self._zone)
        listed = disk_listing.recordings(root, walked, self._known(), ticket)
        self._listed = True
        return listed

    def claim(self, camera_recording_ids: Sequence[str]) -> frozenset[str]:
        """A disk keeps no receipts: whoever has it docked has it alone."""
        return frozenset(camera_recording_ids)

    def acknowledge(self, stored: Sequence[Receipted]) -> frozenset[str]:
        """A disk takes note of nothing."""
        return frozenset()

    # what may go from it

    def erase(self, erasures: Sequence[Erasure]) -> tuple[str, ...]:
        """Delete recordings whose every file is still what was stored (decision 15, I14).

        Read-only first: everything on the disk must be stored. Then writable: compare all, then delete all, then sync.
        Then read-only again: what is not there any more is gone.

        :raises DiskNotAllStored: DiskChanged; nothing was deleted.
        """
        assert all(one.proof for one in erasures), "I1: nothing is deleted without its proof"
        known = self._known()
        going = self._proved(erasures, known)
        with self._read() as root:
            self._check_all_stored(root, known)
        files = [file for finding in going for file in finding.clips]
        with self._disk.mount(read_only=False) as path, disk_files.opened_root(path) as root:
            left = [file for file in files if disk_files.is_there(root, file)]
            self._check_unchanged(root, left)
            disk_files.delete(root, left)
            disk_mark.put(root, self._surroundings.book, self.facts().serial)
        with self._read() as root:
            total_bytes, used_bytes = space(root)
            self._facts = replace(self.facts(), storage_used_bytes=used_bytes if total_bytes else None)
            return tuple(one.id for one in going if not any(disk_files.is_there(root, file) for file in one.clips))

    def _proved(self, erasures: Sequence[Erasure], known: Sequence[Known]) -> list[Finding]:
        """Take the recordings that were ordered, are stored, and whose proof names as many files as they have."""
        proofs = {one.camera_recording_id: one.proof for one in erasures}
        ordered = [one for one in known if one.finding.id in proofs and one.stored]
        for one in ordered:
            assert len(one.finding.clips) == len(proofs[one.finding.id].sha256s), "I1: a proof for each file"
        return [one.finding for one in ordered]

    def _check_all_stored(self, root: int, known: Sequence[Known]) -> None:
        walked = walk(root)
        stored = {file.path: file for one in known if one.stored for file in one.finding.clips}
        for name in (*(folder for folder, _ in walked.unread), *walked.strange, *walked.overlong):
            raise DiskNotAllStored(serial=self.facts().serial, name=name)
        for file in disk_listing.evidence(walked):
            found = stored.get(file.path)
            if found is None or not disk_files.is_listed_as(file, found):
                raise DiskNotAllStored(serial=self.facts().serial, name=file.path)

    def _check_unchanged(self, root: int, files: Sequence[FoundFile]) -> None:
        for file in files:
            if not disk_files.is_unchanged(root, file):
                raise DiskChanged(serial=self.facts().serial, name=file.path)

    # the disk

    @contextmanager
    def _read(self) -> Iterator[int]:
        self.ensure_connected()
        with self._disk.mount(read_only=True) as path, disk_files.opened_root(path) as root:
            yield root

    def _known(self) -> Sequence[Known]:
        return self._surroundings.known(NAME, self.facts().serial)


class _Recordings:
    """The mounted disk as a source of recordings."""

    def __init__(self, root: int, listed: Callable[[int], list[Listed]]) -> None:
        self._root, self._list = root, listed

    def listed(self) -> list[Listed]:
        """List what was found before and what is new."""
        return self._list(self._root)

    def open(self, camera_recording_id: str, source_name: str) -> FileIO:
        """Open a file by its path; whether it is still what was listed, its size and its digests tell."""
        return FileIO(disk_files.open_file(self._root, source_name), "rb")


def _serial(disk: PluggedDisk) -> str:
    """Make a serial number of everything that the disk shows, legible in front and unique behind."""
    if not disk.filesystem_uuid.strip("0-"):
        raise DiskWithoutIdentity
    shown = (disk.vendor_id, disk.product_id, disk.usb_serial, disk.filesystem_uuid)
    mark = sha256("\n".join(shown).encode()).hexdigest()[:8]
    name = wire_serial(disk.usb_serial or disk.label or disk.product or NAME)[:_LONGEST_NAME].strip("-.")
    return f"{name or NAME}-{mark}"


def _seen(disk: PluggedDisk, serial: str) -> SeenCamera:
    return SeenCamera(
        driver=NAME,
        serial=serial,
        model=_line(disk.product or disk.label),
        manufacturer=_line(disk.manufacturer),
        firmware="",
        public_key=None,
        enrolled=False,
        docking_counter=0,
        battery_percent=None,
        charging=None,
        storage_used_bytes=None,
        storage_total_bytes=None,
        clock_offset_seconds=None,
    )


def _line(text: str) -> str:
    """Make what a device says of itself fit for a line on a page."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:64]
