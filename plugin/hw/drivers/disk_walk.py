"""What lies on a plain disk: a walk that ends, whatever the disk holds. Nothing is opened but folders.

Every folder is opened beneath the root by ``camera_volume.beneath``, so no link is followed and no mount is crossed.
What the files mean is in ``disk_layouts``.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ...camera_volume import beneath
from ...errors import BodywornError
from ...services.findings import LONGEST_PATH

TOO_MANY: Final = "there are too many entries on it"
TOO_SLOW: Final = "it took too long"
TOO_DEEP: Final = "it lies too deep"


@dataclass(frozen=True)
class Bounds:
    """How far a walk goes."""

    most_entries: int = 50_000
    deepest: int = 8
    seconds: float = 30.0


@dataclass(frozen=True)
class DiskFile:
    """A regular file, by what its folder says of it."""

    #: Path below the root, spelled by :func:`spelled`.
    path: str
    size_bytes: int
    #: Last modification as the filesystem gives it, nanoseconds since 1970.
    modified_ns: int
    #: The write-protect mark of FAT, with which many cameras keep events from being overwritten.
    locked: bool


@dataclass(frozen=True)
class Walk:
    """Everything that was found."""

    files: tuple[DiskFile, ...]
    #: No ordinary files: links, pipes, devices.
    strange: tuple[str, ...]
    #: Files whose path is longer than a row can keep.
    overlong: tuple[str, ...]
    #: Folders that were not looked into, or not wholly, each with the reason: there may be recordings in them.
    unread: tuple[tuple[str, str], ...]
    #: What the filesystem can hold, so that no file can be larger; 0 where it does not say.
    total_bytes: int
    used_bytes: int


def walk(root: int, bounds: Bounds = Bounds()) -> Walk:
    """List what is beneath an open folder; where the bounds end the walk, the rest is said to be unread."""
    course = _Course(root, bounds)
    course.run()
    total_bytes, used_bytes = space(root)
    return Walk(
        files=tuple(sorted(course.files, key=lambda file: file.path)),
        strange=tuple(course.strange),
        overlong=tuple(course.overlong),
        unread=tuple(course.unread),
        total_bytes=total_bytes,
        used_bytes=used_bytes,
    )


def space(root: int) -> tuple[int, int]:
    """Measure what a filesystem can hold and how much of that is used, in bytes."""
    facts = os.fstatvfs(root)
    return facts.f_blocks * facts.f_frsize, (facts.f_blocks - facts.f_bfree) * facts.f_frsize


def spelled(path: bytes) -> str:
    """Spell a path that a camera chose so that every database and page can carry it; legible ones stay as they are."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        text = ""
    return text if text.isprintable() and text and "%" not in text else quote_from_bytes(path, safe="/ ")


def unspelled(path: str) -> bytes:
    """Give the path back as it is on the camera."""
    return unquote_to_bytes(path)


class _Ended(Exception):
    """The walk is at one of its bounds."""


class _Course:
    """One walk under way."""

    def __init__(self, root: int, bounds: Bounds) -> None:
        self._root, self._bounds = root, bounds
        self._left = bounds.most_entries
        self._end = time.monotonic() + bounds.seconds
        self._waiting: list[tuple[bytes, int]] = [(b".", 0)]
        self.files: list[DiskFile] = []
        self.strange: list[str] = []
        self.overlong: list[str] = []
        self.unread: list[tuple[str, str]] = []

    def run(self) -> None:
        while self._waiting:
            folder, depth = self._waiting.pop()
            if depth > self._bounds.deepest:
                self._leave(folder, TOO_DEEP)
                continue
            try:
                self._look_into(folder, depth)
            except _Ended as why:
                for left in (folder, *(path for path, _ in self._waiting)):
                    self._leave(left, str(why))
                return

    def _look_into(self, folder: bytes, depth: int) -> None:
        """Note the files of a folder, and the folders in it as waiting."""
        try:
            descriptor = beneath.open_beneath(self._root, os.fsdecode(folder), os.O_RDONLY | os.O_DIRECTORY)
        except BodywornError as error:
            self._leave(folder, str(error))
            return
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    self._count()
                    self._note(_joined(folder, os.fsencode(entry.name)), entry, depth)
        except OSError as error:
            self._leave(folder, os.strerror(error.errno or 0))
        finally:
            os.close(descriptor)

    def _note(self, path: bytes, entry: os.DirEntry[str], depth: int) -> None:
        try:
            facts = entry.stat(follow_symlinks=False)
        except OSError as error:
            self._leave(path, os.strerror(error.errno or 0))
            return
        if stat.S_ISDIR(facts.st_mode):
            self._waiting.append((path, depth + 1))
        elif not stat.S_ISREG(facts.st_mode):
            self.strange.append(_shown(path))
        elif len(spelled(path)) > LONGEST_PATH:
            self.overlong.append(_shown(path))
        else:
            locked = not facts.st_mode & stat.S_IWUSR
            self.files.append(DiskFile(spelled(path), facts.st_size, facts.st_mtime_ns, locked))

    def _leave(self, path: bytes, reason: str) -> None:
        self.unread.append((_shown(path), reason))

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise _Ended(TOO_MANY)
        if time.monotonic() > self._end:
            raise _Ended(TOO_SLOW)


def _joined(folder: bytes, name: bytes) -> bytes:
    return name if folder == b"." else folder + b"/" + name


def _shown(path: bytes) -> str:
    return beneath.printable(os.fsdecode(path))
