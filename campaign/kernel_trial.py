"""One time that a disk reports errors in the middle of a shift's work, and what came of it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import checks
from bodyworn.const import Step
from bodyworn.errors import CameraReadFailed, CopyUnreadable, StoreDamaged, StoreNotWritable, describe
from bodyworn.models import Bay, Event
from checks import Figures
from controllers import ControllerProcess, Trouble as At
from erring import Switch, Trouble
from loops import Disk
from outcome import Outcome
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from workload import Original, Workload

LONGEST_TROUBLE_SECONDS: Final = 0.6
#: What goes on by itself does so within this.
GOES_ON_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.01
#: What is said where a disk cannot be read or written.
_SAID: Final = {one.id for one in (CameraReadFailed, CopyUnreadable, StoreDamaged, StoreNotWritable)}


@dataclass(frozen=True)
class Point:
    """What goes wrong from a step on."""

    name: str
    trouble: Trouble
    step: Step
    count: int


@dataclass(frozen=True)
class Bench:
    """A workload of which the controller's data folder, or everything else, is on a disk that reports errors."""

    tier: str
    disk: Disk
    switch: Switch
    load: Workload
    of_camera: bool

    def run(self, point: Point, chosen: random.Random, seed: int) -> Outcome:
        """Let errors happen, end them, see how it goes on, and compare."""
        originals = self.load.shift()
        seen = self._events()
        if self.of_camera:
            _drop_from_memory(path for one in originals for path in self.load.files_of(one.recorded.id))
        self.load.let_go()
        began = time.monotonic()
        with self._controller(point) as running:
            happened = self._trouble(point, chosen, running, originals)
            began = time.monotonic()
            figures, is_done = Figures(), False
            if self._takes_bytes():
                is_done = self._goes_on(running, originals)
                if not is_done:
                    figures.add("stuck", f"the disk is well and nothing goes on; {self.load.story()[-500:]}")
        self._repair()
        figures.merge(checks.after_crash(self.load, originals))
        if not is_done:
            is_done = self.load.recover(originals, GOES_ON_SECONDS) is not None
        seconds = time.monotonic() - began if is_done else None
        if happened and point.trouble is Trouble.READING:
            self._check_said(seen, figures)
        figures.merge(checks.in_the_end(self.load, originals, done=is_done))
        self.load.clear()
        note = "" if happened else "it was done before that"
        return figures.outcome(self.tier, point.name, recovery_seconds=seconds, seed=seed, note=note)

    @contextmanager
    def _controller(self, point: Point) -> Iterator[_Kept]:
        kept = _Kept(self.load, self.load.start(At(point.step, point.count, touched=self.switch.path(point.trouble))))
        try:
            yield kept
        finally:
            kept.process.kill()

    def _trouble(self, point: Point, chosen: random.Random, running: _Kept, originals: list[Original]) -> bool:
        """Wait for the step, let it last, and end it; False where the step was never come to."""
        end = time.monotonic() + GOES_ON_SECONDS
        began = self.switch.path(point.trouble)
        while not began.exists():
            if running.process.wait_end(_LOOK_SECONDS) or time.monotonic() > end or self.load.is_done(originals):
                return False
        running.process.wait_end(chosen.uniform(0.02, LONGEST_TROUBLE_SECONDS))
        self.switch.off()
        return True

    def _takes_bytes(self) -> bool:
        """Tell whether the file system outlived the errors."""
        probe = self.disk.folder / "probe"
        try:
            with probe.open("wb") as file:
                file.write(b"well")
                file.flush()
                os.fsync(file.fileno())
            probe.unlink()
        except OSError:
            return False
        return True

    def _goes_on(self, running: _Kept, originals: list[Original]) -> bool:
        """Wait until all is done, doing what a person is told to do: dock a camera again where the page says so."""
        end = time.monotonic() + GOES_ON_SECONDS
        while time.monotonic() < end:
            running.keep()
            with suppress(SQLAlchemyError):
                if self.load.is_done(originals):
                    return True
                self._dock_again()
            time.sleep(_LOOK_SECONDS)
        return False

    def _dock_again(self) -> None:
        """Undock and dock the cameras in bays whose problem is not tried again by itself."""
        with self.load.database.read() as session:
            bays = [bay.position for bay in session.scalars(select(Bay)) if _waits_for_people(bay)]
        for position in bays:
            camera = self.load.cameras[position - 1]
            camera.undock()
            time.sleep(0.3)
            camera.dock(self.load.dock.bay(position))

    def _repair(self) -> None:
        """Start the machine again, or rather its disk: what is in memory and not on the disk is gone."""
        self.load.let_go()
        if self.of_camera:
            return
        self.disk.unmount()
        self.disk.mount()

    def _check_said(self, seen: int, figures: Figures) -> None:
        """A read that failed was told of, by the name of an error that says what to do."""
        with self.load.database.read() as session:
            said = set(session.scalars(select(Event.result).where(Event.sequence > seen)))
        if not said & _SAID:
            figures.add("silent", f"nobody was told of the read error; results are {sorted(said)}")

    def _events(self) -> int:
        with self.load.database.read() as session:
            return session.scalar(select(func.max(Event.sequence))) or 0


@dataclass
class _Kept:
    """A controller that is started again when it ends, as the plugin's supervisor does."""

    load: Workload
    process: ControllerProcess

    def keep(self) -> None:
        if self.process.exit_code is not None:
            self.process = self.load.start()


def _waits_for_people(bay: Bay) -> bool:
    return bay.problem_id is not None and not describe(bay.problem_id).retry


def _drop_from_memory(paths: Iterable[Path]) -> None:
    """Let reads of files go to the disk."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
