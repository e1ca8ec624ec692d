"""What is known of a recording from its camera: the document that it signed, verified with its key before it is read.

Cameras that have no key sign nothing; for them alone stands what this controller found (``findings``).
"""

from __future__ import annotations

from ..camera_volume.documents import decode
from ..camera_volume.recording import RecordingDocument
from ..crypto.envelope import PayloadType, verify
from ..crypto.keys import PublicKey
from ..models import Camera, Recording
from . import findings
from .findings import Finding

#: A recording as its camera, or as this controller describes it.
Description = RecordingDocument | Finding


def open_document(envelope: bytes, public_key: bytes) -> RecordingDocument:
    """Verify an envelope with a camera's key and read the document in it.

    :raises EnvelopeRefused: when the camera did not sign it; DocumentRefused when it is not what the format says.
    """
    payload = verify(envelope, PayloadType.RECORDING, [PublicKey(public_key)])
    return decode(RecordingDocument, payload)


def read(recording: Recording, camera: Camera) -> Description:
    """Read the document of a recording that was taken; it is verified again, because time has passed.

    The camera decides which kind it is: for one that has a key, nothing unsigned counts.
    """
    if camera.public_key is None:
        return findings.read(recording.document)
    return open_document(recording.document, camera.public_key)
