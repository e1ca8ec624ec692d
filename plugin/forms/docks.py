"""Forms of the pages that set docks up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wtforms import Form, IntegerField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Regexp

from ..services.sentence import marked
from ..services.systems import MOST_OFFLOADS, MOST_UPLOADS

LONGEST_NAME = 64
_BAY = "bay-"


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class DockForm(Form):
    """A dock's name."""

    name = StringField(
        filters=[_stripped],
        validators=[
            DataRequired(marked("Enter a name.")),
            Length(max=LONGEST_NAME, message=marked("Use at most 64 characters.")),
        ],
    )


class AddDockForm(DockForm):
    """A USB dock to add."""

    #: Learn only behind this place.
    beneath = StringField(
        filters=[_stripped],
        validators=[
            Regexp(
                r"^$|^[\w:.-]+/(ss/)?\d+(\.\d+)*$",
                message=marked("Enter a USB place as it is listed below, or leave it empty."),
            ),
            Length(max=255),
        ],
    )


class LimitsForm(Form):
    """How many transfers there may be at a time."""

    offloads = IntegerField(
        validators=[
            InputRequired(marked("Enter a number from 1 to 64.")),
            NumberRange(1, MOST_OFFLOADS, message=marked("Enter a number from 1 to 64.")),
        ]
    )
    uploads = IntegerField(
        validators=[
            InputRequired(marked("Enter a number from 1 to 16.")),
            NumberRange(1, MOST_UPLOADS, message=marked("Enter a number from 1 to 16.")),
        ]
    )


def bay_names(form: Mapping[str, str]) -> dict[str, str]:
    """Read the names of bays by their ids."""
    return {key.removeprefix(_BAY): value.strip() for key, value in form.items() if key.startswith(_BAY)}


def wrong_names(names: Mapping[str, str]) -> Sequence[str]:
    """List the bays whose names are none, or too long."""
    return [bay_id for bay_id, name in names.items() if not 1 <= len(name) <= LONGEST_NAME]
