"""Forms about camera users: one user, a profile for several, and a file to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import Form, SelectField, StringField, ValidationError
from wtforms.fields import Field

from ..errors import UserIdOfRemovedUser, UserIdTaken, UserIdUnfit, UserNameUnfit
from ..services.person_names import name_of, user_id_of
from ..services.sentence import marked
from ..services.user_list import ProfileChoice, Show, Sort, UserQuery
from .lists import choice, page_number, search_text

_ID_TAKEN = marked("Somebody else has this user ID.")
_ID_OF_REMOVED = marked("A removed user has this user ID. Bring that user back instead, or enter another one.")


class UserForm(Form):
    """A user's name, user ID and profile."""

    name = StringField()
    user_id = StringField()
    profile = SelectField(validate_choice=True)

    def offer(self, profiles: Sequence[ProfileChoice]) -> None:
        """Fill the list of profiles; the default one is chosen where nothing else is."""
        self.profile.choices = [(one.id, one.name) for one in profiles]
        if not self.profile.data:
            self.profile.data = next((one.id for one in profiles if one.default), None)

    def refused(self, error: UserIdTaken | UserIdOfRemovedUser) -> None:
        """Say at the field why the user ID cannot be given."""
        self.user_id.errors = [_ID_TAKEN if isinstance(error, UserIdTaken) else _ID_OF_REMOVED]

    def validate_name(self, field: Field) -> None:
        """Take names that can be kept."""
        if not (field.data or "").strip():
            raise ValidationError(marked("Enter a name."))
        try:
            name_of(field.data)
        except UserNameUnfit as error:
            raise ValidationError(
                marked("Use at most 100 characters that can be seen, on one line, none of which turn the text around.")
            ) from error

    def validate_user_id(self, field: Field) -> None:
        """Take numbers that can be kept, or none."""
        try:
            user_id_of(field.data or "")
        except UserIdUnfit as error:
            raise ValidationError(
                marked("Use at most 64 characters that can be seen, on one line, none of which turn the text around.")
            ) from error


def wanted(args: Mapping[str, Any]) -> UserQuery:
    """Read from an address, or from a form that repeats it, which users are meant."""
    return UserQuery(
        search=search_text(args),
        show=choice(args, "show", Show.ALL),
        sort=choice(args, "sort", Sort.NAME),
        page=page_number(args),
    )
