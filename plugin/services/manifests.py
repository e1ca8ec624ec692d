"""The signed list of what was stored of a recording: the custody record of its way from camera to spool."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from ..crypto.chain import Authority
from ..crypto.envelope import PayloadType
from ..models import Clip, Recording


class ManifestEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One object: as the camera recorded it, and as it lies in the spool and travels."""

    name: str
    kind: str
    size_bytes: int
    sha256: str | None
    stored_size_bytes: int | None
    stored_sha256: str | None
    stored_md5: str | None
    encrypted: bool


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What one controller stored of one recording, and when."""

    recording_id: str
    camera_recording_id: str
    camera_id: str
    controller_id: str
    container: str
    stored_at: datetime
    objects: tuple[ManifestEntry, ...]


def sign(recording: Recording, authority: Authority) -> bytes:
    """Write and sign the manifest of a recording whose objects are all stored."""
    manifest = Manifest(
        recording_id=recording.id,
        camera_recording_id=recording.camera_recording_id,
        camera_id=recording.camera_id,
        controller_id=recording.controller_id,
        container=recording.container_name,
        stored_at=datetime.now(UTC),
        objects=tuple(entry(clip) for clip in recording.clips),
    )
    return authority.issue(msgspec.json.encode(manifest), PayloadType.MANIFEST)


def entry(clip: Clip) -> ManifestEntry:
    """Describe one object as the database knows it."""
    return ManifestEntry(
        name=clip.name,
        kind=clip.kind,
        size_bytes=clip.size_bytes,
        sha256=clip.sha256,
        stored_size_bytes=clip.stored_size_bytes,
        stored_sha256=clip.stored_sha256,
        stored_md5=clip.stored_md5,
        encrypted=clip.encrypted,
    )
