"""Ejecting the medium of a disk, which hands a unit back to its camera."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import Final

_CDROMEJECT: Final = 0x5309
#: Of the SCSI layer: let the medium be removed.
_DOORUNLOCK: Final = 0x5381


def eject_medium(node: str) -> None:
    """Send START STOP UNIT with "load/eject" to a disk; the kernel does so at CDROMEJECT, for every SCSI disk.

    Opening a disk tells it to hold its medium, so it is told to let go first: a camera that obeys would keep it.
    """
    descriptor = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _DOORUNLOCK)
        if fcntl.ioctl(descriptor, _CDROMEJECT):  # what the device itself refuses is no error of the call
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
    finally:
        os.close(descriptor)
