"""Forms of the Content destination page."""

from __future__ import annotations

from wtforms import BooleanField, FileField, Form, StringField
from wtforms.validators import DataRequired, Length

from ..services.sentence import marked


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class ConnectionFileForm(Form):
    """A connection file to connect to, and what a person allows for it."""

    file = FileField()
    #: Plain HTTP to another machine, for development.
    allow_http = BooleanField()
    #: A machine other than the destination's own, at which it stores; confirmed by name.
    storage_host = StringField(filters=[_stripped], validators=[Length(max=255)])


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
