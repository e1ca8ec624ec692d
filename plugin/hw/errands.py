"""What a destination is asked and told apart from recordings: categories, its clock, users and cameras as they change.

Nothing of this holds up recordings, and none of it makes a destination count as working or failing, except that it is
out of licences: that shows when users and cameras are told, and may show nowhere else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from ..destination.client import Client
from ..errors import (
    BodywornError,
    DestinationProblem,
    DestinationUnreachable,
    LicenceMissing,
    NonsenseAnswer,
    NoticeRefused,
    TlsFailed,
)
from ..models import Destination
from ..services import categories, destination_clock, destinations, parcels
from . import shipment
from .rest import Rest, edition
from .workshop import Workshop

log = logging.getLogger(__name__)

_SHORTEST_WAIT_SECONDS = 30.0
_LONGEST_WAIT_SECONDS = 1800.0
#: How often clocks are compared, and at once when ours was set by so much.
_CLOCK_SECONDS = 3600.0
_SET_BY_SECONDS = 0.5
#: Not told anything, so nothing follows from it for what was asked.
_NOT_REACHED = (DestinationUnreachable, TlsFailed)


class Errands:
    """Runs in one thread; ``client_of`` gives the client of a destination."""

    def __init__(self, shop: Workshop, rest: Rest, client_of: Callable[[Destination], Client]) -> None:
        self._shop, self._rest, self._client_of = shop, rest, client_of
        self._not_before, self._failures = 0.0, 0
        self._edition = ""
        #: When clocks were compared, by the time since start-up, and what our clock told beyond that.
        self._compared: tuple[float, float] | None = None
        #: Descriptions that this destination refused; told again when they change or somebody wishes it.
        self._refused: set[str] = set()

    def run(self) -> None:
        """Do what is due, if anything; an error only means that it is tried again later."""
        with self._shop.database.read() as session:
            destination = destinations.active(session)
        if destination is None or not self._may_try(destination):
            return
        try:
            self._read_categories(destination)
            self._tell(destination)
            self._compare_clocks(destination)
        except DestinationProblem as error:
            log.info("the destination could not be asked or told: %s", error.id)
            self._failed(destination, error)
        else:
            self._failures = 0

    def _may_try(self, destination: Destination) -> bool:
        if edition(destination) != self._edition:
            self._edition, self._not_before = edition(destination), 0.0
            self._refused.clear()
            self._compared = None
        return time.monotonic() >= self._not_before and not self._rest.holds(destination)

    def _failed(self, destination: Destination, error: BodywornError) -> None:
        self._failures += 1
        wait = min(_SHORTEST_WAIT_SECONDS * 2 ** min(self._failures - 1, 8), _LONGEST_WAIT_SECONDS)
        self._not_before = time.monotonic() + wait
        if isinstance(error, LicenceMissing):
            self._rest.begin(edition(destination), error)
            with self._shop.database.write() as session:
                destinations.fails(session, session.get_one(Destination, destination.id), error)

    # categories

    def _read_categories(self, destination: Destination) -> None:
        if not categories.are_due(destination, datetime.now(UTC)):
            return
        client = self._client_of(destination)
        try:
            what, found = client.capabilities(), client.categories()
        except _NOT_REACHED:
            raise
        except DestinationProblem as error:
            if error.retry and not isinstance(error, NonsenseAnswer):
                raise
            with self._shop.database.write() as session:
                categories.could_not_be_read(session, session.get_one(Destination, destination.id), error)
        else:
            with self._shop.database.write() as session:
                categories.were_read(session, session.get_one(Destination, destination.id), found, what)

    # its clock

    def _compare_clocks(self, destination: Destination) -> None:
        passed, beyond = time.monotonic(), time.time() - time.monotonic()
        if self._compared and not _are_due(self._compared, passed, beyond):
            return
        client = self._client_of(destination)
        answer = client.sign_in(spent=client.sign_in()) if self._compared else client.sign_in()
        self._compared = passed, beyond
        with self._shop.database.write() as session:
            known = session.get_one(Destination, destination.id)
            destination_clock.measured(session, known, answer.clock_difference_seconds)

    # users and cameras

    def _tell(self, destination: Destination) -> None:
        with self._shop.database.read() as session:
            waiting = parcels.all_notices(session, session.get_one(Destination, destination.id))
        for notice in waiting:
            fingerprint = notice.fingerprint(destination.id)
            if fingerprint in self._refused:
                continue
            try:
                shipment.announce(notice, self._client_of(destination))
            except NoticeRefused as error:
                log.warning("%s", error)
                self._refused.add(fingerprint)
                continue
            with self._shop.database.write() as session:
                known = session.get_one(Destination, destination.id)
                parcels.noticed(session, notice, known)
                if known.problem_id == LicenceMissing.id:
                    destinations.works(session, known)


def _are_due(compared: tuple[float, float], passed: float, beyond: float) -> bool:
    return passed - compared[0] >= _CLOCK_SECONDS or abs(beyond - compared[1]) >= _SET_BY_SECONDS
