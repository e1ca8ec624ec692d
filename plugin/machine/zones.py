"""Time zones by region, with the countries that they are used in, from the machine's own tables."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

_TABLE = "zone.tab"
_REGIONS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
UTC = "UTC"


def is_zone(name: str) -> bool:
    """Tell whether a name is a time zone that can be reckoned with here."""
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@cache
def by_region() -> Mapping[str, tuple[str, ...]]:
    """List the zones of each region, in order; names that only old systems know are left out."""
    names = sorted(countries() or (name for name in zoneinfo.available_timezones() if _region(name) in _REGIONS))
    return {region: tuple(name for name in names if _region(name) == region) for region in sorted(_REGIONS)}


def city(name: str) -> str:
    """Write a zone without its region, as people read it."""
    return name.partition("/")[2].replace("_", " ") or name


def offset(name: str, moment: datetime) -> str:
    """Write how far a zone is from UTC at a moment."""
    shift = f"{moment.astimezone(zoneinfo.ZoneInfo(name)):%z}"
    return f"UTC{shift[:3]}:{shift[3:5]}"


@cache
def countries() -> Mapping[str, str]:
    """Tell the country (ISO 3166, two letters) of each zone; empty where this machine has no table of them."""
    for folder in zoneinfo.TZPATH:
        try:
            text = (Path(folder) / _TABLE).read_text(encoding="utf-8")
        except OSError:
            continue
        return dict(_rows(text))
    return {}


def _rows(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        fields = line.split("\t")
        if not line.startswith("#") and len(fields) >= 3:
            yield fields[2], fields[0]


def _region(name: str) -> str:
    return name.partition("/")[0]
