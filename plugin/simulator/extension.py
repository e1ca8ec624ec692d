"""The camera extension: a sensor camera at the end of a cable, and what the body knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: How long the body takes from one camera source to the other.
SWITCH_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Extension:
    """``faulty`` stays after unplugging, until a press of the top button has the body look again."""

    attached: bool = False
    switched_at: float = 0.0
    faulty: bool = False

    def switching(self, at: float) -> bool:
        """Tell whether the body is between two camera sources, and so cannot record."""
        return self.attached and at < self.switched_at

    def usable(self, at: float) -> bool:
        """Tell whether the pictures come from the sensor camera."""
        return self.attached and not self.faulty and not self.switching(at)


NONE: Final = Extension()


def attached(at: float) -> Extension:
    """Begin to switch over to a sensor camera."""
    return Extension(attached=True, switched_at=at + SWITCH_SECONDS)
