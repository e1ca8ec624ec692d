"""Topics of help about the camera itself: daily use, its lights, and what it signals when something is wrong."""

from __future__ import annotations

from .help_text import Block, Row, Topic
from .sentence import sentence

_SIGNAL = (sentence("What can be seen and heard"), sentence("What it means"), sentence("What to do"))
_LIGHT = (sentence("Light"), sentence("What it means"))

DAILY_USE = Topic(
    "daily-use",
    sentence("Daily use"),
    sentence("button press hold record microphone silent mode"),
    (
        Block(
            lines=(sentence("What a profile does not permit, its cameras do not do."),),
            head=(sentence("Wish"), sentence("What to do"), sentence("What happens")),
            rows=(
                Row(
                    "turn-on",
                    (
                        sentence("Turn the camera on"),
                        sentence("Press the power button."),
                        sentence("Lights pulse amber, then the operation light is green, after about 15 seconds."),
                    ),
                ),
                Row(
                    "turn-off",
                    (
                        sentence("Turn the camera off"),
                        sentence("Hold the power button for 5 seconds."),
                        sentence("It buzzes and beeps."),
                    ),
                ),
                Row(
                    "start-recording",
                    (
                        sentence("Begin a recording"),
                        sentence("Press the front button once."),
                        sentence("It buzzes and beeps, and the front light goes on."),
                    ),
                ),
                Row(
                    "stop-recording",
                    (
                        sentence("End a recording"),
                        sentence("Hold the front button for 4 seconds."),
                        sentence("It buzzes and beeps."),
                    ),
                ),
                Row(
                    "microphone-off",
                    (
                        sentence("Turn the microphone off"),
                        sentence("Hold the function button for 3 seconds."),
                        sentence("The microphone light goes on."),
                    ),
                ),
                Row(
                    "microphone-on",
                    (
                        sentence("Turn the microphone on"),
                        sentence("Hold the function button for 3 seconds."),
                        sentence("The microphone light goes off."),
                    ),
                ),
                Row(
                    "silent-on",
                    (
                        sentence("Turn silent mode on"),
                        sentence("Hold the top button for 3 seconds."),
                        sentence("Display, front light, beeps and buzzes are off."),
                    ),
                ),
                Row(
                    "silent-off",
                    (
                        sentence("Turn silent mode off"),
                        sentence("Hold the top button for 3 seconds."),
                        sentence("Display, front light, beeps and buzzes are on again."),
                    ),
                ),
                Row(
                    "check-battery",
                    (
                        sentence("See how much battery is left"),
                        sentence("Press the top button and look at the battery light."),
                        sentence("Green: more than an hour. Amber: half an hour to an hour. Red: less."),
                    ),
                ),
                Row(
                    "check-storage",
                    (
                        sentence("See how much storage is left"),
                        sentence("Press the top button and look at the storage light."),
                        sentence("Green: more than an hour. Amber: half an hour to an hour. Red: less."),
                    ),
                ),
            ),
        ),
    ),
)
LIGHTS = Topic(
    "camera-lights",
    sentence("Lights of a camera"),
    sentence("LED green amber red pulse flash display"),
    (
        Block(
            head=_LIGHT,
            rows=(
                Row(
                    "light-docking",
                    (
                        sentence("Docking"),
                        sentence(
                            "Green: ready to be taken. Pulsing amber: charging, taking over or updating. Flashing "
                            "amber: something went wrong."
                        ),
                    ),
                ),
                Row("light-recording", (sentence("Recording"), sentence("Red: it records."))),
                Row(
                    "light-operation",
                    (
                        sentence("Operation"),
                        sentence(
                            "Green: ready. Flashing green: less than half an hour of battery or storage left. Amber: "
                            "it cannot record."
                        ),
                    ),
                ),
                Row(
                    "light-battery",
                    (
                        sentence("Battery"),
                        sentence("Green: more than an hour. Amber: half an hour to an hour. Red: less."),
                    ),
                ),
                Row(
                    "light-storage",
                    (
                        sentence("Storage"),
                        sentence("Green: more than an hour. Amber: half an hour to an hour. Red: less."),
                    ),
                ),
                Row("light-microphone", (sentence("Microphone"), sentence("On: the microphone is turned off."))),
                Row(
                    "light-extension",
                    (
                        sentence("Camera extension"),
                        sentence(
                            "Green: connected. Pulsing amber: it is being connected, and nothing is recorded "
                            "meanwhile. Red: it failed."
                        ),
                    ),
                ),
            ),
        ),
    ),
)
SIGNALS = Topic(
    "camera-signals",
    sentence("What a camera signals when something is wrong"),
    sentence("error feedback LED beep buzz vibrate flash"),
    (
        Block(
            head=_SIGNAL,
            rows=(
                Row(
                    "signal-shipping-mode",
                    (
                        sentence("Nothing; it does not start"),
                        sentence("It is in shipping mode."),
                        sentence("Dock it and add it to the system."),
                    ),
                ),
                Row(
                    "signal-battery-empty",
                    (
                        sentence("Nothing; it does not start"),
                        sentence("Its battery is empty."),
                        sentence("Charge it."),
                    ),
                ),
                Row(
                    "signal-cannot-record",
                    (
                        sentence("Operation light amber; two short beeps and a long one; buzzes likewise"),
                        sentence("It cannot record, because of its storage, its software or something else."),
                        sentence("Take the general steps."),
                    ),
                ),
                Row(
                    "signal-extension-faulty",
                    (
                        sentence("Camera extension light red, operation light green; one short beep and buzz"),
                        sentence("The sensor camera or the body worn camera is faulty."),
                        sentence(
                            "Unplug the sensor camera and press the top button. If the light stays red, it is the body "
                            "worn camera; if it goes off, replace the sensor camera."
                        ),
                    ),
                ),
                Row(
                    "signal-not-added",
                    (
                        sentence("All lights flash amber"),
                        sentence("The camera does not belong to the system."),
                        sentence("Add it on the page Devices."),
                    ),
                ),
                Row(
                    "signal-no-user",
                    (
                        sentence("All lights flash red; beeps and buzzes again and again"),
                        sentence("Nobody is entered as wearing it."),
                        sentence("Dock it and assign a user."),
                    ),
                ),
                Row(
                    "signal-error",
                    (
                        sentence("Docking light flashes amber"),
                        sentence("Something went wrong."),
                        sentence("See System status, then take the general steps."),
                    ),
                ),
                Row(
                    "signal-not-taken-over",
                    (
                        sentence("Docking light flashes amber, storage light red"),
                        sentence("Its recordings cannot be taken over."),
                        sentence(
                            "Check how the camera sits in its bay, the dock's cable, and the controller on System "
                            "status."
                        ),
                    ),
                ),
                Row(
                    "signal-not-charging",
                    (
                        sentence("Docking light flashes amber, battery light red"),
                        sentence("The battery is not charged."),
                        sentence("Check the power supply of the dock's USB hub, then take the general steps."),
                    ),
                ),
            ),
        ),
    ),
)

ALL = (DAILY_USE, LIGHTS, SIGNALS)
