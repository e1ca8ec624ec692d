"""Cycles of a workload, and several workloads at a time: most of a cycle is waiting."""

from __future__ import annotations

import itertools
import queue
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeVar

import checks
import goals
from goals import Goal
from outcome import Outcome, Plan, Size
from workload import Original, Workload

#: After so many cycles a system is founded anew, because its chain of events is checked as a whole after each.
_CYCLES = 60
NOT_REACHED = "not reached"


class Setting(StrEnum):
    """What a workload is made of."""

    PLAIN = "plain"
    ENCRYPTED = "encrypted"
    #: Encrypted, to the product's own receiver instead of the scripted destination.
    RECEIVER = "receiver"

    def goal(self, folder: Path) -> AbstractContextManager[Goal]:
        """Run its destination."""
        if self is Setting.RECEIVER:
            return goals.receiver(folder / "receiver", encrypted=True)
        return goals.scripted(encrypted=self is Setting.ENCRYPTED)


def settings_of(plan: Plan) -> list[Setting]:
    """List the settings to try: all but in the sample, and the one of the point that is asked for."""
    if plan.only:
        return [Setting(plan.only.partition("/")[0])]
    return [Setting.ENCRYPTED] if plan.size is Size.SAMPLE else list(Setting)


class Named(Protocol):
    """A point that something happens at."""

    @property
    def name(self) -> str:
        """What it is called in reports and with ``--only``."""


_Point = TypeVar("_Point", bound=Named)


@dataclass(frozen=True)
class Cycle:
    """One point: something happens to a controller, the next one ends what it began, and everything is compared."""

    tier: str
    point: str
    seed: int

    def run(self, load: Workload, happen: Callable[[list[Original]], str]) -> Outcome:
        """Go through it. ``happen`` gets what was recorded and docked, and gives a remark, or ``NOT_REACHED``."""
        originals = load.shift()
        note = happen(originals)
        figures = checks.after_crash(load, originals)
        if figures.counts:
            return figures.outcome(self.tier, self.point, seed=self.seed, note=note)
        recovery_seconds = load.recover(originals)
        figures = checks.in_the_end(load, originals, done=recovery_seconds is not None)
        outcome = figures.outcome(self.tier, self.point, recovery_seconds=recovery_seconds, seed=self.seed, note=note)
        load.clear()
        return replace(outcome, reached=not note.startswith(NOT_REACHED))


def run_lanes(
    plan: Plan,
    setting: Setting,
    choose: Callable[[Workload], Sequence[_Point]],
    attempt: Callable[[Workload, _Point], Outcome],
) -> Iterator[Outcome]:
    """Choose points with the help of one workload, then try them on several at a time."""
    with founded(plan.folder / f"{setting}-choice", setting) as load:
        points = list(choose(load))
    waiting: queue.SimpleQueue[_Point] = queue.SimpleQueue()
    for point in points:
        waiting.put(point)
    found: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
    stop = threading.Event()
    lanes = [
        threading.Thread(
            target=_run_lane, args=(plan.folder / f"{setting}-{number}", setting, waiting, attempt, found, stop)
        )
        for number in range(min(plan.lanes, len(points)))
    ]
    for lane in lanes:
        lane.start()
    try:
        yield from _gathered(found, len(lanes))
    finally:
        stop.set()
        for lane in lanes:
            lane.join()


@contextmanager
def founded(folder: Path, setting: Setting) -> Iterator[Workload]:
    """Found a system with its destination in a folder, which is removed afterwards."""
    try:
        with setting.goal(folder) as goal, Workload(folder / "home", folder / "around", goal) as load:
            yield load
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_lane(
    folder: Path,
    setting: Setting,
    waiting: queue.SimpleQueue[_Point],
    attempt: Callable[[Workload, _Point], Outcome],
    found: queue.SimpleQueue[Outcome | BaseException | None],
    stop: threading.Event,
) -> None:
    """Try points until none is left, on one system after the other; tell of an error by which the lane ends."""
    try:
        for turn in itertools.count():
            if waiting.empty() or stop.is_set():
                return
            with founded(folder / f"{turn}", setting) as load:
                _use(load, waiting, attempt, found, stop)
    except BaseException as error:
        found.put(error)
    finally:
        found.put(None)


def _use(
    load: Workload,
    waiting: queue.SimpleQueue[_Point],
    attempt: Callable[[Workload, _Point], Outcome],
    found: queue.SimpleQueue[Outcome | BaseException | None],
    stop: threading.Event,
) -> None:
    """Try points on one system until it has had enough, or one of them spoilt it."""
    for _ in range(_CYCLES):
        with suppress(queue.Empty):
            outcome = attempt(load, waiting.get_nowait())
            found.put(outcome)
            if outcome.survived and not stop.is_set():
                continue
        return


def _gathered(found: queue.SimpleQueue[Outcome | BaseException | None], lanes: int) -> Iterator[Outcome]:
    while lanes:
        one = found.get()
        if isinstance(one, BaseException):
            raise one
        if one is None:
            lanes -= 1
        else:
            yield one
