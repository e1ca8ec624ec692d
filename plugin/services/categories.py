"""Categories for recordings: read from the destination, kept here, handed to cameras with their settings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..destination.capabilities import Capabilities, Category
from ..errors import BodywornError
from ..models import Belonging, Camera, Destination
from . import events, systems

#: How often a destination is asked (API, section 3).
_EVERY = timedelta(days=1)
#: What a settings order can hold.
MOST_ON_A_CAMERA = 256
_ROOM_BYTES = 32 * 1024
_LONGEST_ID = 64


def are_due(destination: Destination, now: datetime) -> bool:
    """Tell whether the destination is to be asked again; a clock that was set back does not put that off."""
    read_at = destination.categories_read_at
    return read_at is None or not timedelta(0) <= now - read_at < _EVERY


def were_read(session: Session, destination: Destination, found: Sequence[Category], what: Capabilities) -> None:
    """Take over what a destination offers and can do; cameras get other categories with their next settings.

    What a destination once declared it keeps (API, section 3), so a capability is only ever added here.
    """
    declared = msgspec.to_builtins(what)
    destination.capabilities = {
        name: bool(destination.capabilities.get(name)) or value for name, value in declared.items()
    }
    destination.categories_read_at = datetime.now(UTC)
    destination.categories_problem_id = destination.categories_problem_values = None
    told = [{"id": one.id, "name": one.name} for one in found]
    if told == destination.categories:
        return
    destination.categories = told
    events.record(session, "destination.categories", "destination", destination.id, n=len(told))
    _renew_settings(session)


def could_not_be_read(session: Session, destination: Destination, error: BodywornError) -> None:
    """Write down why the list cannot be used; the one from before stays in force."""
    destination.categories_read_at = datetime.now(UTC)
    if destination.categories_problem_id != error.id:
        events.record(session, "destination.categories-refused", "destination", destination.id, result=error.id)
    destination.categories_problem_id, destination.categories_problem_values = error.id, dict(error.values)


def for_cameras(destination: Destination | None) -> list[tuple[str, str]]:
    """Give id and name of the categories that cameras offer, as many as fit; none where they could not travel."""
    if destination is None or not destination.capabilities.get("bookmarks"):
        return []
    if not destination.capabilities.get("read_categories"):
        return []
    fitting: list[tuple[str, str]] = []
    room_bytes = _ROOM_BYTES
    for one in destination.categories:
        room_bytes -= len(one["id"].encode()) + len(one["name"].encode())
        if len(fitting) == MOST_ON_A_CAMERA or room_bytes < 0:
            break
        if len(one["id"]) <= _LONGEST_ID:
            fitting.append((one["id"], one["name"]))
    return fitting


def _renew_settings(session: Session) -> None:
    """Draw new settings for every camera of the system; who wears them stays as it is."""
    for camera in session.scalars(select(Camera).where(Camera.belonging == Belonging.ADDED)):
        camera.wanted_settings = systems.next_order_sequence(session)
