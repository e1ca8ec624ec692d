"""The mark that this system leaves on a disk camera: a signed file with the camera's serial number.

It tells a card that was moved from one of our cameras into another. It proves nothing against somebody who copies a
disk, and whoever deletes it is as before; a mark that cannot be read counts as none.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import Final

from ...camera_volume import beneath
from ...camera_volume.documents import Document, Serial, decode, encode
from ...crypto.chain import Right, open_order
from ...crypto.envelope import PayloadType
from ...errors import BodywornError, CameraFileMissing, CameraNotGenuine
from ..order_book import OrderBook

log = logging.getLogger(__name__)

FILE: Final = "bodyworn.mark"
_LARGEST_BYTES: Final = 64 * 1024


class Mark(Document, frozen=True, kw_only=True):
    """What the file says."""

    serial: Serial


def check(root: int, book: OrderBook, serial: str) -> None:
    """Read the mark on a disk, if there is one; raises CameraNotGenuine when it is another camera's of this system."""
    try:
        mark = _read(root, book)
    except CameraFileMissing:
        return
    except BodywornError as error:
        log.warning("the mark on camera %s is not ours, or damaged: %s", serial, error.id)
        return
    if mark.serial != serial:
        raise CameraNotGenuine(serial=serial)


def put(root: int, book: OrderBook, serial: str) -> None:
    """Leave the mark on a disk that is mounted for deleting and has none yet; a disk without it is no worse."""
    signed = book.vouch(encode(Mark(serial=serial)), PayloadType.MARK)
    try:
        _write(root, signed)
    except BodywornError as error:
        log.info("camera %s is not marked: %s", serial, error)


def remove(root: int) -> None:
    """Take the mark off a disk that leaves the system."""
    with beneath.translated(FILE), suppress(FileNotFoundError):
        os.unlink(FILE, dir_fd=root)


def _write(root: int, signed: bytes) -> None:
    with beneath.translated(FILE):
        try:
            descriptor = os.open(FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=root)
        except FileExistsError:
            return
        with open(descriptor, "wb") as file:
            file.write(signed)
            file.flush()
            os.fsync(file.fileno())


def _read(root: int, book: OrderBook) -> Mark:
    signed = beneath.read_regular(root, FILE, _LARGEST_BYTES)
    opened = open_order(
        signed,
        PayloadType.MARK,
        recovery_key=book.recovery_key,
        system_id=book.system_id,
        least_epoch=0,
        now=None,
        right=Right.OFFLOAD,
    )
    return decode(Mark, opened.payload)
