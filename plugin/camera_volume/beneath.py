"""Opening files strictly inside a folder that somebody else has filled: the kernel's ``openat2``.

No path from here can leave the folder, follow a link, cross a mount, or end in a pipe or device, whatever the folder
holds and however it changes meanwhile.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..errors import (
    BodywornError,
    CameraFileMissing,
    CameraFileRefused,
    CameraListingTooLong,
    CameraUnreadable,
    KernelTooOld,
)

_SYS_OPENAT2: Final = 437
_RESOLVE_NO_XDEV: Final = 0x01
_RESOLVE_NO_MAGICLINKS: Final = 0x02
_RESOLVE_NO_SYMLINKS: Final = 0x04
_RESOLVE_BENEATH: Final = 0x08
_RESOLVE: Final = _RESOLVE_NO_XDEV | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH

_REFUSED = frozenset(
    {errno.ELOOP, errno.EXDEV, errno.EISDIR, errno.ENOTDIR, errno.ENXIO, errno.EINVAL, errno.ENAMETOOLONG}
)

#: The kernel asks for another try when a rename races with the lookup; somebody who renames for ever gets no further.
_AGAIN = frozenset({errno.EINTR, errno.EAGAIN})
_MOST_TRIES: Final = 100

_libc = ctypes.CDLL(None, use_errno=True)


def open_folder(path: Path) -> int:
    """Open the folder that everything else stays beneath; the path itself is trusted. Returns a descriptor."""
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise translate(error, path.name) from error


def open_beneath(folder: int, path: str, flags: int = os.O_RDONLY, mode: int = 0) -> int:
    """Open ``path`` inside the open folder and return a descriptor.

    Raises:
        CameraFileMissing: nothing is there.
        CameraFileRefused: a link, or a way out of the folder.
        CameraUnreadable: the medium failed.
        KernelTooOld: the kernel cannot confine the path.
    """
    try:
        return _openat2(folder, os.fsencode(path), flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, mode)
    except ValueError as error:
        raise CameraFileRefused(name=printable(path)) from error
    except OSError as error:
        raise translate(error, path) from error


def open_regular(folder: int, path: str) -> int:
    """Open a regular file for reading inside the open folder; anything else is refused."""
    descriptor = open_beneath(folder, path)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CameraFileRefused(name=printable(path))
    return descriptor


def read_regular(folder: int, path: str, limit_bytes: int) -> bytes:
    """Read a regular file of at most ``limit_bytes``."""
    with translated(path), open(open_regular(folder, path), "rb", buffering=0) as file:
        data = bytearray()
        while len(data) <= limit_bytes and (block := file.read(limit_bytes + 1 - len(data))):
            data += block
    if len(data) > limit_bytes:
        raise CameraListingTooLong(name=printable(path), limit=limit_bytes)
    return bytes(data)


def list_names(folder: int, path: str, limit: int) -> tuple[str, ...]:
    """List the names in a folder inside the open folder, sorted; more than ``limit`` are refused."""
    descriptor = open_beneath(folder, path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with translated(path), os.scandir(descriptor) as entries:
            names = [entry.name for entry in islice(entries, limit + 1)]
    finally:
        os.close(descriptor)
    if len(names) > limit:
        raise CameraListingTooLong(name=printable(path), limit=limit)
    return tuple(sorted(names))


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn what the operating system raises inside into this room's errors, about ``name``."""
    try:
        yield
    except OSError as error:
        raise translate(error, name) from error


def translate(error: OSError, name: str) -> BodywornError:
    """Give this room's error for an operating system's error about ``name``."""
    if error.errno == errno.ENOSYS:
        return KernelTooOld()
    if error.errno == errno.ENOENT:
        return CameraFileMissing(name=printable(name))
    if error.errno in _REFUSED:
        return CameraFileRefused(name=printable(name))
    return CameraUnreadable(name=printable(name), reason=os.strerror(error.errno or 0))


def printable(name: str) -> str:
    """Make a name that a camera chose fit for logs and pages."""
    return name.encode("ascii", "backslashreplace").decode("ascii")[:120]


def _openat2(folder: int, path: bytes, flags: int, mode: int) -> int:
    if b"\0" in path:
        raise ValueError("a name holds NUL")
    how = struct.pack("=QQQ", flags, mode, _RESOLVE)
    number = 0
    for _ in range(_MOST_TRIES):
        descriptor = int(_libc.syscall(_SYS_OPENAT2, folder, path, how, len(how)))
        if descriptor >= 0:
            return descriptor
        number = ctypes.get_errno()
        if number not in _AGAIN:
            break
    raise OSError(number, os.strerror(number))


class HeldFolder:
    """A folder that is held open. Used as a context, since an open unit cannot be unmounted."""

    def __init__(self, path: Path) -> None:
        self._root = open_folder(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder; files that were opened stay open until they are closed."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1
