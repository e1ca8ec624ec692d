"""Recordings, the clips they consist of, and the copies of each clip: evidence in its three places."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Identified, choice


class RecordingState(StrEnum):
    """How far a recording is."""

    #: Listed on the camera; offload has been decided (P6).
    FOUND = "found"
    #: Every clip has a verified copy in the spool (P13).
    STORED = "stored"
    #: Complete at the destination (P20).
    DELIVERED = "delivered"
    #: Refused by the destination for good, whole or in part; kept here and downloadable.
    REFUSED = "refused"
    #: Two different contents under one identity; both are kept and nothing moves on by itself.
    QUARANTINED = "quarantined"


_HAS_PROBLEM = text("problem_id IS NOT NULL")


class Recording(Identified, Base):
    """One press of the record button, whoever made it."""

    __tablename__ = "bodyworn_recording"
    __table_args__ = (
        UniqueConstraint("camera_id", "camera_recording_id"),
        Index(None, "state", "protected", "start_at"),
        # lists of a million: all of them, of one state, camera or user, and of the last day; walked from either end
        Index(None, "start_at", "id"),
        Index(None, "state", "start_at", "id"),
        Index(None, "camera_id", "start_at", "id"),
        Index(None, "camera_user_id", "start_at", "id"),
        Index(None, "found_at", "state"),
        Index(None, "problem_id", sqlite_where=_HAS_PROBLEM, postgresql_where=_HAS_PROBLEM),
    )

    camera_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_camera.id"))
    #: The camera's own identifier.
    camera_recording_id: Mapped[str] = mapped_column(String(64))
    #: The controller that took it, and so the one that uploads it (decision 16).
    controller_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_controller.id"))
    camera_user_id: Mapped[str | None] = mapped_column(ForeignKey("bodyworn_camera_user.id"))
    destination_id: Mapped[str | None] = mapped_column(ForeignKey("bodyworn_destination.id"))
    #: Unique at the destination, and the folder in the spool (decision 21).
    container_name: Mapped[str] = mapped_column(String(200), unique=True)
    #: What the camera's clock was ahead of the true time, where the container's name was corrected for it.
    clock_offset_seconds: Mapped[float | None]
    #: By how many seconds the container's name was moved on, because another recording has that second.
    shifted_seconds: Mapped[int] = mapped_column(default=0)
    #: Where the destination keeps what it rejected of this recording; named before anything is sent there.
    rejected_container: Mapped[str | None] = mapped_column(String(200), unique=True)
    state: Mapped[RecordingState] = mapped_column(choice(RecordingState), default=RecordingState.FOUND)
    #: Bookmarked or protected: goes first.
    protected: Mapped[bool] = mapped_column(default=False)
    start_at: Mapped[datetime]
    stop_at: Mapped[datetime]
    trigger_on_at: Mapped[datetime]
    trigger_off_at: Mapped[datetime]
    time_zone: Mapped[str] = mapped_column(String(64))
    settings_sequence: Mapped[int] = mapped_column(default=0)
    #: The document that the camera signed, as it came.
    document: Mapped[bytes] = mapped_column(LargeBinary)
    found_at: Mapped[datetime]
    stored_at: Mapped[datetime | None]
    #: When it was Complete at the destination, which takes nothing more into that container.
    delivered_at: Mapped[datetime | None]
    #: When the camera acknowledged our receipt for it.
    receipted_at: Mapped[datetime | None]
    #: When the camera acknowledged that it deleted the recording (P22).
    erased_at: Mapped[datetime | None]
    #: Signed list of what was stored, the custody record of the first half of its way.
    manifest: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Number of upload attempts since the last success, and when the next one is due.
    attempts: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    problem_id: Mapped[str | None] = mapped_column(String(64))
    problem_values: Mapped[dict[str, Any] | None]

    clips: Mapped[list[Clip]] = relationship(back_populates="recording", order_by="Clip.position")


class ClipKind(StrEnum):
    """What an object of a recording is."""

    CLIP = "clip"
    TRACK = "track"
    BOOKMARK = "bookmark"
    #: Stays here and can be downloaded: a photo, or what a camera puts beside its clips (decision 20).
    ATTACHMENT = "attachment"
    #: The wrapped content key of another object.
    KEY = "key"


class Clip(Identified, Base):
    """One object of a recording: a clip, or what travels with clips (track, bookmark, key)."""

    __tablename__ = "bodyworn_clip"
    __table_args__ = (UniqueConstraint("recording_id", "name"),)

    recording_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_recording.id"), index=True)
    kind: Mapped[ClipKind] = mapped_column(choice(ClipKind), default=ClipKind.CLIP)
    position: Mapped[int] = mapped_column(default=0)
    #: Name of the object at the destination and in the spool.
    name: Mapped[str] = mapped_column(String(255))
    #: Name on the camera; None for what was made here (keys, bookmarks).
    source_name: Mapped[str | None] = mapped_column(String(1000))
    #: For a key: the object that it unlocks.
    unlocks_id: Mapped[str | None] = mapped_column(ForeignKey("bodyworn_clip.id"))
    start_at: Mapped[datetime | None]
    stop_at: Mapped[datetime | None]
    #: As the camera recorded it.
    size_bytes: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(String(64))
    #: As it lies in the spool and travels: the same, unless it is encrypted.
    stored_size_bytes: Mapped[int | None]
    stored_sha256: Mapped[str | None] = mapped_column(String(64))
    stored_md5: Mapped[str | None] = mapped_column(String(32))
    encrypted: Mapped[bool] = mapped_column(default=False)
    #: Name in the spool where it is another: content that was encrypted only after it was stored.
    stored_name: Mapped[str | None] = mapped_column(String(255))
    #: Metadata that travels in headers, keys as in the API.
    wire_metadata: Mapped[dict[str, Any]]

    recording: Mapped[Recording] = relationship(back_populates="clips")
    copies: Mapped[list[Copy]] = relationship(back_populates="clip", cascade="all, delete-orphan")

    @property
    def spool_name(self) -> str:
        """Name under which it lies in the spool."""
        return self.stored_name or self.name


class Place(StrEnum):
    """Where a copy is."""

    CAMERA = "camera"
    SPOOL = "spool"
    DESTINATION = "destination"


class CopyState(StrEnum):
    """What is known of a copy; only ``verified`` counts as one."""

    #: It is there (on the camera), nothing proved.
    KEPT = "kept"
    #: On its way there.
    WRITING = "writing"
    #: Bytes read back, or an Etag, equal to what was read from the camera.
    VERIFIED = "verified"
    #: The destination said yes and proved nothing.
    ACKNOWLEDGED = "acknowledged"
    ERASED = "erased"
    PROBLEM = "problem"


class Copy(Identified, Base):
    """A copy of a clip in one place, with its proof."""

    __tablename__ = "bodyworn_copy"
    __table_args__ = (UniqueConstraint("clip_id", "place"), Index(None, "place", "state", "checked_at"))

    clip_id: Mapped[str] = mapped_column(ForeignKey("bodyworn_clip.id"), index=True)
    place: Mapped[Place] = mapped_column(choice(Place))
    state: Mapped[CopyState] = mapped_column(choice(CopyState))
    #: Copies of one domain are lost together: the camera, a filesystem, a destination.
    failure_domain: Mapped[str] = mapped_column(String(100))
    #: How far ``writing`` is.
    done_bytes: Mapped[int] = mapped_column(default=0)
    #: What was proved, as it was read back or answered.
    proved_sha256: Mapped[str | None] = mapped_column(String(64))
    proved_md5: Mapped[str | None] = mapped_column(String(32))
    proved_at: Mapped[datetime | None]
    #: When its bytes were last read again, or first read back.
    checked_at: Mapped[datetime | None]
    #: What was wrong with it then; at a destination, why it refused this object, wherever else it keeps it.
    problem_id: Mapped[str | None] = mapped_column(String(64))
    problem_values: Mapped[dict[str, Any] | None]

    clip: Mapped[Clip] = relationship(back_populates="copies")
