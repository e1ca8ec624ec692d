"""Camera users: the people who wear cameras. Operators of the host are the host's."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import UserIdTaken
from ..models import CameraUser, Profile
from . import events


def create_user(session: Session, *, name: str, user_id: str | None = None, actor: str) -> CameraUser:
    """Create a camera user with the default profile.

    :raises UserIdTaken: when somebody has that user ID already.
    """
    if user_id is not None and session.scalars(select(CameraUser).where(CameraUser.user_id == user_id)).first():
        raise UserIdTaken(user_id=user_id)
    profile = session.scalars(select(Profile).where(Profile.default)).first()
    user = CameraUser(
        name=name, user_id=user_id, profile_id=profile.id if profile else None, created_at=datetime.now(UTC)
    )
    session.add(user)
    session.flush()
    events.record(session, "user.created", "user", user.id, actor=actor, name=name)
    return user


def active_users(session: Session) -> list[CameraUser]:
    """List camera users who are not removed, by name."""
    return list(session.scalars(select(CameraUser).where(CameraUser.active).order_by(CameraUser.name)))
