"""What needs a person: the three parts of a system, each with its state and the messages that lead to what mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Controller
from . import devices, systems
from .advice import Part
from .camera_card import camera_card
from .controller_card import SILENT_AFTER, controller_card
from .destination_card import destination_card
from .message import Card, Message
from .sentence import Tone, loudest, sentence

#: What the cards are called.
TITLES = {
    Part.CAMERAS: sentence("Cameras"),
    Part.CONTROLLERS: sentence("System controllers"),
    Part.DESTINATION: sentence("Content destination"),
}


@dataclass(frozen=True)
class Status:
    """The whole system at one moment."""

    system_name: str | None
    demonstration: bool
    cameras: Card
    controllers: Card
    destination: Card

    @property
    def cards(self) -> Mapping[Part, Card]:
        """Give the cards by what they are about."""
        return {
            Part.CAMERAS: self.cameras,
            Part.CONTROLLERS: self.controllers,
            Part.DESTINATION: self.destination,
        }

    @property
    def messages(self) -> Sequence[Message]:
        """List what needs a person, part by part."""
        return [message for card in self.cards.values() for message in card.messages]

    @property
    def loudest(self) -> Tone:
        """Give the tone of whatever needs a person most."""
        return loudest([message.tone for message in self.messages])


def status(session: Session, now: datetime) -> Status:
    """Tell how the system is."""
    system = systems.find(session)
    return Status(
        system_name=system.name if system else None,
        demonstration=bool(system and system.demonstration),
        cameras=camera_card(session, now),
        controllers=controller_card(session, now),
        destination=destination_card(session, now),
    )


def needs(session: Session, now: datetime) -> Sequence[Message]:
    """List everything that needs a person."""
    return status(session, now).messages


def overdue(session: Session, now: datetime) -> list[str]:
    """List what has become old by the passing of time alone; pages must be drawn anew when this changes."""
    silent = select(Controller.id).where(Controller.heartbeat_at < now - SILENT_AFTER).order_by(Controller.id)
    return [*session.scalars(silent), *devices.overdue(session, now)]
