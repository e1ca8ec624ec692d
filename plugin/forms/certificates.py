"""Forms of the pages about certificates."""

from __future__ import annotations

import re

from wtforms import FileField, Form, IntegerField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Regexp, ValidationError

from ..crypto.certificate_making import LONGEST_DAYS, Values, is_name
from ..services.sentence import marked

#: Of one certificate; more make it too large to be sent to everybody who connects.
_MOST_NAMES = 50
_BETWEEN = re.compile(r"[\s,;]+")


def _stripped(text: str | None) -> str:
    return (text or "").strip()


def _part() -> StringField:
    """Make a field of the subject; X.520 allows 64 characters."""
    return StringField(
        filters=[_stripped],
        validators=[
            Length(max=64, message=marked("Use at most 64 characters.")),
            Regexp(r"[^\x00-\x1f\x7f]*\Z", message=marked("Use characters that can be seen.")),
        ],
    )


class CreateCertificateForm(Form):
    """The values of a self-signed certificate."""

    name = StringField(
        filters=[_stripped],
        validators=[
            DataRequired(marked("Enter a name.")),
            Regexp(
                r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
                message=marked("Use at most 64 letters, digits, points, hyphens and underscores."),
            ),
        ],
    )
    common_name = _part()
    #: Host names and addresses, with spaces, commas or line ends between them.
    names = TextAreaField(validators=[Length(max=8192)])
    organization = _part()
    unit = _part()
    locality = _part()
    state = _part()
    country = StringField(
        filters=[_stripped],
        validators=[Regexp(r"(?:[A-Za-z]{2})?\Z", message=marked("Use the two letters of the country, as DE."))],
    )
    days = IntegerField(
        default=LONGEST_DAYS,
        validators=[
            InputRequired(marked("Enter a number from 1 to 398.")),
            NumberRange(1, LONGEST_DAYS, message=marked("Enter a number from 1 to 398.")),
        ],
    )

    def validate_common_name(self, field: StringField) -> None:
        """Somebody has to be named."""
        if not field.data:
            raise ValidationError(marked("Enter the name by which people open this system."))

    def validate_names(self, field: TextAreaField) -> None:
        """Browsers go by these."""
        if not self.listed:
            raise ValidationError(marked("Enter at least one host name or address."))
        if len(self.listed) > _MOST_NAMES or not all(map(is_name, self.listed)):
            raise ValidationError(
                marked("Enter host names and IP addresses alone, at most 50, without https:// and without a port.")
            )

    @property
    def listed(self) -> tuple[str, ...]:
        """The names, each once."""
        return tuple(dict.fromkeys(name for name in _BETWEEN.split(self.names.data or "") if name))

    @property
    def values(self) -> Values:
        """What was entered, once it is valid."""
        return Values(
            common_name=self.common_name.data or "",
            names=self.listed,
            organization=self.organization.data or "",
            unit=self.unit.data or "",
            locality=self.locality.data or "",
            state=self.state.data or "",
            country=self.country.data or "",
        )


class InstallCertificateForm(Form):
    """A certificate that an authority made."""

    file = FileField()
