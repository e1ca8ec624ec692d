"""When a battery wants to be charged: one that left its dock low, and one that lies in store for three months.

A battery is known as of a camera's last turn. What happened to it since, nobody here can know.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from ..models import Bay, Belonging, Camera, Event
from . import advice
from .message import Message
from .sentence import Sentence, Tone, plural, sentence

#: Below this a camera that is away is assumed to be empty soon.
LOW_PERCENT: Final = 20
#: A shift may last that long.
LOW_AFTER = timedelta(days=1)
#: How often a battery in store wants to be charged.
STORED_FOR = timedelta(days=90)
#: How long a reminder stands when nobody can see that it was done.
_SHOWN_FOR = timedelta(days=14)
#: A removed camera is forgotten after this many reminders; it may be anywhere by then.
_REMINDERS = 8
_NAMED = 4
_FORCED: Final = "camera.force-removed"


def messages(session: Session, now: datetime) -> Iterator[Message]:
    """Say which cameras want to be charged."""
    is_away = Camera.id.not_in(select(Bay.camera_id).where(Bay.camera_id.is_not(None)))
    is_low = (Camera.battery_percent <= LOW_PERCENT, Camera.last_seen_at < now - LOW_AFTER, _is_in_use(now))
    low, names = _cameras(session, is_away, *is_low)
    if low:
        title = plural("{n} camera is away with a low battery", "{n} cameras are away with a low battery", low)
        yield _message(advice.BATTERY_LOW, title, names)
    stored, names = _cameras(session, is_away, _is_stored(now))
    if stored:
        title = plural(
            "{n} camera has not been charged here for three months",
            "{n} cameras have not been charged here for three months",
            stored,
        )
        yield _message(advice.BATTERY_IN_STORE, title, names)


def _is_in_use(now: datetime) -> ColumnElement[bool]:
    return and_(Camera.belonging == Belonging.ADDED, Camera.last_seen_at >= now - STORED_FOR)


def _is_stored(now: datetime) -> ColumnElement[bool]:
    """Find cameras that lie somewhere: removed ones, in shipping mode, are reminded of again every three months."""
    return or_(
        and_(Camera.belonging == Belonging.ADDED, Camera.last_seen_at < now - STORED_FOR),
        and_(Camera.belonging == Belonging.REMOVED, or_(*_times_of_reminders(now)), ~_is_lost()),
    )


def _is_lost() -> ColumnElement[bool]:
    """Find cameras that were removed by force: nobody can charge what is lost or destroyed."""
    return exists().where(
        Event.action == _FORCED, Event.result == "done", Event.object_id == Camera.id, Event.at >= Camera.last_seen_at
    )


def _times_of_reminders(now: datetime) -> Iterator[ColumnElement[bool]]:
    for number in range(1, _REMINDERS + 1):
        due = now - number * STORED_FOR
        yield Camera.last_seen_at.between(due - _SHOWN_FOR, due)


def _cameras(session: Session, *conditions: ColumnElement[bool]) -> tuple[int, str]:
    """Count cameras, and name a few of them."""
    total = session.scalar(select(func.count()).select_from(Camera).where(*conditions)) or 0
    if not total:
        return 0, ""
    names = session.scalars(select(Camera.name).where(*conditions).order_by(Camera.name, Camera.id).limit(_NAMED))
    return total, ", ".join(names) + (" …" if total > _NAMED else "")


def _message(kind: advice.Advice, title: Sentence, names: str) -> Message:
    text = sentence("{names}. Charge them soon, in a dock or with a charger.", names=names)
    return Message(Tone.ATTENTION, kind, title, text, sentence("Battery care"), "help_topic", {"topic_id": "battery"})
