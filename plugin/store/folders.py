"""Names, folders and files beneath a root: opened one component at a time, never through a link.

The edge between the system's errors and ours is here as well. What the files mean is for :mod:`.objects`.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ..errors import (
    BodywornError,
    NameRefused,
    NoSuchObject,
    NotAnObject,
    StoreDamaged,
    StoreFull,
    StoreNotWritable,
)

LONGEST_NAME_BYTES: Final = 255

_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_NOT_WRITABLE: Final = {errno.EROFS, errno.EACCES, errno.EPERM}
_FOREIGN: Final = {errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}


def is_name(name: str) -> bool:
    """Tell whether a container or an object may have this name: one visible path component, printable, not hidden."""
    if not name.isprintable() or name.startswith(".") or "/" in name:
        return False
    return 0 < len(name.encode()) <= LONGEST_NAME_BYTES


def check_names(*names: str) -> None:
    """Raise :class:`NameRefused` unless each is a name that :func:`is_name` accepts."""
    for name in names:
        if not is_name(name):
            raise NameRefused(name=ascii(name[:LONGEST_NAME_BYTES]))


@contextmanager
def edge(label: str) -> Iterator[None]:
    """Turn errors of the system into those of the store; ``label`` is what the operator knows the place by."""
    try:
        yield
    except OSError as error:
        raise _translated(error, label) from error


def open_folder(name: str | os.PathLike[str], parent: int | None = None) -> int:
    """Open a folder. Beneath a parent, which is how all but the root are opened, no link is followed."""
    follow = os.O_NOFOLLOW if parent is not None else 0
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | follow, dir_fd=parent)


@contextmanager
def closing(descriptor: int) -> Iterator[int]:
    """Close a descriptor at the end of a block."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def beneath(parent: int, name: str, label: str, *, create: bool = False) -> Iterator[int]:
    """Open a folder beneath another for the length of a block, and make it first if asked."""
    with edge(label):
        if create:
            _make(name, parent)
        descriptor = open_folder(name, parent)
    with closing(descriptor):
        yield descriptor


def sync(label: str, *descriptors: int) -> None:
    """Make durable what was written, or the names in a folder. One try, for a second one lies."""
    with edge(label):
        for descriptor in descriptors:
            os.fsync(descriptor)


def open_file(parent: int, name: str, label: str) -> int:
    """Open a regular file for reading; a link, pipe, device or folder raises :class:`NotAnObject`."""
    with edge(label):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
    os.close(descriptor)
    raise NotAnObject(name=label)


def folders_in(parent: int) -> list[str]:
    """List the visible folders in a folder by name; links to folders are none."""
    with os.scandir(parent) as entries:
        return sorted(entry.name for entry in entries if is_name(entry.name) and entry.is_dir(follow_symlinks=False))


def files_in(parent: int) -> list[str]:
    """List the visible regular files in a folder by name; links to files are none."""
    with os.scandir(parent) as entries:
        return sorted(entry.name for entry in entries if is_name(entry.name) and entry.is_file(follow_symlinks=False))


def _make(name: str, parent: int) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        return


def _translated(error: OSError, label: str) -> BodywornError:
    if error.errno in _FULL:
        return StoreFull(name=label)
    if error.errno in _NOT_WRITABLE:
        return StoreNotWritable(name=label, reason=_reason(error))
    if error.errno == errno.ENOENT:
        return NoSuchObject(name=label)
    if error.errno in _FOREIGN:
        return NotAnObject(name=label)
    return StoreDamaged(name=label, reason=_reason(error))


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
