"""What a camera lets hear and feel: beeps and buzzes, short and long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Tone(StrEnum):
    """How long a beep or a buzz is."""

    SHORT = "short"
    LONG = "long"


#: How long tones and the pauses between them are.
TONE_SECONDS: Final = {Tone.SHORT: 0.15, Tone.LONG: 0.6}
PAUSE_SECONDS: Final = 0.15


@dataclass(frozen=True)
class Signal:
    """Beeps and buzzes that belong together; with ``again_seconds`` they come again and again."""

    beep: tuple[Tone, ...]
    buzz: tuple[Tone, ...]
    again_seconds: float | None = None


@dataclass(frozen=True)
class Sounded:
    """A signal that the camera gave, and when."""

    at: float
    signal: Signal


def _both(*tones: Tone, again_seconds: float | None = None) -> Signal:
    return Signal(tones, tones, again_seconds)


RECORDING_STARTED: Final = _both(Tone.SHORT)
RECORDING_STOPPED: Final = _both(Tone.SHORT, Tone.SHORT)
TURNED_OFF: Final = _both(Tone.LONG)
RECORDING_NOT_POSSIBLE: Final = _both(Tone.SHORT, Tone.SHORT, Tone.LONG)
EXTENSION_FAULTY: Final = _both(Tone.SHORT)
NO_USER: Final = _both(Tone.SHORT, again_seconds=2.0)


def duration_seconds(tones: tuple[Tone, ...]) -> float:
    """Tell how long a row of tones lasts, with the pauses between them."""
    return sum(TONE_SECONDS[tone] for tone in tones) + PAUSE_SECONDS * max(0, len(tones) - 1)
