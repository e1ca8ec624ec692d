"""The Content destination card of System status."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from ..errors import (
    AuthorizationFailed,
    Busy,
    CertificateRefused,
    DestinationFull,
    DestinationUnreachable,
    LicenceMissing,
    TlsFailed,
    describe,
)
from ..models import Clip, Copy, CopyState, Destination, DestinationState, Place, Recording, RecordingState
from . import advice, deliveries
from .advice import Advice
from .message import Card, Message
from .sentence import Sentence, Tone, named, plural, problem, sentence

#: Past this difference of clocks the times of recordings are doubtful (SET-5).
LARGEST_CLOCK_DIFFERENCE_SECONDS = 2
_DAY = timedelta(hours=24)
_UNDERWAY = (RecordingState.FOUND, RecordingState.STORED)


def destination_card(session: Session, now: datetime) -> Card:
    """Tell how the content destination is."""
    active = session.scalars(select(Destination).where(Destination.active)).first()
    if active is None:
        return Card([_not_connected()], None, [sentence("Recordings are kept on the controllers.")])
    messages = [*_connection(active), *_clock(active), *_refused(session), *_waiting(session)]
    total, proved = _of_the_last_day(session, now)
    if not total:
        return Card(messages, named(active.site_name), [sentence("No recordings in the last 24 hours")])
    return Card(
        messages,
        sentence("{done} of {total}", done=proved, total=total),
        [sentence("recordings of the last 24 hours delivered"), *_on_their_way(session, active, now)],
    )


def _of_the_last_day(session: Session, now: datetime) -> tuple[int, int]:
    """Count recordings, and those delivered: at once, because only their time leads to the few among a million."""
    delivered = func.count(case((Recording.state == RecordingState.DELIVERED, 1)))
    query = select(func.count(), delivered).select_from(Recording).where(Recording.found_at >= now - _DAY)
    total, proved = session.execute(query).one()
    return total, proved


def _not_connected() -> Message:
    return Message(
        Tone.ATTENTION,
        advice.NOT_CONNECTED,
        sentence("No content destination is connected"),
        sentence("Upload the connection file of the system that keeps your recordings."),
        sentence("Connect"),
        "destination",
    )


def _connection(active: Destination) -> Iterable[Message]:
    if active.state not in (DestinationState.WAITING, DestinationState.STOPPED):
        return
    stopped = needs_somebody(active)
    trouble = problem(active.problem_id, active.problem_values)
    yield Message(
        Tone.PROBLEM if stopped else Tone.ATTENTION,
        _advice(active),
        sentence("{name} does not take recordings", name=active.site_name)
        if stopped
        else sentence("{name} cannot take recordings at the moment", name=active.site_name),
        trouble.sentence if trouble else None,
        sentence("What to do"),
        "destination",
    )


def _clock(active: Destination) -> Iterable[Message]:
    difference = active.clock_difference_seconds
    if difference is not None and abs(difference) > LARGEST_CLOCK_DIFFERENCE_SECONDS:
        yield Message(
            Tone.ATTENTION,
            advice.CLOCKS_DIFFER,
            plural(
                "The destination's clock differs by {n} second",
                "The destination's clock differs by {n} seconds",
                round(abs(difference)),
            ),
            sentence("Set both clocks from the same time server."),
            sentence("What to do"),
            "date_and_time",
        )


def _refused(session: Session) -> Iterable[Message]:
    n = count_recordings(session, Recording.state == RecordingState.REFUSED)
    if n:
        yield Message(
            Tone.PROBLEM,
            advice.NOT_TRANSFERRED,
            plural("{n} recording was not transferred", "{n} recordings were not transferred", n),
            plural(
                "The content destination refused it, or some of it. It is kept on the controller.",
                "The content destination refused them, or some of them. They are kept on the controller.",
                n,
            ),
            sentence("Show recordings"),
            "recordings",
            {"show": "refused"},
        )


def _waiting(session: Session) -> Iterable[Message]:
    """Recordings with a problem of their own, not the one that stops the whole destination."""
    stuck = Recording.state.in_((RecordingState.FOUND, RecordingState.STORED))
    own = or_(Recording.retry_at.is_(None), Recording.attempts == 0, Recording.problem_id.in_(deliveries.OWN_PROBLEMS))
    n = count_recordings(session, stuck, Recording.problem_id.is_not(None), own)
    if n:
        yield Message(
            Tone.ATTENTION,
            advice.HELD_UP,
            plural("{n} recording is held up", "{n} recordings are held up", n),
            sentence("Each recording's page says why and what to do."),
            sentence("Show recordings"),
            "recordings",
            {"show": "problem"},
        )


def _on_their_way(session: Session, active: Destination, now: datetime) -> Iterable[Sentence]:
    n = count_recordings(session, Recording.state.in_((RecordingState.FOUND, RecordingState.STORED)))
    if not n:
        return
    yield plural("{n} on its way", "{n} on their way", n)
    remaining = _remaining_bytes(session)
    if active.bytes_per_second and remaining:
        done_at = now + timedelta(seconds=remaining / active.bytes_per_second)
        yield sentence("done about {time}", time=done_at)


def label(destination: Destination) -> Sentence:
    """Name the state of a destination in the manual's words."""
    return _advice(destination).label


def _advice(destination: Destination) -> Advice:
    error = describe(destination.problem_id) if destination.problem_id else None
    for kind, found in (
        (AuthorizationFailed, advice.AUTHORIZATION_FAILED),
        (DestinationUnreachable, advice.CONNECTION_FAILED),
        (CertificateRefused, advice.CONNECTION_FAILED),
        (TlsFailed, advice.CONNECTION_FAILED),
        (LicenceMissing, advice.OUT_OF_LICENCES),
        (DestinationFull, advice.DESTINATION_FULL),
        (Busy, advice.DESTINATION_BUSY),
    ):
        if error is not None and issubclass(error, kind):
            return found
    is_stopped = destination.state is DestinationState.STOPPED
    return advice.DESTINATION_STOPPED if is_stopped else advice.DESTINATION_WAITING


def needs_somebody(destination: Destination) -> bool:
    """Tell whether people have to mend something there: it stopped, or it is full (C3)."""
    return destination.state is DestinationState.STOPPED or (
        destination.state is DestinationState.WAITING and destination.problem_id == DestinationFull.id
    )


def count_recordings(session: Session, *conditions: ColumnElement[bool]) -> int:
    """Count recordings."""
    return session.scalar(select(func.count()).select_from(Recording).where(*conditions)) or 0


def _remaining_bytes(session: Session) -> int:
    """Sum up what still has to reach the destination."""
    size = func.coalesce(Clip.stored_size_bytes, Clip.size_bytes)
    there = and_(Copy.clip_id == Clip.id, Copy.place == Place.DESTINATION)
    arrived = or_(Copy.id.is_(None), Copy.state == CopyState.WRITING)
    query = select(func.sum(size - func.coalesce(Copy.done_bytes, 0))).select_from(Clip)
    query = query.join(Recording, Recording.id == Clip.recording_id).outerjoin(Copy, there)
    return int(session.scalar(query.where(Recording.state.in_(_UNDERWAY), arrived)) or 0)
