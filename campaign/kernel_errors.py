"""Disks that report errors: the kernel answers EIO for a while, on the controller's disk and on a camera.

Errors are made beneath the file system (:mod:`erring`), so everything above behaves as on a dying disk: an fsync fails
once and then lies, a journal gives up, a file system turns read-only. They begin at a step, last for as long as the
seed decides, and end; then the service goes on, or says what is to be done, and somebody does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

import alone
import controllers  # noqa: F401 - mounts the plugin
import erring
import goals
import loops
import power
from bodyworn.const import Step
from erring import Trouble
from kernel_trial import Bench, Point
from loops import Disk
from outcome import Outcome, Plan, Size
from power import EACH_OBJECT, SETTINGS, Setting
from workload import Workload

NAME = "kernel-errors"

DISK_BYTES: Final = power.DISK_BYTES
WRITING: Final = tuple(Step)[tuple(Step).index(Step.INTENT) :]
#: Steps at which the controller reads what is on its own disk: its proof, and what it sends.
READING: Final = (Step.REREAD, Step.REREAD, Step.CLIP_PUT)
CAMERA_READS: Final = 4
MOST_OBJECTS: Final = 5
_ROUNDS: Final = {Size.SAMPLE: 1, Size.ORDINARY: 1, Size.FULL: 5}
PLAIN, ENCRYPTED = SETTINGS[0], SETTINGS[-1]


def unavailable() -> str | None:
    """Say why this tier cannot run here; None if it can."""
    return loops.unavailable(*erring.TOOLS)


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Let disks report errors as often as the plan wants."""
    return alone.outcomes("kernel_errors", plan)


def tried(plan: Plan) -> Iterator[Outcome]:
    """Do what ``outcomes`` gives, in a process that has mounts of its own."""
    work: list[Callable[[], Iterator[Outcome]]] = [
        partial(_points, plan, setting, of_camera)
        for setting, of_camera in ((PLAIN, False), (ENCRYPTED, False), (PLAIN, True))
    ]
    yield from alone.in_lanes(plan.lanes, work)


def points(plan: Plan, setting: Setting, *, of_camera: bool) -> list[Point]:
    """List what is to go wrong in a setting; a sample is a write on the plain disk, and a read of the camera."""
    found = list(_of_camera(plan) if of_camera else _of_disk(plan, setting))
    if plan.size is Size.SAMPLE and plan.only is None:
        return [] if setting is ENCRYPTED else plan.choice(f"{setting.name}/{of_camera}").sample(found, 1)
    return [point for point in found if plan.wants(point.name)]


def _of_disk(plan: Plan, setting: Setting) -> Iterator[Point]:
    chosen = plan.choice(f"{setting.name}/errors")
    for number in range(1, _ROUNDS[plan.size] + 1):
        for trouble, steps in ((Trouble.WRITING, WRITING), (Trouble.READING, READING)):
            for place, step in enumerate(steps):
                count = chosen.randint(1, MOST_OBJECTS) if step in EACH_OBJECT else 1
                yield Point(f"{setting.name}/{trouble}/{step}:{count}/{number}.{place}", trouble, step, count)


def _of_camera(plan: Plan) -> Iterator[Point]:
    for number in range(1, CAMERA_READS * _ROUNDS[plan.size] + 1):
        yield Point(f"camera/{number}", Trouble.READING, Step.STREAMED, number % MOST_OBJECTS + 1)


def _points(plan: Plan, setting: Setting, of_camera: bool) -> Iterator[Outcome]:
    wanted = points(plan, setting, of_camera=of_camera)
    if wanted:
        with _bench(plan, setting, of_camera=of_camera) as bench:
            for point in wanted:
                yield bench.run(point, plan.choice(point.name), plan.seed)


@contextmanager
def _bench(plan: Plan, setting: Setting, *, of_camera: bool) -> Iterator[Bench]:
    folder = plan.folder / ("camera" if of_camera else setting.name.replace("/", "-"))
    disk = Disk.make(folder, setting.filesystem, DISK_BYTES)
    home = folder / "data" if of_camera else disk.folder / "data"
    around = disk.folder / "around" if of_camera else folder / "around"
    with ExitStack() as stack:
        switch = stack.enter_context(erring.erring(disk))
        goal = stack.enter_context(goals.scripted(setting.encrypted))
        load = stack.enter_context(Workload(home, around, goal))
        yield Bench(NAME, disk, switch, load, of_camera)
