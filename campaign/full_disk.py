"""Disks that are full: the one with the spool, the one with the database, and one with both.

Somebody else fills the disk at a step, to the last block; what is written then finds no room, anywhere. In time there
is room again. And a disk that is too small from the beginning is not begun to be filled (I15).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import alone
import controllers  # noqa: F401 - mounts the plugin
import goals
import loops
from bodyworn.const import Step
from bodyworn.errors import StorageLow
from loops import Disk
from outcome import Outcome, Plan, Size
from power import EACH_OBJECT
from trial import Point, Trial
from workload import Workload

NAME = "full-disk"

DISK_BYTES: Final = 48 * 1024**2
MOST_OBJECTS: Final = 5
#: Steps at which each place is written to.
SPOOL_STEPS: Final = (Step.PART_CREATED, Step.STREAMED, Step.SYNCED, Step.RENAMED, Step.FOLDER_SYNCED)
DATABASE_STEPS: Final = (
    Step.INTENT,
    Step.STORED,
    Step.AUDITED,
    Step.COMPLETE_POSTED,
    Step.UPLOADED,
    Step.ERASE_RECORDED,
)
PLACES: Final = {
    "spool": SPOOL_STEPS,
    "database": DATABASE_STEPS,
    "both": (*SPOOL_STEPS, *DATABASE_STEPS),
}
LONGEST_SECONDS: Final = 2.0
#: Where intake is to stop by itself: less is left than is to stay free.
EARLY: Final = "early"
RESERVE_BYTES: Final = 12 * 1024**2
LEFT_BYTES: Final = 6 * 1024**2
SAID: Final = frozenset({StorageLow.id})
_ROUNDS: Final = {Size.SAMPLE: 1, Size.ORDINARY: 1, Size.FULL: 6}
#: What a file system needs to know where a file lies, and the steps in which the rest is taken.
_SLACK, _BLOCK = 64 * 1024, 4096


def unavailable() -> str | None:
    """Say why this tier cannot run here; None if it can."""
    return loops.unavailable("mkfs.ext4")


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Fill disks as often as the plan wants."""
    return alone.outcomes("full_disk", plan)


def tried(plan: Plan) -> Iterator[Outcome]:
    """Do what ``outcomes`` gives, in a process that has mounts of its own."""
    work: list[Callable[[], Iterator[Outcome]]] = [partial(_points, plan, place) for place in PLACES]
    yield from alone.in_lanes(plan.lanes, work)


def points(plan: Plan, place: str) -> list[Point]:
    """List when a disk is to be full; a sample is one on the disk with both."""
    return plan.chosen(list(_every(plan, place)), place, sampled=place == "both")


def _every(plan: Plan, place: str) -> Iterator[Point]:
    chosen = plan.choice(f"{place}/steps")
    for number in range(1, _ROUNDS[plan.size] + 1):
        if place != "database":
            yield Point(f"{place}/{EARLY}/{number}", Step.MOUNTED, said=SAID, reserve_bytes=RESERVE_BYTES)
        for step in PLACES[place]:
            count = chosen.randint(1, MOST_OBJECTS) if step in EACH_OBJECT else 1
            yield Point(f"{place}/{step}:{count}/{number}", step, count, LONGEST_SECONDS)


def _points(plan: Plan, place: str) -> Iterator[Outcome]:
    wanted = points(plan, place)
    if wanted:
        with _bench(plan, place) as bench:
            for point in wanted:
                filling = _Filling(bench.folder / "flag", bench.disk, LEFT_BYTES if point.reserve_bytes else 0)
                yield Trial(NAME, bench.load, filling).run(point, plan.choice(point.name), plan.seed)


@dataclass(frozen=True)
class _Bench:
    folder: Path
    disk: Disk
    load: Workload


@dataclass
class _Filling:
    """A file of somebody else's that leaves just so much room on the disk."""

    flag: Path
    disk: Disk
    left_bytes: int

    def begin(self) -> None:
        """Take the room; in the end byte by byte where none is to be left."""
        with self._ballast.open("ab", buffering=0) as file:
            free = os.statvfs(self.disk.folder)
            os.posix_fallocate(file.fileno(), 0, max(free.f_bavail * free.f_frsize - self.left_bytes - _SLACK, 1))
            file.seek(0, os.SEEK_END)
            with suppress(OSError):
                while not self.left_bytes:
                    file.write(bytes(_BLOCK))

    def end(self) -> None:
        """Make room."""
        self._ballast.unlink(missing_ok=True)

    def outlived(self) -> bool:
        """A disk with room is as good as before."""
        return True

    def repair(self) -> None:
        """Nothing is broken."""

    @property
    def _ballast(self) -> Path:
        return self.disk.folder / "ballast"


@contextmanager
def _bench(plan: Plan, place: str) -> Iterator[_Bench]:
    folder = plan.folder / place
    disk = Disk.make(folder, "ext4", DISK_BYTES)
    home = folder / "data" if place == "spool" else disk.folder / "data"
    with ExitStack() as stack:
        stack.enter_context(disk.inserted())
        home.mkdir(mode=0o700)
        if place != "both":
            elsewhere = (disk.folder if place == "spool" else folder) / "spool"
            elsewhere.mkdir(mode=0o700)
            os.symlink(elsewhere, home / "spool")
        goal = stack.enter_context(goals.scripted(encrypted=place == "both"))
        load = stack.enter_context(Workload(home, folder / "around", goal))
        yield _Bench(folder, disk, load)
