"""Forms of the pages that unlock cameras."""

from __future__ import annotations

from wtforms import SelectMultipleField
from wtforms.validators import InputRequired

from ..services.sentence import marked
from .support import PassphraseForm


class UnlockForm(PassphraseForm):
    """Which cameras to unlock, and the passphrase of the master key, once for all of them."""

    camera = SelectMultipleField(
        validators=[InputRequired(marked("Select at least one camera."))], validate_choice=False
    )
