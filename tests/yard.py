"""Stored recordings, an uploader and a scripted destination, put together as tests need them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from random import Random

import msgspec
from bodyworn.crypto.keys import SigningKey
from bodyworn.destination import names
from bodyworn.destination.connection_file import export
from bodyworn.destination.rehearsal import rehearse
from bodyworn.hw.bell import Bell
from bodyworn.hw.uploader import Uploader
from bodyworn.hw.workshop import Workshop
from bodyworn.models import Clip, ClipKind, CopyState, Database, Destination, Place, Recording, RecordingState
from bodyworn.services import cameras, copies, destinations, erasures, problems, recordings
from bodyworn.services.erasing import ErasePolicy
from bodyworn.services.recordings import StoredClip
from fake_destination import FakeDestination
from rig_parts import ACTOR, START, bookmark, event_actions, find, make_document
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

PATIENCE_SECONDS = 15.0
CLIP_BYTES = 300_000


@dataclass
class Yard:
    """Stored recordings, an uploader, and a scripted destination."""

    shop: Workshop
    fake: FakeDestination
    key: SigningKey
    camera_id: str
    settings: int
    random: Random = field(default_factory=lambda: Random(4711))
    made: int = 0

    @property
    def database(self) -> Database:
        return self.shop.database

    def store(self, clips: int = 1, *, encrypted: bool = False, bookmarks: int = 0) -> str:
        """Bring a recording into the spool, as a controller does; gives its id."""
        self.made += 1
        start = START + timedelta(hours=self.made)
        marks = tuple(bookmark(f"bookmark {number}", start) for number in range(bookmarks))
        document = make_document(clips=clips, start=start, settings_sequence=self.settings, bookmarks=marks)
        contents = {entry.name: self.random.randbytes(CLIP_BYTES) for entry in document.clips}
        contents["track.json"] = b"a track of 20 bytes."
        entries = [msgspec.structs.replace(entry, size_bytes=CLIP_BYTES) for entry in document.clips]
        document = msgspec.structs.replace(document, clips=tuple(entries))
        with self.database.write() as session:
            recording = find(session, cameras.get(session, self.camera_id), self.key, document)
            for clip in list(recording.clips):
                self._store(session, clip, contents.get(clip.source_name or "", clip.name.encode()), encrypted)
            recordings.stored(session, recording.id, b"manifest")
            return recording.id

    def _store(self, session: Session, clip: Clip, data: bytes, encrypted: bool) -> None:
        container, key_name, key = clip.recording.container_name, None, None
        digests = self.shop.spool.write_bytes(container, clip.name, data)
        if encrypted and clip.kind is ClipKind.CLIP:
            key_name = names.key_name(clip.name)
            key = self.shop.spool.write_bytes(container, key_name, b"a key")
        stored = StoredClip(clip.id, len(data), sha256(data).hexdigest(), digests, key_name, key)
        recordings.clip_stored(session, stored, self.shop.spool.failure_domain())

    @contextmanager
    def uploading(self, parallel: int | Callable[[], int] = 1) -> Iterator[None]:
        """Let the uploader work for the block's time."""
        bell = self.shop.bell = Bell(self.database)
        uploader = Uploader(self.shop, parallel)
        bell.start()
        uploader.start()
        try:
            yield
        finally:
            bell.stop()
            uploader.stop()

    def wait(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < end, self.story()
            time.sleep(0.02)

    def recording(self, recording_id: str) -> Recording:
        with self.database.read() as session:
            eager = selectinload(Recording.clips).selectinload(Clip.copies)
            return session.scalars(select(Recording).where(Recording.id == recording_id).options(eager)).one()

    def state(self, recording_id: str) -> RecordingState:
        return self.recording(recording_id).state

    def is_delivered(self, *recording_ids: str) -> bool:
        return all(self.state(one) is RecordingState.DELIVERED for one in recording_ids)

    def destination(self) -> Destination:
        with self.database.read() as session:
            return session.scalars(select(Destination).where(Destination.active)).one()

    def clip_path(self, recording_id: str) -> str:
        """Name the first clip as requests name it."""
        recording = self.recording(recording_id)
        return f"{recording.container_name}/{recording.clips[0].name}"

    def check_nothing_lost(self, recording_id: str) -> None:
        """Hold that a recording is whole here and may not go from its camera."""
        recording = self.recording(recording_id)
        for clip in recording.clips:
            assert copies.state(clip, Place.SPOOL) is CopyState.VERIFIED
            size_bytes, digest = clip.stored_size_bytes or 0, clip.stored_sha256 or ""
            assert self.shop.spool.matches(recording.container_name, clip.spool_name, size_bytes, digest)
        assert recording_id not in self.erasable()

    def erasable(self, policy: ErasePolicy | None = None) -> list[str]:
        with self.database.read() as session:
            camera = cameras.get(session, self.camera_id)
            granted = erasures.erasable(session, camera, policy or ErasePolicy(camera_lacks_room=False))
            return [recording.id for recording, _ in granted]

    def check_delivered_once(self, recording_id: str) -> None:
        """Hold that the destination has each object as it is here, and that it was taken once."""
        recording = self.recording(recording_id)
        for clip in recording.clips:
            path = f"{recording.container_name}/{clip.name}"
            with self.shop.spool.open(recording.container_name, clip.spool_name) as file:
                assert self.fake.objects[path].body == file.read()
        assert self.fake.containers[recording.container_name]["X-Container-Meta-Status"] == "Complete"
        assert event_actions(self.database, recording_id).count("recording.delivered") == 1
        assert self.erasable() == [recording_id]

    def story(self) -> str:
        with self.database.read() as session:
            rows = [*session.scalars(select(Recording)), *session.scalars(select(Destination))]
            return "\n".join(f"{row.state} {problems.read(row)}" for row in rows)


def adopt(yard: Yard, **changes: object) -> None:
    """Connect the destination, again where it is connected already."""
    data = export(yard.fake.connection(**({"full_store_and_read": True} | changes)))
    with yard.database.read() as session:
        rehearsal = rehearse(destinations.read_file(session, yard.shop.keyring, data))
    with yard.database.write() as session:
        destinations.adopt(session, yard.shop.keyring, data, rehearsal, actor=ACTOR)
