"""Docks, cameras, transfers: what the controller meets."""

from __future__ import annotations

from .base import BodywornError
from .camera_volume import CameraGone


class ControllerRunning(BodywornError):
    """Raised when a second controller process is started on one data folder."""

    id = "controller-running"
    sentence = "Another controller process is at work in {folder}."
    mend = "Nothing needs to be done; one is enough. Stop the other one first if you want to start it by hand."


class CameraReadFailed(BodywornError):
    """Raised when the camera's storage answers with a read error."""

    id = "camera-read-failed"
    sentence = "{name} cannot be read from the camera."
    mend = "Leave the camera docked; it is tried again. If it stays, dock it in another bay, then contact support."
    retry = True


class ClipDiffers(BodywornError):
    """Raised when a file on the camera is not what the camera's signed document says."""

    id = "clip-differs"
    sentence = "{name} is not what the camera says it recorded."
    mend = "The camera keeps it. Dock the camera again; if it stays, keep the camera and contact support."
    retry = True


class CopyUnproved(BodywornError):
    """Raised when a destination that can prove what it holds does not do so."""

    id = "copy-unproved"
    sentence = "The content destination does not prove that it holds {name}."
    mend = "Nothing is erased meanwhile; it is tried again. If it lasts, ask the destination's operator."
    retry = True


class SpoolDamaged(BodywornError):
    """Noted when a copy in the spool is not what was stored any more."""

    id = "spool-damaged"
    sentence = "The copy of {name} on this controller has changed since it was stored."
    mend = "Do not erase the camera. Check the controller's disk, then contact support."


class FilesystemNotAllowed(BodywornError):
    """Raised before a unit with a filesystem outside the allow-list is touched."""

    id = "filesystem-not-allowed"
    sentence = "The camera's storage is formatted as {filesystem}, which is not read here."
    mend = "Format the camera as its maker describes; exFAT and FAT32 are read."


class MountFailed(BodywornError):
    """Raised when a unit cannot be mounted or unmounted."""

    id = "mount-failed"
    sentence = "The camera's storage cannot be opened ({tool}: {reason})."
    mend = "Dock the camera again; if it stays, dock it in another bay, then contact support."
    retry = True


class MountingImpossible(BodywornError):
    """Raised where a unit is to be mounted and this process may not: it is not root and has no helper."""

    id = "mounting-impossible"
    sentence = "This controller may not open the storage of cameras: mounting needs root or the helper."
    mend = "Start the service bodyworn-helper and set BODYWORN_HELPER to its socket; bodyworn dock units prints both."


class HelperUnreachable(BodywornError):
    """Raised when the helper that mounts for this controller does not answer."""

    id = "helper-unreachable"
    sentence = "The helper that opens the storage of cameras does not answer."
    mend = "Start the service bodyworn-helper, and see in its log why it ended."
    retry = True


class HelperRefused(BodywornError):
    """Raised when the helper will not do what it is asked for: it may not, or it was asked nonsense."""

    id = "helper-refused"
    sentence = "The helper that opens the storage of cameras refused to: {reason}."
    mend = "Nothing was read from the camera. Take out what is in the bay, and see the log of bodyworn-helper."


class HelperUnsafe(BodywornError):
    """Raised when the helper does not start, because what it would do could be turned against this machine."""

    id = "helper-unsafe"
    sentence = "The helper does not start: {reason}."
    mend = "Run it as root, with a socket and a scratch folder that only root can change."


class CameraNotGenuine(BodywornError):
    """Raised when a camera does not prove to be what it says."""

    id = "camera-not-genuine"
    sentence = "Camera {serial} did not prove who it is."
    mend = "Nothing was read from it. Dock it again; if it stays, keep it apart and find out where it is from."


class CameraBelongsElsewhere(BodywornError):
    """Raised when a camera belongs to another body worn system."""

    id = "camera-belongs-elsewhere"
    sentence = "Camera {serial} belongs to another body worn system."
    mend = "Nothing was read from it. Remove it from its present system first, then dock it here again."


class CameraLocked(BodywornError):
    """Raised when a camera has locked itself."""

    id = "camera-locked"
    sentence = "Camera {serial} is locked, because it was not docked for over eight weeks or its system was restored."
    mend = "Unlock it with the master key passphrase."


class CameraNotLocked(BodywornError):
    """Raised when a camera is to be unlocked that is not locked, or stands in no bay."""

    id = "camera-not-locked"
    sentence = "There is nothing to unlock: no such camera is locked and docked."
    mend = "Dock the camera and wait until it shows as Locked, then unlock it."


class CameraNotOurs(BodywornError):
    """Raised when something is asked of a camera that only cameras of the system can do."""

    id = "camera-not-ours"
    sentence = "Camera {serial} does not belong to this system, or not any more."
    mend = "Dock it; it shows under New when it can be added."


class CameraIsDocked(BodywornError):
    """Raised when a camera is to be removed by force although it is there."""

    id = "camera-is-docked"
    sentence = "Camera {serial} is docked, so it is not lost."
    mend = "Remove it the usual way, which transfers its recordings first. If it is broken, take it out of its bay."


class CameraRefused(BodywornError):
    """Raised when a camera does not do what it must be able to do."""

    id = "camera-refused"
    sentence = "Camera {serial} refused an order ({order})."
    mend = "Dock the camera again; if it stays, download a system report and contact support."
    retry = True


class RecordingVanished(BodywornError):
    """Noted when a recording that was seen on a camera is gone from it, and was never stored."""

    id = "recording-vanished"
    sentence = "This recording was seen on camera {serial} and is gone from it; it was not stored."
    mend = "Keep the camera as it is and contact support: what was deleted may still be recoverable."


class StorageLow(BodywornError):
    """Raised before a file is taken in for which the controller's storage has no room to spare."""

    id = "storage-low"
    sentence = "The controller has {free_gigabytes} GB of storage left, too little to take in more recordings."
    mend = "Cameras keep their recordings. Find out why the content destination takes none, or add storage."
    retry = True


class CameraOwnedElsewhere(BodywornError):
    """Noted when another controller has a recording in hand."""

    id = "camera-owned-elsewhere"
    sentence = "Another controller has begun to take this recording."
    mend = "Dock the camera at that controller, so that it can finish."


class ReceiverNotStarted(BodywornError):
    """Raised when the receiver of a headless transfer does not come up."""

    id = "receiver-not-started"
    sentence = "The receiver did not start: {reason}."
    mend = "Run: bodyworn serve, and see what it says."


class CameraInterrupted(CameraGone):
    """Raised when a camera came loose for a moment, or enumerated anew; it is asked again who it is."""

    id = "camera-interrupted"
    sentence = "The connection to the camera was interrupted for a moment."
    mend = "The transfer goes on by itself. If it happens often, clean the contacts or use another bay."
    retry = True


class UsbDeviceRefused(BodywornError):
    """Raised for a device that offers more than a disk, as a camera in its dock has no reason to."""

    id = "usb-device-refused"
    sentence = "The device in this bay ({name}) says that it is something else than a camera's storage: {kinds}."
    mend = "Nothing was read from it. Take it out and find out what it is."


class NeverADisk(BodywornError):
    """Raised when a device stands in a bay and shows no disk."""

    id = "usb-never-a-disk"
    sentence = "The device in this bay ({name}) does not show its storage."
    mend = "Dock it again. Some cameras must be switched to their docking mode, see their manual."
    retry = True


class EjectFailed(BodywornError):
    """Raised when a unit cannot be handed back to its camera."""

    id = "eject-failed"
    sentence = "The camera's storage cannot be handed back to the camera ({reason})."
    mend = "Dock the camera again; if it stays, dock it in another bay, then contact support."
    retry = True


class UsbGuardFailed(BodywornError):
    """Raised when new USB devices are to be refused and this process may not see to it."""

    id = "usb-guard-failed"
    sentence = "USB devices that are no cameras cannot be refused here ({reason})."
    mend = "Let the controller, or its helper, work as root and outside of containers, or turn the guard off."


class NoUdevEvents(BodywornError):
    """Noted on a controller with USB docks that does not hear of devices."""

    id = "no-udev-events"
    sentence = "This controller does not hear when cameras are docked."
    mend = "It needs the system's udev service; in a container, the host's network and its folder /run/udev as well."


class UnknownDock(BodywornError):
    """Raised when a dock or bay is named that does not exist."""

    id = "unknown-dock"
    sentence = "There is no dock or bay of this name."
    mend = "List them and use a name as it stands there."


class DockNameTaken(BodywornError):
    """Raised when two docks are to have one name."""

    id = "dock-name-taken"
    sentence = "There is a dock with the name {name} already."
    mend = "Give each dock a name of its own."


class BayOccupied(BodywornError):
    """Raised when a bay is to be forgotten while something stands in it."""

    id = "bay-occupied"
    sentence = "Something is docked in {bay}."
    mend = "Take it out first, and wait until the bay is shown as empty."


class PlaceTaken(BodywornError):
    """Raised when a USB place is to belong to a second bay."""

    id = "place-taken"
    sentence = "{place} belongs to {bay} already."
    mend = "Take it from that bay first."


class CameraTwice(BodywornError):
    """Noted in every bay of a camera that stands in several: one of them is a copy, and nobody can tell which."""

    id = "camera-twice"
    sentence = "Two docked cameras say that they are {serial}."
    mend = "Nothing is read from either. Take one out and find out where it is from; the other one goes on by itself."
    retry = True


class SerialTaken(BodywornError):
    """Raised when a camera is to be added that has the serial number of one that was added before."""

    id = "serial-taken"
    sentence = "Another camera with the serial number {serial} belongs to this system already."
    mend = "One of the two may not be what it says. Keep both apart and ask their maker; neither was changed."
