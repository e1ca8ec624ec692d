"""The form that removes a camera by force."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import DataRequired, Length

from ..services.sentence import marked
from .support import PassphraseForm


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class ForceRemovalForm(PassphraseForm):
    """Why a camera is given up, and the passphrase of the master key."""

    reason = StringField(
        filters=[_stripped],
        validators=[
            DataRequired(marked("Say what happened to the camera.")),
            Length(max=500, message=marked("Use at most 500 characters.")),
        ],
    )
