"""The first half of a recording's way: found on a camera, and stored in the spool (P6 to P14).

Only the controller process calls what changes something here. Moving bytes is ``hw``; going on to the destination is
``deliveries``, leaving the camera ``erasures``; what pages show is ``recording_list``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..camera_volume.documents import FileDigest, content_sha256
from ..camera_volume.recording import DOCUMENT_NAME
from ..destination.metadata import key_metadata
from ..errors import BodywornError, RecordingToTakeAgain, RecordingVanished, RecordingWithoutUser
from ..models import Camera, Clip, ClipKind, CopyState, Place, Recording, RecordingState, new_id
from ..store import Digests
from . import cameras, copies, events, problems, systems
from .documents import Description
from .findings import Finding
from .recording_names import container_name_of, objects_of

#: Beyond this the camera's clock was wrong, and the container gets the corrected time (decision 21).
LARGEST_CLOCK_OFFSET_SECONDS = 60


@dataclass(frozen=True)
class StoredClip:
    """What came of offloading one file: as the camera recorded it, and as it lies in the spool."""

    clip_id: str
    size_bytes: int
    sha256: str
    stored: Digests
    #: The key object that unlocks it, already in the spool; None without encryption.
    key_name: str | None = None
    key: Digests | None = None


def found(session: Session, camera: Camera, document: Description, envelope: bytes) -> Recording:
    """Write down the intent to take a recording (P6); the same recording again gives the same row."""
    assert isinstance(document, Finding) == (camera.public_key is None), "a camera with a key signs what it says"
    existing = session.scalars(
        select(Recording).where(Recording.camera_id == camera.id, Recording.camera_recording_id == document.id)
    ).one_or_none()
    return existing or _create(session, camera, document, envelope)


def _create(session: Session, camera: Camera, document: Description, envelope: bytes) -> Recording:
    user_id = cameras.wearer(session, camera.id, document.settings_sequence)
    named = _free_container(session, user_id, camera, document)
    recording = Recording(
        id=new_id(),
        camera_id=camera.id,
        camera_recording_id=document.id,
        controller_id=systems.local_controller(session).id,
        camera_user_id=user_id,
        container_name=named.name,
        clock_offset_seconds=named.clock_offset_seconds,
        shifted_seconds=named.shifted_seconds,
        protected=bool(document.bookmarks) or any(clip.protected for clip in document.clips),
        start_at=document.start,
        stop_at=document.stop,
        trigger_on_at=document.trigger_on,
        trigger_off_at=document.trigger_off,
        time_zone=document.time_zone,
        settings_sequence=document.settings_sequence,
        document=envelope,
        found_at=datetime.now(UTC),
    )
    recording.clips = objects_of(document, camera.id)
    if user_id is None:
        problems.note(recording, RecordingWithoutUser(serial=camera.serial))
    session.add(recording)
    session.flush()
    events.record(
        session,
        "recording.found",
        "recording",
        recording.id,
        camera=camera.id,
        container=recording.container_name,
        clips=len(document.clips),
    )
    return recording


@dataclass(frozen=True)
class _ContainerName:
    """A free name, and how it came to be another than the camera's time says."""

    name: str
    clock_offset_seconds: float | None
    shifted_seconds: int


def _free_container(session: Session, user_id: str | None, camera: Camera, document: Description) -> _ContainerName:
    """Name the container by the trigger's time, corrected where the clock was off; if taken, by the next second."""
    moment, offset = document.trigger_on, camera.clock_offset_seconds
    if offset is None or abs(offset) <= LARGEST_CLOCK_OFFSET_SECONDS:
        offset = None
    else:
        moment -= timedelta(seconds=round(offset))
    shifted = 0
    while _taken(session, name := container_name_of(user_id, camera.serial, moment + timedelta(seconds=shifted))):
        shifted += 1
    return _ContainerName(name, offset, shifted)


def _taken(session: Session, name: str) -> bool:
    return session.scalars(select(Recording.id).where(Recording.container_name == name)).first() is not None


def clip_stored(session: Session, stored: StoredClip, failure_domain: str) -> None:
    """Write down that a file has a verified copy in the spool (P13); its event is the audit record (P14)."""
    clip = session.get_one(Clip, stored.clip_id)
    assert stored.stored.sha256, "I2: a stored copy has the digest that was read back"
    clip.size_bytes, clip.sha256 = stored.size_bytes, stored.sha256
    clip.encrypted = stored.key is not None
    _in_spool(clip, stored.stored, failure_domain)
    if stored.key is not None and stored.key_name is not None:
        _in_spool(_key_of(session, clip, stored.key_name, stored.key), stored.key, failure_domain)
    events.record(
        session,
        "clip.stored",
        "recording",
        clip.recording_id,
        clip=clip.name,
        sha256=clip.sha256,
        bytes=clip.size_bytes,
    )


def clip_sealed(session: Session, clip_id: str, sealed: StoredClip, spool_name: str, failure_domain: str) -> str:
    """Write down that a file which was stored readable is encrypted now; gives the name of what is to be removed."""
    clip = session.get_one(Clip, clip_id)
    assert sealed.sha256 == clip.sha256, "I2: what was encrypted is what was stored"
    assert sealed.key is not None, "I8: an encrypted file has its key beside it"
    assert sealed.key_name is not None, "I8: an encrypted file has its key beside it"
    before = clip.spool_name
    clip.encrypted, clip.stored_name = True, spool_name
    _in_spool(clip, sealed.stored, failure_domain)
    _in_spool(_key_of(session, clip, sealed.key_name, sealed.key), sealed.key, failure_domain)
    events.record(session, "clip.encrypted", "recording", clip.recording_id, clip=clip.name, sha256=clip.stored_sha256)
    return before


def stored(session: Session, recording_id: str, manifest: bytes) -> None:
    """Write down that all of a recording is stored; from here on this controller owns it (I9)."""
    recording = get(session, recording_id)
    assert all(copies.state(clip, Place.SPOOL) is CopyState.VERIFIED for clip in recording.clips), (
        "I2: every file is verified"
    )
    recording.state, recording.stored_at = RecordingState.STORED, datetime.now(UTC)
    recording.manifest = manifest
    problems.clear(recording)
    if recording.camera_user_id is None:
        problems.note(recording, RecordingWithoutUser(serial=session.get_one(Camera, recording.camera_id).serial))
    events.record(session, "recording.stored", "recording", recording.id, container=recording.container_name)


def offload_failed(session: Session, recording_id: str, error: BodywornError) -> None:
    """Write down why a recording could not be taken; the camera keeps it and it is tried again."""
    recording = get(session, recording_id)
    problems.note(recording, error)
    events.record(session, "recording.offload-failed", "recording", recording_id, result=error.id)


def receipted(session: Session, camera_id: str, camera_recording_ids: Iterable[str]) -> None:
    """Write down that the camera carries our receipt for recordings."""
    for recording in _of_camera(session, camera_id, camera_recording_ids):
        if recording.receipted_at is None:
            recording.receipted_at = datetime.now(UTC)
            events.record(session, "recording.receipted", "recording", recording.id)


def unreceipted(session: Session, camera_id: str) -> list[Recording]:
    """List stored recordings of a camera that does not carry our receipt for them yet."""
    rows = select(Recording).where(
        Recording.camera_id == camera_id,
        Recording.stored_at.is_not(None),
        Recording.receipted_at.is_(None),
        Recording.erased_at.is_(None),
    )
    return list(session.scalars(rows))


def vanished(session: Session, camera: Camera, listed_ids: Iterable[str]) -> None:
    """Write down which recordings a camera no longer has although they were not stored; an alarm, nothing else."""
    rows = select(Recording).where(Recording.camera_id == camera.id, Recording.state == RecordingState.FOUND)
    rows = rows.where(Recording.erased_at.is_(None))
    for recording in session.scalars(rows.where(Recording.camera_recording_id.not_in(list(listed_ids)))):
        if recording.problem_id != RecordingVanished.id:
            error = RecordingVanished(serial=camera.serial)
            problems.note(recording, error)
            events.record(session, "recording.vanished", "recording", recording.id, result=error.id)


def is_wanted_again(session: Session, camera_id: str) -> bool:
    """Tell whether a camera has what was stored here once and whose copy went bad."""
    rows = select(Recording.id).where(
        Recording.camera_id == camera_id,
        Recording.state == RecordingState.FOUND,
        Recording.problem_id == RecordingToTakeAgain.id,
        Recording.erased_at.is_(None),
    )
    return session.scalars(rows).first() is not None


def content_digest(recording: Recording) -> str:
    """Name all files of a recording as they were stored by one digest, the one that its camera computes too."""
    files = [
        FileDigest(clip.source_name, clip.size_bytes, clip.sha256)
        for clip in recording.clips
        if clip.source_name is not None and clip.sha256 is not None
    ]
    document = FileDigest(DOCUMENT_NAME, len(recording.document), hashlib.sha256(recording.document).hexdigest())
    return content_sha256([*files, document])


def _of_camera(session: Session, camera_id: str, camera_recording_ids: Iterable[str]) -> Iterable[Recording]:
    return session.scalars(
        select(Recording).where(
            Recording.camera_id == camera_id, Recording.camera_recording_id.in_(list(camera_recording_ids))
        )
    )


def get(session: Session, recording_id: str) -> Recording:
    """Give a recording that must exist."""
    return session.get_one(Recording, recording_id)


def _in_spool(clip: Clip, digests: Digests, failure_domain: str) -> None:
    clip.stored_size_bytes, clip.stored_sha256, clip.stored_md5 = digests.size_bytes, digests.sha256, digests.md5
    copies.put(clip, Place.SPOOL, CopyState.VERIFIED, failure_domain, sha256=digests.sha256, md5=digests.md5)


def _key_of(session: Session, clip: Clip, name: str, digests: Digests) -> Clip:
    """Give the row of a clip's key, made anew when the clip was encrypted anew."""
    for other in clip.recording.clips:
        if other.unlocks_id == clip.id:
            other.size_bytes, other.sha256 = digests.size_bytes, digests.sha256
            return other
    key = Clip(
        id=new_id(),
        kind=ClipKind.KEY,
        position=clip.position,
        name=name,
        unlocks_id=clip.id,
        size_bytes=digests.size_bytes,
        sha256=digests.sha256,
        start_at=clip.start_at,
        wire_metadata=key_metadata(clip.start_at or clip.recording.start_at),
    )
    clip.recording.clips.append(key)
    session.flush()
    return key
