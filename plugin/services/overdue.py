"""Cameras that are away from docks for too long: who has them, and how many days until they lock themselves.

Three steps, each louder: late, after two days; overdue, after two weeks; and the week before the lock. The louder two
are written as events, once an absence, so that whoever is told of events is told of each once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from ..models import Bay, Belonging, Camera, CameraUser, Event
from . import advice, events
from .cameras import LEASE_DAYS
from .devices import State, user_label
from .message import Message
from .paging import Page, paged
from .sentence import Sentence, Tone, plural, sentence

#: A camera is docked after each shift; a weekend is no reason to ask.
LATE_AFTER = timedelta(days=2)
REMINDED_AFTER = timedelta(days=14)
URGENT_BEFORE = timedelta(days=7)
_LEASE = timedelta(days=LEASE_DAYS)
#: Events of the two steps that people are told of.
REMINDED, URGENT = "camera.overdue", "camera.locks-soon"
#: Events written in one transaction.
_AT_ONCE = 100


_LATE = State(Tone.INACTIVE, sentence("Late"))
_OVERDUE = State(Tone.ATTENTION, sentence("Overdue"))
_LOCKS_SOON = State(Tone.PROBLEM, sentence("Locks soon"))
_LOCKED = State(Tone.PROBLEM, sentence("Locked by now"))


@dataclass(frozen=True)
class Overdue:
    """A camera that should have been docked."""

    id: str
    name: str
    serial: str
    #: Who wears it; None when nobody is assigned.
    user: str | None
    last_seen_at: datetime
    days_away: int
    #: Whole days until it locks itself; 0 on the last day and from then on.
    days_left: int
    state: State


def board(session: Session, now: datetime, number: int) -> Page[Overdue]:
    """List who has not docked, the longest absence first."""
    query = select(Camera).where(*_away(now)).order_by(Camera.last_seen_at, Camera.name, Camera.id)
    users = {user.id: user_label(user) for user in session.scalars(select(CameraUser).where(_wears_one(now)))}
    return paged(session, query, number, lambda camera: _row(camera, users.get(camera.camera_user_id or ""), now))


def messages(session: Session, now: datetime) -> Iterator[Message]:
    """Say what of it needs a person: whoever is only late does not."""
    is_reminded = and_(~_is_urgent(now), Camera.last_seen_at < now - REMINDED_AFTER)
    both = select(func.count().filter(_is_urgent(now)), func.count().filter(is_reminded)).select_from(Camera)
    urgent, reminded = session.execute(both.where(*_away(now))).one()
    if urgent:
        title = plural(
            "{n} camera locks itself within a week, or already has",
            "{n} cameras lock themselves within a week, or already have",
            urgent,
        )
        yield _message(Tone.PROBLEM, title)
    if reminded:
        title = plural(
            "{n} camera has not been docked for two weeks", "{n} cameras have not been docked for two weeks", reminded
        )
        yield _message(Tone.ATTENTION, title)


def to_escalate(session: Session, now: datetime) -> Sequence[tuple[str, Camera]]:
    """List the cameras that have come to a louder step since they were last told of, each with its event."""
    found: list[tuple[str, Camera]] = []
    for action, condition in (
        (REMINDED, and_(Camera.last_seen_at < now - REMINDED_AFTER, ~_is_urgent(now))),
        (URGENT, _is_urgent(now)),
    ):
        told = exists().where(Event.action == action, Event.object_id == Camera.id, Event.at >= Camera.last_seen_at)
        query = select(Camera).where(*_away(now), condition, ~told).order_by(Camera.last_seen_at).limit(_AT_ONCE)
        found += [(action, camera) for camera in session.scalars(query)]
    return found


def escalate(session: Session, now: datetime) -> int:
    """Write the event of each camera that has come to a louder step; gives how many."""
    found = to_escalate(session, now)
    for action, camera in found:
        row = _row(camera, None, now)
        events.record(session, action, "camera", camera.id, days=row.days_away, days_left=row.days_left)
    return len(found)


def _away(now: datetime) -> Sequence[ColumnElement[bool]]:
    docked = select(Bay.camera_id).where(Bay.camera_id.is_not(None))
    return (
        Camera.belonging == Belonging.ADDED,
        Camera.locked_at.is_(None),
        Camera.last_seen_at < now - LATE_AFTER,
        Camera.id.not_in(docked),
    )


def _is_urgent(now: datetime) -> ColumnElement[bool]:
    leased = and_(Camera.lease_until.is_not(None), Camera.lease_until < now + URGENT_BEFORE)
    return or_(leased, and_(Camera.lease_until.is_(None), Camera.last_seen_at < now + URGENT_BEFORE - _LEASE))


def _wears_one(now: datetime) -> ColumnElement[bool]:
    return CameraUser.id.in_(select(Camera.camera_user_id).where(*_away(now)))


def _row(camera: Camera, user: str | None, now: datetime) -> Overdue:
    locks_at = camera.lease_until or camera.last_seen_at + _LEASE
    return Overdue(
        id=camera.id,
        name=camera.name,
        serial=camera.serial,
        user=user,
        last_seen_at=camera.last_seen_at,
        days_away=(now - camera.last_seen_at).days,
        days_left=max(0, (locks_at - now).days),
        state=_state(camera.last_seen_at, locks_at, now),
    )


def _state(last_seen_at: datetime, locks_at: datetime, now: datetime) -> State:
    if locks_at <= now:
        return _LOCKED
    if locks_at < now + URGENT_BEFORE:
        return _LOCKS_SOON
    return _OVERDUE if last_seen_at < now - REMINDED_AFTER else _LATE


def _message(tone: Tone, title: Sentence) -> Message:
    text = sentence("Their users have to dock them; a locked camera records nothing until it is unlocked.")
    return Message(tone, advice.CAMERA_OVERDUE, title, text, sentence("Show who has them"), "overdue")
