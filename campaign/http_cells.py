"""Every answer that a destination can give: each status, to each request, at each moment, once and until it is mended.

What an answer has to do is the table ``expected`` (safety page, C3). Whatever it does: the recording ends delivered to
the byte, or refused with its copy in the spool; it may not go from the camera before, and nothing arrives twice.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import controllers  # noqa: F401 - first of all, because it mounts the plugin
from bodyworn.models import DestinationState, RecordingState
from fake_destination import FakeDestination
from fault_proxy import answer_first, answer_midway, answer_otherwise
from http_trial import Asked, Expected, Times, Trial, in_lanes, run, warm_up
from http_yard import Ground, ScriptedGround, SwiftGround, Yard, opened
from outcome import Outcome, Plan, Size
from swift_node import SwiftUnavailable, running_swift

NAME = "http_cells"
STATUSES = (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 507)


class Moment(StrEnum):
    """When the answer comes, seen from the request's body; at last the destination has done as it was asked."""

    BEFORE = "before"
    MIDDLE = "middle"
    AFTER = "after"


@dataclass(frozen=True)
class Cell:
    """One answer."""

    status: int
    asked: Asked
    moment: Moment
    times: Times

    @property
    def name(self) -> str:
        """Name it for a report."""
        return f"{self.status}/{self.asked}/{self.moment}/{self.times}"


CELLS = tuple(Cell(*parts) for parts in product(STATUSES, Asked, Moment, Times))

_PROBLEMS = {
    401: "authorization-failed",
    402: "licence-missing",
    403: "destination-forbids",
    408: "destination-failed",
    429: "destination-busy",
    500: "destination-failed",
    502: "destination-failed",
    503: "destination-busy",
    504: "destination-failed",
    507: "destination-full",
}
_STOPPING = (401, 403)
_HUNG_UP = "destination-hung-up"
_REFUSED = frozenset({RecordingState.REFUSED})


def expected(cell: Cell) -> Expected:
    """Look a cell up in the table of C3."""
    found = _expected(cell)
    problems, destination, ends = set(found.problems), found.destination, set(found.ends)
    if cell.moment is Moment.MIDDLE and cell.asked is not Asked.PUT_OBJECT:
        # the answer itself is broken off: whether its status still counts is the client's choice
        problems.add(_HUNG_UP)
        ends.add(RecordingState.DELIVERED)
        destination = destination if cell.asked is Asked.READ_SYSTEM else None
    if cell.moment is Moment.AFTER and cell.asked is Asked.POST_CONTAINER:
        # it is Complete there, which is found out when it is sent again
        problems.add(None)
        ends.add(RecordingState.DELIVERED)
        destination = None
    if cell.asked is Asked.SIGN_IN:
        # whoever asks first hears it, and that may be somebody who asks for the categories
        problems.add(None)
    return Expected(frozenset(problems), destination, frozenset(ends))


def _expected(cell: Cell) -> Expected:
    waiting = DestinationState.WAITING
    if cell.status in (400, 413, 422):
        return _said_of_content(cell)
    if cell.status == 404:
        return _missing(cell)
    if cell.status == 401 and cell.asked is not Asked.SIGN_IN and cell.times is Times.ONCE:
        return Expected(frozenset({None}), None)
    state = DestinationState.STOPPED if cell.status in _STOPPING else waiting
    return Expected(frozenset({_PROBLEMS[cell.status]}), state)


def _said_of_content(cell: Cell) -> Expected:
    """400, 413 and 422 speak of what was sent; where nothing of a recording was, the destination makes no sense."""
    of_recording = cell.asked in (Asked.PUT_OBJECT, Asked.PUT_CONTAINER, Asked.POST_CONTAINER)
    if cell.status == 400 and of_recording:
        if cell.times is Times.ONCE:
            return Expected(frozenset({None}), None)
        return Expected(frozenset({"destination-rejected"}), None, _REFUSED)
    if cell.status == 413 and cell.asked is Asked.PUT_OBJECT:
        return Expected(frozenset({"destination-too-large"}), None, _REFUSED)
    if cell.status == 422 and cell.asked is Asked.PUT_OBJECT:
        return Expected(frozenset({"destination-etag-differs", "network-corrupts"}), None)
    if cell.asked is Asked.POST_OBJECT and cell.status == 400:
        return Expected(frozenset({"destination-refuses-description"}), None)
    return Expected(frozenset({"nonsense-answer"}), DestinationState.WAITING)


def _missing(cell: Cell) -> Expected:
    if cell.asked is Asked.SIGN_IN:
        return Expected(frozenset({"nonsense-answer"}), DestinationState.WAITING)
    if cell.asked in (Asked.READ_SYSTEM, Asked.POST_OBJECT):
        return Expected(frozenset({None, "destination-object-missing"}), None)
    if cell.asked is Asked.PUT_OBJECT:
        return Expected(frozenset({None, "destination-container-missing"}), None)
    return Expected(frozenset({"destination-container-missing"}), DestinationState.WAITING)


def trial(cell: Cell, ground: Ground) -> Trial:
    """Make of a cell what is to be tried."""
    turn = {
        Moment.BEFORE: answer_first(cell.status),
        Moment.MIDDLE: answer_midway(ground.behind, cell.status),
        Moment.AFTER: answer_otherwise(ground.behind, cell.status),
    }[cell.moment]
    return Trial(cell.name, cell.asked, cell.times, turn, expected(cell))


# --- the tier


def unavailable() -> str | None:
    """Say why there can be no real Swift here."""
    missing = [tool for tool in ("memcached", "setpriv") if shutil.which(tool) is None]
    return f"{', '.join(missing)} not installed" if missing else None


def chosen(plan: Plan, ground: str) -> list[Cell]:
    """Choose the cells of a plan: each as it says, or a few of every status and every request."""
    if plan.only is not None or plan.size is not Size.SAMPLE:
        return [cell for cell in CELLS if plan.wants(f"{ground}/{cell.name}")]
    choice = plan.choice(ground)
    return [
        Cell(choice.choice(STATUSES), asked, choice.choice(list(Moment)), times)
        for asked, times in zip(Asked, choice.sample([*Times] * 3, 6), strict=True)
    ]


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Try the cells before the scripted destination, and before a real Swift."""
    with FakeDestination() as fake:
        yield from on(plan, "fake", ScriptedGround(fake))
    if chosen(plan, "swift"):
        try:
            with running_swift() as swift:
                yield from on(plan, "swift", SwiftGround(swift))
        except SwiftUnavailable as reason:
            yield Outcome(NAME, "swift", False, note=f"there is no Swift: {reason}")


def on(plan: Plan, ground_name: str, ground: Ground) -> Iterator[Outcome]:
    """Try the cells of a plan before one destination."""

    def work(number: int, cells: Sequence[Cell]) -> Iterator[Outcome]:
        with opened(plan.folder / f"{ground_name}-{number}", ground, plan.seed + number) as yard, yard.uploading():
            warm_up(yard)
            yield from tried(yard, cells, ground_name)

    return in_lanes(chosen(plan, ground_name), plan.lanes, work)


def tried(yard: Yard, cells: Iterable[Cell], ground_name: str) -> Iterator[Outcome]:
    """Try cells in a yard whose uploader is at work."""
    for cell in cells:
        began = time.monotonic()
        found = run(yard, trial(cell, yard.ground))
        yield found.outcome(NAME, f"{ground_name}/{cell.name}", time.monotonic() - began)
