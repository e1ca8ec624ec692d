"""Damaged file systems: real images of cameras, mounted for real, with bits flipped where they hurt.

Needs root and the programs that make and mount them. What a visit makes of them is in :mod:`hostile_visit`.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bodyworn.errors import MountFailed
from bodyworn.hw import mounts
from bodyworn.hw.drivers.plugged import PluggedDisk
from disk_parts import dash, transcend, vantrue
from hostile_visit import Visitor

MAKERS = {"exfat": ("mkfs.exfat",), "vfat": ("mkfs.vfat", "-F", "32", "-s", "1")}
CHECKERS = {"exfat": ("fsck.exfat", "-y"), "vfat": ("fsck.vfat", "-a", "-w")}
IMAGE_BYTES = 40 * 2**20
_SECTOR = 512


class NoImages(Exception):
    """Why there can be no images here."""


@dataclass(frozen=True)
class Places:
    """Where in an image the file system keeps what it believes: boot sector, tables, folders."""

    boot: range
    tables: range
    folders: range


def make(filesystem: str, image: Path, target: Path) -> None:
    """Make the image of a healthy camera; raises NoImages."""
    if os.geteuid() != 0:
        raise NoImages("mounting needs root")
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if shutil.which(MAKERS[filesystem][0], path=path) is None:
        raise NoImages(f"{MAKERS[filesystem][0]} is missing")
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run([*MAKERS[filesystem], str(image)], check=True, capture_output=True)
    try:
        with mounts.image_mounted(image, filesystem, target, read_only=False) as folder:
            for build in (transcend, dash, vantrue):
                build(folder)
    except MountFailed as error:
        raise NoImages(f"{filesystem} cannot be mounted here: {error}") from error


def mutated(image: Path, filesystem: str, target: Path, seed: int) -> Path:
    """Make a damaged copy: the same seed gives the same damage."""
    random = Random(f"{filesystem} {seed}")
    shutil.copyfile(image, target)
    with target.open("r+b") as file:
        places = _places(file.read(_SECTOR), filesystem)
        for _ in range(random.choice([1, 2, 8, 64])):
            where = random.choices([places.boot, places.tables, places.folders], [1, 6, 8])[0]
            offset = random.choice(where)
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([random.choice([byte ^ 1 << random.randrange(8), random.randrange(256), 0, 255])]))
    return target


def visit_image(visitor: Visitor, image: Path, filesystem: str, target: Path) -> tuple[str, list[str]]:
    """Visit an image as the disk of a camera; gives what became of it in a word, and what is wrong."""
    before = image.read_bytes()

    @contextmanager
    def mounted(*, read_only: bool) -> Iterator[Path]:
        with mounts.image_mounted(image, filesystem, target, read_only=read_only) as folder:
            yield folder

    disk = PluggedDisk(mount=mounted, is_there=lambda: True, usb_serial="1", filesystem_uuid="1A2B-3C4D")
    visit = visitor.visit(disk)
    faults = list(visit.faults)
    if image.read_bytes() != before:
        faults.append("the image was changed")
    told = [one.problem.id for one in visit.listed if one.problem and not one.harmless]
    return next(iter(visit.refused + told), "read"), faults


def mended(image: Path, filesystem: str) -> bool:
    """Let the file system's own checker mend an image; tells whether it found anything wrong."""
    return subprocess.run([*CHECKERS[filesystem], str(image)], capture_output=True, timeout=60).returncode != 0


def _places(boot: bytes, filesystem: str) -> Places:
    if filesystem == "exfat":
        table, table_sectors, heap = struct.unpack_from("<III", boot, 80)
        sector = 1 << boot[108]
        tables = range(table * sector, table * sector + min(table_sectors * sector, 4096))
        # the first clusters hold the allocation bitmap, the table of capitals, and then the folders
        return Places(range(64, 120), tables, range(heap * sector, heap * sector + 256 * 1024))
    reserved, copies = struct.unpack_from("<HB", boot, 14)
    (table_sectors,) = struct.unpack_from("<I", boot, 36)
    first = reserved * _SECTOR
    folders = first + copies * table_sectors * _SECTOR
    return Places(range(11, 90), range(first, first + 256), range(folders, folders + 24 * 1024))
