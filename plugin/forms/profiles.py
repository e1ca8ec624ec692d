"""The form of a camera profile."""

from __future__ import annotations

from typing import Any, Literal, cast

from wtforms import BooleanField, Form, IntegerField, StringField
from wtforms.validators import AnyOf, DataRequired, NumberRange, ValidationError

from ..services.person_names import line_of
from ..services.profile_settings import CLIP_LIMIT_SECONDS, PRE_BUFFER_SECONDS, ProfileSettings
from ..services.profiles import LONGEST_NAME
from ..services.sentence import marked

_RESOLUTIONS = ("1080p", "720p")
_NO_CHOICE = marked("Not a valid choice.")


_UNFIT = marked("Use at most 64 characters that can be seen, on one line, none of which turn the text around.")


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class ProfileForm(Form):
    """A profile's name and settings, and the version of it that was looked at."""

    name = StringField(filters=[_stripped], validators=[DataRequired(marked("Enter a name."))])
    allow_silent_mode = BooleanField()
    allow_audio_off = BooleanField()
    resolution = StringField(validators=[AnyOf(_RESOLUTIONS, message=_NO_CHOICE)])
    audio = BooleanField()
    audio_post_processing = BooleanField()
    pre_buffer_seconds = IntegerField(validators=[AnyOf(PRE_BUFFER_SECONDS, message=_NO_CHOICE)])
    pre_buffer_audio = BooleanField()
    location = BooleanField()
    clip_limit_seconds = IntegerField(validators=[AnyOf(CLIP_LIMIT_SECONDS, message=_NO_CHOICE)])
    version = IntegerField(default=1, validators=[NumberRange(1, 2**31 - 1)])

    #: What there is to choose from.
    resolutions = _RESOLUTIONS
    pre_buffers = PRE_BUFFER_SECONDS
    clip_limits = CLIP_LIMIT_SECONDS

    def validate_name(self, field: StringField) -> None:
        """Refuse what cameras cannot keep or people cannot read."""
        if line_of(field.data or "", LONGEST_NAME) is None:
            raise ValidationError(_UNFIT)

    @classmethod
    def of(cls, name: str, settings: ProfileSettings, version: int = 1) -> ProfileForm:
        """Fill the form with how a profile is."""
        values: dict[str, Any] = {one: getattr(settings, one) for one in settings.__struct_fields__}
        return cls(name=name, version=version, **values)

    def wanted(self) -> ProfileSettings:
        """Give what was entered; the form must be valid."""
        return ProfileSettings(
            resolution=cast(Literal["1080p", "720p"], self.resolution.data),
            audio=self.audio.data,
            audio_post_processing=self.audio_post_processing.data,
            location=self.location.data,
            allow_silent_mode=self.allow_silent_mode.data,
            allow_audio_off=self.allow_audio_off.data,
            pre_buffer_seconds=self.pre_buffer_seconds.data or 0,
            pre_buffer_audio=self.pre_buffer_audio.data,
            clip_limit_seconds=self.clip_limit_seconds.data or CLIP_LIMIT_SECONDS[0],
        )
