"""Images of simulated cameras as block devices: attached by an open file, gone by themselves with the last user."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ...errors import MountFailed

_CONTROL: Final = "/dev/loop-control"
_GET_FREE: Final = 0x4C82
_CONFIGURE: Final = 0x4C0A
_READ_ONLY, _AUTOCLEAR = 1, 4
#: ``struct loop_config``: file, block size, ``struct loop_info64`` with its flags and name, reserved.
_CONFIG: Final = struct.Struct("=II 5Q 3I I 64s 64s 32s 2Q 8Q")
_MOST_TRIES: Final = 20


@contextmanager
def attached(image: int, *, read_only: bool) -> Iterator[Path]:
    """Give the node of a loop device on an open file; what is mounted from it within the block keeps it."""
    device = _attach(image, read_only=read_only)
    try:
        yield Path(os.readlink(f"/proc/self/fd/{device}"))
    finally:
        os.close(device)


def _attach(image: int, *, read_only: bool) -> int:
    """Find a free loop device and attach it; somebody else may take it first, then there is another one."""
    name = os.fsencode(os.path.basename(os.readlink(f"/proc/self/fd/{image}")))[:63]
    flags = _AUTOCLEAR | (_READ_ONLY if read_only else 0)
    config = _CONFIG.pack(image, 0, *[0] * 5, *[0] * 3, flags, name, b"", b"", *[0] * 10)
    error = OSError()
    for _ in range(_MOST_TRIES):
        try:
            device = _open_free()
        except OSError as no_device:
            raise MountFailed(tool="loop", reason=str(no_device)[:200]) from no_device
        try:
            fcntl.ioctl(device, _CONFIGURE, config)
        except OSError as refused:
            os.close(device)
            error = refused
        else:
            return device
    raise MountFailed(tool="loop", reason=str(error)[:200]) from error


def _open_free() -> int:
    control = os.open(_CONTROL, os.O_RDWR | os.O_CLOEXEC)
    try:
        number = fcntl.ioctl(control, _GET_FREE)
    finally:
        os.close(control)
    return os.open(f"/dev/loop{number}", os.O_RDWR | os.O_CLOEXEC)
