"""Camera users as pages show them: a list of any length, and one user with cameras and history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

from ..models import Camera, CameraUser, Profile
from . import destinations, parcels, users
from .deliveries import can
from .history import EventLine, history
from .paging import Page, like, paged


class Show(StrEnum):
    """Which users a list shows; who was removed shows only where asked for."""

    ALL = "all"
    WITHOUT_CAMERA = "without-camera"
    REMOVED = "removed"


class Sort(StrEnum):
    """What a list of users is sorted by."""

    NAME = "name"
    USER_ID = "user-id"
    PROFILE = "profile"


@dataclass(frozen=True)
class UserQuery:
    """Which users to list, as it stands in the address of the page."""

    search: str = ""
    show: Show = Show.ALL
    sort: Sort = Sort.NAME
    page: int = 1


@dataclass(frozen=True)
class NamedCamera:
    """A camera that somebody wears."""

    id: str
    name: str
    #: True while it has not taken over what was decided here.
    settings_waiting: bool


@dataclass(frozen=True)
class UserRow:
    """A user in a list."""

    id: str
    name: str
    user_id: str | None
    profile: str | None
    active: bool
    cameras: Sequence[NamedCamera]


@dataclass(frozen=True)
class UserDetail:
    """One user, whole."""

    row: UserRow
    profile_id: str | None
    created_at: datetime
    #: Whether the destination knows this user as shown here; None where there is no destination.
    told: bool | None
    #: Whether the destination keeps user IDs; None where there is no destination.
    keeps_user_ids: bool | None
    history: Sequence[EventLine]


@dataclass(frozen=True)
class ProfileChoice:
    """A profile to choose."""

    id: str
    name: str
    default: bool


_ORDER = {
    Sort.NAME: (CameraUser.name, CameraUser.id),
    Sort.USER_ID: (CameraUser.user_id.is_(None), CameraUser.user_id, CameraUser.name, CameraUser.id),
    Sort.PROFILE: (Profile.name, CameraUser.name, CameraUser.id),
}


def listed(session: Session, wanted: UserQuery) -> Page[UserRow]:
    """List the users that a query asks for."""
    page = paged(session, _query(wanted).order_by(*_ORDER[wanted.sort]), wanted.page, lambda user: user)
    return Page(_rows(session, page.rows), page.total, page.number, page.size)


def matching_ids(session: Session, wanted: UserQuery) -> list[str]:
    """Name every user that a query asks for, on whichever page."""
    return list(session.scalars(_query(wanted).with_only_columns(CameraUser.id)))


def user(session: Session, camera_user_id: str) -> UserDetail:
    """Give one user, removed or not; raises UnknownCameraUser."""
    found, destination = users.get(session, camera_user_id), destinations.active(session)
    return UserDetail(
        row=_rows(session, [found])[0],
        profile_id=found.profile_id,
        created_at=found.created_at,
        told=parcels.knows_user(found, destination) if destination else None,
        keeps_user_ids=can(destination).user_id_key if destination else None,
        history=history(session, "user", [found.id], newest_first=True),
    )


def profile_choices(session: Session) -> list[ProfileChoice]:
    """List the profiles to choose from, by name."""
    found = session.scalars(select(Profile).order_by(Profile.name))
    return [ProfileChoice(one.id, one.name, one.default) for one in found]


def _query(wanted: UserQuery) -> Select[Any]:
    query = select(CameraUser).outerjoin(Profile, Profile.id == CameraUser.profile_id)
    query = query.where(CameraUser.active.is_(wanted.show is not Show.REMOVED))
    if wanted.show is Show.WITHOUT_CAMERA:
        query = query.where(~exists().where(Camera.camera_user_id == CameraUser.id))
    if wanted.search:
        columns = (CameraUser.name, CameraUser.user_id, Profile.name)
        query = query.where(or_(*(column.ilike(like(wanted.search), escape="\\") for column in columns)))
    return query


def _rows(session: Session, found: Sequence[CameraUser]) -> list[UserRow]:
    profiles: Mapping[str, str] = dict(session.execute(select(Profile.id, Profile.name)).all())
    default = users.default_profile(session)
    worn: dict[str, list[NamedCamera]] = {}
    rows = select(Camera).where(Camera.camera_user_id.in_([one.id for one in found]))
    for camera in session.scalars(rows.order_by(Camera.name, Camera.id)):
        waiting = (camera.applied_settings or 0) < camera.wanted_settings
        worn.setdefault(camera.camera_user_id or "", []).append(NamedCamera(camera.id, camera.name, waiting))
    return [
        UserRow(
            id=one.id,
            name=one.name,
            user_id=one.user_id,
            profile=profiles.get(one.profile_id or (default.id if default else "")),
            active=one.active,
            cameras=worn.get(one.id, ()),
        )
        for one in found
    ]
