"""The audit log as it is read: which events, newest first, a page at a time.

Pages are cut by the event they begin after, not by a number, so that what happens meanwhile moves nothing. What an
event means in words is in ``history``, what it was about in ``things``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from ..models import Camera, CameraUser, Event, Recording
from . import events, history, things
from .history import EventLine
from .paging import like
from .things import Thing

PAGE_EVENTS: Final = 50
#: Longer logs are counted no further: nobody reads them, and counting takes longer than showing.
COUNTED_EVENTS: Final = 10_000
#: People who are offered to choose from; any other name can be searched for.
_PEOPLE: Final = 200
#: Things that a search finds by their names, of each kind.
_NAMED: Final = 200

Condition = ColumnElement[bool]


class Topic(StrEnum):
    """What events are about, as auditors ask for it."""

    ALL = "all"
    ACCOUNTS = "accounts"
    CAMERAS = "cameras"
    DOCKS = "docks"
    RECORDINGS = "recordings"
    DESTINATION = "destination"
    #: Everything else.
    SYSTEM = "system"


class Who(StrEnum):
    """Whose doing it was."""

    ANYBODY = "anybody"
    PEOPLE = "people"
    SYSTEM = "system"
    #: Those of one name.
    ONE = "one"


class Outcome(StrEnum):
    """How it ended."""

    ALL = "all"
    DONE = "done"
    OTHERWISE = "otherwise"


_KINDS: Final = {
    Topic.ACCOUNTS: ("account", "address", "host"),
    Topic.CAMERAS: ("camera", "user"),
    Topic.DOCKS: ("dock", "bay", "usb"),
    Topic.RECORDINGS: ("recording", "received_container", "received_object"),
    Topic.DESTINATION: ("destination", "receiver_account"),
}
_ELSEWHERE: Final = tuple(kind for kinds in _KINDS.values() for kind in kinds)


@dataclass(frozen=True)
class AuditQuery:
    """Which events are wanted."""

    #: Days in the system's time zone, both included.
    since: date | None = None
    until: date | None = None
    who: Who = Who.ANYBODY
    actor: str = ""
    topic: Topic = Topic.ALL
    outcome: Outcome = Outcome.ALL
    text: str = ""
    #: Actions whose names hold the text, or whose sentences do, in the reader's language.
    actions: tuple[str, ...] = ()
    #: Kind and identifier of the one thing it is about; a camera stands for its recordings as well.
    about: tuple[str, str] | None = None


@dataclass(frozen=True)
class Cursor:
    """Between which events a page lies: behind this one, seen from the newest, or before it."""

    chain_id: str
    sequence: int
    newer: bool = False


@dataclass(frozen=True)
class AuditLine:
    """One event, and what it was about."""

    event: EventLine
    thing: Thing


@dataclass(frozen=True)
class AuditPage:
    """Some events, newest first."""

    lines: Sequence[AuditLine]
    #: Events that fit; None when there are more than anybody counts.
    total: int | None
    #: Where newer and older events go on; None where there are none.
    newer: Cursor | None
    older: Cursor | None


def page(session: Session, wanted: AuditQuery, zone: ZoneInfo, cursor: Cursor | None = None) -> AuditPage:
    """Fetch one page; a cursor at an event that is not there begins at the newest."""
    query = matching(session, wanted, zone)
    found, more = _fetch(session, query, cursor)
    begins_at_newest = cursor is None or _place(session, cursor) is None
    backwards = cursor is not None and cursor.newer and not begins_at_newest
    total = len(found) if begins_at_newest and not more else _count(session, query)
    has_newer, has_older = (more, True) if backwards else (not begins_at_newest, more)
    return AuditPage(
        lines=_lines(session, found),
        total=total,
        newer=_cursor(found[0], newer=True) if found and has_newer else None,
        older=_cursor(found[-1], newer=False) if found and has_older else None,
    )


def matching(session: Session, wanted: AuditQuery, zone: ZoneInfo) -> Select[Event]:
    """Select the events that are wanted, in no order yet."""
    parts = [*_when(wanted, zone), *_by(wanted), *_outcome(wanted), *_topic(wanted)]
    if wanted.about is not None:
        parts.append(_about(*wanted.about))
    if wanted.text:
        parts.append(_text(session, wanted))
    return select(Event).where(*parts)


def newest_first(query: Select[Event]) -> Select[Event]:
    """Put events in order; those of one moment by their place in the chain."""
    return query.order_by(Event.at.desc(), Event.chain_id.desc(), Event.sequence.desc())


def people(session: Session) -> dict[str, str]:
    """Name who has done something, by the host's identifiers, as far as a choice may be long."""
    found: dict[str, str] = {}
    actor = session.scalar(select(func.min(Event.actor)))
    while actor is not None and len(found) < _PEOPLE:
        if actor not in ("", events.SYSTEM):
            found[actor] = _called(session, actor)
        # from one to the next in the index, past all events of each
        actor = session.scalar(select(func.min(Event.actor)).where(Event.actor > actor))
    return found


def _called(session: Session, actor: str) -> str:
    """Name somebody as they were called last."""
    last = session.scalars(newest_first(select(Event).where(Event.actor == actor)).limit(1)).one()
    return history.actor_name(last) or actor


def _fetch(session: Session, query: Select[Event], cursor: Cursor | None) -> tuple[list[Event], bool]:
    """Fetch the events of a page, newest first, and tell whether there are more in the direction of travel."""
    place = _place(session, cursor) if cursor else None
    if place is None or cursor is None:
        found = list(session.scalars(newest_first(query).limit(PAGE_EVENTS + 1)))
        return found[:PAGE_EVENTS], len(found) > PAGE_EVENTS
    here = tuple_(Event.at, Event.chain_id, Event.sequence)
    if cursor.newer:
        upwards = query.where(here > place).order_by(Event.at, Event.chain_id, Event.sequence)
        found = list(session.scalars(upwards.limit(PAGE_EVENTS + 1)))
        return found[:PAGE_EVENTS][::-1], len(found) > PAGE_EVENTS
    found = list(session.scalars(newest_first(query.where(here < place)).limit(PAGE_EVENTS + 1)))
    return found[:PAGE_EVENTS], len(found) > PAGE_EVENTS


def _place(session: Session, cursor: Cursor) -> Any:
    at = session.scalar(select(Event.at).where(Event.chain_id == cursor.chain_id, Event.sequence == cursor.sequence))
    if at is None:
        return None
    return tuple_(literal(at, Event.at.type), literal(cursor.chain_id), literal(cursor.sequence))


def _cursor(event: Event, *, newer: bool) -> Cursor:
    return Cursor(event.chain_id, event.sequence, newer)


def _count(session: Session, query: Select[Event]) -> int | None:
    counted = query.with_only_columns(Event.sequence).limit(COUNTED_EVENTS + 1).subquery()
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    return total if total <= COUNTED_EVENTS else None


def _lines(session: Session, found: Sequence[Event]) -> list[AuditLine]:
    about = things.of(session, found)
    return [
        AuditLine(line, about[event.object_kind, event.object_id])
        for event, line in zip(found, history.lines(session, found), strict=True)
    ]


def _when(wanted: AuditQuery, zone: ZoneInfo) -> list[Condition]:
    parts: list[Condition] = []
    if wanted.since is not None:
        parts.append(Event.at >= _midnight(wanted.since, zone))
    if wanted.until is not None:
        parts.append(Event.at < _midnight(wanted.until + timedelta(days=1), zone))
    return parts


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def _by(wanted: AuditQuery) -> list[Condition]:
    match wanted.who:
        case Who.PEOPLE:
            return [Event.actor != events.SYSTEM]
        case Who.SYSTEM:
            return [Event.actor == events.SYSTEM]
        case Who.ONE:
            return [Event.actor == wanted.actor]
        case _:
            return []


def _outcome(wanted: AuditQuery) -> list[Condition]:
    match wanted.outcome:
        case Outcome.DONE:
            return [Event.result == history.DONE]
        case Outcome.OTHERWISE:
            return [Event.result != history.DONE]
        case _:
            return []


def _topic(wanted: AuditQuery) -> list[Condition]:
    if wanted.topic is Topic.ALL:
        return []
    if wanted.topic is Topic.SYSTEM:
        return [Event.object_kind.not_in(_ELSEWHERE)]
    return [Event.object_kind.in_(_KINDS[wanted.topic])]


def _about(kind: str, object_id: str) -> Condition:
    itself = and_(Event.object_kind == kind, Event.object_id == object_id)
    if kind != "camera":
        return itself
    recordings = select(Recording.id).where(Recording.camera_id == object_id)
    return or_(itself, and_(Event.object_kind == "recording", Event.object_id.in_(recordings)))


def _text(session: Session, wanted: AuditQuery) -> Condition:
    """Look for names where they are few; only addresses and identifiers are looked at in each event."""
    pattern, sought = like(wanted.text), wanted.text.casefold()
    parts: list[Condition] = [
        Event.address.like(like(wanted.text.lower()), escape="\\"),
        _like(Event.object_id, pattern),
        Event.object_id.in_(_named(session, pattern)),
        Event.actor == wanted.text,
        Event.actor.in_([one for one, name in people(session).items() if sought in f"{one}\n{name}".casefold()]),
    ]
    if wanted.actions:
        parts.append(Event.action.in_(wanted.actions))
    return or_(*parts)


def _named(session: Session, pattern: str) -> list[str]:
    """Find what carries a name like that; few things have names, events have many."""
    cameras = select(Camera.id).where(or_(_like(Camera.name, pattern), _like(Camera.serial, pattern)))
    users = select(CameraUser.id).where(_like(CameraUser.name, pattern))
    return [one for query in (cameras, users) for one in session.scalars(query.limit(_NAMED))]


def _like(column: Any, pattern: str) -> Condition:
    condition: Condition = column.ilike(pattern, escape="\\")
    return condition
