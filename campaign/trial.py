"""Trouble in the middle of a shift's work that begins, lasts a while and ends; and what came of it.

What goes wrong is an :class:`Affliction`: disks that report errors, that are full, that are gone. Nothing is killed:
once it is over the service goes on by itself, or says what people are to do, and they do that here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import checks
from bodyworn.const import Step
from bodyworn.errors import describe
from bodyworn.models import Bay, Event
from checks import Figures
from controllers import ControllerProcess, Trouble
from outcome import Outcome
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from workload import Original, Workload

#: What goes on by itself does so within this, even where other programs want the machine as well.
GOES_ON_SECONDS: Final = 90.0
#: What is said is said within this.
SAYS_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.01
_UNDOCKED_SECONDS: Final = 0.3


class Affliction(Protocol):
    """Something that can go wrong for a while."""

    #: The controller makes this file when it comes to the step.
    flag: Path

    def begin(self) -> None:
        """Let it go wrong, once the flag is there."""

    def end(self) -> None:
        """Let it be over."""

    def outlived(self) -> bool:
        """Tell whether what was afflicted works again by itself."""

    def repair(self) -> None:
        """Do what somebody does who starts the machine again; nobody holds a file open meanwhile."""


@dataclass(frozen=True)
class Point:
    """When it goes wrong, for how long at most, and what somebody is to be told of it, by the names of errors."""

    name: str
    step: Step
    count: int = 1
    longest_seconds: float = 0.6
    #: Where something is to be said, it lasts until that was said.
    said: frozenset[str] = frozenset()
    #: What the controller keeps free on the spool's disk.
    reserve_bytes: int = 0


@dataclass(frozen=True)
class Trial:
    """A workload, and what goes wrong with it."""

    tier: str
    load: Workload
    affliction: Affliction

    def run(self, point: Point, chosen: random.Random, seed: int) -> Outcome:
        """Let it go wrong, end it, see how it goes on, and compare."""
        originals, seen = self.load.shift(), self._events()
        self.load.let_go()
        figures, is_done, began = Figures(), False, time.monotonic()
        with self._controller(point) as running:
            happened = self._suffer(point, chosen, running, originals, seen)
            began = time.monotonic()
            if self.affliction.outlived() and not (is_done := self._goes_on(running, originals)):
                figures.add("stuck", f"all is well again and nothing goes on; {self.load.story()[-500:]}")
        self.load.let_go()
        self.affliction.repair()
        figures.merge(checks.after_crash(self.load, originals))
        is_done = is_done or self.load.recover(originals, GOES_ON_SECONDS) is not None
        seconds = time.monotonic() - began if is_done else None
        if happened and point.said:
            self._check_said(point, seen, figures)
        figures.merge(checks.in_the_end(self.load, originals, done=is_done))
        self.load.clear()
        note = "" if happened else "it was done before that"
        return figures.outcome(self.tier, point.name, recovery_seconds=seconds, seed=seed, note=note)

    @contextmanager
    def _controller(self, point: Point) -> Iterator[_Kept]:
        self.affliction.flag.unlink(missing_ok=True)
        trouble = Trouble(point.step, point.count, touched=self.affliction.flag, reserve_bytes=point.reserve_bytes)
        kept = _Kept(self.load, self.load.start(trouble))
        try:
            yield kept
        finally:
            kept.process.kill()

    def _suffer(
        self, point: Point, chosen: random.Random, running: _Kept, originals: list[Original], seen: int
    ) -> bool:
        """Wait for the step, let it go wrong for a while, and end it; False where the step was never come to."""
        end = time.monotonic() + GOES_ON_SECONDS
        while not self.affliction.flag.exists():
            if running.process.wait_end(_LOOK_SECONDS) or time.monotonic() > end or self.load.is_done(originals):
                return False
        self.affliction.begin()
        try:
            if point.said:
                self._wait_said(point, running, seen)
            else:
                running.process.wait_end(chosen.uniform(0.02, point.longest_seconds))
        finally:
            self.affliction.end()
        return True

    def _wait_said(self, point: Point, running: _Kept, seen: int) -> None:
        end = time.monotonic() + SAYS_SECONDS
        while time.monotonic() < end and not running.process.wait_end(_LOOK_SECONDS):
            with suppress(SQLAlchemyError):
                if self._said(seen) & point.said:
                    return

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
        """Undock and dock the cameras in bays whose problem is not tried again by itself, and those that are out."""
        with self.load.database.read() as session:
            bays = [bay.position for bay in session.scalars(select(Bay)) if _waits_for_people(bay)]
        for position, camera in enumerate(self.load.cameras, 1):
            if position in bays:
                camera.undock()
                time.sleep(_UNDOCKED_SECONDS)
            if not camera.docked():
                camera.dock(self.load.dock.bay(position))

    def _check_said(self, point: Point, seen: int, figures: Figures) -> None:
        """What went wrong was told, by the name of an error that says what to do."""
        said = self._said(seen)
        if not said & point.said:
            figures.add("silent", f"nobody was told; results are {sorted(said)}")

    def _said(self, seen: int) -> set[str]:
        with self.load.database.read() as session:
            return set(session.scalars(select(Event.result).where(Event.sequence > seen)))

    def _events(self) -> int:
        with self.load.database.read() as session:
            return session.scalar(select(func.max(Event.sequence))) or 0


@dataclass
class _Kept:
    """A controller that is started again when it ends, as the plugin's supervisor does."""

    load: Workload
    process: ControllerProcess

    def keep(self) -> None:
        """Start it again if it has ended."""
        if self.process.exit_code is not None:
            self.process = self.load.start()


def _waits_for_people(bay: Bay) -> bool:
    return bay.problem_id is not None and not describe(bay.problem_id).retry
