"""What may not happen, by the rules."""

from __future__ import annotations

from .base import BodywornError


class NoSystem(BodywornError):
    """Raised where a system is needed and none was founded yet."""

    id = "no-system"
    sentence = "There is no body worn system here yet."
    mend = "Set up a new system first."


class AlreadyFounded(BodywornError):
    """Raised when a second system is to be founded in one database."""

    id = "already-founded"
    sentence = "There is a body worn system here already."
    mend = "Reset the existing system before you create another one."


class UnknownCamera(BodywornError):
    """Raised when a camera does not exist (any more)."""

    id = "unknown-camera"
    sentence = "This camera is not known here."
    mend = "Go back to the list of cameras and choose one that is there."


class UnknownRecording(BodywornError):
    """Raised when a page names a recording that does not exist."""

    id = "unknown-recording"
    sentence = "This recording does not exist."
    mend = "Choose one from the list of recordings."


class NoRecoveryKey(BodywornError):
    """Raised when encrypted content is to be read in a system that has no master key."""

    id = "no-recovery-key"
    sentence = "This system has no master key, so nothing here can open what was encrypted."
    mend = "Open the recording at its content destination."


class ConnectionFileMissing(BodywornError):
    """Raised when the form was sent without a file, or with an empty one."""

    id = "connection-file-missing"
    sentence = "No connection file was chosen, or it is empty."
    mend = "Choose the file that the content destination exported."


class OwnCertificateUnknown(BodywornError):
    """Raised when a connection file is to name an address of this server that shows no certificate."""

    id = "own-certificate-unknown"
    sentence = "Nothing shows a certificate at {address}."
    mend = "Enter an address of this server as other machines reach it, and check that it serves HTTPS."


class UnknownCameraUser(BodywornError):
    """Raised when a camera user does not exist or was removed."""

    id = "unknown-camera-user"
    sentence = "This user is not known here, or was removed."
    mend = "Choose a user from the list."


class UserIdTaken(BodywornError):
    """Raised when a user ID is to be given twice."""

    id = "user-id-taken"
    sentence = "The user ID {user_id} belongs to somebody else."
    mend = "Enter another user ID, or leave it empty."
