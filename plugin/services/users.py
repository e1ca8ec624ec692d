"""Camera users: created, changed, removed, brought back. Operators of the host are the host's; lists are elsewhere.

A user is never deleted: recordings name whoever made them for good. Who is removed is inactive, here and at the
destination.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import UnknownCameraUser, UserIdOfRemovedUser, UserIdTaken
from ..models import Belonging, Camera, CameraUser, Profile, new_id
from . import cameras, events, profiles, systems
from .person_names import name_of, user_id_of


def create_user(
    session: Session, *, name: str, user_id: str | None = None, profile_id: str | None = None, actor: str
) -> CameraUser:
    """Create a camera user, with the default profile where none is given.

    :raises UserNameUnfit: or UserIdUnfit; UserIdTaken, or UserIdOfRemovedUser; UnknownProfile.
    """
    kept_name, kept_id = name_of(name), user_id_of(user_id or "")
    _refuse_taken(session, kept_id)
    profile = profiles.get(session, profile_id) if profile_id else default_profile(session)
    user = CameraUser(
        id=new_id(),
        name=kept_name,
        user_id=kept_id,
        profile_id=profile.id if profile else None,
        active=True,
        created_at=datetime.now(UTC),
    )
    session.add(user)
    session.flush()
    events.record(session, "user.created", "user", user.id, actor=actor, name=kept_name, user_id=kept_id)
    return user


def change_user(
    session: Session, camera_user_id: str, *, name: str, user_id: str | None, profile_id: str | None, actor: str
) -> CameraUser:
    """Rename a user, give another user ID, another profile; cameras and destination are told of what differs.

    ``profile_id`` None leaves the profile as it is.

    :raises UnknownCameraUser: also for one who was removed; and what :func:`create_user` raises.
    """
    user = get_active(session, camera_user_id)
    kept_name, kept_id = name_of(name), user_id_of(user_id or "")
    if kept_id != user.user_id:
        _refuse_taken(session, kept_id)
    profile = profiles.get(session, profile_id) if profile_id else None
    differs = _rename(session, user, kept_name, actor)
    differs |= _number(session, user, kept_id, actor)
    differs |= profile is not None and _give(session, user, profile, actor)
    if differs:
        _tell_cameras(session, user)
    return user


def give_profile(session: Session, camera_user_ids: Iterable[str], profile_id: str, *, actor: str) -> int:
    """Give a profile to users; gives how many had another one.

    :raises UnknownProfile: or UnknownCameraUser, and then nobody got it.
    """
    profile = profiles.get(session, profile_id)
    changed = [one for one in _all(session, camera_user_ids) if _give(session, one, profile, actor)]
    for user in changed:
        _tell_cameras(session, user)
    return len(changed)


def remove_user(session: Session, camera_user_id: str, *, actor: str) -> None:
    """Remove a user: inactive here and at the destination, and the user's cameras belong to nobody.

    What those cameras recorded, and record until they are docked, stays the user's.

    :raises UnknownCameraUser: also for one who was removed before.
    """
    user = get_active(session, camera_user_id)
    for camera in cameras_of(session, user.id):
        cameras.assign(session, camera.id, None, actor=actor)
    user.active = False
    session.flush()
    events.record(session, "user.removed", "user", user.id, actor=actor, name=user.name)


def bring_back(session: Session, camera_user_id: str, *, actor: str) -> CameraUser:
    """Make a removed user active again, the same person to recordings and destination, without a camera.

    :raises UnknownCameraUser: when nobody was removed by that identifier.
    """
    user = get(session, camera_user_id)
    if user.active:
        raise UnknownCameraUser
    user.active = True
    session.flush()
    events.record(session, "user.brought-back", "user", user.id, actor=actor, name=user.name)
    return user


def get(session: Session, camera_user_id: str) -> CameraUser:
    """Give a user, removed or not; raises UnknownCameraUser."""
    user = session.get(CameraUser, camera_user_id)
    if user is None:
        raise UnknownCameraUser
    return user


def get_active(session: Session, camera_user_id: str) -> CameraUser:
    """Give a user who was not removed; raises UnknownCameraUser."""
    user = get(session, camera_user_id)
    if not user.active:
        raise UnknownCameraUser
    return user


def active_users(session: Session) -> list[CameraUser]:
    """List camera users who are not removed, by name."""
    return list(session.scalars(select(CameraUser).where(CameraUser.active).order_by(CameraUser.name)))


def cameras_of(session: Session, camera_user_id: str) -> list[Camera]:
    """List the cameras that are assigned to a user, by name."""
    mine = select(Camera).where(Camera.camera_user_id == camera_user_id)
    return list(session.scalars(mine.order_by(Camera.name, Camera.id)))


def default_profile(session: Session) -> Profile | None:
    """Give the profile that new users get."""
    return session.scalars(select(Profile).where(Profile.default)).first()


def _rename(session: Session, user: CameraUser, name: str, actor: str) -> bool:
    if user.name == name:
        return False
    before, user.name = user.name, name
    events.record(session, "user.renamed", "user", user.id, actor=actor, before=before, after=name)
    return True


def _number(session: Session, user: CameraUser, user_id: str | None, actor: str) -> bool:
    if user.user_id == user_id:
        return False
    before, user.user_id = user.user_id, user_id
    action = "user.id-changed" if user_id else "user.id-taken-away"
    events.record(session, action, "user", user.id, actor=actor, before=before, user_id=user_id)
    return True


def _give(session: Session, user: CameraUser, profile: Profile, actor: str) -> bool:
    if user.profile_id == profile.id:
        return False
    user.profile_id = profile.id
    events.record(session, "user.profile-given", "user", user.id, actor=actor, profile=profile.name)
    return True


def _tell_cameras(session: Session, user: CameraUser) -> None:
    """Ask for settings of a new number on each camera of a user, which the controller brings there."""
    for camera in cameras_of(session, user.id):
        if camera.belonging is Belonging.ADDED:
            camera.wanted_settings = systems.next_order_sequence(session)


def _refuse_taken(session: Session, user_id: str | None) -> None:
    if user_id is None:
        return
    holder = session.scalars(select(CameraUser).where(CameraUser.user_id == user_id)).first()
    if holder is not None and not holder.active:
        raise UserIdOfRemovedUser(user_id=user_id, name=holder.name)
    if holder is not None:
        raise UserIdTaken(user_id=user_id)


def _all(session: Session, camera_user_ids: Iterable[str]) -> list[CameraUser]:
    return [get_active(session, one) for one in dict.fromkeys(camera_user_ids)]
