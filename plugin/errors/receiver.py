"""What the receiver refuses, and the pages around it."""

from __future__ import annotations

from .base import BodywornError


class ReceiverProblem(BodywornError):
    """Parent of what the receiver answers instead of doing what a body worn system asked for."""

    id = "receiver"
    sentence = "The receiver refused a request."
    mend = "Look at the messages of the body worn system that sends here."


class SignInRefused(ReceiverProblem):
    """Raised alike for an unknown, a closed and a mistaken account, and for a token that is wrong or has ended."""

    id = "receiver-sign-in-refused"
    sentence = "The credentials are invalid, or the sign-in has ended."
    mend = "Export a new connection file here and upload it in the body worn system."


class OtherAccount(ReceiverProblem):
    """Raised when one body worn system asks for what belongs to another."""

    id = "receiver-other-account"
    sentence = "This belongs to another account."


class ContainerMissing(ReceiverProblem):
    """Raised for a container that was never made."""

    id = "receiver-container-missing"
    sentence = "There is no container {container}."


class ObjectMissing(ReceiverProblem):
    """Raised for an object that was never stored."""

    id = "receiver-object-missing"
    sentence = "There is no object {name}."


class ObjectExists(ReceiverProblem):
    """Raised when an object should only be stored if it is new, and it is not."""

    id = "receiver-object-exists"
    sentence = "There is an object {name} already."


class OverwriteRefused(ReceiverProblem):
    """Raised when other bytes are sent under a name that is taken: evidence is never overwritten."""

    id = "receiver-overwrite-refused"
    sentence = "{name} is stored already with different content. It was left as it is."
    mend = "Compare what the body worn system holds with what was received before either is used as evidence."


class DeleteRefused(ReceiverProblem):
    """Raised for every request to delete."""

    id = "receiver-delete-refused"
    sentence = "Nothing can be deleted here by a body worn system."


class RecordingClosed(ReceiverProblem):
    """Raised when something would change in a recording that is complete."""

    id = "receiver-recording-closed"
    sentence = "The recording {container} is complete; nothing is added to it or changed any more."


class UploadDiffers(ReceiverProblem):
    """Raised when what arrived does not have the digest that the sender told; nothing of it is kept."""

    id = "receiver-upload-differs"
    sentence = "{name} arrived damaged: its digest is not the one that the sender told."
    mend = "It is sent again. If it happens again, check the network between the two systems."
    retry = True


class UploadCut(ReceiverProblem):
    """Raised when a body ended before it was whole; nothing of it is kept."""

    id = "receiver-upload-cut"
    sentence = "The transfer of {name} was cut off."
    mend = "It is sent again by itself."
    retry = True


class UploadLengthMissing(ReceiverProblem):
    """Raised when neither a length nor chunks tell where a body ends."""

    id = "receiver-upload-length-missing"
    sentence = "{name} was sent without its length."


class UploadByReference(ReceiverProblem):
    """Raised for an upload that is to be copied or put together from other objects; only bytes are evidence."""

    id = "receiver-upload-by-reference"
    sentence = "{name} was to be made of other objects, which is not possible here."
    mend = "Send the object itself, in one piece."


class UploadTooLarge(ReceiverProblem):
    """Raised above the size that a stock Swift takes for one object."""

    id = "receiver-upload-too-large"
    sentence = "{name} is larger than the {limit_bytes} bytes that one object may have."
    mend = "Let the cameras record shorter clips."


class MetadataTooLarge(ReceiverProblem):
    """Raised when metadata would take more room than any recording needs."""

    id = "receiver-metadata-too-large"
    sentence = "The metadata of {name} is larger than the {limit_bytes} bytes allowed."


class ReceiverBusy(ReceiverProblem):
    """Raised when as many uploads are under way as this server takes at a time."""

    id = "receiver-busy"
    sentence = "The receiver is busy with {limit} uploads."
    mend = "Nothing needs to be done; it is sent again in a moment."
    retry = True


class ObjectTooLargeToShow(ReceiverProblem):
    """Noted for a text or track that no page can show whole."""

    id = "received-too-large-to-show"
    sentence = "{name} is too large to be shown here."
    mend = "Download it, and open it in another program."


class TrackUnreadable(ReceiverProblem):
    """Noted for a location track that is not written as one."""

    id = "received-track-unreadable"
    sentence = "{name} cannot be read as a location track."
    mend = "Download it and look at it; it is kept as it arrived."


class NoStill(ReceiverProblem):
    """Raised for a clip of which no picture can be shown: broken, without video, or too much for the limits."""

    id = "no-still"
    sentence = "No picture of {name} can be shown."
    mend = "Play it, or download it and open it in a video player."


class StillsMissing(ReceiverProblem):
    """Raised where the optional library that decodes pictures is not installed."""

    id = "stills-missing"
    sentence = "Pictures of clips cannot be made: the media library is not installed."
    mend = "Install it with: pip install 'bodyworn[media]'."


class StillsBusy(ReceiverProblem):
    """Raised when others have been waiting for their pictures too long."""

    id = "stills-busy"
    sentence = "Pictures of other clips are being made."
    mend = "Load the page again."
    retry = True


class ReceivedRecordingUnknown(ReceiverProblem):
    """Raised when a page asks for a recording, or a part of one, that was not received."""

    id = "unknown-received-recording"
    sentence = "This recording was not received here."
    mend = "Go back to the list of received recordings and choose one that is there."


class AddressMissing(ReceiverProblem):
    """Raised when a connection file is asked for and the host does not know under which address others reach it."""

    id = "receiver-address-missing"
    sentence = "A connection file needs a name for this site and an address of this server."
    mend = "Enter both and export the file again."


class RecordingWithoutUser(BodywornError):
    """Noted on a recording that nobody was assigned to; it is stored, but a destination needs a user."""

    id = "recording-without-user"
    sentence = "Nobody was assigned to camera {serial} when this was recorded."
    mend = "The recording is safe here. Assign a user to the camera, so that later recordings are sent."
