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


class UnknownProfile(BodywornError):
    """Raised when a camera profile does not exist (any more)."""

    id = "unknown-profile"
    sentence = "This camera profile is not known here."
    mend = "Choose a camera profile from the list."


class ProfileNameTaken(BodywornError):
    """Raised when a name is to be given to two profiles."""

    id = "profile-name-taken"
    sentence = "Another camera profile is called {name}."
    mend = "Enter another name."


class ProfileNameUnfit(BodywornError):
    """Raised when a profile is to get a name that cameras cannot keep or people cannot read."""

    id = "profile-name-unfit"
    sentence = "A profile's name has 1 to {longest} characters that can be seen, on one line."
    mend = "Enter another name."


class ProfileInUse(BodywornError):
    """Raised when a profile is to be removed that somebody has, or that new users get."""

    id = "profile-in-use"
    sentence = "The camera profile {name} is in use."
    mend = "Give its users another profile first, and make another one the default for new users."


class ProfileChangedMeanwhile(BodywornError):
    """Raised when a profile is to be saved over a change that somebody else made since it was opened."""

    id = "profile-changed-meanwhile"
    sentence = "Somebody else has changed the camera profile {name} since you opened it."
    mend = "Open it again, look at what it is now, and make your change anew."


class UserIdTaken(BodywornError):
    """Raised when a user ID is to be given twice."""

    id = "user-id-taken"
    sentence = "The user ID {user_id} belongs to somebody else."
    mend = "Enter another user ID, or leave it empty."


class UserIdOfRemovedUser(BodywornError):
    """Raised when a user ID is to be given that a removed user keeps."""

    id = "user-id-of-removed-user"
    sentence = "The user ID {user_id} belongs to {name}, who was removed."
    mend = "Bring that user back from the list of removed users, enter another user ID, or leave it empty."


class UserNameUnfit(BodywornError):
    """Raised when a camera user is to be called something that cannot be read or kept."""

    id = "user-name-unfit"
    sentence = (
        "A user's name has 1 to {longest} characters that can be seen, on one line, "
        "without signs that turn the direction of text."
    )
    mend = "Correct the name."


class UserIdUnfit(BodywornError):
    """Raised when a user ID cannot be read or kept."""

    id = "user-id-unfit"
    sentence = (
        "A user ID has at most {longest} characters that can be seen, on one line, "
        "without signs that turn the direction of text."
    )
    mend = "Correct the user ID, or leave it empty."


class UserFileTooLarge(BodywornError):
    """Raised when a file of camera users is larger than anybody's."""

    id = "user-file-too-large"
    sentence = "The file has more than {rows} rows, or more than {size_mib} MiB."
    mend = "Check that it is the right file, or import it in parts, without synchronising."


class UserFileEncoding(BodywornError):
    """Raised when a file of camera users is not text in UTF-8."""

    id = "user-file-encoding"
    sentence = "The file is not text in UTF-8, so names in it could be misread."
    mend = "Save it in your spreadsheet program as CSV with UTF-8, and choose it again."


class UserFileQuotes(BodywornError):
    """Raised when a file of camera users cannot be cut into cells."""

    id = "user-file-quotes"
    sentence = "The quotation marks at line {line} do not match, or a cell there is far too long."
    mend = "Correct that line, or save the file anew from a spreadsheet program."


class UserFileColumns(BodywornError):
    """Raised when the first row of a file of camera users does not name its columns."""

    id = "user-file-columns"
    sentence = (
        "The first row must name the columns name, user_id, profile and id, each once, of which only name is needed. "
        "It has: {found}"
    )
    mend = "Begin with the template, or with an export."


class UserFileEmpty(BodywornError):
    """Raised when a file of camera users names nobody."""

    id = "user-file-empty"
    sentence = "The file names no users, or none was chosen."
    mend = "Choose a file with a row for each user."


class UserImportOutdated(BodywornError):
    """Raised when an import would do something else now than what was shown."""

    id = "user-import-outdated"
    sentence = "Users or profiles were changed meanwhile, so this import would now do something else than was shown."
    mend = "Look at what it would do now, and import then."


class UploadForgotten(BodywornError):
    """Raised when what was uploaded to be confirmed is not kept any more."""

    id = "upload-forgotten"
    sentence = "The file is not kept any more: it waits for an hour at most, and for whoever chose it alone."
    mend = "Choose the file again."
