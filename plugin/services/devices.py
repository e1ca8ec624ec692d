"""What the Devices page shows: docks with their bays in physical order. Lists of cameras are in ``camera_list``.

Everything here is frozen and detached from the database. Changing anything is done by ``cameras`` and ``docks``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ..models import Bay, BayState, Belonging, Camera, CameraUser, Controller, Dock
from .sentence import Problem, Sentence, Tone, problem, sentence

#: Progress is written every second; figures older than this are shown as what they are: old.
STALE_AFTER = timedelta(seconds=10)

_BAY_STATES: Mapping[BayState, tuple[Tone, Sentence]] = {
    BayState.EMPTY: (Tone.INACTIVE, sentence("Empty")),
    BayState.CONNECTING: (Tone.MOVING, sentence("Connecting")),
    BayState.NEW: (Tone.ATTENTION, sentence("New")),
    BayState.LOCKED: (Tone.ATTENTION, sentence("Locked")),
    BayState.SYNCHRONISING: (Tone.MOVING, sentence("Synchronising")),
    BayState.OFFLOADING: (Tone.MOVING, sentence("Offloading")),
    BayState.READY: (Tone.OKAY, sentence("Ready")),
    BayState.LEAVING: (Tone.MOVING, sentence("Being removed")),
    BayState.REMOVED: (Tone.INACTIVE, sentence("Removed")),
    BayState.PROBLEM: (Tone.PROBLEM, sentence("Problem")),
}


@dataclass(frozen=True)
class State:
    """A state as it is shown: word and tone, never one without the other."""

    tone: Tone
    word: Sentence


#: Its offload stands in line.
_WAITING = State(Tone.INACTIVE, sentence("Waiting"))


@dataclass(frozen=True)
class Progress:
    """How far an offload is."""

    done_bytes: int
    total_bytes: int
    #: Over the last minute; None while nothing moves or nothing was heard for a while.
    bytes_per_second: float | None
    #: None when nobody can know.
    seconds_left: float | None
    #: Since when nothing was heard; None while the figures are fresh.
    stale_since: datetime | None
    #: True while it stands in line, because as many cameras are offloaded as may be at a time.
    waiting: bool = False
    #: Until its turn comes; None when it has one, or nobody can know.
    turn_in_seconds: float | None = None

    @property
    def percent(self) -> int:
        """Whole per cents, rounded down, so that 100 means all."""
        return self.done_bytes * 100 // self.total_bytes if self.total_bytes else 0


@dataclass(frozen=True)
class DockedCamera:
    """The camera in a bay."""

    id: str
    name: str
    serial: str
    model: str
    user: str | None
    is_new: bool
    battery_percent: int | None
    charging: bool | None
    storage_percent: int | None


@dataclass(frozen=True)
class BayView:
    """One place of a dock, as it is now."""

    id: str
    name: str
    position: int
    state: State
    camera: DockedCamera | None
    since: datetime | None
    progress: Progress | None
    problem: Problem | None
    #: True when everything is stored and the camera is up to date.
    safe_to_undock: bool

    @property
    def who(self) -> str | None:
        """Name to look for: the camera user's, else the camera's."""
        return (self.camera.user or self.camera.name) if self.camera else None


@dataclass(frozen=True)
class DockView:
    """A dock with its bays in physical order."""

    id: str
    name: str
    controller: str
    bays: Sequence[BayView]
    #: Sum over its bays; None while nothing moves.
    bytes_per_second: float | None

    @property
    def camera_count(self) -> int:
        """Count the bays in which a camera stands, or something that is being asked whether it is one."""
        return sum(bay.camera is not None or bay.state.tone is Tone.MOVING for bay in self.bays)

    @property
    def new_cameras(self) -> Sequence[DockedCamera]:
        """List the docked cameras that nobody added yet."""
        return [bay.camera for bay in self.bays if bay.camera is not None and bay.camera.is_new]


def docks(session: Session, now: datetime, dock_ids: Sequence[str] | None = None) -> list[DockView]:
    """List docks with their bays, by controller and position: every one, or those that are asked for."""
    query = select(Dock, Controller.name).join(Controller, Controller.id == Dock.controller_id)
    query = query.options(selectinload(Dock.bays)).order_by(Controller.name, Dock.position, Dock.id)
    if dock_ids is not None:
        query = query.where(Dock.id.in_(dock_ids))
    found = session.execute(query).all()
    bays = [bay for dock, _ in found for bay in dock.bays]
    cameras = _cameras(session, [bay.camera_id for bay in bays if bay.camera_id])
    return [_dock(dock, controller, cameras, now) for dock, controller in found]


def bay_state(state: BayState, *, waiting: bool = False) -> State:
    """Give the word and tone of a bay's state; ``waiting``: its offload stands in line."""
    return _WAITING if waiting else State(*_BAY_STATES[state])


def user_label(user: CameraUser) -> str:
    """Show a camera user with the organisation's own number, where there is one."""
    return f"{user.name} ({user.user_id})" if user.user_id else user.name


def storage_percent(camera: Camera) -> int | None:
    """Give how full a camera is; None when it never said."""
    if not camera.storage_total_bytes or camera.storage_used_bytes is None:
        return None
    return min(100, round(camera.storage_used_bytes * 100 / camera.storage_total_bytes))


def overdue(session: Session, now: datetime) -> list[str]:
    """List the bays whose figures have become old, so that a page notices that nobody writes any more."""
    silent = select(Bay.id).where(Bay.state == BayState.OFFLOADING, Bay.progress_at < now - STALE_AFTER)
    return list(session.scalars(silent.order_by(Bay.id)))


def _cameras(session: Session, ids: Sequence[str]) -> dict[str, DockedCamera]:
    query = select(Camera, CameraUser).outerjoin(CameraUser, CameraUser.id == Camera.camera_user_id)
    return {camera.id: _docked(camera, user) for camera, user in session.execute(query.where(Camera.id.in_(ids)))}


def _docked(camera: Camera, user: CameraUser | None) -> DockedCamera:
    return DockedCamera(
        id=camera.id,
        name=camera.name,
        serial=camera.serial,
        model=camera.model,
        user=user_label(user) if user else None,
        is_new=camera.belonging is Belonging.NEW and camera.locked_at is None,
        battery_percent=camera.battery_percent,
        charging=camera.charging,
        storage_percent=storage_percent(camera),
    )


def _dock(dock: Dock, controller: str, cameras: Mapping[str, DockedCamera], now: datetime) -> DockView:
    bays = [_bay(bay, cameras, now) for bay in dock.bays]
    rates = [bay.progress.bytes_per_second for bay in bays if bay.progress and bay.progress.bytes_per_second]
    return DockView(dock.id, dock.name, controller, bays, sum(rates) if rates else None)


def _bay(bay: Bay, cameras: Mapping[str, DockedCamera], now: datetime) -> BayView:
    return BayView(
        id=bay.id,
        name=bay.name,
        position=bay.position,
        state=bay_state(bay.state, waiting=bay.waiting),
        camera=cameras.get(bay.camera_id) if bay.camera_id else None,
        since=bay.docked_at,
        progress=_progress(bay, now) if bay.state is BayState.OFFLOADING and bay.total_bytes else None,
        problem=problem(bay.problem_id, bay.problem_values),
        safe_to_undock=bay.state is BayState.READY,
    )


def _progress(bay: Bay, now: datetime) -> Progress:
    stale = bay.progress_at is not None and now - bay.progress_at > STALE_AFTER
    rate = None if stale else bay.bytes_per_second
    ready = (bay.total_bytes - bay.done_bytes) / rate if rate and bay.ready_in_seconds is None else bay.ready_in_seconds
    return Progress(
        done_bytes=bay.done_bytes,
        total_bytes=bay.total_bytes,
        bytes_per_second=rate,
        seconds_left=None if stale else ready,
        waiting=bay.waiting and not stale,
        turn_in_seconds=None if stale else bay.turn_in_seconds,
        stale_since=bay.progress_at if stale else None,
    )
