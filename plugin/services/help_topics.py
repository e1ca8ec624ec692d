"""Topics of help that tell how things are done: shifts, battery, cleaning, what shortens a day, general steps."""

from __future__ import annotations

from .help_text import Block, Topic
from .sentence import sentence

STARTING_A_SHIFT = Topic(
    "starting-a-shift",
    sentence("Starting a shift"),
    sentence("undock take begin ready"),
    (
        Block(
            steps=(
                sentence("Look at the docking light: green means charged, everything taken over, and up to date."),
                sentence("Take the camera out of the dock and wait about 20 seconds until it has started again."),
                sentence("Wipe the window of the lens with a soft, dry cloth."),
            )
        ),
        Block(
            heading=sentence("If the light is not green yet"),
            lines=(
                sentence(
                    "The camera can be worn all the same. What is still on it stays there; dock it where it stood "
                    "before, because another controller does not take over what the first one has begun. Its docking "
                    "light flashes amber there, with the storage light on."
                ),
            ),
        ),
    ),
)
ENDING_A_SHIFT = Topic(
    "ending-a-shift",
    sentence("Ending a shift"),
    sentence("dock return upload charge eight weeks"),
    (
        Block(
            lines=(sentence("Put the camera into a dock after every shift. Only there does it do the following:"),),
            points=(
                sentence("it is charged,"),
                sentence("its recordings are taken over,"),
                sentence("it gets its settings, its user and the right time."),
            ),
        ),
        Block(
            heading=sentence("What can be seen"),
            points=(
                sentence("The camera starts again; after about 10 seconds its lights pulse amber."),
                sentence("About 10 seconds later its recordings begin to be taken over; the docking light is amber."),
                sentence("Twelve hours of video take up to half an hour, more where the picture needs more bits."),
                sentence("An empty battery is full after 3 to 6.5 hours."),
            ),
        ),
        Block(
            heading=sentence("Eight weeks"),
            lines=(
                sentence(
                    "A camera that was in no dock for eight weeks is locked. The passphrase of the master key unlocks "
                    "it."
                ),
            ),
        ),
    ),
)
BATTERY = Topic(
    "battery",
    sentence("Battery care"),
    sentence("temperature store storage shipping mode car cold heat health"),
    (
        Block(
            heading=sentence("In use"),
            points=(
                sentence("Use the camera between −20 and 55 °C, and charge it between 0 and 40 °C."),
                sentence("Leave no camera in a parked car; it gets hotter there than a battery stands."),
                sentence("Charge a camera soon that was turned off with a low battery."),
            ),
        ),
        Block(
            heading=sentence("In store"),
            points=(
                sentence("Remove the camera from the system first: it then goes into shipping mode, which spares it."),
                sentence("Store it neither full nor empty, and dry."),
                sentence(
                    "Up to three months: −20 to 45 °C. For longer: about 25 °C, and charge it every three months."
                ),
            ),
        ),
    ),
)
CHARGING = Topic(
    "charging",
    sentence("Charging"),
    sentence("charger power bank USB cable empty"),
    (
        Block(
            points=(
                sentence("In a dock of the system: it takes recordings over as well."),
                sentence("With a 5 V charger or power bank on USB-C: it charges, and nothing is taken over."),
            )
        ),
        Block(
            lines=(
                sentence(
                    "If a camera does not charge in a dock, check that the USB hub has its own power supply and gives "
                    "each socket enough of it."
                ),
            )
        ),
    ),
)
CLEANING = Topic(
    "cleaning",
    sentence("Cleaning"),
    sentence("foggy lens window dirt soap"),
    (
        Block(
            points=(
                sentence("Take water with a mild soap, and no solvent."),
                sentence("Wipe with a soft cloth or a damp sponge that scratches nothing, and dry with a soft cloth."),
                sentence("Never take petrol, benzene, acetone, or anything that scours."),
            )
        ),
    ),
)
OPERATING_TIME = Topic(
    "operating-time",
    sentence("How long a camera lasts"),
    sentence("operating time hours battery storage bitrate pre-buffer"),
    (
        Block(
            lines=(sentence("A day ends when the battery is empty or the storage is full, whichever is first."),),
        ),
        Block(
            heading=sentence("What takes more power"),
            points=(
                sentence("bright surroundings, because the display gets brighter,"),
                sentence("determining the location,"),
                sentence("warmth or cold; 25 °C is best,"),
                sentence("much movement in the picture."),
            ),
        ),
        Block(
            heading=sentence("What takes more storage"),
            points=(
                sentence("much movement, of the camera or in front of it,"),
                sentence("a higher resolution,"),
                sentence("little light, which makes noise,"),
                sentence("scenes with many details and colours."),
            ),
        ),
        Block(
            heading=sentence("Pre-buffer"),
            lines=(
                sentence(
                    "What happened before the button was pressed is kept in a space of its own. At the highest "
                    "resolution, with much movement or little light, that space may hold less time than the profile "
                    "says."
                ),
            ),
        ),
    ),
)
GENERAL_STEPS = Topic(
    "general-steps",
    sentence("General steps"),
    sentence("restart reset upgrade firmware factory default does not work"),
    (
        Block(
            lines=(sentence("Where nobody knows the cause, these steps help, in this order."),),
        ),
        Block(
            heading=sentence("Camera"),
            steps=(
                sentence("Start it again: take it out of the dock and put it back, or turn it off and on."),
                sentence("See that it has the latest firmware of its maker."),
                sentence(
                    "Remove it from the system while it is docked, which resets it once its recordings are safe, and "
                    "add it again."
                ),
            ),
        ),
        Block(
            heading=sentence("System controller"),
            steps=(
                sentence("Start the machine again. Recordings and logs stay."),
                sentence("Update this program."),
                sentence("Reset an extension controller; never the first one before everything else was tried."),
            ),
        ),
    ),
)

ALL = (STARTING_A_SHIFT, ENDING_A_SHIFT, BATTERY, CHARGING, CLEANING, OPERATING_TIME, GENERAL_STEPS)
