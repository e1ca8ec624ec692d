"""Checks of what is stored."""

from __future__ import annotations

from .base import BodywornError


class EvidenceFinding(BodywornError):
    """Parent of everything that a check of what is stored can find; never raised, noted."""

    id = "evidence-finding"
    sentence = "Something is not as it was stored."
    mend = "Keep the machine as it is and contact support."


class CopyChanged(EvidenceFinding):
    """Noted when an object's bytes are not what was stored."""

    id = "copy-changed"
    sentence = "{name} has changed on the disk since it was stored."
    mend = "The controller keeps the changed copy in quarantine and deletes nothing. Check the disk: it may be failing."


class CopyMissing(EvidenceFinding):
    """Noted when an object is gone."""

    id = "copy-missing"
    sentence = "{name} is not on the disk any more."
    mend = "Find out who or what removed it; this system did not."


class CopyUnreadable(EvidenceFinding):
    """Noted when an object cannot be read, or something else stands in its place."""

    id = "copy-unreadable"
    sentence = "{name} cannot be read from the disk."
    mend = "The controller keeps it in quarantine and deletes nothing. Check the disk: it may be failing."


class CopyWithoutPartner(EvidenceFinding):
    """Noted on a whole object that cannot be opened, because its key is damaged, and on a key of a damaged one."""

    id = "copy-without-partner"
    sentence = "{name} is of no use without what belongs to it, which is damaged."
    mend = "It is taken again together with what belongs to it."


class ObjectUnexpected(EvidenceFinding):
    """Noted when a store holds something that nothing in the database speaks of."""

    id = "object-unexpected"
    sentence = "{name} is on the disk, and nothing in the database speaks of it."
    mend = "A step that was cut off leaves this, and takes it up again. If it stays, do not delete it: contact support."


class SpoolAbsent(EvidenceFinding):
    """Noted when copies cannot be checked, because the disk they were stored on is not there."""

    id = "spool-absent"
    sentence = "The disk on which recordings were stored is not there, or cannot be read at all."
    mend = "Connect the disk again; checking goes on by itself."
    retry = True


class EventChanged(EvidenceFinding):
    """Noted when an event is not what was written, or not in its place."""

    id = "event-changed"
    sentence = "Event {sequence} of chain {chain} is not what was written."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class EventMissing(EvidenceFinding):
    """Noted when an event is gone from the middle of a chain."""

    id = "event-missing"
    sentence = "Event {sequence} of chain {chain} is missing."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class ChainTruncated(EvidenceFinding):
    """Noted when a chain ends before the event that its head or a checkpoint speaks of."""

    id = "chain-truncated"
    sentence = "Chain {chain} was cut off: its events from {sequence} on are missing."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class ChainRewritten(EvidenceFinding):
    """Noted when a chain is whole in itself, and another than the one that was signed."""

    id = "chain-rewritten"
    sentence = "Chain {chain} was written anew: event {sequence} is not the one that this controller signed."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class ChainGone(EvidenceFinding):
    """Noted when the chain of this machine itself is gone."""

    id = "chain-gone"
    sentence = "This controller's chain of events is gone."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class CheckpointRefused(EvidenceFinding):
    """Noted when a checkpoint is not signed as it must be."""

    id = "checkpoint-refused"
    sentence = "The checkpoint of chain {chain} at event {sequence} is not signed by a controller of this system."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class ManifestMissing(EvidenceFinding):
    """Noted when a stored recording has no manifest."""

    id = "manifest-missing"
    sentence = "Recording {container} has no signed manifest."
    mend = "Keep it, and contact support: what was stored cannot be proved by this controller's signature."


class ManifestUnsigned(EvidenceFinding):
    """Noted when a manifest is not signed as it must be, or is another recording's."""

    id = "manifest-unsigned"
    sentence = "The manifest of recording {container} is not signed by a controller of this system."
    mend = "Somebody changed the database. Compare the recording with the copy at the content destination."


class ManifestDiffers(EvidenceFinding):
    """Noted when what the database says of an object is not what was signed."""

    id = "manifest-differs"
    sentence = "What the database says of {name} is not what the manifest says."
    mend = "Somebody changed the database. The manifest is signed: believe it, and compare the recording's hashes."


class CameraWordRefused(EvidenceFinding):
    """Noted when a recording's document does not carry its camera's signature any more."""

    id = "camera-word-refused"
    sentence = "What the camera said of recording {container} does not carry the camera's signature."
    mend = "Somebody changed the database. Compare the recording with the copy at the content destination."


class CameraWordDiffers(EvidenceFinding):
    """Noted when what was stored is not what the camera signed."""

    id = "camera-word-differs"
    sentence = "What the database says of {name} is not what the camera signed."
    mend = "Somebody changed the database. The camera's document is signed: believe it, and compare the hashes."


class RecordingToTakeAgain(BodywornError):
    """Noted on a recording whose copy here is damaged while its camera still has the original."""

    id = "recording-to-take-again"
    sentence = "The controller's copy of this recording is damaged; camera {serial} still has the original."
    mend = "Dock the camera: the recording is then taken again."
    retry = True


class RecordingDamaged(BodywornError):
    """Noted on a recording whose copy here is damaged when no other one is proved."""

    id = "recording-damaged"
    sentence = "The controller's copy of this recording is damaged, and no other copy is proved."
    mend = "The damaged copy is kept in quarantine. Leave disk and camera as they are, and contact support."


class RecordingKeyLost(BodywornError):
    """Noted when the key of an encrypted clip is damaged here, and one of the two is at the destination already.

    Taken again, the clip would get another key, which does not open what the destination has.
    """

    id = "recording-key-lost"
    sentence = "The key of an encrypted clip of this recording is damaged, and the clip or its key was sent already."
    mend = "The camera still has the original, and keeps it. Do not erase the camera; contact support."


class ExportRefused(BodywornError):
    """Raised when a file is not an export of the chain of events."""

    id = "export-refused"
    sentence = "This file is not an export of the chain of events (line {line})."
    mend = "Export the events again, and verify that file."


class KeyOtherwise(BodywornError):
    """Raised when a file that proves itself names another recovery key than whoever verifies it."""

    id = "export-of-other-system"
    sentence = "The file is of another system: its recovery key is {found}."
    mend = "Compare with the key that the Verification page of your system shows."


class RecordingNotDelivered(BodywornError):
    """Raised when a proof of delivery is asked for before there was a delivery."""

    id = "recording-not-delivered"
    sentence = "This recording is not complete at the content destination, so there is no proof of its delivery."
    mend = "Wait until it is delivered; its page says how far it is."


class ProofRefused(BodywornError):
    """Raised when a file is no proof of delivery, or its signature does not hold."""

    id = "proof-refused"
    sentence = "This file is not a proof of delivery, or somebody changed it: its signature does not hold."
    mend = "Download the proof again from the page of the recording, and verify that file."


class ProofContradicts(EvidenceFinding):
    """Noted when the hashes that a proof of delivery says of one object are not of the same bytes."""

    id = "proof-contradicts"
    sentence = "The proof says different hashes of {name} in different places."
    mend = "Compare the file itself with the hash that the signed manifest says."


class ProofFileMissing(EvidenceFinding):
    """Noted when a file that was delivered does not lie beside the proof of it."""

    id = "proof-file-missing"
    sentence = "{name} was delivered and is not in the folder."
    mend = "Put all files of the recording into the folder, under the names that they have at the destination."


class ProofFileDiffers(EvidenceFinding):
    """Noted when a file beside a proof of delivery is another one, or cannot be read."""

    id = "proof-file-differs"
    sentence = "{name} in the folder is not the file that was recorded and delivered, or cannot be read."
    mend = "Fetch it again from the content destination, and compare again."
