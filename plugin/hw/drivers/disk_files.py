"""Single files on a plain disk: opened beneath its root, known again by size, time, head and tail, and deleted.

Which files, is for ``disk_listing`` and ``disk``; nothing here knows what a recording is.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from ...camera_volume import beneath
from ...errors import CameraFileMissing
from ...services.findings import FoundFile
from .disk_walk import DiskFile, unspelled

#: Of each end; enough to tell two files apart that have one name, size and time.
EDGE_BYTES: Final = 16 * 1024

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def opened_root(path: Path) -> Iterator[int]:
    """Open a disk's root for the length of a block."""
    root = beneath.open_folder(path)
    try:
        yield root
    finally:
        os.close(root)


def open_file(root: int, path: str) -> int:
    """Open a regular file by its spelled path."""
    return beneath.open_regular(root, os.fsdecode(unspelled(path)))


def edges_sha256(descriptor: int, size_bytes: int) -> str:
    """Digest the head and the tail of a file."""
    head = os.pread(descriptor, EDGE_BYTES, 0)
    tail = os.pread(descriptor, EDGE_BYTES, max(len(head), size_bytes - EDGE_BYTES))
    return sha256(head + tail).hexdigest()


def read_edges(root: int, file: DiskFile) -> str:
    """Digest the head and the tail of a file by its path; raises CameraUnreadable and others of the camera volume."""
    with _opened(root, file.path) as descriptor, beneath.translated(file.path):
        return edges_sha256(descriptor, file.size_bytes)


def is_listed_as(file: DiskFile, found: FoundFile) -> bool:
    """Tell whether a file is, by its folder, one that was found before."""
    return (file.path, file.size_bytes, file.modified_ns) == (found.path, found.size_bytes, found.modified_ns)


def is_there(root: int, found: FoundFile) -> bool:
    """Tell whether anything lies where a file was found."""
    try:
        with _opened(root, found.path):
            return True
    except CameraFileMissing:
        return False


def is_unchanged(root: int, found: FoundFile) -> bool:
    """Tell whether a file that is there is what was found: size, time, head and tail."""
    with _opened(root, found.path) as descriptor, beneath.translated(found.path):
        facts = os.fstat(descriptor)
        if (facts.st_size, facts.st_mtime_ns) != (found.size_bytes, found.modified_ns):
            return False
        return edges_sha256(descriptor, facts.st_size) == found.edges_sha256


def delete(root: int, files: Iterable[FoundFile]) -> None:
    """Delete files, and return when that is on the medium (P21). Whether they may go was decided before."""
    for file in files:
        folder, name = os.path.split(unspelled(file.path))
        with beneath.translated(file.path), _folder(root, folder or b".") as parent:
            os.unlink(name, dir_fd=parent)
            os.fsync(parent)
    with beneath.translated("/"):
        _sync_filesystem(root)


@contextmanager
def _opened(root: int, path: str) -> Iterator[int]:
    descriptor = open_file(root, path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _folder(root: int, path: bytes) -> Iterator[int]:
    descriptor = beneath.open_beneath(root, os.fsdecode(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sync_filesystem(descriptor: int) -> None:
    if _libc.syncfs(descriptor) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
