"""What a camera's body is told of the rest of it: belonging, battery, storage, transfer, faults, what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..camera_volume.documents import CameraState
from ..camera_volume.orders import Profile
from .faults import BodyFault

#: Below it a level is red, and up to the next it is amber.
LOW_HOURS: Final = 0.5
ENOUGH_HOURS: Final = 1.0

#: A storage with room for less is full.
FULL_SECONDS: Final = 10.0

#: What keeps a camera from recording, beside a full storage.
_DISABLING: Final = frozenset({BodyFault.STORAGE, BodyFault.OPERATION})


class Transfer(StrEnum):
    """Where the recordings of a docked camera are on their way."""

    UNDER_WAY = "under-way"
    DONE = "done"
    ELSEWHERE = "elsewhere"  # another controller has begun to take them


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """Everything outside of the body that its lights, sounds and buttons depend on; hours are what is left."""

    state: CameraState = CameraState.READY
    profile: Profile | None = None
    battery_hours: float = 12.0
    storage_hours: float = 12.0
    #: The battery takes no more.
    charged: bool = False
    #: A 5 V charger or a power bank is connected.
    charger: bool = False
    transfer: Transfer = Transfer.DONE
    updating: bool = False
    #: How much the space of the pre-buffer holds at the present bit rate.
    pre_buffer_room_seconds: float = float("inf")
    faults: frozenset[BodyFault] = frozenset()

    @property
    def starts(self) -> bool:
        """Whether the camera can be turned on: not in shipping mode, and not out of battery."""
        return self.state is not CameraState.SHIPPING and (self.battery_hours > 0 or self.charger)

    @property
    def storage_full(self) -> bool:
        """Whether there is no room for any recording worth the name."""
        return self.storage_hours * 3600 < FULL_SECONDS

    @property
    def can_record(self) -> bool:
        """Whether recording is possible: added, assigned, not locked, storage and software in order."""
        return self.state is CameraState.READY and not self.storage_full and not self.faults & _DISABLING

    @property
    def silent_mode_allowed(self) -> bool:
        """Whether the profile lets the user turn off all feedback."""
        return self.profile is not None and self.profile.allow_silent_mode

    @property
    def audio_off_allowed(self) -> bool:
        """Whether the profile lets the user turn off the microphone, and there is audio to turn off."""
        return self.profile is not None and self.profile.audio and self.profile.allow_audio_off
