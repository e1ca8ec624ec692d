"""Which recordings a list shows, among a million: search, filter, order and pages, all in the database.

Every list walks an index in the order in which it is shown, and stops with the page. What cannot be walked is found by
the cameras and users that fit a search, of which there are thousands, and not by looking at each recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union
from sqlalchemy.orm import Session

from ..models import Camera, CameraUser, Recording, RecordingState
from . import systems
from .paging import PAGE_ROWS, Page, last_page, like

#: A list is counted up to here, which is as far as anybody turns pages; finding all of a million takes its time.
MOST_COUNTED = 1000
#: Where fewer of all cameras and users fit a search, their recordings are fetched one by one.
_FEW = 0.01


class Show(StrEnum):
    """Which recordings a list shows."""

    ALL = "all"
    UNDERWAY = "underway"
    DELIVERED = "delivered"
    #: Refused by the destination.
    REFUSED = "refused"
    PROBLEM = "problem"


class Sort(StrEnum):
    """What a list of recordings is sorted by."""

    NEWEST = "newest"
    OLDEST = "oldest"
    USER = "user"
    CAMERA = "camera"


_BY_TIME = (Sort.NEWEST, Sort.OLDEST)


@dataclass(frozen=True)
class RecordingQuery:
    """Which recordings to list, as it stands in the address of the page."""

    search: str = ""
    show: Show = Show.ALL
    sort: Sort = Sort.NEWEST
    page: int = 1
    camera_id: str | None = None


@dataclass(frozen=True)
class _Way:
    """How a list is found."""

    conditions: Sequence[ColumnElement[bool]]
    #: Whether every few recordings there is one that fits, so that those in its order are looked at until a page is
    #: full; otherwise the few that fit are fetched by their own indexes and put in order.
    walks: bool


def search(session: Session, wanted: RecordingQuery) -> Page[str]:
    """Give the ids of one page of recordings, in the order in which they are shown."""
    way = _way(session, wanted)
    total = _count(session, way, MOST_COUNTED + 1)
    counted = total <= MOST_COUNTED
    number = min(wanted.page, last_page(total, PAGE_ROWS)) if counted else wanted.page
    ids = _rows(session, wanted.sort, way, number)
    if not ids and number > 1:  # past the end of a long list: only now it has to be known where that is
        counted, total = True, _count(session, way, None)
        number = last_page(total, PAGE_ROWS)
        ids = _rows(session, wanted.sort, way, number)
    return Page(ids, total if counted else MOST_COUNTED, number, counted=counted)


def _way(session: Session, wanted: RecordingQuery) -> _Way:
    conditions: list[ColumnElement[bool]] = []
    walks = wanted.show in (Show.ALL, Show.DELIVERED) and not wanted.camera_id
    if wanted.search:
        matches, are_many = _matches(session, wanted.search)
        conditions.append(matches)
        walks = walks and are_many
    if wanted.camera_id:
        conditions.append(Recording.camera_id == wanted.camera_id)
    if wanted.show is not Show.ALL:
        conditions.append(_shown(wanted.show, indexed=wanted.sort in _BY_TIME or not walks))
    return _Way(conditions, walks)


def _shown(show: Show, *, indexed: bool) -> ColumnElement[bool]:
    match show:
        case Show.UNDERWAY:
            return Recording.state.in_((RecordingState.FOUND, RecordingState.STORED))
        case Show.REFUSED:
            return Recording.state == RecordingState.REFUSED
        case Show.PROBLEM:
            return _troubled()
        case _:
            state = Recording.state if indexed else _without_index(Recording.state)
            return state == RecordingState.DELIVERED


def _troubled() -> ColumnElement[bool]:
    """Find those that need a person or wait for something to be mended."""
    stuck = Recording.state.in_((RecordingState.REFUSED, RecordingState.QUARANTINED))
    return _any_of(stuck, Recording.problem_id.is_not(None))


def _matches(session: Session, text: str) -> tuple[ColumnElement[bool], bool]:
    """Find by names and numbers of cameras and users, a day, or how the container's name begins; tell if many fit."""
    if (day := _day(text)) is not None:
        begin, end = _moments(session, day)
        return and_(Recording.start_at >= begin, Recording.start_at < end), False
    cameras = select(Camera.id).where(_has(text, Camera.name, Camera.serial))
    users = select(CameraUser.id).where(_has(text, CameraUser.name, CameraUser.user_id))
    container = and_(Recording.container_name >= text, Recording.container_name < f"{text}\U0010ffff")
    fitting = [session.scalars(query).all() for query in (cameras, users)]
    if _share(session, *fitting) < _FEW:
        # by their ids, because databases cannot guess how few a pattern fits
        camera, wearer = Recording.camera_id.in_(fitting[0]), Recording.camera_user_id.in_(fitting[1])
        return _any_of(camera, wearer, container), False
    camera, wearer = _without_index(Recording.camera_id), _without_index(Recording.camera_user_id)
    return or_(camera.in_(cameras), wearer.in_(users), container), True


def _any_of(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Find by each condition's own index."""
    return Recording.id.in_(union(*(select(Recording.id).where(condition) for condition in conditions)))


def _without_index(column: Any) -> Any:
    """Say the same as a column in a way that databases look at rows for and not at an index."""
    return func.coalesce(column, column, type_=column.type)


def _has(text: str, *columns: Any) -> ColumnElement[bool]:
    return or_(*(column.ilike(like(text), escape="\\") for column in columns))


def _share(session: Session, cameras: Sequence[str], users: Sequence[str]) -> float:
    """Tell which part of all cameras or users fits, which is about the part of recordings that does."""
    found = ((cameras, Camera), (users, CameraUser))
    return max(len(ids) / max(1, _count_of(session, select(table.id))) for ids, table in found)


def _day(text: str) -> date | None:
    """Read a day such as 2026-03-01; eight digits alone are somebody's number."""
    with suppress(ValueError):
        return date.fromisoformat(text) if len(text) == 10 else None
    return None


def _moments(session: Session, day: date) -> tuple[datetime, datetime]:
    """Give when a day begins and ends where the system is."""
    system = systems.find(session)
    zone = ZoneInfo(system.time_zone) if system else UTC
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def _count(session: Session, way: _Way, most: int | None) -> int:
    return _count_of(session, select(Recording.id).where(*way.conditions).limit(most))


def _rows(session: Session, sort: Sort, way: _Way, page: int) -> list[str]:
    """Fetch a page of a list whose parts follow one another."""
    rows: list[str] = []
    skip = (page - 1) * PAGE_ROWS
    for part in _parts(sort, way):
        found = session.scalars(part.offset(skip).limit(PAGE_ROWS - len(rows))).all()
        rows += found
        if len(rows) == PAGE_ROWS:
            break
        skip = 0 if found else max(0, skip - _count_of(session, part.order_by(None)))
    return rows


def _count_of(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _parts(sort: Sort, way: _Way) -> Sequence[Select[Any]]:
    """Give the recordings in an order; those without a user come last."""
    query, newest = select(Recording.id).where(*way.conditions), (Recording.start_at.desc(), Recording.id.desc())
    match sort:
        case Sort.NEWEST:
            return (query.order_by(*newest),)
        case Sort.OLDEST:
            return (query.order_by(Recording.start_at, Recording.id),)
        case Sort.CAMERA:
            by_camera = query.join(Camera, _outer(Camera.id, way) == Recording.camera_id)
            return (by_camera.order_by(Camera.name, Camera.id, *newest),)
        case Sort.USER:
            by_user = query.join(CameraUser, _outer(CameraUser.id, way) == Recording.camera_user_id)
            nobodys = query.where(Recording.camera_user_id.is_(None)).order_by(*newest)
            return (by_user.order_by(CameraUser.name, CameraUser.id, *newest), nobodys)


def _outer(key: Any, way: _Way) -> Any:
    """Have what is walked by its name come first: it cannot be looked up from a recording."""
    return _without_index(key) if way.walks else key
