"""The System controllers card of System status, and the controllers as the Devices page lists them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ..models import BrokenDriver, Controller, Recording, RecordingState
from . import advice, damage, integrations, verification_card
from .advice import Advice
from .destination_card import count_recordings
from .devices import State
from .message import Card, Message
from .sentence import Problem, Sentence, Tone, named, plural, problem, sentence

#: A controller that wrote nothing for this long is not there.
SILENT_AFTER = timedelta(seconds=30)
#: Below this share of free storage a controller warns (decision 32).
LOW_STORAGE_PERCENT = 8


def controller_card(session: Session, now: datetime) -> Card:
    """Tell how the system controllers are."""
    found = session.scalars(select(Controller).order_by(Controller.name)).all()
    messages = [message for controller in found for message in _controller(controller, now)]
    messages += _drivers(session)
    messages += integrations.messages(session, now)
    messages += verification_card.messages(session)
    is_damaged = Recording.problem_id.in_(damage.OURS)
    contested = or_(Recording.problem_id.is_(None), ~is_damaged)
    quarantined = count_recordings(session, Recording.state == RecordingState.QUARANTINED, contested)
    if quarantined:
        messages.append(_quarantine(quarantined))
    if not found:
        return Card(messages, None, [sentence("No system has been set up yet.")])
    return Card(
        messages,
        plural("{n} controller", "{n} controllers", len(found)),
        [named(", ".join(controller.name for controller in found)), *_running(found, now), *_storage(found)],
        _free_percent(found),
    )


def _drivers(session: Session) -> Iterable[Message]:
    for driver in session.scalars(select(BrokenDriver).order_by(BrokenDriver.name)):
        yield Message(
            Tone.ATTENTION,
            advice.DRIVER_NOT_LOADED,
            sentence("Camera driver {name} ({package})", name=driver.name, package=driver.package or "–"),
            sentence("{reason}", reason=driver.reason),
            sentence("What to do"),
            "docks",
            {"_anchor": "drivers"},
        )


def _running(found: Sequence[Controller], now: datetime) -> Iterable[Sentence]:
    alive = sum(not _is_silent(controller, now) for controller in found)
    if len(found) == 1:
        yield sentence("controller process runs") if alive else sentence("controller process does not run")
    else:
        yield sentence("{alive} of {total} controller processes run", alive=alive, total=len(found))


def _is_silent(controller: Controller, now: datetime) -> bool:
    return controller.heartbeat_at is None or now - controller.heartbeat_at > SILENT_AFTER


def _controller(controller: Controller, now: datetime) -> Iterable[Message]:
    if _is_silent(controller, now):
        yield _silent(controller)
    if controller.problem_id is not None:
        trouble = problem(controller.problem_id)
        text = trouble.sentence if trouble else None
        is_storage = controller.problem_id.startswith("store-")
        kind = advice.CONTROLLER_STORAGE_ERROR if is_storage else advice.CONTROLLER_PROBLEM
        yield _controller_message(controller, Tone.PROBLEM, kind, text)
    if controller.intake_stopped_at is not None:
        text = sentence(
            "Since {since}, because its storage has no room for more. Cameras keep their recordings: dock them again "
            "once recordings reach the content destination, or add storage.",
            since=controller.intake_stopped_at,
        )
        yield _controller_message(controller, Tone.PROBLEM, advice.INTAKE_STOPPED, text)
    free = _free_percent([controller])
    if free is not None and free < LOW_STORAGE_PERCENT and controller.intake_stopped_at is None:
        text = sentence(
            "Less than {percent} % storage left. Check that recordings reach the content destination.",
            percent=LOW_STORAGE_PERCENT,
        )
        yield _controller_message(controller, Tone.ATTENTION, advice.CONTROLLER_STORAGE_LOW, text)


def _silent(controller: Controller) -> Message:
    text = sentence("It has never reported.")
    if controller.heartbeat_at is not None:
        text = sentence("It has not reported since {since}.", since=controller.heartbeat_at)
    return _controller_message(controller, Tone.PROBLEM, advice.CONTROLLER_UNAVAILABLE, text)


def _controller_message(controller: Controller, tone: Tone, kind: Advice, text: Sentence | None) -> Message:
    title = sentence("System controller {name}", name=controller.name)
    return Message(tone, kind, title, text, sentence("What to do"), "devices", {"_anchor": "controllers"})


def _quarantine(n: int) -> Message:
    return Message(
        Tone.PROBLEM,
        advice.IN_QUARANTINE,
        plural("{n} recording is in quarantine", "{n} recordings are in quarantine", n),
        sentence("Two different contents claim to be the same recording. Both were kept."),
        sentence("Show recordings"),
        "recordings",
        {"show": "problem"},
    )


def _storage(found: Sequence[Controller]) -> Iterable[Sentence]:
    free = _free_percent(found)
    if free is not None:
        yield sentence("{percent} % storage free", percent=free)


def _free_percent(found: Sequence[Controller]) -> int | None:
    known = [(c.spool_free_bytes, c.spool_total_bytes) for c in found if c.spool_total_bytes]
    total = sum(total or 0 for _, total in known)
    return sum(free or 0 for free, _ in known) * 100 // total if total else None


@dataclass(frozen=True)
class ControllerView:
    """A system controller in a list."""

    id: str
    name: str
    serial: str
    state: State
    heartbeat_at: datetime | None
    free_percent: int | None
    free_bytes: int | None
    #: Since when nothing is taken in, because there is no room.
    intake_stopped_at: datetime | None
    problem: Problem | None


def controllers(session: Session, now: datetime) -> list[ControllerView]:
    """List the system controllers by name."""
    return [_view(one, now) for one in session.scalars(select(Controller).order_by(Controller.name))]


def _view(controller: Controller, now: datetime) -> ControllerView:
    loudest = next(iter(_controller(controller, now)), None)
    return ControllerView(
        id=controller.id,
        name=controller.name,
        serial=controller.serial,
        state=State(loudest.tone, loudest.label) if loudest else State(Tone.OKAY, sentence("Okay")),
        heartbeat_at=controller.heartbeat_at,
        free_percent=_free_percent([controller]),
        free_bytes=controller.spool_free_bytes,
        intake_stopped_at=controller.intake_stopped_at,
        problem=problem(controller.problem_id),
    )
