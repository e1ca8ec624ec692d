"""One power cut in the middle of a shift's work, and everything that must be so afterwards."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import checks
from bodyworn.camera_volume.orders import ReceiptState
from bodyworn.const import Step
from bodyworn.models import Event
from checks import Figures
from controllers import Trouble
from loops import Disk
from outcome import Outcome
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from workload import Original, Workload

LINGER_SECONDS: Final = 0.3
#: Nothing takes as long as this, even where other programs want the machine as well.
MOST_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Point:
    """One cut: at a step that the controller comes to, or at a moment that the seed decides."""

    name: str
    step: Step | None = None
    count: int = 1


@dataclass(frozen=True)
class Bench:
    """A workload whose data folder is on a disk that loses its power."""

    tier: str
    disk: Disk
    load: Workload
    #: What a shift takes here from the controller's start to its end, where nothing happens.
    shift_seconds: float

    @classmethod
    def measured(cls, tier: str, disk: Disk, load: Workload) -> Bench:
        """Find out how long a shift takes, so that cuts come while it is worked on."""
        originals = load.shift()
        seconds = load.recover(originals, MOST_SECONDS)
        if seconds is None:
            raise TimeoutError(f"a shift does not end although nothing happens\n{load.story()}")
        load.clear()
        return cls(tier, disk, load, seconds)

    def cut(self, point: Point, chosen: random.Random, seed: int) -> Outcome:
        """Cut once while a shift is worked on, look at what is left, let it end, and compare."""
        originals = self.load.shift()
        self.load.let_go()
        told = self._at_step(point, originals) if point.step else self._at_moment(chosen)
        self._come_back()
        figures = checks.after_crash(self.load, originals)
        self._check_promises(told, originals, figures)
        recovery_seconds = self.load.recover(originals, MOST_SECONDS)
        figures.merge(checks.in_the_end(self.load, originals, done=recovery_seconds is not None))
        self.load.clear()
        return figures.outcome(self.tier, point.name, recovery_seconds=recovery_seconds, seed=seed)

    def _at_step(self, point: Point, originals: list[Original]) -> int:
        """Cut where the controller comes to a step, or at its end where it does not come there often enough."""
        end = time.monotonic() + MOST_SECONDS
        with self.load.controller(Trouble(point.step, point.count, cut=self.disk.folder)) as process:
            while not process.wait_end(_LOOK_SECONDS):
                with suppress(SQLAlchemyError):  # nothing can be read between the cut and the controller's end
                    if time.monotonic() > end or self.load.is_done(originals):
                        self.disk.cut_power()
                        break
        return 0

    def _at_moment(self, chosen: random.Random) -> int:
        """Cut at any moment; gives how many events anybody could read before.

        Half of the controllers live on for a while, with a disk that takes nothing any more.
        """
        moment, lingers = chosen.uniform(0.05, 1.1) * self.shift_seconds, chosen.random() < 0.5
        with self.load.controller() as process:
            process.wait_end(moment)
            told = self._events()
            self.disk.cut_power()
            if lingers:
                process.wait_end(LINGER_SECONDS)
        return told

    def _come_back(self) -> None:
        self.load.let_go()
        self.disk.unmount()
        self.disk.mount()

    def _check_promises(self, told: int, originals: list[Original], figures: Figures) -> None:
        """What anybody was told before the cut is so after it: readers of the database, and cameras by receipts."""
        with self.load.database.read() as session:
            said = session.scalar(text("PRAGMA integrity_check"))
        if said != "ok":
            figures.add("database", f"SQLite says: {said}")
        if (left := self._events()) < told:
            figures.add("forgotten", f"{told - left} events that could be read before the cut")
        for original in originals:
            receipt = original.camera.core.memory.receipts.get(original.recorded.id)
            if receipt is not None and receipt.state is ReceiptState.STORED:
                self._check_receipt(original, figures)

    def _check_receipt(self, original: Original, figures: Figures) -> None:
        found = self.load.recording(original)
        if found is None or found.stored_at is None:
            figures.add("forgotten", f"{original.recorded.id[:8]}: its camera has a receipt for it")
        elif not checks.in_spool(self.load, original):
            figures.add(
                "forgotten", f"{original.recorded.id[:8]}: its camera has a receipt, and the spool not the bytes"
            )

    def _events(self) -> int:
        with self.load.database.read() as session:
            return session.scalar(select(func.count()).select_from(Event)) or 0
