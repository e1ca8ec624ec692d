"""What came of a headless transfer: recorded, stored, delivered; and whether that is everything."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import func, select

from ..models import (
    Clip,
    ClipKind,
    Copy,
    CopyState,
    Database,
    Destination,
    DestinationState,
    Place,
    Recording,
    RecordingState,
)
from ..services import copies, problems
from ..simulator.recorder import Recorded

VERIFIED, ACKNOWLEDGED_ONLY, FAILED = 0, 3, 1
_FOR_GOOD = (RecordingState.REFUSED, RecordingState.QUARANTINED)


@dataclass(frozen=True)
class File:
    """One clip, by the digest of what the camera recorded."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Delivered(File):
    """One clip at the destination; the last two are of the object as it was sent."""

    container: str
    state: str
    encrypted: bool
    object_size: int
    object_sha256: str


@dataclass(frozen=True)
class Outcome:
    """Everything that a caller may check."""

    recorded: list[File]
    stored: list[File]
    delivered: list[Delivered]
    left_on_cameras: int
    size_bytes: int
    seconds: float
    cpu_seconds: float
    problems: list[str]

    @property
    def verified(self) -> int:
        """Count the clips whose copy at the destination is proved."""
        return sum(one.state == CopyState.VERIFIED for one in self.delivered)

    @property
    def exit_code(self) -> int:
        """Give 0 when every clip is verified and erased, 3 when all arrived unproved, 1 otherwise."""
        arrived = _content(self.delivered) == _content(self.stored) == _content(self.recorded)
        if not arrived or self.left_on_cameras:
            return FAILED
        return VERIFIED if self.verified == len(self.recorded) else ACKNOWLEDGED_ONLY

    def document(self) -> dict[str, object]:
        """Give the outcome as it is printed."""
        members = asdict(self)
        members["bytes"] = members.pop("size_bytes")
        return members


def collect(
    database: Database, recorded: list[Recorded], *, left_on_cameras: int, seconds: float, cpu_seconds: float
) -> Outcome:
    """Read what came of it."""
    made = [File(clip.name, clip.size_bytes, clip.sha256) for one in recorded for clip in one.clips]
    with database.read() as session:
        clips = list(session.scalars(select(Clip).where(Clip.kind == ClipKind.CLIP)))
        stored = [_file(clip) for clip in clips if copies.state(clip, Place.SPOOL) is CopyState.VERIFIED]
        delivered = [_delivered(clip) for clip in clips if clip.recording.state is RecordingState.DELIVERED]
    return Outcome(
        recorded=made,
        stored=stored,
        delivered=delivered,
        left_on_cameras=left_on_cameras,
        size_bytes=sum(file.size for file in made),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        problems=stuck(database),
    )


def is_settled(database: Database) -> bool:
    """Tell whether every recording that was found is delivered and erased."""
    with database.read() as session:
        open_ones = select(func.count()).select_from(Recording).where(Recording.erased_at.is_(None))
        return session.scalars(open_ones).one() == 0


def stuck(database: Database) -> list[str]:
    """List, in words, what will not go on by itself."""
    with database.read() as session:
        halted = session.scalars(select(Destination).where(Destination.state == DestinationState.STOPPED)).all()
        refused = session.scalars(select(Recording).where(Recording.state.in_(_FOR_GOOD))).all()
        found = [problems.read(row) for row in halted] + [problems.read(row) for row in refused]
    return [f"{error} {error.advice}" for error in found if error is not None]


def _file(clip: Clip) -> File:
    return File(clip.name, clip.size_bytes, clip.sha256 or "")


def _delivered(clip: Clip) -> Delivered:
    copy = copies.find(clip, Place.DESTINATION)
    return Delivered(
        name=clip.name,
        size=clip.size_bytes,
        sha256=clip.sha256 or "",
        container=clip.recording.container_name,
        state=_state(copy),
        encrypted=clip.encrypted,
        object_size=clip.stored_size_bytes or 0,
        object_sha256=clip.stored_sha256 or "",
    )


def _state(copy: Copy | None) -> str:
    return str(copy.state) if copy else "unknown"


def _content(files: list[File] | list[Delivered]) -> list[tuple[str, int, str]]:
    return sorted((file.name, file.size, file.sha256) for file in files)
