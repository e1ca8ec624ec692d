"""Date and time of the system: its time zone, and where this machine gets the time from (SET-5, SYS-6).

The system's wishes are in the database, and cameras follow them wherever they are docked. The machine's own clock is
set as well where that is possible; where not, the reasons come back, and the wishes stand all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import MachineError
from ..machine import clock
from ..machine.clock import ClockFacts
from ..models import Belonging, Camera, Database
from . import destinations, events, systems
from .destination_card import LARGEST_CLOCK_DIFFERENCE_SECONDS
from .sentence import Problem, problem_of

_LOG = logging.getLogger(__name__)


class TimeSource(StrEnum):
    """Who sets the clock of this machine."""

    #: Time servers that the machine has by itself.
    MACHINE = "machine"
    #: One that was entered.
    SERVER = "server"
    #: The content destination, as a time server.
    DESTINATION = "destination"
    HAND = "hand"


@dataclass(frozen=True)
class WantedClock:
    """What was chosen."""

    time_zone: str
    source: TimeSource = TimeSource.MACHINE
    #: The server's name or address; None unless the source is a server or the destination.
    ntp_server: str | None = None
    #: The time to set now; only by hand.
    moment: datetime | None = None


@dataclass(frozen=True)
class ClockView:
    """Date and time as pages show them."""

    #: The system's time zone, or the one to begin with.
    time_zone: str
    source: TimeSource
    #: The server that is wanted.
    ntp_server: str | None
    facts: ClockFacts
    obstacle: Problem | None
    server_obstacle: Problem | None
    #: The destination's name, and the machine that it is; None where none is connected.
    destination: str | None = None
    destination_host: str | None = None
    #: How far its clock is ahead of ours; None where that was not measured.
    difference_seconds: float | None = None
    differs: bool = False


def view(session: Session, facts: ClockFacts) -> ClockView:
    """Tell how date and time stand; without a system, what the machine has is suggested."""
    system, destination = systems.find(session), destinations.active(session)
    server = system.ntp_server if system else None
    host = urlsplit(destination.address).hostname if destination else None
    difference = destination.clock_difference_seconds if destination else None
    return ClockView(
        time_zone=system.time_zone if system else facts.time_zone or "UTC",
        source=_source(facts, server, host),
        ntp_server=server,
        facts=facts,
        obstacle=problem_of(facts.obstacle) if facts.obstacle else None,
        server_obstacle=problem_of(facts.server_obstacle) if facts.server_obstacle else None,
        destination=destination.site_name if destination else None,
        destination_host=host,
        difference_seconds=difference,
        differs=difference is not None and abs(difference) > LARGEST_CLOCK_DIFFERENCE_SECONDS,
    )


def save(database: Database, wanted: WantedClock, *, actor: str) -> Sequence[Problem]:
    """Set this machine's clock, and have the system and its cameras follow.

    The machine is asked before the transaction begins, because it may take seconds.

    :return: why the machine did not take it, or some of it; the system has it all the same.
    """
    before = datetime.now().astimezone()
    refused = apply(wanted)
    with database.write() as session:
        remember(session, wanted, actor=actor, refused=[one.id for one in refused])
        if wanted.moment is not None and not refused:
            _tell_of_time_set(session, before, wanted.moment, actor)
    return refused


def remember(session: Session, wanted: WantedClock, *, actor: str, refused: Sequence[str] = ()) -> None:
    """Write down what the system wishes; cameras get another time zone with settings of a new number."""
    system = systems.current(session)
    before = (system.time_zone, system.ntp_server)
    system.time_zone, system.ntp_server = wanted.time_zone, wanted.ntp_server
    if before[0] != wanted.time_zone:
        for camera in session.scalars(select(Camera).where(Camera.belonging == Belonging.ADDED)):
            camera.wanted_settings = systems.next_order_sequence(session)
    events.record(
        session,
        "system.clock-changed",
        "system",
        system.id,
        actor=actor,
        time_zone=wanted.time_zone,
        source=wanted.source,
        ntp_server=wanted.ntp_server,
        time_zone_before=before[0],
        ntp_server_before=before[1],
        refused=list(refused),
    )


def apply(wanted: WantedClock) -> Sequence[Problem]:
    """Set this machine's clock as far as it lets itself be set; nothing is written down.

    :return: why not, for each thing that had to change and could not.
    """
    facts, refused = clock.read(), list[Problem]()
    if facts.time_zone != wanted.time_zone:
        with _collecting(refused):
            clock.set_time_zone(wanted.time_zone)
    with _collecting(refused):
        if wanted.source is TimeSource.HAND:
            _by_hand(facts, wanted.moment)
        else:
            _by_server(facts, wanted)
    return [one for at, one in enumerate(refused) if one not in refused[:at]]


def reapply(database: Database) -> None:
    """Ask for the time where the system wants it; the machine forgets that when it is started again."""
    with database.read() as session:
        system = systems.find(session)
        server = system.ntp_server if system else None
    facts = clock.read() if server else None
    if facts is None or not facts.ntp or facts.servers == (server,):
        return
    try:
        clock.set_ntp_server(server)
    except MachineError as error:
        _LOG.warning("The time server %s cannot be used: %s", server, error)


def _by_hand(facts: ClockFacts, moment: datetime | None) -> None:
    if facts.ntp is not False:
        clock.set_ntp(False)
    if moment is not None:
        clock.set_time(moment)


def _by_server(facts: ClockFacts, wanted: WantedClock) -> None:
    """Turn the use of a time server on before choosing it, because choosing asks the program that does it."""
    if facts.ntp is False or (wanted.ntp_server and not facts.ntp):
        clock.set_ntp(True)
    if wanted.ntp_server and facts.servers != (wanted.ntp_server,):
        clock.set_ntp_server(wanted.ntp_server)
    elif wanted.ntp_server is None and facts.ntp and facts.server_obstacle is None:
        clock.set_ntp_server(None)


@contextmanager
def _collecting(refused: list[Problem]) -> Iterator[None]:
    try:
        yield
    except MachineError as error:
        refused.append(problem_of(error))


def _tell_of_time_set(session: Session, before: datetime, moment: datetime, actor: str) -> None:
    system = systems.current(session)
    events.record(
        session,
        "system.time-set",
        "system",
        system.id,
        actor=actor,
        before=before.isoformat(timespec="seconds"),
        after=moment.isoformat(timespec="seconds"),
    )


def _source(facts: ClockFacts, server: str | None, destination_host: str | None) -> TimeSource:
    if facts.ntp is False:
        return TimeSource.HAND
    if server is None:
        return TimeSource.MACHINE
    return TimeSource.DESTINATION if server == destination_host else TimeSource.SERVER
