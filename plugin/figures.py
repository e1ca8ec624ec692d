"""Figures as people say them, in one language and one time zone: sizes, rates, times, and sentences of services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from .services.sentence import Sentence, Value, marked

#: Stands between a number and its unit.
_NBSP = "\N{NO-BREAK SPACE}"
_UNITS = ("kB", "MB", "GB", "TB", "PB")
_MONTHS = (
    marked("Jan"),
    marked("Feb"),
    marked("Mar"),
    marked("Apr"),
    marked("May"),
    marked("Jun"),
    marked("Jul"),
    marked("Aug"),
    marked("Sep"),
    marked("Oct"),
    marked("Nov"),
    marked("Dec"),
)


def zone_named(name: str) -> ZoneInfo:
    """Give a time zone; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


class Figures:
    """Turns values into words; made for one request."""

    def __init__(self, catalogue: NullTranslations, zone: ZoneInfo, today: datetime) -> None:
        """Take the language, the system's time zone, and the moment for which a year is left out."""
        self._catalogue = catalogue
        self._zone = zone
        self._today = today

    def say(self, said: Sentence) -> str:
        """Put a sentence of a service into this language."""
        if said.many is None:
            text = self._catalogue.gettext(said.one) if said.one else ""
        else:
            text = self._catalogue.ngettext(said.one, said.many, int(str(said.values["n"])))
        return text.format_map(self._filled(said.values))

    def word(self, said: Sentence) -> str:
        """Put a sentence into this language without filling it."""
        return self._catalogue.gettext(said.one) if said.one else ""

    def number(self, value: float, digits: int = 0) -> str:
        """Write a number with this language's decimal mark."""
        return f"{value:.{digits}f}".replace(".", self._catalogue.pgettext("decimal mark", "."))

    def percent(self, value: float | None) -> str:
        """Write whole per cents."""
        return self._unknown() if value is None else f"{round(value)}{_NBSP}%"

    def size(self, size_bytes: float | None) -> str:
        """Write a size in decimal units, as camera and disk makers count."""
        if size_bytes is None:
            return self._unknown()
        if size_bytes < 1000:
            return f"{round(size_bytes)}{_NBSP}B"
        exponent = 0
        amount = size_bytes / 1000
        while amount >= 999.5 and exponent < len(_UNITS) - 1:
            amount, exponent = amount / 1000, exponent + 1
        digits = 1 if amount < 9.95 or (amount < 99.5 and exponent > 1) else 0
        return f"{self.number(amount, digits)}{_NBSP}{_UNITS[exponent]}"

    def rate(self, bytes_per_second: float | None) -> str:
        """Write how fast bytes move; unknown where nobody knows."""
        return self._unknown() if bytes_per_second is None else f"{self.size(bytes_per_second)}/s"

    def left(self, seconds: float | None) -> str:
        """Say how long it still takes, rounded as a person would."""
        _ = self._catalogue.gettext
        if seconds is None:
            return _("time left unknown")
        if seconds < 45:
            return _("less than a minute left")
        return _("about {duration} left").format(duration=self._roughly(seconds))

    def about(self, seconds: float) -> str:
        """Say a duration that nobody knows exactly."""
        _ = self._catalogue.gettext
        if seconds < 45:
            return _("less than a minute")
        return _("about {duration}").format(duration=self._roughly(seconds))

    def length(self, length: timedelta | None) -> str:
        """Write how long a recording is, to the second."""
        if length is None:
            return self._unknown()
        hours, rest = divmod(round(length.total_seconds()), 3600)
        minutes, seconds = divmod(rest, 60)
        if hours:
            return f"{hours}{_NBSP}h {minutes:02}{_NBSP}min"
        return f"{minutes}{_NBSP}min {seconds:02}{_NBSP}s" if minutes else f"{seconds}{_NBSP}s"

    def when(self, moment: datetime | None) -> str:
        """Write a moment for people, in the system's time zone; the year only where it is another one."""
        _ = self._catalogue.gettext
        if moment is None:
            return self._unknown()
        local = moment.astimezone(self._zone)
        same_year = local.year == self._today.astimezone(self._zone).year
        form = _("{day} {month}, {time}") if same_year else _("{day} {month} {year}, {time}")
        month = _(_MONTHS[local.month - 1])
        return form.format(day=local.day, month=month, year=local.year, time=f"{local:%H:%M}")

    def day(self, moment: datetime) -> str:
        """Write the day of a moment, in the system's time zone; today's is marked."""
        _ = self._catalogue.gettext
        local, today = moment.astimezone(self._zone), self._today.astimezone(self._zone)
        day = _("{day} {month} {year}").format(day=local.day, month=_(_MONTHS[local.month - 1]), year=local.year)
        return _("Today, {day}").format(day=day) if local.date() == today.date() else day

    def recently(self, moment: datetime) -> str:
        """Write a moment by its time alone where it is today's."""
        local = moment.astimezone(self._zone)
        return f"{local:%H:%M}" if local.date() == self._today.astimezone(self._zone).date() else self.when(moment)

    def clock(self, moment: datetime) -> str:
        """Write the time of day to the second, in the system's time zone."""
        return f"{moment.astimezone(self._zone):%H:%M:%S}"

    def distance(self, metres: float) -> str:
        """Write a length on the ground."""
        if metres < 1000:
            return f"{self.number(metres)}{_NBSP}m"
        return f"{self.number(metres / 1000, 0 if metres % 1000 == 0 else 1)}{_NBSP}km"

    def degrees(self, value: float) -> str:
        """Write a latitude or longitude; six digits are a tenth of a metre."""
        return f"{self.number(value, 6)}°"

    def exactly(self, moment: datetime | None) -> str:
        """Write a moment for evidence: date and second in UTC."""
        return self._unknown() if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

    def seconds(self, value: float | None) -> str:
        """Write a small difference of time."""
        return self._unknown() if value is None else f"{self.number(value, 1)}{_NBSP}s"

    @property
    def zone_name(self) -> str:
        """Name the time zone of every time that is not marked UTC."""
        return self._zone.key

    def _roughly(self, seconds: float) -> str:
        minutes = max(1, round(seconds / 60))
        if minutes > 10:
            minutes = round(minutes / 5) * 5
        if minutes < 60:
            return f"{minutes}{_NBSP}min"
        hours, rest = divmod(round(seconds / 600) * 10, 60)
        if hours >= 10:
            rest = 0
        return f"{hours}{_NBSP}h {rest}{_NBSP}min" if rest else f"{hours}{_NBSP}h"

    def _filled(self, values: Mapping[str, Value]) -> Mapping[str, str]:
        """Moments become words; a value that an older version did not store is said to be unknown."""
        shown: defaultdict[str, str] = defaultdict(self._unknown)
        for key, value in values.items():
            shown[key] = self.recently(value) if isinstance(value, datetime) else str(value)
        return shown

    def _unknown(self) -> str:
        return self._catalogue.gettext("unknown")
