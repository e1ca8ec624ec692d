"""A disk that was plugged in, as it shows itself before anything on it is read, and what a driver for disks is.

Whoever watches sockets makes the disk (who it says it is, and how it is mounted); ``registry`` finds its driver.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from ...models import Database
from ...services import findings, systems
from ...services.findings import Known
from ..order_book import OrderBook
from .protocol import DockedCamera

#: Version of this protocol; a driver of another one is not loaded.
API: Final = 1


class Mount(Protocol):
    """Makes a disk's filesystem readable, or writable, as a folder, for the length of a block.

    Times of FAT must come as if the camera's local time were UTC (``tz=UTC``). Raises MountFailed, CameraGone.
    """

    def __call__(self, *, read_only: bool) -> AbstractContextManager[Path]:
        """Mount it and give the folder."""


@dataclass(frozen=True)
class PluggedDisk:
    """One disk in one bay. All texts are the camera's claims; none of them proves anything."""

    mount: Mount
    #: Tells, at once, whether the same disk still stands in the bay.
    is_there: Callable[[], bool]
    #: Four hexadecimal digits each; empty where there is no USB in between.
    vendor_id: str = ""
    product_id: str = ""
    usb_serial: str = ""
    manufacturer: str = ""
    product: str = ""
    filesystem: str = ""
    filesystem_uuid: str = ""
    label: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What the controller gives a driver to work with."""

    #: Draws numbers and signs in this controller's name.
    book: OrderBook
    #: IANA name of the zone in which cameras of this system write their times.
    time_zone: str
    #: What was found before on the camera of a driver with a serial number: ``known(driver, serial)``.
    known: Callable[[str, str], Sequence[Known]]
    #: When everything that was on it then was listed: ``listed_at(driver, serial)``.
    listed_at: Callable[[str, str], datetime | None] = lambda driver, serial: None

    @classmethod
    def of(cls, database: Database, book: OrderBook) -> Surroundings:
        """Give those of this controller."""

        def known(driver: str, serial: str) -> Sequence[Known]:
            with database.read() as session:
                return findings.known(session, driver, serial)

        def listed_at(driver: str, serial: str) -> datetime | None:
            with database.read() as session:
                return findings.listed_at(session, driver, serial)

        with database.read() as session:
            return cls(book, systems.current(session).time_zone, known, listed_at)


class Driver(Protocol):
    """A kind of camera; an object of it serves all cameras of its kind, and keeps nothing about them."""

    #: Lower case, stable: it is part of how a camera is known again.
    name: str
    api: int

    def recognises(self, disk: PluggedDisk) -> bool:
        """Tell whether a disk is of this kind, without opening it."""

    def open(self, disk: PluggedDisk, surroundings: Surroundings) -> DockedCamera:
        """Make the object that sees one docking through."""
