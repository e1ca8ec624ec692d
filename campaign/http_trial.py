"""One recording on its way while something is in its way: what is tried, what has to come of it, what was found wrong.

Which answers and faults there are is in ``http_cells`` and ``http_faults``; where it happens is ``http_yard``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from queue import SimpleQueue
from typing import TypeVar

import controllers  # noqa: F401 - first of all, because it mounts the plugin
from bodyworn.errors import BodywornError
from bodyworn.models import DestinationState, RecordingState
from fake_destination import AUTH_PATH, Exchange, Turn
from fault_proxy import pass_on
from http_yard import CLIP_BYTES, Stuck, Yard
from outcome import Outcome

_OTHERS = ("System", "Users", "Devices")


class Asked(StrEnum):
    """The requests of the interface."""

    SIGN_IN = "sign-in"
    READ_SYSTEM = "read-system"
    PUT_CONTAINER = "put-container"
    POST_CONTAINER = "post-container"
    PUT_OBJECT = "put-object"
    POST_OBJECT = "post-object"

    def matches(self, exchange: Exchange) -> bool:
        """Tell whether a request is of this kind, for the recording's clip or container and the system's object."""
        method, path = exchange.seen.method, exchange.seen.path
        if path == AUTH_PATH:
            return self is Asked.SIGN_IN
        *_, container, name = ["", "", *path.split("/")]
        if container in _OTHERS:
            wanted = {"HEAD": Asked.READ_SYSTEM, "POST": Asked.POST_OBJECT}
            return container == "System" and self is wanted.get(method)
        if name.endswith(".mkv"):
            return self is Asked.PUT_OBJECT and method == "PUT" and not container.startswith("RejectedContent_")
        if "." in name or name in _OTHERS or name.startswith("RejectedContent_"):
            return False
        return self is {"PUT": Asked.PUT_CONTAINER, "POST": Asked.POST_CONTAINER}.get(method)


class Times(StrEnum):
    """How often the answer comes: to one request, or to each until somebody mends the destination."""

    ONCE = "once"
    ALWAYS = "always"


@dataclass(frozen=True)
class Expected:
    """What an answer has to do: which problems it may leave, the destination's state, and where the recording ends."""

    #: None among them when it may pass without one.
    problems: frozenset[str | None]
    #: While the answer lasts; None where it says nothing about the destination.
    destination: DestinationState | None
    ends: frozenset[RecordingState] = frozenset({RecordingState.DELIVERED})


@dataclass(frozen=True)
class Trial:
    """What is in a recording's way."""

    point: str
    asked: Asked
    times: Times
    turn: Turn
    expected: Expected
    #: Beyond making the proxy behave again, and uploading the connection file again.
    mend: Callable[[Yard], None] = lambda _: None
    size_bytes: int = CLIP_BYTES
    #: The longest time from the fault until it is noticed; None where nothing waits for anything.
    notice_seconds: float | None = None


@dataclass
class Interference:
    """Stands where the proxy passes requests on, and answers some of them."""

    trial: Trial
    well: Turn
    taken: int = 0
    first_at: float = 0.0
    mended: bool = False

    def __call__(self, exchange: Exchange) -> None:
        trial = self.trial
        if self.mended or not trial.asked.matches(exchange) or (trial.times is Times.ONCE and self.taken):
            return self.well(exchange)
        self.taken += 1
        self.first_at = self.first_at or time.monotonic()
        return trial.turn(exchange)


@dataclass
class Findings:
    """What was found wrong, by the figures of C5."""

    lost: int = 0
    wrong_deletes: int = 0
    undetected_corruption: int = 0
    duplicate_objects: int = 0
    key_clip_mismatch: int = 0
    orphan_parts: int = 0
    stuck: int = 0
    notes: list[str] = field(default_factory=list)

    def outcome(self, tier: str, point: str, seconds: float | None) -> Outcome:
        """Make the outcome of them."""
        counts = {key: value for key, value in vars(self).items() if key != "notes"}
        survived = not self.notes and not any(counts.values())
        note = "; ".join(self.notes)
        return Outcome(tier, point, survived, **counts, recovery_seconds=seconds, note=note)


def run(yard: Yard, trial: Trial) -> Findings:
    """Bring one recording to the destination while something is in its way. The yard's uploader is at work."""
    found, well = Findings(), pass_on(yard.ground.behind)
    interference = Interference(trial, well)
    yard.proxy.requests.clear()
    yard.proxy.well = interference
    try:
        _pass(yard, trial, interference, found)
    except Stuck as stuck:
        found.stuck += 1
        found.notes.append(f"stuck: {stuck}")
        yard.proxy.well = well
        trial.mend(yard)
        yard.adopt()
        yard.let_everything_go()
    except (OSError, BodywornError) as error:
        found.notes.append(f"the destination could not be looked at: {error!r}")
    finally:
        yard.proxy.well = well
        trial.mend(yard)
    return found


def _pass(yard: Yard, trial: Trial, interference: Interference, found: Findings) -> None:
    if trial.asked is Asked.SIGN_IN:
        yard.adopt()
    first = yard.last_event()
    recording_id = yard.store(trial.size_bytes)
    yard.wait(lambda: _has_settled(yard, recording_id, first) or (trial.asked is Asked.SIGN_IN and _is_away(yard)))
    noticed_after = time.monotonic() - interference.first_at
    if interference.taken and trial.notice_seconds is not None and noticed_after > trial.notice_seconds:
        found.notes.append(f"it was noticed after {noticed_after:.1f} s")
    if yard.recording(recording_id).state is not RecordingState.DELIVERED:
        _look_while_it_lasts(yard, trial, recording_id, found)
        interference.mended = True
        trial.mend(yard)
        yard.adopt()
        yard.wait(lambda: _has_ended(yard, recording_id))
    trial.mend(yard)
    _look_at_the_end(yard, trial, recording_id, found)
    _compare_problems(yard, trial, recording_id, first, found)
    if not interference.taken:
        found.notes.append("the request was never made")
    yard.forget(recording_id)


def _has_ended(yard: Yard, recording_id: str) -> bool:
    return yard.recording(recording_id).state in (RecordingState.DELIVERED, RecordingState.REFUSED)


def _has_settled(yard: Yard, recording_id: str, first: int) -> bool:
    return _has_ended(yard, recording_id) or bool(_failures(yard, recording_id, first))


def _is_away(yard: Yard) -> bool:
    """Tell whether the destination rests already, because somebody else heard it first: nothing is tried then."""
    return yard.destination().state is not DestinationState.OKAY


def _failures(yard: Yard, recording_id: str, first: int) -> list[str]:
    return [
        result
        for action, result in yard.events(first, recording_id)
        if action in ("recording.upload-failed", "recording.refused", "recording.quarantined")
    ]


def _look_while_it_lasts(yard: Yard, trial: Trial, recording_id: str, found: Findings) -> None:
    """Hold that nothing may go while an answer is bad, and that pages say the right thing."""
    erasable, state = yard.erasable(), yard.recording(recording_id).state
    if state is RecordingState.DELIVERED:
        return  # it went on by itself in the meantime
    if recording_id in erasable and not yard.is_there(recording_id):
        found.wrong_deletes += 1
    if not yard.is_whole(recording_id):
        found.lost += 1
    destination, wanted = yard.destination(), trial.expected
    if trial.times is Times.ALWAYS and wanted.destination not in (None, destination.state):
        found.notes.append(f"the destination is {destination.state} and should be {wanted.destination}")
    if wanted.destination is not None and destination.problem_id is None and trial.times is Times.ALWAYS:
        found.notes.append("the destination tells no problem")


def _look_at_the_end(yard: Yard, trial: Trial, recording_id: str, found: Findings) -> None:
    wanted, state = trial.expected, yard.recording(recording_id).state
    if state not in wanted.ends:
        found.notes.append(f"it ended {state} and should be {' or '.join(wanted.ends)}")
    if not yard.is_whole(recording_id):
        found.lost += 1
    if state is RecordingState.DELIVERED:
        look_at_arrival(yard, recording_id, found)
    elif recording_id in yard.erasable() and not yard.is_there(recording_id):
        found.wrong_deletes += 1


def look_at_arrival(yard: Yard, recording_id: str, found: Findings) -> None:
    """Compare what arrived with what was stored."""
    for difference in yard.arrived(recording_id):
        found.notes.append(difference)
        if difference.startswith("key and clip"):
            found.key_clip_mismatch += 1
        elif difference.startswith("there is"):
            found.duplicate_objects += 1
        else:
            found.undetected_corruption += 1
    told = [action for action, _ in yard.events(0, recording_id)].count("recording.delivered")
    if told != 1:
        found.notes.append(f"it was delivered {told} times")
    found.orphan_parts += len(list((yard.shop.spool.root).rglob("*.part")))


def _compare_problems(yard: Yard, trial: Trial, recording_id: str, first: int, found: Findings) -> None:
    told, wanted = _failures(yard, recording_id, first), trial.expected.problems
    wrong = [problem for problem in told or [None] if problem not in wanted]
    if wrong:
        found.notes.append(f"told {wrong}, expected {sorted(map(str, wanted))}")


T = TypeVar("T")


def in_lanes(
    points: Sequence[T], lanes: int, work: Callable[[int, Sequence[T]], Iterator[Outcome]]
) -> Iterator[Outcome]:
    """Let several threads work, each with its number and a share of the points; give outcomes as they come."""
    shares = [share for share in (points[number::lanes] for number in range(lanes)) if share]
    told: SimpleQueue[Outcome | None] = SimpleQueue()
    stop = threading.Event()

    def tell(number: int) -> None:
        try:
            for outcome in work(number, shares[number]):
                told.put(outcome)
                if stop.is_set():
                    break
        finally:
            told.put(None)

    with ThreadPoolExecutor(max(len(shares), 1)) as pool:
        working = [pool.submit(tell, number) for number in range(len(shares))]
        try:
            for _ in shares:
                yield from iter(told.get, None)
        finally:
            stop.set()
    for done in working:
        done.result()


def warm_up(yard: Yard) -> None:
    """Deliver one recording, so that the destination knows the system, the user and the camera."""
    recording_id = yard.store(1000)
    yard.wait(lambda: yard.recording(recording_id).state is RecordingState.DELIVERED)
    yard.forget(recording_id)
