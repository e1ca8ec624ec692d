"""What a destination is asked and told apart from recordings: categories once a day, users and cameras as they change.

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
from ..services import categories, destinations, parcels
from . import shipment
from .rest import Rest, edition
from .workshop import Workshop

log = logging.getLogger(__name__)

_SHORTEST_WAIT_SECONDS = 30.0
_LONGEST_WAIT_SECONDS = 1800.0
#: Not told anything, so nothing follows from it for what was asked.
_NOT_REACHED = (DestinationUnreachable, TlsFailed)


class Errands:
    """Runs in one thread; ``client_of`` gives the client of a destination."""

    def __init__(self, shop: Workshop, rest: Rest, client_of: Callable[[Destination], Client]) -> None:
        self._shop, self._rest, self._client_of = shop, rest, client_of
        self._not_before, self._failures = 0.0, 0
        self._edition = ""
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
        except DestinationProblem as error:
            log.info("the destination could not be asked or told: %s", error.id)
            self._failed(destination, error)
        else:
            self._failures = 0

    def _may_try(self, destination: Destination) -> bool:
        if edition(destination) != self._edition:
            self._edition, self._not_before = edition(destination), 0.0
            self._refused.clear()
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
