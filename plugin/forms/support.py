"""Forms about the master key: choosing a passphrase, entering it, uploading a file."""

from __future__ import annotations

from wtforms import Form, PasswordField
from wtforms.validators import EqualTo, InputRequired, Length

from ..crypto.passphrase import LARGEST_BYTES
from ..services.sentence import marked

_TOO_LONG = marked("Use at most 1024 characters.")


class PassphraseForm(Form):
    """The passphrase of the master key, entered to use it."""

    passphrase = PasswordField(
        validators=[
            InputRequired(marked("Enter the passphrase of the master key.")),
            Length(max=LARGEST_BYTES, message=_TOO_LONG),
        ]
    )


class NewPassphraseForm(Form):
    """A passphrase that is chosen, twice; whether it is good enough is told by the service."""

    wanted = PasswordField(
        validators=[
            InputRequired(marked("Choose a passphrase.")),
            Length(max=LARGEST_BYTES, message=_TOO_LONG),
        ]
    )
    again = PasswordField(
        validators=[EqualTo("wanted", message=marked("This is not the passphrase that was entered above."))]
    )


class ChangePassphraseForm(PassphraseForm, NewPassphraseForm):
    """The present passphrase, and another one."""
