"""The document that a camera signed about a recording: verified with that camera's key, then read."""

from __future__ import annotations

from ..camera_volume.documents import decode
from ..camera_volume.recording import RecordingDocument
from ..crypto.envelope import PayloadType, verify
from ..crypto.keys import PublicKey
from ..models import Camera, Recording


def open_document(envelope: bytes, public_key: bytes) -> RecordingDocument:
    """Verify an envelope with a camera's key and read the document in it.

    :raises EnvelopeRefused: when the camera did not sign it; DocumentRefused when it is not what the format says.
    """
    payload = verify(envelope, PayloadType.RECORDING, [PublicKey(public_key)])
    return decode(RecordingDocument, payload)


def read(recording: Recording, camera: Camera) -> RecordingDocument:
    """Read the document of a recording that was taken; it is verified again, because time has passed."""
    assert camera.public_key is not None, "only cameras with keys sign documents"
    return open_document(recording.document, camera.public_key)
