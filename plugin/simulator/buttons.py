"""A camera's buttons: which there are, and what holding one for how long means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Button(StrEnum):
    """The buttons of a camera."""

    POWER = "power"
    FRONT = "front"
    TOP = "top"
    FUNCTION = "function"


class Gesture(StrEnum):
    """What a press can ask for."""

    TURN_ON = "turn-on"
    TURN_OFF = "turn-off"
    START_RECORDING = "start-recording"
    STOP_RECORDING = "stop-recording"
    SWITCH_MICROPHONE = "switch-microphone"
    SWITCH_SILENT_MODE = "switch-silent-mode"
    SHOW_STATUS = "show-status"


@dataclass(frozen=True)
class Meaning:
    """A button that was held for so long asks for a gesture, in the moment in which it was held so long."""

    button: Button
    held_seconds: float
    gesture: Gesture


@dataclass(frozen=True)
class Press:
    """A button that is down, since when, and whether it has had its effect: one press does one thing."""

    button: Button
    since: float
    spent: bool = False


MEANINGS: Final = (
    Meaning(Button.POWER, 0, Gesture.TURN_ON),
    Meaning(Button.POWER, 5, Gesture.TURN_OFF),
    Meaning(Button.FRONT, 0, Gesture.START_RECORDING),
    Meaning(Button.FRONT, 4, Gesture.STOP_RECORDING),
    Meaning(Button.FUNCTION, 3, Gesture.SWITCH_MICROPHONE),
    Meaning(Button.TOP, 0, Gesture.SHOW_STATUS),
    Meaning(Button.TOP, 3, Gesture.SWITCH_SILENT_MODE),
)


def meanings(button: Button) -> tuple[Meaning, ...]:
    """List what a button can mean, shortest first."""
    return tuple(meaning for meaning in MEANINGS if meaning.button is button)
