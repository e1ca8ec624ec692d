"""Whether new USB devices are refused on this controller, where they are not, and what was refused.

How they are refused is the business of hardware.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ..models import Bay, DockKind
from . import docks, events, systems


@dataclass(frozen=True)
class Guarding:
    """What is wanted now."""

    on: bool
    #: Places whose storage is let in: the bays of USB docks.
    bays: frozenset[str]
    #: While a dock learns: beneath which place bays may turn up; empty for anywhere. None while none learns.
    learning_beneath: str | None


def turn(session: Session, *, on: bool, actor: str) -> None:
    """Want new USB devices refused, or let in."""
    controller = systems.local_controller(session)
    if controller.usb_guard is not on:
        controller.usb_guard = on
        action = "controller.usb-guard-on" if on else "controller.usb-guard-off"
        events.record(session, action, "controller", controller.id, actor=actor)


def wanted(session: Session) -> Guarding:
    """Tell what is wanted on this controller."""
    usb = [dock for dock in docks.local_docks(session) if dock.kind is DockKind.USB]
    return Guarding(
        on=systems.local_controller(session).usb_guard,
        bays=frozenset(place for dock in usb for bay in dock.bays for place in bay.places),
        learning_beneath=next((dock.locator for dock in usb if dock.learning), None),
    )


def refused(session: Session, *, place: str, name: str, kinds: Sequence[str]) -> None:
    """Write down that a device was refused, at its bay where its place is one."""
    bay = _bay_at(session, place)
    kind, object_id = ("bay", bay.id) if bay else ("controller", systems.local_controller(session).id)
    events.record(session, "usb.refused", kind, object_id, place=place, name=name, kinds=list(kinds))


def _bay_at(session: Session, place: str) -> Bay | None:
    return next((bay for dock in docks.local_docks(session) for bay in dock.bays if place in bay.places), None)
