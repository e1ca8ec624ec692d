"""What a camera should be set to: its user's profile and the system's clock rules, as one numbered set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..camera_volume.orders import AssignedUser, Category, Profile as WantedProfile
from ..models import Camera, CameraUser, Profile
from . import categories, destinations, systems


@dataclass(frozen=True)
class WantedSettings:
    """All settings of a camera; ``sequence`` is their version, which recordings carry."""

    sequence: int
    time_zone: str
    power_line_hertz: int
    profile: WantedProfile | None
    #: Version of that profile; None without one.
    profile_version: int | None
    user: AssignedUser | None
    camera_name: str
    #: What its user may call a recording, as the destination offers it.
    categories: tuple[Category, ...] = ()


def wanted(session: Session, camera: Camera) -> WantedSettings:
    """Compose what a camera should be set to now."""
    system = systems.current(session)
    user = session.get(CameraUser, camera.camera_user_id) if camera.camera_user_id else None
    profile = profile_of(session, user)
    return WantedSettings(
        sequence=camera.wanted_settings,
        time_zone=system.time_zone,
        power_line_hertz=system.power_line_hertz,
        profile=_as_ordered(session, profile) if profile else None,
        profile_version=profile.version if profile else None,
        user=AssignedUser(id=user.id, name=user.name[:64], user_id=user.user_id or "") if user else None,
        camera_name=camera.name,
        categories=tuple(
            Category(id=one, name=name) for one, name in categories.for_cameras(destinations.active(session))
        ),
    )


def profile_of(session: Session, user: CameraUser | None) -> Profile | None:
    """Give the user's profile, or the default one."""
    rows = select(Profile).where(Profile.id == user.profile_id if user and user.profile_id else Profile.default)
    return session.scalars(rows).first()


def _as_ordered(session: Session, profile: Profile) -> WantedProfile:
    """Put a profile as cameras get it; recordings come in the container that the destination asks for."""
    destination = destinations.active(session)
    container: Literal["mkv", "mp4"] = "mp4" if destination and destination.container_type == "mp4" else "mkv"
    return WantedProfile(id=profile.id, name=profile.name, container=container, **profile.settings)
