"""T0: the controller dies at each step of a recording's way, or gets the error that the step would meet there.

A point is named by what happens, the step and how often the step had been come to: ``plain/kill/P9:3``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from bodyworn.const import Step
from controllers import Trouble
from lanes import NOT_REACHED, Cycle, Setting, run_lanes, settings_of
from outcome import Outcome, Plan, Size
from workload import Original, Workload

NAME = "hooks"
#: No disk loses anything here.
IN_MEMORY = True

#: From the camera's media on; what comes before has touched nothing yet.
STEPS = tuple(Step)[tuple(Step).index(Step.MOUNTED) :]
_STORE = ("EIO", "ENOSPC")
#: What can go wrong just before a step, beside the end of everything.
_ERRORS: dict[Step, tuple[str, ...]] = {
    Step.MOUNTED: ("camera",),
    Step.LISTED: ("camera",),
    Step.INTENT: ("database",),
    Step.PART_CREATED: _STORE,
    Step.STREAMED: (*_STORE, "camera"),
    Step.SYNCED: _STORE,
    Step.REREAD: ("EIO",),
    Step.RENAMED: _STORE,
    Step.FOLDER_SYNCED: ("EIO",),
    Step.STORED: ("database",),
    Step.AUDITED: ("database",),
    Step.CONTAINER_PUT: ("network",),
    Step.CLIP_PUT: ("network", "EIO"),
    Step.COMPANIONS_PUT: ("network", "EIO"),
    Step.REMOTE_VERIFIED: ("network",),
    Step.COMPLETE_POSTED: ("network",),
    Step.UPLOADED: ("database",),
    Step.ERASED: ("database",),
    Step.ERASE_RECORDED: ("database",),
}
#: An error that is survived without a new start shows it within this time; what waits for people is started anew.
_GOES_ON_SECONDS = 4.0
_SAMPLE = 2
_ORDINARY_ERRORS = 25


@dataclass(frozen=True)
class Point:
    """Something that happens at a step."""

    setting: Setting
    how: str
    step: Step
    count: int

    @property
    def name(self) -> str:
        """What it is called in reports and with ``--only``."""
        return f"{self.setting}/{self.how}/{self.step}:{self.count}"


def unavailable() -> str | None:
    """Run anywhere."""
    return None


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Try every count of every step with a kill, and errors at a sample of them; every error too at full size."""
    for setting in settings_of(plan):
        yield from run_lanes(plan, setting, partial(_chosen, plan, setting), partial(_try, plan))


def _counted(load: Workload) -> Counter[str]:
    """Count how often an untouched run comes to each step."""
    journal = load.around / "journal"
    originals = load.shift()
    with load.controller(Trouble(journal=journal)):
        if not load.wait_done(originals):
            raise TimeoutError(f"an untouched run did not end\n{load.story()}")
    load.clear()
    return Counter(journal.read_text().split())


def _chosen(plan: Plan, setting: Setting, load: Workload) -> list[Point]:
    counted = _counted(load)
    every = [Point(setting, "kill", step, n) for step in STEPS for n in range(1, counted[step] + 1)]
    errors = [
        Point(setting, error, step, n)
        for step, kinds in _ERRORS.items()
        for error in kinds
        for n in range(1, counted[step] + 1)
    ]
    if plan.only:
        return [point for point in every + errors if plan.wants(point.name)]
    choice = plan.choice(f"{NAME}/{setting}")
    if plan.size is Size.SAMPLE:
        return choice.sample(every, _SAMPLE) + choice.sample(errors, 1)
    if plan.size is Size.ORDINARY:
        every = every if setting is Setting.ENCRYPTED else choice.sample(every, len(every) // 4)
        errors = choice.sample(errors, _ORDINARY_ERRORS)
    return every + errors


def _try(plan: Plan, load: Workload, point: Point) -> Outcome:
    """Let it happen, start again, and look at everything."""
    return Cycle(NAME, point.name, plan.seed).run(load, lambda originals: _happen(load, originals, point))


def _happen(load: Workload, originals: list[Original], point: Point) -> str:
    error = "" if point.how == "kill" else point.how
    with load.controller(Trouble(point.step, point.count, error)) as process:
        if error:
            went_on = load.wait_done(originals, _GOES_ON_SECONDS)
            return "went on by itself" if went_on else ""
        died = process.wait_end_unless(lambda: load.is_done(originals))
    return "" if died else NOT_REACHED
