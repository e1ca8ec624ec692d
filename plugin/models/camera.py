"""Cameras, camera users, profiles, and who wore which camera when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Identified, choice


class Belonging(StrEnum):
    """Desired: whether a camera is one of ours."""

    #: Seen in a dock; nobody decided yet.
    NEW = "new"
    ADDED = "added"
    #: Removed; its history stays.
    REMOVED = "removed"


class Trust(StrEnum):
    """How a camera proves who it is."""

    #: It holds a key and answers challenges.
    ATTESTED = "attested"
    #: A plain disk, recognised by marks that could be copied.
    MARKED = "marked"


class Camera(Identified, Base):
    """A body worn camera: what is wanted of it, and what it last said."""

    __tablename__ = "bodyworn_camera"
    # lists by name walk it, those of a million recordings as well
    __table_args__ = (Index(None, "name", "id"),)

    #: Not an identity: two cameras may claim one serial number; the key tells them apart.
    serial: Mapped[str] = mapped_column(String(64), index=True)
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    trust: Mapped[Trust] = mapped_column(choice(Trust))
    driver: Mapped[str] = mapped_column(String(32))
    model: Mapped[str] = mapped_column(String(64))
    manufacturer: Mapped[str] = mapped_column(String(64), default="")
    # desired
    name: Mapped[str] = mapped_column(String(64))
    belonging: Mapped[Belonging] = mapped_column(choice(Belonging), default=Belonging.NEW)
    camera_user_id: Mapped[str | None] = mapped_column(ForeignKey("bodyworn_camera_user.id"))
    #: Since when it is to leave the system: its content is taken first, then it is reset.
    removal_asked_at: Mapped[datetime | None]
    #: Number of the settings order that it should have applied; drawn anew whenever what it says changes.
    wanted_settings: Mapped[int] = mapped_column(default=0)
    # observed, as of the last turn
    applied_settings: Mapped[int | None]
    #: The profile that came with those settings, and its version; None where neither is known.
    applied_profile_id: Mapped[str | None] = mapped_column(String(36))
    applied_profile_version: Mapped[int | None]
    firmware: Mapped[str] = mapped_column(String(64), default="")
    docking_counter: Mapped[int] = mapped_column(default=0)
    battery_percent: Mapped[int | None]
    charging: Mapped[bool | None]
    storage_used_bytes: Mapped[int | None]
    storage_total_bytes: Mapped[int | None]
    clock_offset_seconds: Mapped[float | None]
    #: When everything on it was listed without a problem: what is new on it since was recorded later (disks only).
    listed_at: Mapped[datetime | None]
    enrolled_at: Mapped[datetime | None]
    #: Since when it waits for the passphrase: it locked itself, or says it is ours and is unknown here.
    locked_at: Mapped[datetime | None]
    #: The latest epoch of this system that it has seen.
    epoch: Mapped[int] = mapped_column(default=0)
    #: Names its present docking; an unlock is good for that alone.
    nonce: Mapped[str | None] = mapped_column(String(44))
    #: Signed by the recovery key for the present docking; the controller hands it over and forgets it.
    unlock_order: Mapped[bytes | None] = mapped_column(LargeBinary)
    lease_until: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    problem_id: Mapped[str | None] = mapped_column(String(64))
    problem_values: Mapped[dict[str, Any] | None]
    #: What the destination was last told of this camera; None until it was pushed.
    pushed: Mapped[str | None] = mapped_column(String(64))


class CameraUser(Identified, Base):
    """A person who wears cameras; the link between a recording and whoever made it."""

    __tablename__ = "bodyworn_camera_user"
    __table_args__ = (Index(None, "name", "id"),)

    name: Mapped[str] = mapped_column(String(100))
    #: The organisation's own number for that person, unique where given.
    user_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    profile_id: Mapped[str | None] = mapped_column(ForeignKey("bodyworn_profile.id"))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    pushed: Mapped[str | None] = mapped_column(String(64))


class Assignment(Identified, Base):
    """Who wore a camera from one settings sequence on, until the next row of that camera (decision 18)."""

    __tablename__ = "bodyworn_assignment"
    __table_args__ = (Index(None, "camera_id", "from_settings"),)

    camera_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_camera.id"))
    camera_user_id: Mapped[str | None] = mapped_column(ForeignKey("bodyworn_camera_user.id"))
    from_settings: Mapped[int]
    #: When the camera acknowledged those settings; None while it has not been docked since.
    acknowledged_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Profile(Identified, Base):
    """A camera profile: the same settings for a group of users."""

    __tablename__ = "bodyworn_profile"

    name: Mapped[str] = mapped_column(String(64), unique=True)
    settings: Mapped[dict[str, Any]]
    #: New users get it; exactly one profile is the default.
    default: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
