"""The pre-buffer: how much of what was before the press a recording begins with, and why less than was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .circumstances import Circumstances


class Short(StrEnum):
    """Why a pre-buffer is shorter than the profile says."""

    JUST_TURNED_ON = "just turned on"
    JUST_RECORDED = "just after another recording"
    FULL = "its space was full"


@dataclass(frozen=True)
class PreBuffer:
    """What a recording begins with; ``short`` is None when it is as long as the profile says."""

    seconds: float = 0.0
    short: Short | None = None


@dataclass(frozen=True)
class Buffering:
    """Since when the camera fills its pre-buffer, and what emptied it then."""

    since: float
    emptied_by: Short

    def at(self, at: float, given: Circumstances) -> PreBuffer:
        """Tell what a recording that is started now begins with."""
        wanted = float(given.profile.pre_buffer_seconds) if given.profile else 0.0
        passed, room = at - self.since, given.pre_buffer_room_seconds
        seconds = max(0.0, min(wanted, passed, room))
        if seconds >= wanted:
            return PreBuffer(wanted)
        return PreBuffer(seconds, self.emptied_by if passed <= room else Short.FULL)
