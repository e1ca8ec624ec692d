"""What people do to docks and bays: name them, put them in order, forget them. What is seen in them is ``docks``."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import BayOccupied, DockNameTaken, UnknownDock
from ..models import Bay, BayState, Dock, DockKind
from . import docks, events


def add_usb_dock(session: Session, name: str, beneath: str, *, actor: str) -> Dock:
    """Add a USB dock whose bays are to be learned; raises DockNameTaken."""
    _refuse_taken(session, name, but="")
    return docks.add_dock(session, name=name, kind=DockKind.USB, locator=beneath, bays=0, actor=actor)


def dock(session: Session, dock_id: str) -> Dock:
    """Give a dock of this controller; raises UnknownDock."""
    found = next((one for one in docks.local_docks(session) if one.id == dock_id), None)
    if found is None:
        raise UnknownDock
    return found


def bay(session: Session, bay_id: str) -> Bay:
    """Give a bay of this controller; raises UnknownDock."""
    found = next((bay for one in docks.local_docks(session) for bay in one.bays if bay.id == bay_id), None)
    if found is None:
        raise UnknownDock
    return found


def rename(session: Session, dock_id: str, name: str, bay_names: Mapping[str, str], *, actor: str) -> None:
    """Name a dock and its bays, by their ids; raises DockNameTaken."""
    found = dock(session, dock_id)
    if name != found.name:
        _refuse_taken(session, name, but=dock_id)
        events.record(session, "dock.renamed", "dock", dock_id, actor=actor, before=found.name, after=name)
        found.name = name
    for one in found.bays:
        after = bay_names.get(one.id, one.name)
        if after != one.name:
            events.record(session, "bay.renamed", "bay", one.id, actor=actor, before=one.name, after=after)
            one.name = after


def move_dock(session: Session, dock_id: str, *, later: bool, actor: str) -> None:
    """Let a dock change places with the one before or after it; at the end of the row nothing happens."""
    found = docks.local_docks(session)
    at = found.index(dock(session, dock_id))
    to = at + (1 if later else -1)
    if 0 <= to < len(found):
        found[at], found[to] = found[to], found[at]
        for position, one in enumerate(found):
            one.position = position
        events.record(session, "dock.moved", "dock", dock_id, actor=actor, position=to + 1)


def move_bay(session: Session, bay_id: str, *, later: bool, actor: str) -> None:
    """Let a bay change places with its neighbour; names and learned places go with it."""
    moved = bay(session, bay_id)
    row = moved.dock.bays
    to = row.index(moved) + (1 if later else -1)
    if moved.dock.kind is not DockKind.USB or not 0 <= to < len(row):
        return
    other = row[to]
    here, there = moved.position, other.position
    moved.position = -1  # a position is held by one bay at a time, even in the middle of this
    session.flush()
    other.position = here
    session.flush()
    moved.position = there
    session.flush()
    session.expire(moved.dock, ["bays"])
    events.record(session, "bay.moved", "bay", bay_id, actor=actor, dock=moved.dock.name, position=there)


def forget_bay(session: Session, bay_id: str, *, actor: str) -> str:
    """Forget a bay, its name and its places; gives the id of its dock. What is docked there is not seen any more.

    :raises BayOccupied: while a camera stands in it.
    """
    found = bay(session, bay_id)
    _refuse_occupied(found)
    dock_id = found.dock.id
    events.record(
        session, "bay.forgotten", "bay", bay_id, actor=actor, dock=found.dock.name, name=found.name, places=found.places
    )
    found.dock.bays.remove(found)
    return dock_id


def forget_place(session: Session, bay_id: str, place: str, *, actor: str) -> str:
    """Let a place be no part of a bay any more; gives the id of its dock. Raises BayOccupied."""
    found = bay(session, bay_id)
    _refuse_occupied(found)
    docks.remove_place(session, bay_id, place, actor=actor)
    return found.dock.id


def forget_dock(session: Session, dock_id: str, *, actor: str) -> None:
    """Forget a dock with all its bays; raises BayOccupied."""
    found = dock(session, dock_id)
    for one in found.bays:
        _refuse_occupied(one)
    names = [one.name for one in found.bays]
    events.record(session, "dock.forgotten", "dock", dock_id, actor=actor, name=found.name, bays=names)
    session.delete(found)


def _refuse_occupied(found: Bay) -> None:
    if found.camera_id is not None or found.state is not BayState.EMPTY:
        raise BayOccupied(bay=found.name)


def _refuse_taken(session: Session, name: str, *, but: str) -> None:
    taken = select(Dock.id).where(Dock.name == name, Dock.id != but)
    if session.scalars(taken).first() is not None:
        raise DockNameTaken(name=name)
