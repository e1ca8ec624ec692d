"""What a camera profile sets, and the profiles that every system begins with. Changing profiles is in ``profiles``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ..models import Profile
from .sentence import marked

#: How long before a recording is begun the camera keeps what happens; 0 is off.
PRE_BUFFER_SECONDS = (0, 15, 30, 60, 90)
#: After how long a camera begins the next file of the same recording.
CLIP_LIMIT_SECONDS = (300, 900, 1800)


class ProfileSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a profile, as the database keeps them and as cameras get them."""

    resolution: Literal["1080p", "720p"] = "1080p"
    audio: bool = True
    #: Off is mono, which is smaller.
    audio_post_processing: bool = True
    location: bool = True
    allow_silent_mode: bool = False
    allow_audio_off: bool = True
    pre_buffer_seconds: int = 30
    pre_buffer_audio: bool = True
    clip_limit_seconds: int = 900

    def consistent(self) -> ProfileSettings:
        """Switch off what means nothing without another setting: nobody may be heard where audio is off."""
        before = self.pre_buffer_seconds > 0
        return msgspec.structs.replace(
            self,
            audio_post_processing=self.audio and self.audio_post_processing,
            pre_buffer_audio=self.audio and before and self.pre_buffer_audio,
        )


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A profile to start from."""

    id: str
    name: str
    purpose: str
    settings: ProfileSettings


DEFAULT = Preset(
    id="default",
    name="Default",
    purpose=marked("For everybody: the best image and sound, and always to be seen that it records."),
    settings=ProfileSettings(),
)
#: The first worked example of the manual (USR-4).
BEST_QUALITY = Preset(
    id="best-quality",
    name="Best quality",
    purpose=marked("The best image and sound, 90 seconds from before each recording, and work without being noticed."),
    settings=ProfileSettings(
        resolution="1080p",
        audio=True,
        audio_post_processing=True,
        pre_buffer_seconds=90,
        pre_buffer_audio=True,
        location=True,
        allow_silent_mode=True,
        allow_audio_off=True,
    ),
)
#: The second worked example of the manual (USR-4), which says nothing of a pre-buffer.
LONG_SHIFT = Preset(
    id="long-shift",
    name="Long shift",
    purpose=marked("For a long shift: it saves storage and battery, and always shows that it records."),
    settings=ProfileSettings(
        resolution="720p",
        audio=True,
        audio_post_processing=False,
        pre_buffer_seconds=0,
        pre_buffer_audio=False,
        location=False,
        allow_silent_mode=False,
        allow_audio_off=True,
    ),
)
PRESETS = (DEFAULT, BEST_QUALITY, LONG_SHIFT)


def read(profile: Profile) -> ProfileSettings:
    """Read the settings of a profile; raises msgspec.ValidationError where the database has something else."""
    return msgspec.convert(profile.settings, ProfileSettings)


def plain(settings: ProfileSettings) -> dict[str, Any]:
    """Write settings as the database keeps them."""
    kept: dict[str, Any] = msgspec.to_builtins(settings)
    return kept


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name what differs, as ``setting: before → after``, for the audit log."""
    return [f"{key}: {before.get(key)} → {after[key]}" for key in sorted(after) if before.get(key) != after[key]]
