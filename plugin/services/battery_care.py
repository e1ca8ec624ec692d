"""When a battery wants to be charged: one that left its dock low, and one that lies in store for three months.

A battery is known as of a camera's last turn. What happened to it since, nobody here can know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from ..models import Bay, Belonging, Camera
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


def messages(session: Session, now: datetime) -> Iterator[Message]:
    """Say which cameras want to be charged."""
    low = _cameras(session, Camera.battery_percent <= LOW_PERCENT, *_away(now - LOW_AFTER), _is_in_use(now))
    if low:
        title = plural("{n} camera is away with a low battery", "{n} cameras are away with a low battery", len(low))
        yield _message(advice.BATTERY_LOW, title, low)
    stored = _cameras(session, _is_stored(now), Camera.id.not_in(_docked()))
    if stored:
        title = plural(
            "{n} camera has not been charged here for three months",
            "{n} cameras have not been charged here for three months",
            len(stored),
        )
        yield _message(advice.BATTERY_IN_STORE, title, stored)


def _is_in_use(now: datetime) -> ColumnElement[bool]:
    return and_(Camera.belonging == Belonging.ADDED, Camera.last_seen_at >= now - STORED_FOR)


def _is_stored(now: datetime) -> ColumnElement[bool]:
    """Find cameras that lie somewhere: removed ones, in shipping mode, are reminded of again every three months."""
    return or_(
        and_(Camera.belonging == Belonging.ADDED, Camera.last_seen_at < now - STORED_FOR),
        and_(Camera.belonging == Belonging.REMOVED, or_(*_times_of_reminders(now))),
    )


def _times_of_reminders(now: datetime) -> Iterator[ColumnElement[bool]]:
    for number in range(1, _REMINDERS + 1):
        due = now - number * STORED_FOR
        yield Camera.last_seen_at.between(due - _SHOWN_FOR, due)


def _away(since: datetime) -> Sequence[ColumnElement[bool]]:
    return Camera.last_seen_at < since, Camera.id.not_in(_docked())


def _docked() -> Select[Any]:
    return select(Bay.camera_id).where(Bay.camera_id.is_not(None))


def _cameras(session: Session, *conditions: ColumnElement[bool]) -> list[str]:
    return list(session.scalars(select(Camera.name).where(*conditions).order_by(Camera.name)))


def _message(kind: advice.Advice, title: Sentence, names: Sequence[str]) -> Message:
    listed = ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
    text = sentence("{names}. Charge them soon, in a dock or with a charger.", names=listed)
    return Message(Tone.ATTENTION, kind, title, text, sentence("Battery care"), "help_topic", {"topic_id": "battery"})
