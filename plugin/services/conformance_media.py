"""Recordings held against the camera volume format: signed, whole, and named as they will be delivered."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from io import FileIO
from pathlib import Path

from ..camera_volume import beneath
from ..camera_volume.documents import CameraDescription, decode
from ..camera_volume.media import MediaUnit, recording_folder
from ..camera_volume.recording import DOCUMENT_NAME, ClipEntry, RecordingDocument, Track, TrackEntry
from ..const import BLOCK_BYTES
from ..crypto.keys import PublicKey
from .conformance_remarks import Remarks
from .documents import open_document


def check_media(folder: Path, description: CameraDescription | None, remarks: Remarks) -> frozenset[str]:
    """Check the recordings on a unit; gives the ids of those that are finished."""
    root = beneath.open_folder(folder)
    try:
        with MediaUnit(folder) as media, remarks.faulting(10, "recordings"):
            return _Check(media, root, description, remarks).run()
    finally:
        os.close(root)
    return frozenset()


class _Check:
    def __init__(self, media: MediaUnit, root: int, description: CameraDescription | None, remarks: Remarks) -> None:
        self._media, self._root, self._description, self._remarks = media, root, description, remarks

    def run(self) -> frozenset[str]:
        listing = self._media.list_recordings()
        for recording_id in listing.unfinished:
            self._remarks.note(4, f"recordings/{recording_id}", "It has no document, so hosts leave it alone.")
        for name in listing.strange:
            self._remarks.note(3, f"recordings/{name}", "Hosts ignore this name.")
        if self._description is None:
            self._remarks.note(5, "recordings", "Without camera.json no signature can be checked; give both units.")
        else:
            self._check_documents(listing.recordings, self._description)
        return frozenset(listing.recordings)

    def _check_documents(self, recording_ids: tuple[str, ...], description: CameraDescription) -> None:
        documents = [self._document(recording_id, description) for recording_id in recording_ids]
        read = [document for document in documents if document is not None]
        for number, count in sorted(Counter(document.number for document in read).items()):
            if count > 1:
                self._remarks.fault(10, "recordings", f"{count} recordings have the number {number}.")
        numbers = [document.number for document in read]
        if numbers and len(set(numbers)) <= max(numbers) - min(numbers):
            self._remarks.note(10, "recordings", "There is a gap in their numbers: one is missing, or was deleted.")
        if description.storage.recordings != len(recording_ids):
            self._remarks.note(6, "camera.json", "It counts other recordings than there are.")

    def _document(self, recording_id: str, description: CameraDescription) -> RecordingDocument | None:
        path = f"{recording_folder(recording_id)}/{DOCUMENT_NAME}"
        key = PublicKey.from_base64(description.public_key)
        document: RecordingDocument | None = None
        with self._remarks.faulting(10, path):
            document = open_document(self._media.read_document(recording_id), key.raw)
        if document is None:
            return None
        if document.id != recording_id:
            self._remarks.fault(10, path, "It is the document of another recording.")
        if (document.serial, document.key_id) != (description.serial, key.key_id):
            self._remarks.fault(10, path, "It names another serial number or key than the camera has.")
        self._check_files(recording_id, document)
        return document

    def _check_files(self, recording_id: str, document: RecordingDocument) -> None:
        folder = recording_folder(recording_id)
        for clip in document.clips:
            self._check_clip(folder, recording_id, clip)
        if len({clip.name.rpartition("_")[2].partition(".")[0] for clip in document.clips}) > 1:
            self._remarks.fault(10, folder, "Its clips do not share one short id.")
        if list(document.clips) != sorted(document.clips, key=lambda clip: clip.start):
            self._remarks.fault(10, folder, "Its clips are not in the order of time.")
        if document.track is not None:
            self._check_track(folder, recording_id, document.track)
        known = {DOCUMENT_NAME, *(clip.name for clip in document.clips)}
        known |= {document.track.name} if document.track else set()
        for name in beneath.list_names(self._root, folder, limit=2000):
            if name not in known and not name.startswith("."):
                self._remarks.note(10, f"{folder}/{name}", "The document does not name it, so it is not delivered.")

    def _check_clip(self, folder: str, recording_id: str, clip: ClipEntry) -> None:
        path = f"{folder}/{clip.name}"
        if not clip.name.startswith(f"{clip.start:%Y%m%d_%H%M%S}_"):
            self._remarks.fault(10, path, "Its name does not tell its start in UTC.")
        if not clip.name.endswith(f".{clip.container}"):
            self._remarks.fault(10, path, "Its name ends in another container than its entry says.")
        if clip.sha256 is None:
            self._remarks.note(10, path, "Its entry has no digest, as it should.")
        with self._remarks.faulting(10, path), self._media.open_clip(recording_id, clip.name) as file:
            self._check_bytes(path, file, clip)

    def _check_track(self, folder: str, recording_id: str, track: TrackEntry) -> None:
        path = f"{folder}/{track.name}"
        with self._remarks.faulting(10, path), self._media.open_track(recording_id) as file:
            self._check_bytes(path, file, track)
            file.seek(0)
            decode(Track, file.read(track.size_bytes) or b"", limit_bytes=track.size_bytes)

    def _check_bytes(self, path: str, file: FileIO, entry: ClipEntry | TrackEntry) -> None:
        """Compare size and digest; a file of another size is not read."""
        size_bytes = os.fstat(file.fileno()).st_size
        if size_bytes != entry.size_bytes:
            self._remarks.fault(10, path, f"It has {size_bytes} bytes, the document says {entry.size_bytes}.")
        elif entry.sha256 is not None and _sha256(file, path) != entry.sha256:
            self._remarks.fault(10, path, "Its digest is not the one that the document says.")


def _sha256(file: FileIO, path: str) -> str:
    digest = hashlib.sha256()
    with beneath.translated(path):
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
