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
