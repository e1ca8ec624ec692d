"""Units, documents and turns of a camera."""

from __future__ import annotations

from .base import BodywornError


class CameraVolumeError(BodywornError):
    """Base of what can go wrong with a camera's units; nothing on the camera was changed."""

    id = "camera-volume"
    sentence = "The camera cannot be read."
    mend = "Undock the camera and dock it again. If it happens again, try another bay."
    retry = True


class KernelTooOld(CameraVolumeError):
    """Raised where the kernel cannot confine opening a file to the camera's folder."""

    id = "kernel-too-old"
    sentence = "This machine's kernel lacks openat2, without which cameras are not read."
    mend = "Run Linux 5.6 or newer, and let a container's system call filter allow openat2."
    retry = False


class DocumentRefused(CameraVolumeError):
    """Raised when a document of the camera volume format breaks the format's rules."""

    id = "document-refused"
    sentence = "The camera's document {document} does not follow the format: {reason}."
    mend = "Update the camera's firmware; its recordings stay on the camera until then."
    retry = False


class CameraNameRefused(CameraVolumeError):
    """Raised for a name that the camera volume format does not allow."""

    id = "camera-name-refused"
    sentence = "The camera has a file or folder whose name is not allowed: {name}."
    mend = "Nothing is read from it. Report it to the maker of the camera."
    retry = False


class CameraFileMissing(CameraVolumeError):
    """Raised when a file that should be on a unit is not there, or has vanished."""

    id = "camera-file-missing"
    sentence = "The file {name} is not on the camera."
    mend = "The other files of the recording are kept. Report it to the maker of the camera."
    retry = False


class CameraFileRefused(CameraVolumeError):
    """Raised for anything that is no regular file inside the unit: links, pipes, devices, other mounts."""

    id = "camera-file-refused"
    sentence = "The camera offers {name}, which is not an ordinary file. It was not opened."
    mend = "Somebody may have tampered with the camera. Have it examined before it is used again."
    retry = False


class CameraListingTooLong(CameraVolumeError):
    """Raised when a camera lists more than the format allows."""

    id = "camera-listing-too-long"
    sentence = "The camera lists more than {limit} entries in {name}."
    mend = "Have the camera examined; its storage may be damaged."
    retry = False


class CameraUnreadable(CameraVolumeError):
    """Raised when reading or writing a unit fails, as it does when the camera is pulled out."""

    id = "camera-unreadable"
    sentence = "The camera could not be read or written at {name}: {reason}."


class UnitAbsent(CameraVolumeError):
    """Raised when a unit is not there because it is the other side's turn, or no camera is docked."""

    id = "unit-absent"
    sentence = "The camera's {unit} unit is not there."
    mend = "Nothing needs to be done; it is tried again."


class TurnTimedOut(CameraVolumeError):
    """Raised when a camera does not give its units back in time."""

    id = "turn-timed-out"
    sentence = "The camera did not answer within {seconds} seconds."


class CameraGone(CameraVolumeError):
    """Raised when the camera was undocked while something was done with it."""

    id = "camera-gone"
    sentence = "The camera was undocked."
    mend = "Dock it again; the transfer goes on where it stopped."


class PortUnusable(CameraVolumeError):
    """Raised when the simulated USB socket cannot hand units over."""

    id = "port-unusable"
    sentence = "The simulated dock cannot be used: {reason}."
    mend = "Keep the folders of simulated docks and cameras on one writable filesystem."
    retry = False
