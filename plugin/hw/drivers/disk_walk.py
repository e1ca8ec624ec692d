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
from ...errors import BodywornError, CameraListingTooLong

#: Rows of the database keep a file's path on its camera in as many characters.
LONGEST_PATH: Final = 255


@dataclass(frozen=True)
class Bounds:
    """How far a walk goes."""

    most_entries: int = 50_000
    deepest: int = 8
    seconds: float = 60.0


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
    #: No ordinary files: links, pipes, devices; names past the limit.
    strange: tuple[str, ...]
    #: Folders that could not be looked into, each with the reason: there may be recordings in them.
    unread: tuple[tuple[str, str], ...]
    #: What the filesystem can hold; no file can be larger.
    total_bytes: int
    used_bytes: int


def walk(root: int, bounds: Bounds = Bounds()) -> Walk:
    """List what is beneath an open folder.

    :raises CameraListingTooLong: past the number of entries, or when the time is over.
    """
    course = _Course(root, bounds)
    course.run()
    total_bytes, used_bytes = space(root)
    return Walk(
        files=tuple(sorted(course.files, key=lambda file: file.path)),
        strange=tuple(course.strange),
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


class _Course:
    """One walk under way."""

    def __init__(self, root: int, bounds: Bounds) -> None:
        self._root, self._bounds = root, bounds
        self._left = bounds.most_entries
        self._end = time.monotonic() + bounds.seconds
        self.files: list[DiskFile] = []
        self.strange: list[str] = []
        self.unread: list[tuple[str, str]] = []

    def run(self) -> None:
        waiting: list[tuple[bytes, int]] = [(b".", 0)]
        while waiting:
            folder, depth = waiting.pop()
            if depth > self._bounds.deepest:
                self.unread.append((_shown(folder), "it lies too deep"))
                continue
            waiting += [(path, depth + 1) for path in self._look_into(folder)]

    def _look_into(self, folder: bytes) -> list[bytes]:
        """Note the files of a folder, and give the folders in it."""
        try:
            descriptor = beneath.open_beneath(self._root, os.fsdecode(folder), os.O_RDONLY | os.O_DIRECTORY)
        except BodywornError as error:
            self.unread.append((_shown(folder), str(error)))
            return []
        try:
            with os.scandir(descriptor) as entries:
                return [path for entry in entries if (path := self._note(folder, entry)) is not None]
        except OSError as error:
            self.unread.append((_shown(folder), os.strerror(error.errno or 0)))
            return []
        finally:
            os.close(descriptor)

    def _note(self, folder: bytes, entry: os.DirEntry[str]) -> bytes | None:
        """Note one entry; gives its path when it is a folder."""
        self._count()
        path = _joined(folder, os.fsencode(entry.name))
        facts = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(facts.st_mode):
            return path
        if not stat.S_ISREG(facts.st_mode) or len(spelled(path)) > LONGEST_PATH:
            self.strange.append(_shown(path))
            return None
        locked = not facts.st_mode & stat.S_IWUSR
        self.files.append(DiskFile(spelled(path), facts.st_size, facts.st_mtime_ns, locked))
        return None

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0 or time.monotonic() > self._end:
            raise CameraListingTooLong(name="/", limit=self._bounds.most_entries)


def _joined(folder: bytes, name: bytes) -> bytes:
    return name if folder == b"." else folder + b"/" + name


def _shown(path: bytes) -> str:
    return beneath.printable(os.fsdecode(path))
