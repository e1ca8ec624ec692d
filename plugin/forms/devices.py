"""Forms of the Devices page."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms import Form, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from ..services.camera_list import UserChoice
from ..services.sentence import marked


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class AddCamerasForm(Form):
    """Which of the new cameras to add."""

    camera = SelectMultipleField(
        validators=[InputRequired(marked("Select at least one camera."))], validate_choice=False
    )


class CameraForm(Form):
    """A camera's name, and who wears it."""

    name = StringField(
        filters=[_stripped],
        validators=[
            DataRequired(marked("Enter a name.")),
            Length(max=64, message=marked("Use at most 64 characters.")),
        ],
    )
    camera_user = SelectField(validate_choice=True)
    new_user = StringField(
        filters=[_stripped], validators=[Length(max=100, message=marked("Use at most 100 characters."))]
    )

    def offer(self, users: Sequence[UserChoice]) -> None:
        """Fill the list of users to choose from; the first entry is nobody, named by the page."""
        self.camera_user.choices = [("", ""), *((user.id, user.label) for user in users)]
