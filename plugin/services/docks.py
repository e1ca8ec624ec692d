"""Docks and bays: make them, and write down what was seen in them. What to do with a camera is in ``cameras``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..errors import BodywornError, PlaceTaken, UnknownDock
from ..models import Bay, BayState, Dock, DockKind
from . import events, systems


@dataclass(frozen=True)
class BayProgress:
    """How far a bay's offload is; ``bytes_per_second`` is None while nothing moves."""

    done_bytes: int
    bytes_per_second: float | None
    #: True while it stands in line for a turn.
    waiting: bool = False
    #: None where nobody can know.
    turn_in_seconds: float | None = None
    ready_in_seconds: float | None = None


def add_dock(
    session: Session, *, name: str, kind: DockKind, locator: str, bays: int, actor: str = events.SYSTEM
) -> Dock:
    """Add a dock of this controller with numbered bays."""
    controller = systems.local_controller(session)
    position = session.scalars(select(func.count()).select_from(Dock)).one()
    dock = Dock(controller_id=controller.id, name=name, kind=kind, locator=locator, position=position)
    dock.bays = [Bay(position=number, name=f"Bay {number}") for number in range(1, bays + 1)]
    session.add(dock)
    session.flush()
    events.record(session, "dock.added", "dock", dock.id, actor=actor, name=name, bays=bays)
    return dock


def local_docks(session: Session) -> list[Dock]:
    """List the docks of this controller in their order, bays included."""
    controller = systems.local_controller(session)
    found = session.scalars(select(Dock).where(Dock.controller_id == controller.id).order_by(Dock.position))
    return list(found.unique())


def find_dock(session: Session, name: str) -> Dock:
    """Give a dock of this controller by its name; raises UnknownDock."""
    for dock in local_docks(session):
        if dock.name == name:
            return dock
    raise UnknownDock


def learn(session: Session, dock_id: str, *, on: bool = True, actor: str) -> None:
    """Begin or end learning: places in which devices appear become bays meanwhile. One dock learns at a time."""
    for dock in local_docks(session):
        wanted = on and dock.id == dock_id
        if dock.learning is not wanted:
            dock.learning = wanted
            events.record(session, "dock.learning", "dock", dock.id, actor=actor, on=wanted)


def learn_place(session: Session, dock_id: str, place: str) -> Bay:
    """Make a bay of a place that was learned, behind the others; a place that has a bay keeps it, and its name."""
    known = _bay_at(session, place)
    if known is not None:
        return known
    dock = session.get_one(Dock, dock_id)
    number = max((bay.position for bay in dock.bays), default=0) + 1
    bay = Bay(position=number, name=f"Bay {number}", places=[place])
    dock.bays.append(bay)
    session.flush()
    events.record(session, "bay.learned", "bay", bay.id, dock=dock.name, name=bay.name, place=place)
    return bay


def add_place(session: Session, bay_id: str, place: str, *, actor: str) -> Bay:
    """Let one more place be a bay; raises PlaceTaken when it belongs to another."""
    bay = session.get_one(Bay, bay_id)
    known = _bay_at(session, place)
    if known is not None and known is not bay:
        raise PlaceTaken(place=place, bay=known.name)
    if known is None:
        bay.places = [*bay.places, place]
        events.record(session, "bay.place-added", "bay", bay.id, actor=actor, place=place)
    return bay


def remove_place(session: Session, bay_id: str, place: str, *, actor: str) -> Bay:
    """Let a place be no part of a bay any more."""
    bay = session.get_one(Bay, bay_id)
    if place in bay.places:
        bay.places = [one for one in bay.places if one != place]
        events.record(session, "bay.place-removed", "bay", bay.id, actor=actor, place=place)
    return bay


def _bay_at(session: Session, place: str) -> Bay | None:
    return next((bay for dock in local_docks(session) for bay in dock.bays if place in bay.places), None)


def empty(session: Session, bay_id: str) -> None:
    """Write down that nothing is in a bay any more."""
    bay = session.get_one(Bay, bay_id)
    if bay.camera_id is not None:
        events.record(session, "camera.undocked", "camera", bay.camera_id, bay=bay.name)
    bay.state, bay.camera_id, bay.docked_at = BayState.EMPTY, None, None
    _no_progress(bay)


def enter(session: Session, bay_id: str, state: BayState, problem: BodywornError | None = None) -> None:
    """Write down what goes on in a bay; the event says why when it is a problem."""
    bay = session.get_one(Bay, bay_id)
    before = (bay.state, bay.problem_id)
    bay.state = state
    bay.problem_id = problem.id if problem else None
    bay.problem_values = dict(problem.values) if problem else None
    if state is BayState.CONNECTING:
        bay.camera_id, bay.docked_at = None, datetime.now(UTC)
        _no_progress(bay)
    if state in (BayState.READY, BayState.LEAVING):
        bay.done_bytes, bay.bytes_per_second = bay.total_bytes, None
    if state is not BayState.OFFLOADING:
        _no_forecast(bay)
    if (state, bay.problem_id) != before:
        events.record(
            session,
            f"bay.{state}",
            "bay",
            bay_id,
            result=problem.id if problem else "done",
            camera=bay.camera_id,
        )


def expect(session: Session, bay_id: str, total_bytes: int) -> None:
    """Write down how much this docking's offload is."""
    bay = session.get_one(Bay, bay_id)
    bay.total_bytes, bay.done_bytes, bay.progress_at = total_bytes, 0, datetime.now(UTC)


def progress(session: Session, by_bay: Mapping[str, BayProgress]) -> None:
    """Write down how far several bays are, in one transaction; no events, because nothing is decided."""
    now = datetime.now(UTC)
    for bay in session.scalars(select(Bay).where(Bay.id.in_(by_bay))):
        seen = by_bay[bay.id]
        bay.done_bytes, bay.bytes_per_second, bay.progress_at = seen.done_bytes, seen.bytes_per_second, now
        if bay.state is BayState.OFFLOADING:  # it may have ended since it was looked at
            bay.waiting, bay.turn_in_seconds = seen.waiting, seen.turn_in_seconds
            bay.ready_in_seconds = seen.ready_in_seconds


def _no_progress(bay: Bay) -> None:
    bay.total_bytes = bay.done_bytes = 0
    bay.bytes_per_second = bay.progress_at = None
    bay.problem_id = bay.problem_values = None
    _no_forecast(bay)


def _no_forecast(bay: Bay) -> None:
    bay.waiting, bay.turn_in_seconds, bay.ready_in_seconds = False, None, None
