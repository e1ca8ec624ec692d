"""What this controller itself says of a recording on a camera that signs nothing: a plain disk (class *marked*).

A finding stands where other cameras' signed document stands, and says so: it is unsigned, and made by the host from
names, times and sizes. Cameras with a key never have one; ``documents`` sees to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..camera_volume.documents import Counter, Document, Line, Serial, Sha256, TimeZone, Utc, Uuid, decode, encode
from ..camera_volume.recording import Bookmark, Location
from ..const import LARGEST_OBJECT_BYTES
from ..models import Camera, ClipKind, Recording

MOST_FILES: Final = 1000
#: Characters of a path on a camera, spelled; rows of the database keep as many.
LONGEST_PATH: Final = 1000


class FoundFile(Document, frozen=True, kw_only=True):
    """One file on the disk, and what it is called once it has left it."""

    #: On the camera, spelled so that every database can carry it.
    path: Annotated[str, Meta(min_length=1, max_length=LONGEST_PATH)]
    #: In the spool and at the destination.
    name: Annotated[str, Meta(pattern=r"^[0-9]{8}_[0-9]{6}_[0-9A-F]{4}\.[a-z0-9]{1,8}\Z")]
    kind: ClipKind
    size_bytes: Annotated[int, Meta(ge=1, lt=LARGEST_OBJECT_BYTES)]
    #: As the filesystem gave it when it was found; nanoseconds since 1970.
    modified_ns: int
    #: SHA-256 of the file's head and tail: by it, size and time a file is known again.
    edges_sha256: Sha256
    start: Utc
    stop: Utc
    protected: bool = False
    #: Cameras of this class compute none.
    sha256: None = None

    @property
    def container(self) -> str:
        """Extension without dot."""
        return self.name.rpartition(".")[2]


class Finding(Document, frozen=True, kw_only=True):
    """One recording on a plain disk: a run of files, described by this controller."""

    made_by: Literal["host"]
    signed: Literal[False]
    id: Uuid
    serial: Serial
    manufacturer: Line
    model: Line
    #: How the files lay on the disk; the rule that was followed.
    layout: Line
    settings_sequence: Counter
    start: Utc
    stop: Utc
    time_zone: TimeZone
    clips: Annotated[tuple[FoundFile, ...], Meta(min_length=1, max_length=MOST_FILES)]
    firmware: Line = ""
    # what other cameras' documents may have and these never do
    track: None = None
    bookmarks: tuple[Bookmark, ...] = ()
    trigger_on_location: Location | None = None
    trigger_off_location: Location | None = None

    @property
    def trigger_on(self) -> Utc:
        """Nobody knows more than when the first file begins."""
        return self.start

    @property
    def trigger_off(self) -> Utc:
        """Nobody knows more than when the last file ends."""
        return self.stop


@dataclass(frozen=True)
class Known:
    """A recording that was found on a disk before, and whether all of it is stored."""

    finding: Finding
    stored: bool


def write(finding: Finding) -> bytes:
    """Write a finding as it is kept."""
    return encode(finding)


def read(document: bytes) -> Finding:
    """Read a finding; raises DocumentRefused."""
    return decode(Finding, document)


def known(session: Session, driver: str, serial: str) -> Sequence[Known]:
    """List what was found on a plain disk before and was not deleted from it, the oldest first."""
    rows = (
        select(Recording)
        .join(Camera, Camera.id == Recording.camera_id)
        .where(Camera.driver == driver, Camera.serial == serial, Camera.public_key.is_(None))
        .where(Recording.erased_at.is_(None))
        .order_by(Recording.start_at)
    )
    return [Known(read(one.document), one.stored_at is not None) for one in session.scalars(rows)]


def listed_at(session: Session, driver: str, serial: str) -> datetime | None:
    """Tell when everything on a plain disk was listed last, and nothing was wrong with it."""
    rows = select(Camera.listed_at).where(Camera.driver == driver, Camera.serial == serial)
    return session.scalars(rows.where(Camera.public_key.is_(None))).first()
