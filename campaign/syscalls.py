"""T1: the n-th system call that changes a disk kills the controller, fails, or writes half.

A point is named by the setting, the fault, the call and its number in the life of the process: ``plain/kill/fsync:7``.
How calls are caught is in :mod:`supervised`. Threads differ from run to run, so a number is not always the same write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import controllers
from controllers import Trouble
from lanes import NOT_REACHED, Cycle, Setting, run_lanes, settings_of
from outcome import Outcome, Plan, Size
from supervised import NEED_ROOM, Fault, Order, Supervisor, works
from workload import Original, Workload

NAME = "syscalls"
#: No disk loses anything here.
IN_MEMORY = True

#: How many of a setting are chosen; at full size the encrypted one is tried at every call.
_KILLS = {Size.SAMPLE: 1, Size.ORDINARY: 40, Size.FULL: 300}
_ERRORS = {Size.SAMPLE: 1, Size.ORDINARY: 25, Size.FULL: 300}
#: An error that is survived without a new start shows it within this time; what waits for people is started anew.
_GOES_ON_SECONDS = 4.0
_WRITES = ("write", "pwrite64")


@dataclass(frozen=True)
class Point:
    """Something that happens to a call."""

    setting: Setting
    order: Order

    @property
    def name(self) -> str:
        """What it is called in reports and with ``--only``."""
        return f"{self.setting}/{self.order.fault}/{self.order.call}:{self.order.count}"


def unavailable() -> str | None:
    """Say why calls cannot be caught here."""
    return works()


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Try calls that are spread evenly over an untouched run; at full size each of them, killed and with an error."""
    for setting in settings_of(plan):
        yield from run_lanes(plan, setting, partial(_chosen, plan, setting), partial(_try, plan))


def _chosen(plan: Plan, setting: Setting, load: Workload) -> list[Point]:
    if plan.only:
        _, fault, call = plan.only.split("/")
        name, _, count = call.partition(":")
        return [Point(setting, Order(name, int(count), Fault(fault)))]
    counted = _counted(load)
    calls = [(call, n) for call, count in sorted(counted.items()) for n in range(1, count + 1)]
    kills = [Order(call, n, Fault.KILL) for call, n in calls]
    errors = [Order(call, n, _error_for(call, n + plan.seed)) for call, n in calls]
    if plan.size is not Size.FULL or setting is not Setting.ENCRYPTED:
        kills = _spread(kills, _KILLS[plan.size], plan)
        errors = _spread(errors, _ERRORS[plan.size], plan)
    return [Point(setting, order) for order in kills + errors]


def _error_for(call: str, turn: int) -> Fault:
    """Choose the error of a call by turns: neighbours meet different ones, and other seeds meet the others."""
    fitting = [fault for fault in (Fault.EIO, Fault.ENOSPC, Fault.SHORT, Fault.FULL, Fault.DEAD) if _fits(fault, call)]
    return fitting[turn % len(fitting)]


def _fits(fault: Fault, call: str) -> bool:
    if fault is Fault.SHORT:
        return call in _WRITES
    return call in NEED_ROOM or fault in (Fault.EIO, Fault.DEAD)


def _spread(orders: list[Order], most: int, plan: Plan) -> list[Order]:
    """Choose so many: the first call of each kind, and the rest evenly, beginning anywhere."""
    firsts = [order for order in orders if order.count == 1]
    if plan.size is Size.SAMPLE:
        return plan.choice(NAME).sample(orders, most)
    rest = [order for order in orders if order.count > 1]
    step = max(1.0, len(rest) / max(1, most - len(firsts)))
    begin = plan.choice(NAME).uniform(0, step)
    places = (int(begin + number * step) for number in range(most - len(firsts)))
    return firsts + [rest[place] for place in places if place < len(rest)]


def _counted(load: Workload) -> Counter[str]:
    """Count the calls of an untouched run."""
    originals = load.shift()
    with _supervised(load, None) as supervisor, load.controller(_trouble(supervisor)):
        if not load.wait_done(originals):
            raise TimeoutError(f"an untouched run did not end\n{load.story()}")
    load.clear()
    return supervisor.counted


def _try(plan: Plan, load: Workload, point: Point) -> Outcome:
    """Let it happen, start again, and look at everything."""
    with _supervised(load, point.order) as supervisor:
        outcome = Cycle(NAME, point.name, plan.seed).run(load, partial(_happen, load, point, supervisor))
    if supervisor.synced_again:
        note = f"synced again after that failed: {supervisor.synced_again[0]}; {outcome.note}"
        return replace(outcome, survived=False, undetected_corruption=outcome.undetected_corruption + 1, note=note)
    return outcome


def _happen(load: Workload, point: Point, supervisor: Supervisor, originals: list[Original]) -> str:
    with load.controller(_trouble(supervisor)) as process:
        if point.order.fault is Fault.KILL:
            died = process.wait_end_unless(lambda: load.is_done(originals))
            return supervisor.hit if died else NOT_REACHED
        went_on = load.wait_done(originals, _GOES_ON_SECONDS)
    return f"{supervisor.hit or NOT_REACHED}{', went on by itself' if went_on else ''}"


@contextmanager
def _supervised(load: Workload, order: Order | None) -> Iterator[Supervisor]:
    supervisor = Supervisor(load.around.parent, frozenset({controllers.LOG, "journal"}), order)
    try:
        yield supervisor
    finally:
        supervisor.close()


def _trouble(supervisor: Supervisor) -> Trouble:
    return Trouble(supervisor=supervisor.address, purge=True)
