"""Each message of System status with its probable cause and what to do about it: one row a message.

When a message is shown is decided by the cards. Help lists these rows as a table; pages and the machine-readable status
lead to them by their id.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .sentence import Sentence, sentence


class Part(StrEnum):
    """A part of the system that has a card."""

    CAMERAS = "cameras"
    CONTROLLERS = "controllers"
    DESTINATION = "destination"


@dataclass(frozen=True)
class Advice:
    """What a kind of message means."""

    #: Stable, in kebab case; programs may rely on it.
    id: str
    part: Part
    #: One or two words, as in the manual: New, Storage low, Connection failed.
    label: Sentence
    cause: Sentence
    solution: Sentence


CAMERA_LOCKED = Advice(
    "camera-locked",
    Part.CAMERAS,
    sentence("Locked"),
    sentence(
        "The camera was away from its dock for more than eight weeks, or the system was restored from its master key."
    ),
    sentence("Unlock it with the passphrase of the master key; several cameras can be unlocked at once."),
)
CAMERA_NEW = Advice(
    "camera-new",
    Part.CAMERAS,
    sentence("New"),
    sentence("A camera stands in a dock that does not belong to this system yet."),
    sentence("Add it, then assign a user. What is recorded on it is not read before."),
)
NO_CAMERAS = Advice(
    "no-cameras",
    Part.CAMERAS,
    sentence("No cameras"),
    sentence("No camera has been added to this system yet."),
    sentence("Dock a camera, wait until its lights flash amber, and add it on the page Devices."),
)
CAMERA_STORAGE_ERROR = Advice(
    "camera-storage-error",
    Part.CAMERAS,
    sentence("Storage error"),
    sentence("What is stored on the camera cannot be read in full; its storage may be failing."),
    sentence(
        "Do not use the camera until its recordings have been saved. Take the general steps; if the message comes "
        "back, have the camera examined."
    ),
)
CAMERA_PROBLEM = Advice(
    "camera-problem",
    Part.CAMERAS,
    sentence("Problem"),
    sentence("Something went wrong with the camera or in its bay; the message says what."),
    sentence("The camera's page says what to do. If that does not help, take the general steps."),
)
CAMERA_WITHOUT_USER = Advice(
    "camera-without-user",
    Part.CAMERAS,
    sentence("No user"),
    sentence("Nobody is entered as wearing the camera, so it does not record."),
    sentence("Assign a user on the camera's page, and dock the camera so that it hears of it."),
)
CAMERA_OVERDUE = Advice(
    "camera-overdue",
    Part.CAMERAS,
    sentence("Overdue"),
    sentence("The camera has not been docked for a long time; past eight weeks it locks itself."),
    sentence("Ask whoever wears it to dock it. One that is lost or broken can be removed by force."),
)
BATTERY_LOW = Advice(
    "battery-low",
    Part.CAMERAS,
    sentence("Battery low"),
    sentence("The camera was taken with a low battery and has not come back since. An empty battery ages quickly."),
    sentence("Charge it soon, in a dock or with a charger."),
)
BATTERY_IN_STORE = Advice(
    "battery-in-store",
    Part.CAMERAS,
    sentence("Charge"),
    sentence("The camera has been in store, or removed and in shipping mode, for three months or a multiple of that."),
    sentence("Charge it, and put it back neither full nor empty. For a removed camera this reminder ends by itself."),
)
CONTROLLER_UNAVAILABLE = Advice(
    "controller-unavailable",
    Part.CONTROLLERS,
    sentence("Unavailable"),
    sentence("The controller process does not report: it ended, the machine is off, or the connection to it is lost."),
    sentence(
        "Start the machine or the service again; recordings and logs stay. For an extension controller check that its "
        "network reaches this machine under the address that was entered there."
    ),
)
CONTROLLER_STORAGE_ERROR = Advice(
    "controller-storage-error",
    Part.CONTROLLERS,
    sentence("Storage error"),
    sentence("The disk of the system controller reports errors or is not there."),
    sentence("Check that the disk is connected, then take the general steps. Replace a disk that goes on failing."),
)
CONTROLLER_STORAGE_LOW = Advice(
    "controller-storage-low",
    Part.CONTROLLERS,
    sentence("Storage low"),
    sentence("Recordings arrive faster than they leave for the content destination, or they do not leave at all."),
    sentence(
        "See that the content destination works and that the line to it is fast enough for this many cameras. Until "
        "then dock cameras elsewhere."
    ),
)
INTAKE_STOPPED = Advice(
    "intake-stopped",
    Part.CONTROLLERS,
    sentence("Intake stopped"),
    sentence("The disk of the system controller has no room for another recording."),
    sentence("See that recordings reach the content destination, or add storage. Cameras keep what they have."),
)
CONTROLLER_PROBLEM = Advice(
    "controller-problem",
    Part.CONTROLLERS,
    sentence("Problem"),
    sentence("The system controller cannot do part of its work; the message says which."),
    sentence("Do what stands at the controller on the page Devices. If that does not help, take the general steps."),
)
DRIVER_NOT_LOADED = Advice(
    "driver-not-loaded",
    Part.CONTROLLERS,
    sentence("Not loaded"),
    sentence("A package with a camera driver is installed and cannot be used."),
    sentence("Update or remove the package. Cameras of other drivers are not affected."),
)
PACKAGE_FAILED = Advice(
    "package-failed",
    Part.CONTROLLERS,
    sentence("Failed"),
    sentence("A package that adds to this system got something wrong within the last day."),
    sentence("Update or remove the package, or ask whoever made it."),
)
IN_QUARANTINE = Advice(
    "in-quarantine",
    Part.CONTROLLERS,
    sentence("In quarantine"),
    sentence("Two contents that differ claim to be the same recording."),
    sentence("Both are kept. Open the recording, compare them, and find out which camera each came from."),
)
VERIFICATION = Advice(
    "verification",
    Part.CONTROLLERS,
    sentence("Verification"),
    sentence(
        "Events or manifests differ from what was signed; the database was changed by other means than this program."
    ),
    sentence("Leave everything as it is, export the audit log, and have the findings looked into."),
)
DAMAGED = Advice(
    "damaged",
    Part.CONTROLLERS,
    sentence("Damaged"),
    sentence("A stored copy was read again and is not what was stored. Disks do that before they fail."),
    sentence("Dock cameras that still have the original. Check the disk, and replace it when it happens again."),
)
NOT_CONNECTED = Advice(
    "not-connected",
    Part.DESTINATION,
    sentence("Not connected"),
    sentence("No system has been named that keeps the recordings."),
    sentence("Get a connection file from it and upload that file, or keep recordings on this server."),
)
AUTHORIZATION_FAILED = Advice(
    "authorization-failed",
    Part.DESTINATION,
    sentence("Authorization failed"),
    sentence("The key in the connection file is wrong, or the content destination does not accept it any more."),
    sentence("Have the content destination make a new connection file, and upload it."),
)
CONNECTION_FAILED = Advice(
    "connection-failed",
    Part.DESTINATION,
    sentence("Connection failed"),
    sentence("The network does not work, or something between here and the listed endpoints lets nothing through."),
    sentence(
        "Check cables, name service and proxy, and that firewalls permit connections to every endpoint that the page "
        "Content destination lists."
    ),
)
OUT_OF_LICENCES = Advice(
    "out-of-licences",
    Part.DESTINATION,
    sentence("Out of licences"),
    sentence("The content destination has no licence left for one of the cameras."),
    sentence("Check its licences and get more where needed; recordings wait meanwhile."),
)
DESTINATION_FULL = Advice(
    "destination-full",
    Part.DESTINATION,
    sentence("Full"),
    sentence("The content destination has no storage left."),
    sentence("Have its operator make room; recordings wait meanwhile."),
)
DESTINATION_BUSY = Advice(
    "destination-busy",
    Part.DESTINATION,
    sentence("Busy"),
    sentence("The content destination asked to be left alone for a while."),
    sentence("Nothing needs to be done unless it lasts; it is tried again by itself."),
)
DESTINATION_STOPPED = Advice(
    "destination-stopped",
    Part.DESTINATION,
    sentence("Stopped"),
    sentence("The content destination answered in a way that trying again does not mend."),
    sentence("The page Content destination says what it answered and what to do; try it again there afterwards."),
)
DESTINATION_WAITING = Advice(
    "destination-waiting",
    Part.DESTINATION,
    sentence("Waiting"),
    sentence("The content destination failed for the moment."),
    sentence("It is tried again by itself. If this lasts, ask its operator."),
)
CLOCKS_DIFFER = Advice(
    "clocks-differ",
    Part.DESTINATION,
    sentence("Clock"),
    sentence("This system and the content destination do not have the same time, so times of recordings are in doubt."),
    sentence("Have both take their time from the same server, and check both time zones."),
)
NOT_TRANSFERRED = Advice(
    "not-transferred",
    Part.DESTINATION,
    sentence("Not transferred"),
    sentence("The content destination refused a recording for what it is, and would refuse it again."),
    sentence(
        "Open the recording: its page says why. It can be downloaded there, and sent again once the cause is gone."
    ),
)
HELD_UP = Advice(
    "held-up",
    Part.DESTINATION,
    sentence("Held up"),
    sentence("A recording waits for something of its own, such as a camera user or its missing parts."),
    sentence("Open the recording: its page says what it waits for."),
)

#: Every row, in the order in which help shows them.
ALL = (
    CAMERA_LOCKED,
    CAMERA_NEW,
    NO_CAMERAS,
    CAMERA_STORAGE_ERROR,
    CAMERA_PROBLEM,
    CAMERA_WITHOUT_USER,
    CAMERA_OVERDUE,
    BATTERY_LOW,
    BATTERY_IN_STORE,
    CONTROLLER_UNAVAILABLE,
    CONTROLLER_STORAGE_ERROR,
    CONTROLLER_STORAGE_LOW,
    INTAKE_STOPPED,
    CONTROLLER_PROBLEM,
    DRIVER_NOT_LOADED,
    PACKAGE_FAILED,
    IN_QUARANTINE,
    VERIFICATION,
    DAMAGED,
    NOT_CONNECTED,
    AUTHORIZATION_FAILED,
    CONNECTION_FAILED,
    OUT_OF_LICENCES,
    DESTINATION_FULL,
    DESTINATION_BUSY,
    DESTINATION_STOPPED,
    DESTINATION_WAITING,
    CLOCKS_DIFFER,
    NOT_TRANSFERRED,
    HELD_UP,
)
