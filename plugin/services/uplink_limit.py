"""How much of the line uploads may take, and when: set on the content destination's page, held by the controller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ..models import Destination
from . import destinations, events, systems


@dataclass(frozen=True)
class UplinkLimit:
    """A limit; the two minutes of the day (of the system's time zone) are None where it always holds."""

    bits_per_second: int
    from_minute: int | None = None
    until_minute: int | None = None

    def holds(self, minute: int) -> bool:
        """Tell whether it holds at a minute of the day; a window may go past midnight."""
        if self.from_minute is None or self.until_minute is None:
            return True
        if self.from_minute <= self.until_minute:
            return self.from_minute <= minute < self.until_minute
        return minute >= self.from_minute or minute < self.until_minute


def limit_of(destination: Destination) -> UplinkLimit | None:
    """Give the limit of a destination, or None."""
    if destination.limit_bits_per_second is None:
        return None
    return UplinkLimit(destination.limit_bits_per_second, destination.limit_from_minute, destination.limit_until_minute)


def set_limit(session: Session, limit: UplinkLimit | None, *, actor: str) -> None:
    """Limit uploads to the destination in force, or lift the limit; nothing where none is connected."""
    destination = destinations.active(session)
    if destination is None:
        return
    destination.limit_bits_per_second = limit.bits_per_second if limit else None
    destination.limit_from_minute = limit.from_minute if limit else None
    destination.limit_until_minute = limit.until_minute if limit else None
    events.record(
        session,
        "destination.limited" if limit else "destination.unlimited",
        "destination",
        destination.id,
        actor=actor,
        megabits=limit.bits_per_second / 1e6 if limit else None,
        from_minute=limit.from_minute if limit else None,
        until_minute=limit.until_minute if limit else None,
    )


def bytes_per_second(session: Session, now: datetime) -> float | None:
    """Give what uploads may take at a moment; None for all that there is."""
    destination = destinations.active(session)
    limit = limit_of(destination) if destination else None
    if limit is None:
        return None
    return limit.bits_per_second / 8 if limit.holds(minute_of_day(session, now)) else None


def minute_of_day(session: Session, now: datetime) -> int:
    """Tell the minute of the day in the system's time zone."""
    local = now.astimezone(ZoneInfo(systems.current(session).time_zone))
    return local.hour * 60 + local.minute
