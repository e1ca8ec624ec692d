"""Topics of help about what may be wrong with cameras, docks, controllers and the content destination."""

from __future__ import annotations

from .help_text import Block, Row, Topic
from .sentence import sentence

_WRONG = (sentence("What is wrong"), sentence("Probable cause"), sentence("What to do"))

CAMERA = Topic(
    "trouble-with-cameras",
    sentence("Trouble with cameras"),
    sentence("troubleshooting camera does not work audio slow"),
    (
        Block(
            head=_WRONG,
            rows=(
                Row(
                    "camera-off-shipping",
                    (
                        sentence("A camera does not turn on"),
                        sentence("It is in shipping mode."),
                        sentence("Dock it and add it to the system."),
                    ),
                ),
                Row(
                    "camera-off-battery",
                    (sentence("A camera does not turn on"), sentence("Its battery is empty."), sentence("Charge it.")),
                ),
                Row(
                    "camera-not-recording",
                    (
                        sentence("A camera does not record"),
                        sentence("Its storage is full; the storage light is red."),
                        sentence("Dock it."),
                    ),
                ),
                Row(
                    "pre-buffer-just-on",
                    (
                        sentence("The pre-buffer is shorter than the profile says"),
                        sentence("The camera had only just been turned on."),
                        sentence("Nothing needs to be done: the space fills while the camera is on."),
                    ),
                ),
                Row(
                    "pre-buffer-just-recorded",
                    (
                        sentence("The pre-buffer is shorter than the profile says"),
                        sentence("A recording had ended just before."),
                        sentence("Nothing needs to be done: the space fills while the camera is on."),
                    ),
                ),
                Row(
                    "pre-buffer-full",
                    (
                        sentence("The pre-buffer is shorter than the profile says"),
                        sentence("High resolution, movement or darkness filled its space sooner."),
                        sentence("Choose a lower resolution in the profile, if that matters."),
                    ),
                ),
                Row(
                    "image-foggy",
                    (sentence("The picture is foggy"), sentence("The lens is dirty."), sentence("Clean it.")),
                ),
                Row(
                    "display-off",
                    (
                        sentence("The display stays dark"),
                        sentence("The camera is in silent mode."),
                        sentence("Hold the top button for 3 seconds."),
                    ),
                ),
                Row(
                    "no-audio",
                    (
                        sentence("Recordings have no sound"),
                        sentence("The profile turns audio off."),
                        sentence("Turn it on in the profile."),
                    ),
                ),
                Row(
                    "offload-slow",
                    (
                        sentence("Taking over recordings is slow"),
                        sentence("Many cameras share one USB hub or one disk."),
                        sentence(
                            "See on the page Devices how far each is, and wait, or spread cameras over more docks."
                        ),
                    ),
                ),
                Row(
                    "camera-not-seen",
                    (
                        sentence("A docked camera does not show"),
                        sentence("The cable is loose, the hub has no power, or the port is not permitted to it."),
                        sentence(
                            "Check cable and hub, try another bay, and see at the dock which USB devices were refused."
                        ),
                    ),
                ),
            ),
        ),
    ),
)
DOCKS = Topic(
    "trouble-with-docks",
    sentence("Trouble with docks"),
    sentence("USB hub cable port power authorised"),
    (
        Block(
            head=_WRONG,
            rows=(
                Row(
                    "dock-dark",
                    (
                        sentence("A dock's light stays off"),
                        sentence("It has no power; a USB cable alone is not enough for several bays."),
                        sentence("Connect its own power supply."),
                    ),
                ),
                Row(
                    "bay-unknown",
                    (
                        sentence("A camera shows without a bay, or in the wrong one"),
                        sentence("The dock was plugged into another socket since its bays were learned."),
                        sentence("Plug it in as it was, or let the dock learn its bays again."),
                    ),
                ),
                Row(
                    "device-refused",
                    (
                        sentence("A device in a bay is refused"),
                        sentence("New USB devices that are no storage in a bay are kept out on this machine."),
                        sentence("Take it out. If it is a camera, set it to USB storage."),
                    ),
                ),
            ),
        ),
    ),
)
CONTROLLER = Topic(
    "trouble-with-controllers",
    sentence("Trouble with system controllers"),
    sentence("network off address not found"),
    (
        Block(
            head=_WRONG,
            rows=(
                Row(
                    "controller-not-found",
                    (
                        sentence("A system controller cannot be found on the network"),
                        sentence("Its address changed, or the tool that looks for it is too old."),
                        sentence("Look the address up at the machine itself or in your router; enter it by hand."),
                    ),
                ),
                Row(
                    "controller-off",
                    (
                        sentence("A system controller cannot be found on the network"),
                        sentence("It is turned off."),
                        sentence("Connect it to power and turn it on."),
                    ),
                ),
                Row(
                    "controller-unplugged",
                    (
                        sentence("A system controller cannot be found on the network"),
                        sentence("It is not connected to the network."),
                        sentence("Check its network cable."),
                    ),
                ),
            ),
        ),
    ),
)
DESTINATION = Topic(
    "trouble-with-the-destination",
    sentence("Trouble with the content destination"),
    sentence("recordings missing upload licence retention resolution"),
    (
        Block(
            head=_WRONG,
            rows=(
                Row(
                    "missing-unreachable",
                    (
                        sentence("Recordings do not appear there"),
                        sentence("The content destination cannot be reached."),
                        sentence("See its card on System status."),
                    ),
                ),
                Row(
                    "missing-slow",
                    (
                        sentence("Recordings do not appear there"),
                        sentence("Many are on their way at once."),
                        sentence("See on the page Recordings how far each is, and wait."),
                    ),
                ),
                Row(
                    "missing-clock",
                    (
                        sentence("Recordings do not appear there"),
                        sentence("The two clocks or time zones differ, so they stand at another time."),
                        sentence("Set date and time of both."),
                    ),
                ),
                Row(
                    "missing-licence",
                    (
                        sentence("Recordings do not appear there"),
                        sentence("It is out of licences."),
                        sentence("Check its licences, and get more where needed."),
                    ),
                ),
                Row(
                    "wrong-resolution",
                    (
                        sentence("Recordings have the wrong resolution"),
                        sentence("The profile of the camera user says so."),
                        sentence("Set the resolution in the profile."),
                    ),
                ),
                Row(
                    "deleted-at-once",
                    (
                        sentence("A recording is gone as soon as it arrived"),
                        sentence("It was older than recordings may get there."),
                        sentence("Have the content destination keep recordings for longer."),
                    ),
                ),
                Row(
                    "camera-removed-there",
                    (
                        sentence("Recordings reach the controller and go no further"),
                        sentence("The camera or its user was removed at the content destination."),
                        sentence(
                            "Press “Push users and cameras again” on the page Content destination. Never remove "
                            "cameras or users there."
                        ),
                    ),
                ),
            ),
        ),
    ),
)

ALL = (CAMERA, DOCKS, CONTROLLER, DESTINATION)
