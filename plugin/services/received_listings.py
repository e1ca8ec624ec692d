"""Listings of the receiver: containers of an account and objects of a container, ordered and bounded as in a Swift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, collate, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..models import ReceivedContainer, ReceivedObject
from .received import Peer

#: Names in one answer; whoever wants more asks again with a marker.
MOST_NAMES = 10_000


@dataclass(frozen=True)
class Selection:
    """What part of a listing is asked for; names are ordered by their bytes."""

    prefix: str = ""
    #: Names after this one.
    marker: str = ""
    #: Names before this one; empty for no end.
    end_marker: str = ""
    limit: int = MOST_NAMES


@dataclass(frozen=True)
class ListedContainer:
    """A container in a listing."""

    name: str
    objects: int
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True)
class ListedObject:
    """An object in a listing."""

    name: str
    size_bytes: int
    md5: str
    content_type: str
    received_at: datetime


@dataclass(frozen=True)
class Usage:
    """How much there is."""

    containers: int
    objects: int
    size_bytes: int


def list_containers(session: Session, peer: Peer, selection: Selection) -> Sequence[ListedContainer]:
    """List an account's containers with what they hold."""
    by_bytes = _by_bytes(session, ReceivedContainer.name)
    query = (
        select(
            ReceivedContainer.name,
            func.count(ReceivedObject.id),
            func.coalesce(func.sum(ReceivedObject.size_bytes), 0),
            ReceivedContainer.created_at,
        )
        .outerjoin(ReceivedObject, ReceivedObject.container_id == ReceivedContainer.id)
        .where(ReceivedContainer.account_id == peer.account_id)
        .where(*_within(by_bytes, selection))
        .group_by(ReceivedContainer.id, ReceivedContainer.name, ReceivedContainer.created_at)
        .order_by(by_bytes)
        .limit(_limit(selection))
    )
    rows = session.execute(query)
    return [ListedContainer(name, objects, int(size), created) for name, objects, size, created in rows]


def list_objects(session: Session, container: ReceivedContainer, selection: Selection) -> Sequence[ListedObject]:
    """List the objects of a container."""
    by_bytes = _by_bytes(session, ReceivedObject.name)
    found = session.scalars(
        select(ReceivedObject)
        .where(ReceivedObject.container_id == container.id, *_within(by_bytes, selection))
        .order_by(by_bytes)
        .limit(_limit(selection))
    )
    return [
        ListedObject(stored.name, stored.size_bytes, stored.md5, stored.content_type, stored.received_at)
        for stored in found
    ]


def account_usage(session: Session, peer: Peer) -> Usage:
    """Count what an account holds."""
    containers = select(func.count()).where(ReceivedContainer.account_id == peer.account_id)
    held = (
        select(func.count(ReceivedObject.id), func.coalesce(func.sum(ReceivedObject.size_bytes), 0))
        .join(ReceivedContainer, ReceivedObject.container_id == ReceivedContainer.id)
        .where(ReceivedContainer.account_id == peer.account_id)
    )
    objects, size_bytes = session.execute(held).one()
    return Usage(session.scalar(containers) or 0, objects, int(size_bytes))


def container_usage(session: Session, container: ReceivedContainer) -> Usage:
    """Count what a container holds."""
    objects, size_bytes = session.execute(
        select(func.count(ReceivedObject.id), func.coalesce(func.sum(ReceivedObject.size_bytes), 0)).where(
            ReceivedObject.container_id == container.id
        )
    ).one()
    return Usage(1, objects, int(size_bytes))


def _within(by_bytes: ColumnElement[str], selection: Selection) -> Iterator[ColumnElement[bool]]:
    if selection.prefix:
        # not LIKE, which takes upper and lower case for the same on SQLite
        yield func.substr(by_bytes, 1, len(selection.prefix)) == selection.prefix
    if selection.marker:
        yield by_bytes > selection.marker
    if selection.end_marker:
        yield by_bytes < selection.end_marker


def _limit(selection: Selection) -> int:
    return max(0, min(selection.limit, MOST_NAMES))


def _by_bytes(session: Session, name: InstrumentedAttribute[str]) -> ColumnElement[str]:
    return collate(name, "BINARY" if session.get_bind().dialect.name == "sqlite" else "C")
