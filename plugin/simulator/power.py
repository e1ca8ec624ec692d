"""Whether a camera is on: what it passes through when it is turned on, docked and undocked, and how long that takes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

TURN_ON_SECONDS: Final = 15.0
UNDOCK_SECONDS: Final = 20.0
DOCK_DARK_SECONDS: Final = 10.0
DOCK_SECONDS: Final = 20.0


class Phase(StrEnum):
    """What a camera is in the middle of."""

    OFF = "off"
    RESTARTING = "restarting"  # dark, on its way to starting
    STARTING = "starting"
    ON = "on"


@dataclass(frozen=True)
class Power:
    """The phases that follow each other, each with the time from which it holds; the last one stays."""

    stages: tuple[tuple[float, Phase], ...]

    def phase(self, at: float) -> Phase:
        """Tell the phase at a time."""
        passed = [phase for since, phase in self.stages if since <= at]
        return passed[-1] if passed else self.stages[0][1]

    @property
    def on_at(self) -> float | None:
        """When the camera is, or was, on; None when it is not going to be."""
        since, phase = self.stages[-1]
        return since if phase is Phase.ON else None


OFF: Final = Power(((float("-inf"), Phase.OFF),))
ON: Final = Power(((float("-inf"), Phase.ON),))


def turned_on(at: float) -> Power:
    """Start after a press of the power button."""
    return Power(((at, Phase.STARTING), (at + TURN_ON_SECONDS, Phase.ON)))


def undocked(at: float) -> Power:
    """Restart when pulled out of the dock: first down, then up as after a press of the power button."""
    up = at + UNDOCK_SECONDS - TURN_ON_SECONDS
    return Power(((at, Phase.RESTARTING), (up, Phase.STARTING), (at + UNDOCK_SECONDS, Phase.ON)))


def docked(at: float) -> Power:
    """Restart in the dock; on is when it begins to upload."""
    return Power(((at, Phase.RESTARTING), (at + DOCK_DARK_SECONDS, Phase.STARTING), (at + DOCK_SECONDS, Phase.ON)))
