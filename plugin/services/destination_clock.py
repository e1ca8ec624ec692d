"""How far the destination's clock is from ours: measured at sign-ins, told when it becomes too much (SET-5)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..models import Destination
from . import events
from .destination_card import LARGEST_CLOCK_DIFFERENCE_SECONDS

#: Sign-ins tell whole seconds; what moves less than this is the same as before.
_SAME_SECONDS = 1.0


def differs(difference_seconds: float | None) -> bool:
    """Tell whether clocks differ so much that times of recordings are doubtful."""
    return difference_seconds is not None and abs(difference_seconds) > LARGEST_CLOCK_DIFFERENCE_SECONDS


def measured(session: Session, destination: Destination, difference_seconds: float | None) -> None:
    """Write down how far a destination's clock is ahead of ours; None where it did not say."""
    before = destination.clock_difference_seconds
    if difference_seconds is None or not _moved(before, difference_seconds):
        return
    destination.clock_difference_seconds = difference_seconds
    if differs(before) is not differs(difference_seconds):
        events.record(
            session,
            "destination.clock-differs" if differs(difference_seconds) else "destination.clock-agrees",
            "destination",
            destination.id,
            seconds=difference_seconds,
        )


def _moved(before: float | None, now: float) -> bool:
    return before is None or abs(now - before) >= _SAME_SECONDS or differs(before) is not differs(now)
