"""A machine that holds evidence: real bytes in a spool, rows and signatures that belong to them, and its auditor."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from bodyworn.camera_volume.recording import ClipEntry, RecordingDocument, clip_name
from bodyworn.hw.auditor import Auditor
from bodyworn.hw.workshop import Workshop
from bodyworn.models import Camera, Clip, Copy, CopyState, Database, Place, Recording, RecordingState
from bodyworn.services import checks, copies, erasures, manifests, recordings, systems, users
from bodyworn.services.keyring import Keyring
from bodyworn.services.recordings import StoredClip
from rig_parts import ACTOR, START, Depot, make_document
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

FAST = 1e12
CLIP_BYTES = 5000


@dataclass
class Evidence:
    """One machine; its folder has the layout of a real one."""

    database: Database
    folder: Path
    keyring: Keyring
    depot: Depot
    shop: Workshop
    _recorded: int = field(default=0)

    @classmethod
    def on(cls, database: Database, folder: Path) -> Evidence:
        """Found a system in a folder."""
        keyring = Keyring(folder / "keys")
        depot = Depot.found(database, keyring)
        shop = Workshop.on(database, keyring, folder)
        return cls(database, folder, keyring, depot, shop)

    # what there is

    def record(self, clips: int = 1, *, encrypted: bool = False, size_bytes: int = CLIP_BYTES) -> str:
        """Store a recording as an offload does, and give its id."""
        self._recorded += 1
        contents = [os.urandom(size_bytes) for _ in range(clips)]
        document = _document(contents, START + timedelta(hours=self._recorded))
        with self.database.write() as session:
            recording = self.depot.recording(session, document)
            recording.camera_user_id = users.create_user(session, name=f"User {self._recorded}", actor=ACTOR).id
            for clip, content in zip(list(recording.clips), contents, strict=True):
                recordings.clip_stored(
                    session, self._stored(clip, content, encrypted), self.shop.spool.failure_domain()
                )
            session.flush()
            session.refresh(recording)
            recordings.stored(session, recording.id, b"")
            self.sign_manifest(session, recording)
            return recording.id

    def sign_manifest(self, session: Session, recording: Recording) -> None:
        """Sign what the database says of a recording now."""
        recording.manifest = manifests.sign(recording, systems.authority(session, self.keyring))

    def _stored(self, clip: Clip, content: bytes, encrypted: bool) -> StoredClip:
        """Encrypted content is what it is: other bytes with a key beside them."""
        spool, container = self.shop.spool, clip.recording.container_name
        sha256 = hashlib.sha256(content).hexdigest()
        if not encrypted:
            return StoredClip(clip.id, len(content), sha256, spool.write_bytes(container, clip.name, content))
        stored = spool.write_bytes(container, clip.name, content[::-1])
        key = spool.write_bytes(container, f"{clip.name}.key", os.urandom(300))
        return StoredClip(clip.id, len(content), sha256, stored, f"{clip.name}.key", key)

    def deliver(self, recording_id: str, state: CopyState = CopyState.VERIFIED) -> None:
        """Let the destination have every object of a recording."""
        with self.database.write() as session:
            recording = session.get_one(Recording, recording_id)
            recording.state, recording.delivered_at = RecordingState.DELIVERED, datetime.now(UTC)
            for clip in recording.clips:
                copies.put(clip, Place.DESTINATION, state, "destination:1", md5=clip.stored_md5)

    def erase_from_camera(self, recording_id: str) -> None:
        """Let the camera have deleted a recording."""
        with self.database.write() as session:
            recording = session.get_one(Recording, recording_id)
            erasures.erased(session, recording.camera_id, [recording.camera_recording_id])

    def recording(self, recording_id: str) -> Recording:
        """Read a recording with its objects and copies."""
        whole = selectinload(Recording.clips).selectinload(Clip.copies)
        with self.database.read() as session:
            return session.get_one(Recording, recording_id, options=[whole])

    def clip(self, recording_id: str, number: int = 0) -> Clip:
        return self.recording(recording_id).clips[number]

    def copies(self, recording_id: str) -> list[Copy]:
        """Give the copies of a recording on this machine."""
        found = [copies.find(clip, Place.SPOOL) for clip in self.recording(recording_id).clips]
        return [copy for copy in found if copy is not None]

    def copy(self, recording_id: str, number: int = 0) -> Copy:
        return self.copies(recording_id)[number]

    def path(self, recording_id: str, number: int = 0) -> Path:
        """Name the file of a copy."""
        recording = self.recording(recording_id)
        return self.shop.spool.root / recording.container_name / recording.clips[number].spool_name

    def quarantined(self) -> list[bytes]:
        """Give what lies in quarantine."""
        return [path.read_bytes() for path in (self.shop.spool.root / ".quarantine").rglob("*") if path.is_file()]

    def serial(self) -> str:
        with self.database.read() as session:
            return session.scalars(select(Camera.serial)).one()

    # what is done to it

    def flip(self, recording_id: str, number: int = 0, bit: int = 77) -> bytes:
        """Turn one bit of a copy over; gives what is then there."""
        path = self.path(recording_id, number)
        data = bytearray(path.read_bytes())
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        return bytes(data)

    def auditor(self, bytes_per_second: float = FAST) -> Auditor:
        """Make an auditor that does nothing by itself yet."""
        return Auditor(self.shop, self.folder, bytes_per_second)

    def check_all(self, auditor: Auditor | None = None) -> None:
        """Ask for everything to be checked, and have it checked."""
        auditor = auditor or self.auditor()
        self.write(lambda session: checks.request(session, ACTOR))
        while auditor.look():
            pass

    def write(self, change: Callable[[Session], Any]) -> None:
        with self.database.write() as session:
            change(session)


def _document(contents: Sequence[bytes], start: datetime) -> RecordingDocument:
    entries = tuple(_entry(content, start + timedelta(seconds=10 * number)) for number, content in enumerate(contents))
    document = make_document(clips=len(contents), start=start, track=None)
    return msgspec.structs.replace(document, clips=entries)


def _entry(content: bytes, start: datetime) -> ClipEntry:
    return ClipEntry(
        name=clip_name(start, "0A1B", "mkv"),
        size_bytes=len(content),
        start=start,
        stop=start + timedelta(seconds=10),
        container="mkv",
        sha256=hashlib.sha256(content).hexdigest(),
    )
