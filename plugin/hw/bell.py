"""Wakes threads of the controller when the database has changed, whoever changed it."""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from ..models import Database

log = logging.getLogger(__name__)


class Bell:
    """One thread watches the change counter; any number wait for it to ring."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rung = threading.Condition()
        self._counter = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="bell", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._counter = self._database.change_counter()
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wake everybody."""
        self._stop.set()
        with self._rung:
            self._rung.notify_all()
        self._thread.join(timeout=5)

    @property
    def counter(self) -> int:
        """The counter as last seen."""
        return self._counter

    def wait(self, seen: int, timeout_seconds: float) -> int:
        """Wait until the counter is another than ``seen``, or the time is over; gives the counter."""
        with self._rung:
            self._rung.wait_for(lambda: self._counter != seen or self._stop.is_set(), timeout_seconds)
            return self._counter

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                counter = self._database.wait_for_change(self._counter, 1.0)
            except SQLAlchemyError:
                # The database is away for now; whoever waits looks once a second anyway.
                log.exception("the database does not answer")
                self._stop.wait(1.0)
                continue
            if counter != self._counter:
                with self._rung:
                    self._counter = counter
                    self._rung.notify_all()
