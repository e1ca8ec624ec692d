"""Disks that report errors: the kernel answers EIO for a while, on the controller's disk and on a camera.

Errors are made beneath the file system (:mod:`erring`), so everything above behaves as on a dying disk: an fsync fails
once and then lies, a journal gives up, a file system turns read-only. They begin at a step, last for as long as the
seed decides, and end; then the service goes on, or says what is to be done, and somebody does it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import alone
import controllers  # noqa: F401 - mounts the plugin
import erring
import goals
import loops
import power
from bodyworn.const import Step
from bodyworn.errors import CameraReadFailed, CopyUnreadable, StoreDamaged, StoreNotWritable
from erring import Switch, Trouble
from loops import Disk
from outcome import Outcome, Plan, Size
from power import EACH_OBJECT, SETTINGS, Setting
from trial import Point, Trial
from workload import Original, Workload

NAME = "kernel-errors"

DISK_BYTES: Final = power.DISK_BYTES
WRITING: Final = tuple(Step)[tuple(Step).index(Step.INTENT) :]
#: Steps at which the controller reads what is on its own disk: its proof, and what it sends.
READING: Final = (Step.REREAD, Step.REREAD, Step.CLIP_PUT)
CAMERA_READS: Final = 4
MOST_OBJECTS: Final = 5
#: What is said where a disk cannot be read.
SAID: Final = frozenset(one.id for one in (CameraReadFailed, CopyUnreadable, StoreDamaged, StoreNotWritable))
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
    return plan.chosen(found, f"{setting.name}/{of_camera}", sampled=setting is not ENCRYPTED)


def _of_disk(plan: Plan, setting: Setting) -> Iterator[Point]:
    chosen = plan.choice(f"{setting.name}/errors")
    for number in range(1, _ROUNDS[plan.size] + 1):
        for trouble, steps in ((Trouble.WRITING, WRITING), (Trouble.READING, READING)):
            for place, step in enumerate(steps):
                count = chosen.randint(1, MOST_OBJECTS) if step in EACH_OBJECT else 1
                said = SAID if trouble is Trouble.READING else frozenset[str]()
                yield Point(f"{setting.name}/{trouble}/{step}:{count}/{number}.{place}", step, count, said=said)


def _of_camera(plan: Plan) -> Iterator[Point]:
    for number in range(1, CAMERA_READS * _ROUNDS[plan.size] + 1):
        yield Point(f"camera/{number}", Step.STREAMED, number % MOST_OBJECTS + 1, said=SAID)


@dataclass(frozen=True)
class _Bench:
    disk: Disk
    switch: Switch
    load: Workload
    of_camera: bool

    def run(self, point: Point, plan: Plan) -> Outcome:
        """Try one point."""
        trouble = Trouble.READING if self.of_camera or f"/{Trouble.READING}/" in point.name else Trouble.WRITING
        affliction = _Errors(self.switch.path(trouble), self)
        return Trial(NAME, self.load, affliction).run(point, plan.choice(point.name), plan.seed)


@dataclass
class _Errors:
    """Requests of one kind fail as long as the flag is there; it is the switch itself."""

    flag: Path
    bench: _Bench

    def begin(self) -> None:
        """It has begun with the flag."""

    def end(self) -> None:
        """Turn the errors off."""
        self.bench.switch.off()

    def outlived(self) -> bool:
        """Tell whether the file system still takes bytes."""
        probe = self.bench.disk.folder / "probe"
        try:
            with probe.open("wb") as file:
                file.write(b"well")
                file.flush()
                os.fsync(file.fileno())
            probe.unlink()
        except OSError:
            return False
        return True

    def repair(self) -> None:
        """Mount the disk again: what is in memory and not on the disk is gone."""
        disk = self.bench.disk
        if self.bench.of_camera or disk.device is None:
            return
        disk.unmount()
        loops.check(disk.device, disk.filesystem)
        disk.mount()


def _points(plan: Plan, setting: Setting, of_camera: bool) -> Iterator[Outcome]:
    wanted = points(plan, setting, of_camera=of_camera)
    if wanted:
        with _bench(plan, setting, of_camera=of_camera) as bench:
            for point in wanted:
                yield bench.run(point, plan)


@contextmanager
def _bench(plan: Plan, setting: Setting, *, of_camera: bool) -> Iterator[_Bench]:
    folder = plan.folder / ("camera" if of_camera else setting.name.replace("/", "-"))
    disk = Disk.make(folder, setting.filesystem, DISK_BYTES)
    home = folder / "data" if of_camera else disk.folder / "data"
    around = disk.folder / "around" if of_camera else folder / "around"
    with ExitStack() as stack:
        switch = stack.enter_context(erring.erring(disk))
        goal = stack.enter_context(goals.scripted(setting.encrypted))
        kind = _ForgottenWorkload if of_camera else Workload
        yield _Bench(disk, switch, stack.enter_context(kind(home, around, goal)), of_camera)


class _ForgottenWorkload(Workload):
    """Cameras whose files are read from their disk, and not from memory."""

    def shift(self) -> list[Original]:
        """Record and dock, and let memory forget what was recorded."""
        originals = super().shift()
        _drop_from_memory(path for one in originals for path in self.files_of(one.recorded.id))
        return originals


def _drop_from_memory(paths: Iterable[Path]) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
