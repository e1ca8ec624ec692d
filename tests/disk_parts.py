"""Disks of cameras, generated: a folder stands for the mounted filesystem, and every mounting is written down."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bodyworn.errors import CameraGone
from bodyworn.hw.drivers.disk_layouts import Shown
from bodyworn.hw.drivers.plugged import PluggedDisk

#: On the camera's clock, which has no zone.
START = datetime(2026, 3, 4, 6, 6, 7)  # noqa: DTZ001
MINUTE = timedelta(minutes=1)
NOTHING_SHOWN = Shown()


def put(root: Path, path: str | bytes, data: bytes = b"", *, end: datetime = START, locked: bool = False) -> None:
    """Write a file as a camera does: its last change is local time, which the mount shows as if it were UTC."""
    target = os.path.join(os.fsencode(root), os.fsencode(path))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(data or os.fsencode(path))
    moment = int(end.replace(tzinfo=UTC).timestamp())
    os.utime(target, (moment, moment))
    if locked:
        os.chmod(target, 0o444)


def transcend(root: Path) -> None:
    """DrivePro Body: a top folder named after the model, three segments of one recording, then another."""
    for number in range(3):
        start = START + number * MINUTE
        put(root, f"DPB30/VIDEO/{start:%Y%m%d_%H%M%S}_00{number}A.MP4", end=start + MINUTE)
    later = START + timedelta(hours=1)
    put(root, f"DPB30/VIDEO/{later:%Y%m%d_%H%M%S}_003A.MP4", end=later + MINUTE)
    put(root, f"DPB30/PHOTO/{START + MINUTE:%Y%m%d_%H%M%S}_001A.JPG", end=START + MINUTE)
    put(root, "DPB30/SYSTEM/VERSION.TXT", b"1.0")


def tecsar(root: Path) -> None:
    """Tecsar: AVI files and audio beneath files/data."""
    put(root, f"files/data/{START:%Y%m%d_%H%M%S}.AVI", end=START + MINUTE)
    put(root, f"files/data/{START + 60 * MINUTE:%Y%m%d_%H%M%S}.WAV", end=START + 61 * MINUTE)


def dash(root: Path) -> None:
    """A dash or body camera: front and rear at the same second, an event, thumbnails and a track beside them."""
    for side in "FR":
        put(root, f"Movie/{START:%y%m%d_%H%M%S}_001_{side}.TS", end=START + MINUTE)
    put(root, f"Movie/{START:%y%m%d_%H%M%S}_001_F.THM", end=START)
    put(root, f"Movie/{START:%y%m%d_%H%M%S}_001_F.NMEA", end=START + MINUTE)
    later = START + timedelta(hours=2)
    put(root, f"Event/{later:%y%m%d_%H%M%S}_002_F.TS", end=later + MINUTE)


def vantrue(root: Path) -> None:
    """Vantrue: front and rear by a letter."""
    for side in "AB":
        put(root, f"Video/Normal/{START:%Y_%m%d_%H%M%S}_001{side}.MP4", end=START + MINUTE)


def garmin(root: Path) -> None:
    """Garmin: numbered folders of DCIM that say what kind their files are; names without a time."""
    put(root, "DCIM/105UNSVD/GRMN0001.MP4", end=START + MINUTE)
    put(root, "DCIM/102SAVED/GRMN0002.MP4", end=START + timedelta(hours=1))
    put(root, "DCIM/101PHOTO/GRMN0003.JPG", end=START + timedelta(hours=2))


def dcim(root: Path) -> None:
    """A camera with DCIM and nothing else that is known; one file is write-protected."""
    put(root, "DCIM/100MEDIA/MOV_0001.MOV", end=START + MINUTE)
    put(root, "DCIM/100MEDIA/MOV_0002.MOV", end=START + timedelta(hours=1), locked=True)


def amba(root: Path) -> None:
    """Ambarella: clips and photos anywhere."""
    put(root, f"{START:%Y%m%d%H%M%S}.mp4", end=START + MINUTE)
    put(root, f"a/b/{START + 60 * MINUTE:%Y%m%d%H%M%S}.jpg", end=START + 60 * MINUTE)


@dataclass(frozen=True)
class Family:
    """A layout, and what must come of its disk."""

    build: Callable[[Path], None]
    layout: str
    #: How many files each recording has, the oldest first.
    recordings: tuple[int, ...]
    left_alone: int = 0
    shown: Shown = NOTHING_SHOWN


FAMILIES = (
    Family(transcend, "transcend-drivepro-body", (4, 1), left_alone=1),
    Family(tecsar, "tecsar", (1, 1)),
    Family(dash, "dash", (4, 1)),
    Family(vantrue, "vantrue", (2,)),
    Family(garmin, "garmin", (1, 1, 1)),
    Family(dcim, "dcim", (1, 1)),
    Family(amba, "plain", (1, 1)),
)


@dataclass
class FolderDisk:
    """A disk in a bay, made of a folder."""

    folder: Path
    serial: str = "966110000000100"
    uuid: str = "1A2B-3C4D"
    plugged_in: bool = True
    #: How it was mounted, in order: ``ro`` or ``rw``.
    mountings: list[str] = field(default_factory=list)
    #: Called whenever it has been mounted for writing.
    on_writable: Callable[[], None] = lambda: None

    def plugged(self) -> PluggedDisk:
        """Describe it as the kernel would."""
        return PluggedDisk(
            mount=self._mounted,
            is_there=lambda: self.plugged_in,
            vendor_id="0603",
            product_id="8611",
            usb_serial=self.serial,
            filesystem="vfat",
            filesystem_uuid=self.uuid,
        )

    @contextmanager
    def _mounted(self, *, read_only: bool) -> Iterator[Path]:
        if not self.plugged_in:
            raise CameraGone
        self.mountings.append("ro" if read_only else "rw")
        if not read_only:
            self.on_writable()
        yield self.folder

    def files(self) -> set[str]:
        """List what is on it, without the mark that the system leaves."""
        found = {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}
        return found - {"bodyworn.mark"}
