"""Which power line frequency a place has: 50 or 60 Hz, suggested by the country of a time zone.

The countries of zones are the system's own (``zone.tab`` beside the time zone data); which countries have 60 Hz is
below, after the mains frequencies that the IEC lists by country.
"""

from __future__ import annotations

import zoneinfo
from functools import cache
from pathlib import Path

FREQUENCIES = (50, 60)
#: ISO 3166 codes of countries with 60 Hz, whole or nearly so; everywhere else it is 50 Hz.
_SIXTY = (
    "AG AI AS AW BM BR BS BZ CA CO CR CU DO EC FM GT GU GY HN HT KN KR KY LR MF MH MP MS MX NI PA PE PH PR PW SA SR "
    "SV SX TC TT TW US VE VG VI"
)
#: Both are in use, so that nothing can be suggested.
_BOTH = frozenset({"JP", "BQ"})


def suggested(time_zone: str) -> int | None:
    """Suggest a frequency for a time zone such as ``Europe/Vienna``; None where the zone names no country, or both."""
    country = _countries().get(time_zone)
    if country is None or country in _BOTH:
        return None
    return 60 if country in _SIXTY.split() else 50


@cache
def _countries() -> dict[str, str]:
    """Read the country of each zone; empty where the machine has no such table."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / "zone.tab"
        if path.is_file():
            return dict(_pairs(path.read_text(encoding="utf-8")))
    return {}


def _pairs(table: str) -> list[tuple[str, str]]:
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    return [(row[2], row[0]) for row in rows if len(row) > 2]
