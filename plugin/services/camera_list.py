"""Cameras as lists show them, and one camera with its history. Docks are in ``devices``; changes are in ``cameras``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from ..errors import CameraLocked
from ..models import Bay, Belonging, Camera, CameraUser, Dock, Trust
from .cameras import get
from .devices import State, bay_state, storage_percent, user_label
from .history import EventLine, history
from .paging import Page, like, paged
from .profile_list import CameraProfile, of_camera
from .sentence import Problem, Tone, problem, sentence


class Show(StrEnum):
    """Which cameras a list shows."""

    ALL = "all"
    DOCKED = "docked"
    IN_USE = "in-use"
    NEW = "new"
    LOCKED = "locked"
    UNASSIGNED = "unassigned"
    PROBLEM = "problem"


class Sort(StrEnum):
    """What a list of cameras is sorted by."""

    NAME = "name"
    USER = "user"
    #: Latest first.
    SEEN = "seen"


@dataclass(frozen=True)
class CameraQuery:
    """Which cameras to list, as it stands in the address of the page."""

    search: str = ""
    show: Show = Show.ALL
    sort: Sort = Sort.NAME
    page: int = 1


@dataclass(frozen=True)
class CameraRow:
    """A camera in a list."""

    id: str
    name: str
    serial: str
    model: str
    user: str | None
    state: State
    #: Dock and bay; None while it is not docked.
    place: str | None
    battery_percent: int | None
    storage_percent: int | None
    last_seen_at: datetime


@dataclass(frozen=True)
class CameraDetail:
    """One camera, whole."""

    row: CameraRow
    belongs: bool
    #: True while it waits for the passphrase of the master key.
    locked: bool
    #: Since when it is to leave the system; None while it is to stay.
    leaving_since: datetime | None
    #: True once it left.
    removed: bool
    #: True when it proves by a key who it is.
    attested: bool
    manufacturer: str
    firmware: str
    charging: bool | None
    storage_used_bytes: int | None
    storage_total_bytes: int | None
    clock_offset_seconds: float | None
    first_seen_at: datetime
    lease_until: datetime | None
    #: True while the camera has not taken over what was decided here.
    settings_waiting: bool
    problem: Problem | None
    #: What went wrong in the bay in which it stands now.
    bay_problem: Problem | None
    camera_user_id: str | None
    #: None for a camera that does not belong to the system.
    profile: CameraProfile | None
    history: Sequence[EventLine]


@dataclass(frozen=True)
class UserChoice:
    """A camera user to choose."""

    id: str
    label: str


#: So many new cameras are listed to be added together.
_NEW_AT_ONCE = 50
_ORDER = {
    Sort.NAME: (Camera.name, Camera.id),
    Sort.USER: (CameraUser.name.is_(None), CameraUser.name, Camera.name, Camera.id),
    Sort.SEEN: (Camera.last_seen_at.desc(), Camera.id),
}


def cameras(session: Session, wanted: CameraQuery) -> Page[CameraRow]:
    """List the cameras that a query asks for."""
    page = paged(session, _query(wanted).order_by(*_ORDER[wanted.sort]), wanted.page, lambda camera: camera)
    rows = _rows(session, page.rows)
    return Page(rows, page.total, page.number, page.size)


def matching_ids(session: Session, wanted: CameraQuery) -> list[str]:
    """Name every camera that a query asks for, on whichever page."""
    return list(session.scalars(_query(wanted).with_only_columns(Camera.id)))


def wearers(session: Session, camera_ids: Sequence[str]) -> list[str]:
    """Name the users to whom these cameras are assigned, each once."""
    known = select(Camera.id, Camera.camera_user_id).where(Camera.camera_user_id.is_not(None))
    worn_by = {camera_id: user_id for camera_id, user_id in session.execute(known) if user_id}
    return sorted({worn_by[one] for one in camera_ids if one in worn_by})


def new_cameras(session: Session) -> Page[CameraRow]:
    """List the first cameras that are docked and belong to nobody yet, in the order of their bays."""
    query = select(Camera).join(Bay, Bay.camera_id == Camera.id).join(Dock, Dock.id == Bay.dock_id)
    query = query.where(Camera.belonging == Belonging.NEW, Camera.locked_at.is_(None)).order_by(
        Dock.position, Bay.position
    )
    page = paged(session, query, 1, lambda camera: camera, _NEW_AT_ONCE)
    return Page(_rows(session, page.rows), page.total, page.number, page.size)


def camera(session: Session, camera_id: str) -> CameraDetail:
    """Give one camera; raises UnknownCamera."""
    found = get(session, camera_id)
    return CameraDetail(
        row=_rows(session, [found])[0],
        belongs=found.belonging is Belonging.ADDED,
        locked=found.locked_at is not None,
        leaving_since=found.removal_asked_at,
        removed=found.belonging is Belonging.REMOVED,
        attested=found.trust is Trust.ATTESTED,
        manufacturer=found.manufacturer,
        firmware=found.firmware,
        charging=found.charging,
        storage_used_bytes=found.storage_used_bytes,
        storage_total_bytes=found.storage_total_bytes,
        clock_offset_seconds=found.clock_offset_seconds,
        first_seen_at=found.first_seen_at,
        lease_until=found.lease_until,
        settings_waiting=found.belonging is Belonging.ADDED and (found.applied_settings or 0) < found.wanted_settings,
        problem=_problem(found),
        bay_problem=_bay_problem(session, found),
        camera_user_id=found.camera_user_id,
        profile=of_camera(session, found),
        history=history(session, "camera", [found.id], newest_first=True),
    )


def user_choices(session: Session) -> list[UserChoice]:
    """List the users to whom a camera can be assigned."""
    users = session.scalars(select(CameraUser).where(CameraUser.active).order_by(CameraUser.name, CameraUser.id))
    return [UserChoice(user.id, user_label(user)) for user in users]


def _problem(found: Camera) -> Problem | None:
    if found.problem_id is None and found.locked_at is not None:
        return problem(CameraLocked.id, {"serial": found.serial})
    return problem(found.problem_id, found.problem_values)


def _bay_problem(session: Session, found: Camera) -> Problem | None:
    bay = session.scalars(select(Bay).where(Bay.camera_id == found.id)).first()
    return problem(bay.problem_id, bay.problem_values) if bay else None


def _query(wanted: CameraQuery) -> Select[Any]:
    query = select(Camera).outerjoin(CameraUser, CameraUser.id == Camera.camera_user_id)
    query = _shown(query, wanted.show)
    return query.where(_matches(wanted.search)) if wanted.search else query


def _shown(query: Select[Any], show: Show) -> Select[Any]:
    docked = select(Bay.camera_id).where(Bay.camera_id.is_not(None))
    if show is Show.NEW:
        return query.where(Camera.belonging == Belonging.NEW, Camera.locked_at.is_(None))
    # cameras from before a restore belong to the system, although nobody added them here
    query = query.where(or_(Camera.belonging == Belonging.ADDED, Camera.locked_at.is_not(None)))
    match show:
        case Show.DOCKED:
            return query.where(Camera.id.in_(docked))
        case Show.IN_USE:
            return query.where(Camera.id.not_in(docked), Camera.camera_user_id.is_not(None))
        case Show.LOCKED:
            return query.where(Camera.locked_at.is_not(None))
        case Show.UNASSIGNED:
            return query.where(Camera.camera_user_id.is_(None))
        case Show.PROBLEM:
            ill = select(Bay.camera_id).where(Bay.camera_id.is_not(None), Bay.problem_id.is_not(None))
            return query.where(or_(Camera.problem_id.is_not(None), Camera.id.in_(ill)))
        case _:
            return query


def _matches(search: str) -> Any:
    pattern = like(search)
    columns = (Camera.name, Camera.serial, CameraUser.name, CameraUser.user_id)
    return or_(*(column.ilike(pattern, escape="\\") for column in columns))


def _rows(session: Session, found: Sequence[Camera]) -> list[CameraRow]:
    ids = [camera.id for camera in found]
    users = {
        user.id: user_label(user)
        for user in session.scalars(select(CameraUser).where(CameraUser.id.in_({c.camera_user_id for c in found})))
    }
    query = select(Bay, Dock.name).join(Dock, Dock.id == Bay.dock_id).where(Bay.camera_id.in_(ids))
    bays = {bay.camera_id: (bay, dock) for bay, dock in session.execute(query) if bay.camera_id}
    return [_row(camera, users, bays.get(camera.id)) for camera in found]


def _row(camera: Camera, users: Mapping[str, str], docked: tuple[Bay, str] | None) -> CameraRow:
    return CameraRow(
        id=camera.id,
        name=camera.name,
        serial=camera.serial,
        model=camera.model,
        user=users.get(camera.camera_user_id) if camera.camera_user_id else None,
        state=_state(camera, docked[0] if docked else None),
        place=f"{docked[1]} · {docked[0].name}" if docked else None,
        battery_percent=camera.battery_percent,
        storage_percent=storage_percent(camera),
        last_seen_at=camera.last_seen_at,
    )


def _state(camera: Camera, bay: Bay | None) -> State:
    if camera.locked_at is not None:
        return State(Tone.ATTENTION, sentence("Locked"))
    if camera.belonging is Belonging.NEW:
        return State(Tone.ATTENTION, sentence("New"))
    if camera.problem_id is not None:
        return State(Tone.PROBLEM, sentence("Problem"))
    if camera.belonging is Belonging.REMOVED:
        return State(Tone.INACTIVE, sentence("Removed"))
    if bay is not None:
        return bay_state(bay.state, waiting=bay.waiting)
    if camera.removal_asked_at is not None:
        return State(Tone.ATTENTION, sentence("To be removed"))
    word = sentence("In use") if camera.camera_user_id else sentence("Not docked")
    return State(Tone.INACTIVE, word)
