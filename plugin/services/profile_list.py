"""Camera profiles as pages show them: who has them, which version each camera has, how much storage they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from ..models import Bay, Belonging, Camera, CameraUser, Clip, ClipKind, Profile, Recording, Trust
from . import camera_settings, profile_settings, profiles
from .paging import Page, paged
from .profile_settings import ProfileSettings
from .sentence import Sentence, Tone, sentence

#: So many of the latest recordings tell how much an hour takes.
_MEASURED_RECORDINGS = 100
#: Less than this tells nothing about an hour.
_LEAST_MEASURED_SECONDS = 60.0
_HOUR_SECONDS = 3600


@dataclass(frozen=True)
class ProfileRow:
    """A profile in a list."""

    id: str
    name: str
    default: bool
    version: int
    settings: ProfileSettings
    #: Users who have it.
    users: int
    #: Cameras that are to have it and take settings, and how many of them have this version already.
    cameras: int
    up_to_date: int


@dataclass(frozen=True)
class Measured:
    """What recordings made with this version of a profile took."""

    recordings: int
    bytes_per_hour: int


@dataclass(frozen=True)
class ProfileDetail:
    """One profile, whole."""

    row: ProfileRow
    #: True when nobody has it and new users get another one.
    removable: bool
    #: None while nothing was recorded with this version.
    measured: Measured | None


@dataclass(frozen=True)
class CameraVersion:
    """Which version of the profile a camera has that is to have it."""

    id: str
    name: str
    user: str | None
    word: Sentence
    tone: Tone


@dataclass(frozen=True)
class CameraProfile:
    """The profile that a camera is to have, and which version of it it has."""

    id: str
    name: str
    word: Sentence
    tone: Tone


def rows(session: Session) -> list[ProfileRow]:
    """List all profiles; the default one first, the others by name."""
    found = session.scalars(select(Profile).order_by(Profile.default.desc(), Profile.name))
    holders = _holders(session)
    return [holders.row(one) for one in found]


def profile(session: Session, profile_id: str) -> ProfileDetail:
    """Give one profile; raises UnknownProfile."""
    found = profiles.get(session, profile_id)
    row = _holders(session).row(found)
    return ProfileDetail(row, removable=not (row.default or row.users), measured=_measured(session, found))


def cameras(session: Session, profile_id: str, page: int) -> Page[CameraVersion]:
    """List the cameras that are to have a profile, with the version that they have; raises UnknownProfile."""
    found = profiles.get(session, profile_id)
    # those that wait for the latest version are what somebody looks for
    query = select(Camera).where(_added(found)).order_by(_has_version(found), Camera.name, Camera.id)
    listed = paged(session, query, page, lambda camera: camera)
    docked = set(session.scalars(select(Bay.camera_id).where(Bay.camera_id.in_([one.id for one in listed.rows]))))
    users = _users(session, listed.rows)
    shown = [_camera(found, one, users.get(one.camera_user_id or ""), one.id in docked) for one in listed.rows]
    return Page(shown, listed.total, listed.number, listed.size)


def of_camera(session: Session, camera: Camera) -> CameraProfile | None:
    """Tell which profile a camera is to have and how far it has it; None for a camera that does not belong."""
    if camera.belonging is not Belonging.ADDED:
        return None
    user = session.get(CameraUser, camera.camera_user_id) if camera.camera_user_id else None
    found = camera_settings.profile_of(session, user)
    if found is None:
        return None
    docked = session.scalars(select(Bay.id).where(Bay.camera_id == camera.id)).first() is not None
    return CameraProfile(found.id, found.name, *_version_word(found, camera, docked))


@dataclass(frozen=True)
class _Holders:
    """Who has which profile; of cameras, also which version of which profile each has by now."""

    users: Mapping[str, int]
    cameras: Mapping[tuple[str, str | None, int | None], int]

    def row(self, found: Profile) -> ProfileRow:
        """Make the row of a profile."""
        return ProfileRow(
            id=found.id,
            name=found.name,
            default=found.default,
            version=found.version,
            settings=profile_settings.read(found),
            users=self.users.get(found.id, 0),
            cameras=sum(count for (wanted, _, _), count in self.cameras.items() if wanted == found.id),
            up_to_date=self.cameras.get((found.id, found.id, found.version), 0),
        )


def _holders(session: Session) -> _Holders:
    """Count users and cameras of all profiles at once; who has none has the default one."""
    default = select(Profile.id).where(Profile.default).scalar_subquery()
    wanted = func.coalesce(CameraUser.profile_id, default).label("wanted")
    users = select(wanted, func.count()).where(CameraUser.active).group_by(wanted)
    has = (wanted, Camera.applied_profile_id, Camera.applied_profile_version)
    cameras_counted = (
        select(*has, func.count(Camera.id))
        .outerjoin(CameraUser, CameraUser.id == Camera.camera_user_id)
        .where(Camera.belonging == Belonging.ADDED, Camera.trust == Trust.ATTESTED)
        .group_by(*has)
    )
    by_version = session.execute(cameras_counted)
    return _Holders(
        users={one: count for one, count in session.execute(users) if one},
        cameras={(one, held, version): count for one, held, version, count in by_version},
    )


def _added(found: Profile) -> ColumnElement[bool]:
    return and_(Camera.belonging == Belonging.ADDED, profiles.wearing(found))


def _has_version(found: Profile) -> ColumnElement[bool]:
    return and_(
        Camera.applied_profile_id.is_not(None),
        Camera.applied_profile_id == found.id,
        Camera.applied_profile_version == found.version,
    )


def _camera(found: Profile, camera: Camera, user: str | None, docked: bool) -> CameraVersion:
    word, tone = _version_word(found, camera, docked)
    return CameraVersion(camera.id, camera.name, user, word, tone)


def _version_word(found: Profile, camera: Camera, docked: bool) -> tuple[Sentence, Tone]:
    if camera.trust is not Trust.ATTESTED:
        return sentence("Takes no settings from here"), Tone.INACTIVE
    if camera.applied_profile_id == found.id and camera.applied_profile_version == found.version:
        return sentence("Version {version}", version=found.version), Tone.OKAY
    if docked:
        return sentence("Version {version} at its next turn", version=found.version), Tone.MOVING
    if camera.applied_profile_version is None:
        return sentence("Not known until it is docked"), Tone.ATTENTION
    if camera.applied_profile_id != found.id:
        return sentence("Another profile until it is docked"), Tone.ATTENTION
    before = camera.applied_profile_version
    return sentence("Version {version} until it is docked", version=before), Tone.ATTENTION


def _users(session: Session, cameras_shown: Sequence[Camera]) -> dict[str, str]:
    ids = {one.camera_user_id for one in cameras_shown if one.camera_user_id}
    return {user.id: user.name for user in session.scalars(select(CameraUser).where(CameraUser.id.in_(ids)))}


def _measured(session: Session, found: Profile) -> Measured | None:
    """Measure the latest recordings that cameras made with just the settings that they have now."""
    by_these_settings = exists().where(
        Camera.id == Recording.camera_id,
        Camera.applied_settings == Recording.settings_sequence,
        Camera.applied_profile_id == found.id,
        Camera.applied_profile_version == found.version,
    )
    query = select(Recording).where(by_these_settings).order_by(Recording.start_at.desc()).limit(_MEASURED_RECORDINGS)
    latest = session.scalars(query).unique().all()
    seconds = sum((one.stop_at - one.start_at).total_seconds() for one in latest)
    if seconds < _LEAST_MEASURED_SECONDS:
        return None
    clips = select(func.sum(Clip.size_bytes)).where(
        Clip.recording_id.in_([one.id for one in latest]), Clip.kind == ClipKind.CLIP
    )
    size_bytes = int(session.scalars(clips).one() or 0)
    return Measured(len(latest), round(size_bytes / seconds * _HOUR_SECONDS))
