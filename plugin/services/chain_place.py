"""How far somebody has been told what happens: a place in the chain of events, kept in a file beside the data.

After a restart the telling goes on there. What happened between being told and the place being kept is told twice.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Chain, Database, Event

log = logging.getLogger(__name__)

_AT_ONCE = 100

Told = TypeVar("Told")


class ChainPlace:
    """A place in this machine's chain; for one thread."""

    def __init__(self, database: Database, path: Path, actions: Collection[str]) -> None:
        """Take the file in which the place is kept, and which events matter."""
        self._database, self._path, self._actions = database, path, actions
        self._stands: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        """Name whoever is told, for logs."""
        return self._path.name

    def following(self, told: Callable[[Session, Event], Told]) -> list[Told]:
        """Put the next events into the form in which they are told, the oldest first; empty when there is none.

        Raises:
            SQLAlchemyError: the tables are not there yet, or the database does not answer.
            OSError: the place cannot be kept.
        """
        if self._stands is None:
            self._stands = self._stood()
        chain_id, sequence = self._stands
        new = select(Event).where(Event.chain_id == chain_id, Event.sequence > sequence)
        new = new.where(Event.action.in_(self._actions)).order_by(Event.sequence).limit(_AT_ONCE)
        with self._database.read() as session:
            return [told(session, event) for event in session.scalars(new).all()]

    def move(self, chain_id: str, sequence: int) -> None:
        """Remember, durably, that everything up to this event was told."""
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        new = self._path.with_name(f"{self._path.name}.new")
        with new.open("w", encoding="ascii") as file:
            file.write(f"{chain_id} {sequence}\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        self._stands = chain_id, sequence

    def _stood(self) -> tuple[str, int]:
        """Read how far it was told before; who is new here begins with what happens next."""
        with self._database.read() as session:
            head = session.scalars(select(Chain).where(Chain.local)).one()
        with suppress(FileNotFoundError, ValueError):
            chain_id, sequence = self._path.read_text("ascii").split()
            if chain_id == head.id:
                return chain_id, int(sequence)
        log.info("%s is told what happens from now on", self.name)
        self.move(head.id, head.sequence)
        return head.id, head.sequence
