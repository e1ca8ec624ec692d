"""Camera profiles: made, changed, given the rank of default, removed; and which version of one a camera has.

A change raises the profile's version and is wanted of every camera that it concerns, so it reaches those in a dock at
their next turn. What a profile sets is in ``profile_settings``, what pages show in ``profile_list``.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.orm import Session

from ..errors import ProfileChangedMeanwhile, ProfileInUse, ProfileNameTaken, ProfileNameUnfit, UnknownProfile
from ..models import Belonging, Camera, CameraUser, Profile, Trust
from . import events, profile_settings, systems
from .camera_settings import WantedSettings
from .person_names import line_of
from .profile_settings import DEFAULT, PRESETS, ProfileSettings

#: As cameras keep it.
LONGEST_NAME = 64


def founding_profiles() -> list[Profile]:
    """Make the profiles that a system begins with; the first one is for new users."""
    return [
        Profile(name=one.name, default=one is DEFAULT, settings=profile_settings.plain(one.settings)) for one in PRESETS
    ]


def get(session: Session, profile_id: str) -> Profile:
    """Give a profile; raises UnknownProfile."""
    found = session.get(Profile, profile_id)
    if found is None:
        raise UnknownProfile
    return found


def create(session: Session, name: str, settings: ProfileSettings, *, actor: str) -> Profile:
    """Make a profile, which nobody has yet; raises ProfileNameUnfit or ProfileNameTaken."""
    name = _name_of(name)
    _refuse_taken_name(session, name)
    made = Profile(name=name, default=False, settings=profile_settings.plain(settings.consistent()))
    session.add(made)
    session.flush()
    events.record(session, "profile.created", "profile", made.id, actor=actor, name=name, **made.settings)
    return made


def change(
    session: Session, profile_id: str, name: str, settings: ProfileSettings, *, of_version: int, actor: str
) -> Profile:
    """Change a profile, for everybody who has it.

    :param of_version: the version that was looked at.
    :raises UnknownProfile: ProfileNameUnfit or ProfileNameTaken; ProfileChangedMeanwhile when it is another version.
    """
    profile, name = get(session, profile_id), _name_of(name)
    if profile.version != of_version:
        raise ProfileChangedMeanwhile(name=profile.name)
    before, after = {"name": profile.name, **profile.settings}, profile_settings.plain(settings.consistent())
    changed = profile_settings.changes(before, {"name": name, **after})
    if not changed:
        return profile
    if name != profile.name:
        _refuse_taken_name(session, name)
    profile.name, profile.settings, profile.version = name, after, profile.version + 1
    session.flush()
    reached = _want_of_cameras(session, wearing(profile))
    events.record(
        session,
        "profile.changed",
        "profile",
        profile.id,
        actor=actor,
        name=name,
        version=profile.version,
        changes=changed,
        cameras=reached,
    )
    return profile


def make_default(session: Session, profile_id: str, *, actor: str) -> Profile:
    """Let new users get this profile; users who have one keep it. Raises UnknownProfile."""
    profile = get(session, profile_id)
    if profile.default:
        return profile
    session.execute(update(Profile).where(Profile.default).values(default=False))
    profile.default = True
    session.flush()
    _want_of_cameras(session, _without_choice())
    events.record(session, "profile.made-default", "profile", profile.id, actor=actor, name=profile.name)
    return profile


def remove(session: Session, profile_id: str, *, actor: str) -> None:
    """Remove a profile that nobody has; raises UnknownProfile, or ProfileInUse also for the default one."""
    profile = get(session, profile_id)
    if profile.default or session.scalars(_holders(profile)).first() is not None:
        raise ProfileInUse(name=profile.name)
    session.execute(update(CameraUser).where(CameraUser.profile_id == profile.id).values(profile_id=None))
    settings = dict(profile.settings)
    session.delete(profile)
    session.flush()
    events.record(session, "profile.removed", "profile", profile_id, actor=actor, name=profile.name, **settings)


def taken_over(session: Session, camera: Camera, sequence: int, given: WantedSettings | None) -> None:
    """Write down which version of a profile a camera has, by the settings that it acknowledged.

    A plain disk acknowledges nothing: the system only counts for it. Settings that were not given in this turn and are
    not those from before are not known.
    """
    if given is not None and given.sequence == sequence and camera.trust is Trust.ATTESTED:
        camera.applied_profile_id = given.profile.id if given.profile else None
        camera.applied_profile_version = given.profile_version
    elif sequence != camera.applied_settings:
        camera.applied_profile_id = camera.applied_profile_version = None


def wearing(profile: Profile) -> ColumnElement[bool]:
    """Say which cameras are set by a profile: those of its users, and for the default one those without any choice."""
    chosen = Camera.camera_user_id.in_(select(CameraUser.id).where(CameraUser.profile_id == profile.id))
    return or_(chosen, _without_choice()) if profile.default else chosen


def _without_choice() -> ColumnElement[bool]:
    undecided = select(CameraUser.id).where(CameraUser.profile_id.is_(None))
    return or_(Camera.camera_user_id.is_(None), Camera.camera_user_id.in_(undecided))


def _want_of_cameras(session: Session, which: ColumnElement[bool]) -> int:
    """Have cameras take over their settings anew; all get one number, because numbers are compared within a camera."""
    concerned = and_(Camera.belonging == Belonging.ADDED, which)
    number = systems.next_order_sequence(session)
    concerned_ids = session.scalars(select(Camera.id).where(concerned)).all()
    session.execute(update(Camera).where(concerned).values(wanted_settings=number))
    return len(concerned_ids)


def _holders(profile: Profile) -> Select[CameraUser]:
    return select(CameraUser).where(CameraUser.profile_id == profile.id, CameraUser.active).limit(1)


def _name_of(text: str) -> str:
    name = line_of(text, LONGEST_NAME)
    if name is None:
        raise ProfileNameUnfit(longest=LONGEST_NAME)
    return name


def _refuse_taken_name(session: Session, name: str) -> None:
    if session.scalars(select(Profile.id).where(Profile.name == name)).first() is not None:
        raise ProfileNameTaken(name=name)
