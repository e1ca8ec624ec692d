"""Docks and bays: make them, and write down what was seen in them. What to do with a camera is in ``cameras``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..errors import BodywornError
from ..models import Bay, BayState, Dock, DockKind
from . import events, systems


@dataclass(frozen=True)
class BayProgress:
    """How far a bay's offload is; ``bytes_per_second`` is None while nothing moves."""

    done_bytes: int
    bytes_per_second: float | None


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
    if state is BayState.READY:
        bay.done_bytes, bay.bytes_per_second = bay.total_bytes, None
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


def _no_progress(bay: Bay) -> None:
    bay.total_bytes = bay.done_bytes = 0
    bay.bytes_per_second = bay.progress_at = None
    bay.problem_id = bay.problem_values = None
