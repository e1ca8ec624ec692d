"""Compare what the database says of stored recordings with what was signed: by this controller, and by the camera.

Whether the bytes on the disk are what the database says is ``auditing``; together they tie the bytes to signatures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from ..camera_volume.recording import TRACK_NAME, RecordingDocument
from ..crypto.envelope import PayloadType
from ..errors import (
    CameraVolumeError,
    CameraWordDiffers,
    CameraWordRefused,
    EnvelopeRefused,
    EvidenceFinding,
    ManifestDiffers,
    ManifestMissing,
    ManifestUnsigned,
)
from ..models import Camera, Clip, Recording
from . import documents, manifests
from .manifests import Manifest, ManifestEntry
from .trust import Trust


@dataclass(frozen=True)
class Checked:
    """One recording that was compared, and what was wrong with what is written of it."""

    recording_id: str
    findings: tuple[EvidenceFinding, ...]


def check(session: Session, trust: Trust, recording_id: str | None = None) -> Iterator[Checked]:
    """Compare every stored recording, or the one asked for; constant memory."""
    for recording in session.scalars(_stored(recording_id)):
        camera = session.get_one(Camera, recording.camera_id)
        yield Checked(recording.id, (*_by_manifest(recording, trust), *_by_camera(recording, camera)))


def _stored(recording_id: str | None) -> Select[Recording]:
    rows = select(Recording).where(Recording.stored_at.is_not(None)).order_by(Recording.id)
    rows = rows.options(selectinload(Recording.clips)).execution_options(yield_per=100)
    return rows.where(Recording.id == recording_id) if recording_id else rows


def _by_manifest(recording: Recording, trust: Trust) -> Iterator[EvidenceFinding]:
    present = (manifests.entry(clip) for clip in recording.clips)
    return compare(recording.manifest, recording.id, recording.container_name, present, trust)


def compare(
    order: bytes | None, recording_id: str, container: str, present: Iterable[ManifestEntry], trust: Trust
) -> Iterator[EvidenceFinding]:
    """Compare what is said of a recording's objects with its manifest, which must be signed and its own."""
    if order is None:
        yield ManifestMissing(container=container)
        return
    try:
        manifest = trust.open(order, PayloadType.MANIFEST, Manifest, lambda said: said.stored_at)
    except EnvelopeRefused:
        yield ManifestUnsigned(container=container)
        return
    if (manifest.recording_id, manifest.container) != (recording_id, container):
        yield ManifestUnsigned(container=container)
        return
    yield from _differing(container, manifest.objects, present)


def _differing(
    container: str, signed: Iterable[ManifestEntry], present: Iterable[ManifestEntry]
) -> Iterator[EvidenceFinding]:
    said, found = ({one.name: one for one in entries} for entries in (signed, present))
    for name in sorted(said.keys() | found.keys()):
        if said.get(name) != found.get(name):
            yield ManifestDiffers(name=f"{container}/{name}")


def _by_camera(recording: Recording, camera: Camera) -> Iterator[EvidenceFinding]:
    """A camera without a key signs nothing; there the manifest alone speaks."""
    if camera.public_key is None:
        return
    try:
        document = documents.open_document(recording.document, camera.public_key)
    except (EnvelopeRefused, CameraVolumeError):
        yield CameraWordRefused(container=recording.container_name)
        return
    said = declared(document)
    for clip in recording.clips:
        if clip.source_name is not None and not _is_as_declared(clip, said.get(clip.source_name)):
            yield CameraWordDiffers(name=f"{recording.container_name}/{clip.name}")


def declared(document: RecordingDocument) -> dict[str, tuple[int, str | None]]:
    """List the files that a camera's document speaks of, by their names there: size, and SHA-256 if it says one."""
    files = {entry.name: (entry.size_bytes, entry.sha256) for entry in document.clips}
    if document.track is not None:
        files[TRACK_NAME] = (document.track.size_bytes, document.track.sha256)
    return files


def _is_as_declared(clip: Clip, said: tuple[int, str | None] | None) -> bool:
    """Cameras that compute no digest sign the size alone."""
    return said is not None and said[0] == clip.size_bytes and said[1] in (None, clip.sha256)
