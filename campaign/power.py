"""Power cuts: the disk with the controller's database, spool and keys loses its power, at steps and at any moment.

On ext4 and on xfs, with encryption and without. A cut drops what no fsync has brought to the disk; the disk comes back
with its journal replayed, and the next controller must end where an undisturbed one would have. The receiver's disk
is cut as well, see :mod:`power_receiver`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Final

import alone
import controllers  # noqa: F401 - mounts the plugin
import goals
import loops
import power_receiver
from bodyworn.const import Step
from loops import Disk
from outcome import Outcome, Plan, Size
from power_cut import Bench, Point
from workload import Workload

NAME = "power"

FILESYSTEMS: Final = ("ext4", "xfs")
DISK_BYTES: Final = 1024**3
STEPS: Final = tuple(Step)[tuple(Step).index(Step.MOUNTED) :]
#: Steps that each object comes to, so that they can be met with some objects done and others not.
EACH_OBJECT: Final = frozenset(STEPS[2:]) - {Step.CONTAINER_PUT, *STEPS[STEPS.index(Step.COMPLETE_POSTED) :]}
MOST_OBJECTS: Final = 6
#: How often each setting cuts at every step, and at how many moments.
_ROUNDS: Final = {Size.ORDINARY: (2, 36), Size.FULL: (7, 130)}


@dataclass(frozen=True)
class Setting:
    """Where the work is done: what the disk is formatted with, and whether content arrives encrypted."""

    filesystem: str
    encrypted: bool

    @property
    def name(self) -> str:
        """How its points' names begin."""
        return f"{self.filesystem}/{'encrypted' if self.encrypted else 'plain'}"


SETTINGS: Final = tuple(Setting(*one) for one in product(FILESYSTEMS, (False, True)))


def unavailable() -> str | None:
    """Say why this tier cannot run here; None if it can."""
    return loops.unavailable("mkfs.ext4", "mkfs.xfs")


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Cut the power as often as the plan wants."""
    return alone.outcomes(NAME, plan)


def tried(plan: Plan) -> Iterator[Outcome]:
    """Do what ``outcomes`` gives, in a process that has mounts of its own."""
    work: list[Callable[[], Iterator[Outcome]]] = [partial(_cuts, plan, setting) for setting in SETTINGS]
    work += [partial(power_receiver.cuts, NAME, plan, filesystem) for filesystem in FILESYSTEMS]
    yield from alone.in_lanes(plan.lanes, work)


def points(plan: Plan, setting: Setting) -> list[Point]:
    """List the cuts of a setting that the plan asks for; a sample is one on plain ext4 and one on encrypted xfs."""
    return plan.chosen(_all(plan, setting), setting.name, sampled=setting in (SETTINGS[0], SETTINGS[-1]))


def _all(plan: Plan, setting: Setting) -> list[Point]:
    rounds, moments = _ROUNDS.get(plan.size, _ROUNDS[Size.ORDINARY])
    chosen = plan.choice(f"{setting.name}/steps")
    at = dict.fromkeys((step, 1) for step in STEPS)
    for _ in range(rounds - 1):
        at |= dict.fromkeys((step, _count(step, chosen)) for step in STEPS)
    found = [Point(f"{setting.name}/{step}:{count}", step, count) for step, count in at]
    return found + [Point(f"{setting.name}/moment-{number}") for number in range(1, moments + 1)]


def _count(step: Step, chosen: random.Random) -> int:
    return chosen.randint(2, MOST_OBJECTS) if step in EACH_OBJECT else 2


def _cuts(plan: Plan, setting: Setting) -> Iterator[Outcome]:
    wanted = points(plan, setting)
    if wanted:
        with _bench(plan, setting) as bench:
            for point in wanted:
                yield bench.cut(point, plan.choice(point.name), plan.seed)


@contextmanager
def _bench(plan: Plan, setting: Setting) -> Iterator[Bench]:
    folder = plan.folder / setting.name.replace("/", "-")
    disk = Disk.make(folder, setting.filesystem, DISK_BYTES)
    with (
        disk.inserted(),
        goals.scripted(setting.encrypted) as goal,
        Workload(disk.folder / "data", folder / "around", goal) as load,
    ):
        yield Bench.measured(NAME, disk, load)
