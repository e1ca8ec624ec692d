"""Forms of the Content destination page."""

from __future__ import annotations

import re

from wtforms import BooleanField, Form, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from ..services.sentence import marked

_LEAST_MEGABITS, _MOST_MEGABITS = 0.1, 100_000.0
_TIME = re.compile(r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])", re.ASCII)


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class LimitForm(Form):
    """How much of the line uploads may take; empty for all of it."""

    megabits = StringField(filters=[_stripped])
    from_time = StringField(filters=[_stripped])
    until_time = StringField(filters=[_stripped])

    def validate_megabits(self, field: StringField) -> None:
        """A number of Mbit/s, with a point or a comma."""
        if field.data and self.bits_per_second is None:
            raise ValidationError(marked("Enter a number between 0.1 and 100000."))

    def validate_from_time(self, field: StringField) -> None:
        """Both times, or neither."""
        if (field.data or self.until_time.data) and None in (_minute(field.data), _minute(self.until_time.data)):
            raise ValidationError(marked("Enter both times as hours and minutes, or leave both empty."))
        if field.data and field.data == self.until_time.data:
            raise ValidationError(marked("Enter two different times."))

    @property
    def bits_per_second(self) -> int | None:
        """What was entered; None for no limit, or for what is none."""
        try:
            megabits = float((self.megabits.data or "").replace(",", "."))
        except ValueError:
            return None
        return round(megabits * 1e6) if _LEAST_MEGABITS <= megabits <= _MOST_MEGABITS else None

    @property
    def minutes(self) -> tuple[int | None, int | None]:
        """From and until, as minutes of the day."""
        return _minute(self.from_time.data), _minute(self.until_time.data)


def _minute(text: str | None) -> int | None:
    matched = _TIME.fullmatch(text or "")
    return int(matched["hour"]) * 60 + int(matched["minute"]) if matched else None


class ExportForm(Form):
    """What a connection file to this host says."""

    site_name = StringField(
        filters=[_stripped],
        validators=[
            DataRequired(marked("Enter a name.")),
            Length(max=64, message=marked("Use at most 64 characters.")),
        ],
    )
    address = StringField(
        filters=[_stripped],
        validators=[
            DataRequired(marked("Enter the address under which cameras' systems reach this server.")),
            Length(max=512, message=marked("Use at most 512 characters.")),
        ],
    )
    want_encryption = BooleanField()
