"""Plain disks as cameras, and drivers of other packages."""

from __future__ import annotations

from .base import BodywornError


class DiskWithoutIdentity(BodywornError):
    """Raised for a disk that shows nothing by which it could be known again."""

    id = "disk-without-identity"
    sentence = "The disk in this bay has no filesystem number, so it could not be told from any other."
    mend = "Nothing was read from it. Format it in the camera, or copy its recordings by hand."


class CameraFileImpossible(BodywornError):
    """Noted for a file that claims more bytes than its disk has, or than any destination takes."""

    id = "camera-file-impossible"
    sentence = "{name} claims {size_bytes} bytes, more than can be on this camera or than can be sent."
    mend = "It stays on the camera, and nothing is deleted from it. Copy it by hand, then have the camera examined."


class CameraFolderUnread(BodywornError):
    """Noted for a folder of a disk camera that could not be looked into."""

    id = "camera-folder-unread"
    sentence = "The folder {name} on the camera could not be read: {reason}."
    mend = "Nothing is deleted from this camera. Have its storage examined; there may be recordings in that folder."


class CameraNameTwice(BodywornError):
    """Noted for a name that two files in one folder have, as they do when a filesystem is damaged."""

    id = "camera-name-twice"
    sentence = "More than one file on the camera is called {name}, so only one of them can be reached."
    mend = "Nothing is deleted from this camera. Have its storage examined before it is formatted."


class CameraPathTooLong(BodywornError):
    """Noted for a file whose path is longer than can be kept."""

    id = "camera-path-too-long"
    sentence = "The path of {name} on the camera is too long."
    mend = "It stays on the camera, and nothing is deleted from it. Copy it by hand."


class CameraTooSlow(BodywornError):
    """Noted when a camera took so long to show its files that not all were looked at."""

    id = "camera-too-slow"
    sentence = "The camera answers so slowly that {count} files on it were not looked at yet."
    mend = "Leave it docked; they are looked at next. If this goes on, copy them by hand and have its storage examined."
    retry = True


class CameraMoreLeft(BodywornError):
    """Noted in place of so many single problems that nobody would read them."""

    id = "camera-more-left"
    sentence = "{count} more files or folders on the camera could not be taken."
    mend = "Nothing is deleted from this camera. Have its storage examined."


class CameraFilesLeftAlone(BodywornError):
    """Told of files that are no recordings, by their kind; nothing is wrong."""

    id = "camera-files-left-alone"
    sentence = "{count} files on the camera are no recordings and stay there: {names}."
    mend = "Nothing needs to be done. If one of them is a recording, copy it by hand."


class RecordingUnfinished(BodywornError):
    """Told of a recording that its camera has not finished, or of something beside recordings that is none."""

    id = "recording-unfinished"
    sentence = "{count} entries among the camera's recordings are not finished recordings and stay there: {names}."
    mend = "Let the camera start once and dock it again. If they are still there, show them to the maker of the camera."


class ClipLengthUnknown(BodywornError):
    """Told of clips that were to tell how long they are, and did not."""

    id = "clip-length-unknown"
    sentence = "{count} clips on the camera do not tell how long they are: {names}."
    mend = (
        "They are taken as they are, with the time of their last change. Play one of them to see whether it is damaged."
    )


class CameraClockBehind(BodywornError):
    """Noted on a camera whose newest recordings claim to be older than its last docking."""

    id = "camera-clock-behind"
    sentence = "The clock of camera {serial} is behind by {hours} hours or more."
    mend = "Set the clock in the camera, record something and dock it again; until then it is assigned to nobody."


class DiskNotAllStored(BodywornError):
    """Raised instead of deleting from a disk that holds something which is not stored yet."""

    id = "disk-not-all-stored"
    sentence = "Nothing was deleted from camera {serial}, because {name} is not stored yet."
    mend = "Leave the camera docked; what is new on it is taken first."
    retry = True


class DiskChanged(BodywornError):
    """Raised instead of deleting a file that is not what was stored."""

    id = "disk-changed"
    sentence = "{name} on camera {serial} is not what was stored, so it was not deleted."
    mend = "Leave the camera docked; what changed on it is taken first."
    retry = True


class DriverBroken(BodywornError):
    """Raised when a driver from another package fails in a way that it should not."""

    id = "driver-broken"
    sentence = "The camera driver {driver} failed: {reason}."
    mend = "Update the package that brings the driver, or remove it; the recordings are still on the camera."
    retry = True


class VolumeMissing(BodywornError):
    """Raised when a folder to be checked holds no camera volume."""

    id = "volume-missing"
    sentence = "{folder} holds neither a control unit nor a media unit of a camera."
    mend = "Give the folder with camera.json, the one with recordings, or one that holds both as control and media."
