"""What the machine's controller works with, made by the host beforehand because that is quick there.

A founded system on a database, connected to the scripted destination; and the disks of its cameras, freshly formatted.
"""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bodyworn.models import DockKind
from bodyworn.services import docks
from running_station import found_station

DATABASE = "bodyworn.db"


@dataclass(frozen=True)
class Disk:
    """A disk camera: ``name`` is its image's."""

    name: str
    serial: str
    filesystem: str
    megabytes: int


#: One of each filesystem, and two that claim one serial number.
WORN, READ = Disk("worn", "BWC0001", "vfat", 64), Disk("read", "BWC0002", "exfat", 64)
TWINS = Disk("twin-1", "BWC0009", "vfat", 8), Disk("twin-2", "BWC0009", "vfat", 8)
DISKS = (WORN, READ, *TWINS)


def prepare(share: Path, tables: Path) -> int:
    """Make all of it in the shared folder; gives the port at which the destination must listen."""
    for disk in DISKS:
        _format(share, disk)
    with ExitStack() as stack:
        station = found_station(stack, tables, share / "depot", "")
        with station.database.write() as session:
            for dock in docks.local_docks(session):
                session.delete(dock)
            docks.add_dock(session, name="Dock", kind=DockKind.USB, locator="", bays=0)
        station.connect()
        return station.fake.port


def _format(share: Path, disk: Disk) -> None:
    image = share / f"{disk.name}.img"
    with image.open("xb") as file:
        file.truncate(disk.megabytes * 2**20)
    subprocess.run([f"mkfs.{disk.filesystem}", str(image)], check=True, capture_output=True)


def damage(share: Path, disk: Disk) -> str:
    """Let the filesystem's own tool look for damage; gives what it says, nothing when there is none."""
    done = subprocess.run(
        [f"fsck.{disk.filesystem}", "-n", str(share / f"{disk.name}.img")], capture_output=True, text=True
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
