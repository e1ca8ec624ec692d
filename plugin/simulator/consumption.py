"""What a camera uses up: battery and storage, by its profile and by where it is. Plausible figures, all ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..camera_volume.orders import Profile

_OPERATING_HOURS: Final = 12.0
_BEST_CELSIUS: Final = 25.0
_CHARGING_HOURS: Final = 4.0
_SLOW_CHARGING_HOURS: Final = 6.5
_COLDEST_CHARGING_CELSIUS: Final = 0.0
_WARMEST_CHARGING_CELSIUS: Final = 40.0
_BITS_PER_SECOND: Final = {"1080p": 6_000_000, "720p": 3_000_000}
#: The space of the pre-buffer: 90 seconds of 1080p in a scene with some movement.
_PRE_BUFFER_BYTES: Final = 90 * 6_000_000 * 1.25 / 8


@dataclass(frozen=True)
class Surroundings:
    """Where a camera is worn; ``movement`` and ``darkness`` from 0 to 1."""

    outdoors: bool = False
    movement: float = 0.0
    darkness: float = 0.0
    celsius: float = _BEST_CELSIUS


def operating_hours(profile: Profile | None, around: Surroundings) -> float:
    """Tell how long a full battery lasts: less outdoors, with location data, in movement, in heat and in cold."""
    location = 0.1 if profile is not None and profile.location else 0.0
    display = 0.1 if around.outdoors else 0.0
    weather = 0.01 * abs(around.celsius - _BEST_CELSIUS)
    return _OPERATING_HOURS / (1 + location + display + weather + 0.25 * around.movement)


def charging_hours(around: Surroundings, *, docked: bool) -> float | None:
    """Tell how long charging an empty battery takes; None where it is too cold or too warm for it."""
    if not _COLDEST_CHARGING_CELSIUS <= around.celsius <= _WARMEST_CHARGING_CELSIUS:
        return None
    return _CHARGING_HOURS if docked else _SLOW_CHARGING_HOURS


def bits_per_second(profile: Profile | None, around: Surroundings) -> int:
    """Tell the bit rate of recordings: more at 1080p, in movement, and in the dark, where pictures are noisy."""
    usual = _BITS_PER_SECOND[profile.resolution if profile else "720p"]
    return int(usual * (1 + around.movement + 0.5 * around.darkness))


def pre_buffer_room_seconds(profile: Profile | None, around: Surroundings) -> float:
    """Tell how much the space of the pre-buffer holds; less than was asked for at 1080p in movement or in the dark."""
    return _PRE_BUFFER_BYTES * 8 / bits_per_second(profile, around)
