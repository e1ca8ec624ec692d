"""Cameras that do not exist."""

from __future__ import annotations

from .base import BodywornError


class SimulatorError(BodywornError):
    """Base of what a simulated camera refuses or cannot do."""

    id = "simulator"
    sentence = "The simulated camera cannot do that."
    mend = "See the simulated camera's page for its state."


class OutOfTurn(SimulatorError):
    """Raised when a simulated camera is made to touch a unit that is in the host's hands."""

    id = "out-of-turn"
    sentence = "The camera's {unit} unit is in the host's hands; the camera may not touch it."
    mend = "Undock the camera, or wait until its host ejects the unit."


class CameraNotReady(SimulatorError):
    """Raised when a camera cannot record: no system, no user, locked, docked, empty."""

    id = "camera-not-ready"
    sentence = "The camera cannot record: {reason}."
    mend = "Add the camera to the system, assign it to a user, dock it once, and undock it charged."


class CameraFull(SimulatorError):
    """Raised when a camera has no room for a recording."""

    id = "camera-full"
    sentence = "The camera's storage is full."
    mend = "Dock the camera and wait until its recordings are transferred."


class AlreadyDocked(SimulatorError):
    """Raised when a bay is taken, or a camera is in a bay already."""

    id = "already-docked"
    sentence = "There is a camera in bay {bay} already."
    mend = "Undock it first, or choose another bay."


class MediaLibraryMissing(SimulatorError):
    """Raised when recordings cannot be made because the optional media library is not installed."""

    id = "media-library-missing"
    sentence = "Recordings cannot be made: the media library is not installed."
    mend = "Install it with: pip install 'bodyworn[media]'."


class ClipTooSmall(SimulatorError):
    """Raised when a clip is asked to be smaller than a valid file can be."""

    id = "clip-too-small"
    sentence = "A clip cannot be as small as {size_bytes} bytes."
    mend = "Ask for at least {least_bytes} bytes."


class SimulatedVolumeFailed(SimulatorError):
    """Raised when a simulated camera's image file cannot be made, mounted or unmounted."""

    id = "simulated-volume-failed"
    sentence = "The simulated camera's storage could not be used: {reason}."
    mend = "Image files need root, losetup and the tools of the filesystem; folders need nothing."
