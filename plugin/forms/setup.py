"""Forms of the wizard's own steps; those of network, clock and destination are with their subjects."""

from __future__ import annotations

from wtforms import FileField, Form, IntegerField, PasswordField, StringField
from wtforms.validators import AnyOf, DataRequired, Length

from ..services.power_line import FREQUENCIES
from ..services.sentence import marked

#: Languages that cameras and printed guides can speak: those of the catalogues.
LANGUAGES = {"en": "English", "de": "Deutsch"}


def _stripped(text: str | None) -> str:
    return " ".join((text or "").split())


class PowerLineForm(Form):
    """50 or 60 Hz."""

    hertz = IntegerField(validators=[AnyOf(FREQUENCIES, message=marked("Choose one of the two."))])


class NameForm(Form):
    """What the system is called, and the language it speaks."""

    name = StringField(
        filters=[_stripped],
        validators=[
            DataRequired(marked("Enter a name.")),
            Length(max=64, message=marked("Use at most 64 characters.")),
        ],
    )
    language = StringField(validators=[AnyOf(tuple(LANGUAGES), message=marked("Choose a language."))])


class RestoreForm(Form):
    """An existing master key, and its passphrase."""

    passphrase = PasswordField()
    file = FileField()
