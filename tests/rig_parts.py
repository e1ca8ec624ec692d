"""Parts that tests of the services put together: a founded system, cameras, signed documents of recordings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from bodyworn.camera_volume import documents
from bodyworn.camera_volume.recording import Bookmark, ClipEntry, RecordingDocument, TrackEntry, clip_name
from bodyworn.crypto import envelope
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import SigningKey
from bodyworn.crypto.master_key import KdfCost
from bodyworn.models import Bay, Camera, Clip, Database, DockKind, Event, Recording, System
from bodyworn.services import cameras, docks, founding, recordings
from bodyworn.services.cameras import SeenCamera
from bodyworn.services.keyring import Keyring
from bodyworn.services.recordings import StoredClip
from bodyworn.store import Digests
from sqlalchemy import select
from sqlalchemy.orm import Session

CHEAPEST = KdfCost(memory_kib=64 * 1024, iterations=1, lanes=1)
PASSPHRASE = "correct horse battery staple tango"
ACTOR = "olga"
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def found_system(session: Session, keyring: Keyring, **changes: Any) -> System:
    """Found a system as the wizard does, at the least cost."""
    facts = {"name": "North depot", "passphrase": PASSPHRASE, "cost": CHEAPEST, "actor": ACTOR}
    return founding.found(session, keyring, **(facts | changes))


def add_bay(session: Session) -> Bay:
    """Add a dock with one bay."""
    return docks.add_dock(session, name="Dock 1", kind=DockKind.SIMULATED, locator="/nowhere", bays=1).bays[0]


def seen_facts(key: SigningKey | None, **changes: Any) -> SeenCamera:
    """Say what a driver learned of a camera."""
    facts: dict[str, Any] = {
        "driver": "volume",
        "serial": "SIM0001",
        "model": "Model 1",
        "manufacturer": "Maker",
        "firmware": "1.0.0",
        "public_key": key.public.raw if key else None,
        "enrolled": False,
        "docking_counter": 1,
        "battery_percent": 80,
        "charging": True,
        "storage_used_bytes": 1,
        "storage_total_bytes": 64 * 10**9,
        "clock_offset_seconds": 0.1,
    }
    return SeenCamera(**(facts | changes))


def add_camera(session: Session, bay: Bay, key: SigningKey, **changes: Any) -> Camera:
    """Let a camera be seen and added."""
    camera = cameras.seen(session, bay.id, seen_facts(key, **changes))
    cameras.add_cameras(session, [camera.id], actor=ACTOR)
    return camera


def make_document(serial: str = "SIM0001", *, clips: int = 1, **changes: Any) -> RecordingDocument:
    """Write the document of a recording that begins at ``start``; clips are ten seconds and a thousand bytes each."""
    start: datetime = changes.pop("start", START)
    stop = start + timedelta(seconds=10 * clips)
    facts: dict[str, Any] = {
        "id": str(uuid4()),
        "number": 1,
        "serial": serial,
        "key_id": "0" * 32,
        "manufacturer": "Maker",
        "model": "Model 1",
        "firmware": "1.0.0",
        "settings_sequence": 0,
        "trigger_on": start,
        "trigger_off": stop,
        "start": start,
        "stop": stop,
        "time_zone": "Europe/Vienna",
        "clips": tuple(_entry(start + timedelta(seconds=10 * number)) for number in range(clips)),
        "track": TrackEntry(size_bytes=20, sha256=sha256(b"track")),
    }
    return RecordingDocument(**(facts | changes))


def bookmark(text: str, start: datetime = START) -> Bookmark:
    """Mark a moment."""
    return Bookmark(id=str(uuid4()), start=start, text=text)


def sign(document: RecordingDocument, key: SigningKey) -> bytes:
    """Sign a document as its camera does."""
    return envelope.sign(documents.encode(document), PayloadType.RECORDING, key)


def find(session: Session, camera: Camera, key: SigningKey, document: RecordingDocument | None = None) -> Recording:
    """Let a recording be found on a camera."""
    document = document or make_document(camera.serial)
    return recordings.found(session, camera, document, sign(document, key))


def store(session: Session, recording: Recording, *, encrypted: bool = False, domain: str = "disk") -> None:
    """Write down that every file of a recording is in the spool, and then the whole of it."""
    for clip in list(recording.clips):
        with_key = encrypted and clip.source_name is not None
        recordings.clip_stored(session, stored_clip(clip, encrypted=with_key), domain)
    recordings.stored(session, recording.id, b"manifest")


def stored_clip(clip: Clip, *, encrypted: bool = False) -> StoredClip:
    """Say what came of offloading one file, with digests that are its own."""
    plain = sha256(clip.name.encode())
    if not encrypted:
        return StoredClip(clip.id, clip.size_bytes, plain, digests(clip.name, clip.size_bytes))
    key_name = clip.name + ".key"
    return StoredClip(clip.id, clip.size_bytes, plain, digests("sealed " + clip.name), key_name, digests(key_name))


def digests(content: str, size_bytes: int | None = None) -> Digests:
    """Give the digests of a text, as if it were an object."""
    data = content.encode()
    return Digests(size_bytes or len(data), sha256(data), md5(data))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def event_actions(database: Database, object_id: str | None = None) -> list[str]:
    """List what happened, in order, to one thing or to everything."""
    rows = select(Event).order_by(Event.sequence)
    with database.read() as session:
        found: Sequence[Event] = session.scalars(rows).all()
    return [one.action for one in found if object_id in (None, one.object_id)]


def _entry(start: datetime) -> ClipEntry:
    name = clip_name(start, "0A1B", "mkv")
    return ClipEntry(
        name=name,
        size_bytes=1000,
        start=start,
        stop=start + timedelta(seconds=10),
        container="mkv",
        sha256=sha256(name.encode()),
    )


@dataclass
class Depot:
    """A founded system on a database, with one bay and the key of one camera."""

    database: Database
    keyring: Keyring
    bay_id: str
    key: SigningKey = field(default_factory=SigningKey.generate)

    @classmethod
    def found(cls, database: Database, keyring: Keyring) -> Depot:
        """Found it."""
        with database.write() as session:
            found_system(session, keyring)
            return cls(database, keyring, add_bay(session).id)

    def camera(self, session: Session, **changes: Any) -> Camera:
        """Let the camera be seen in the bay, and added."""
        return add_camera(session, session.get_one(Bay, self.bay_id), self.key, **changes)

    def recording(self, session: Session, document: RecordingDocument | None = None, **changes: Any) -> Recording:
        """Let a recording be found on the camera."""
        return find(session, self.camera(session, **changes), self.key, document)
