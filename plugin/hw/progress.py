"""How far transfers are, kept in memory and written to the database once a second. Decides nothing."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping

from ..models import Database, Destination
from ..services import deliveries, docks
from ..services.docks import BayProgress
from .forecast import Forecast

#: Rates are of the last minute.
WINDOW_SECONDS = 60.0


class Meter:
    """Counts bytes of one transfer, or of several that belong together; any thread may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done_bytes = 0
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, size_bytes: int) -> None:
        """Count bytes that have arrived."""
        with self._lock:
            self._count(self._done_bytes + size_bytes)

    def reach(self, done_bytes: int) -> int:
        """Count up to what has arrived in all; gives how much that was more (0 when a transfer began again)."""
        with self._lock:
            more = max(done_bytes - self._done_bytes, 0)
            self._count(done_bytes)
            return more

    def _count(self, done_bytes: int) -> None:
        now = time.monotonic()
        self._done_bytes = done_bytes
        if not self._samples or now - self._samples[-1][0] > 0.2:
            self._samples.append((now, done_bytes))

    def rest(self) -> None:
        """Leave the time out in which nothing was to move; the rate is of what follows."""
        with self._lock:
            self._samples.clear()
            self._samples.append((time.monotonic(), self._done_bytes))

    @property
    def done_bytes(self) -> int:
        """Bytes that have arrived so far."""
        return self._done_bytes

    def bytes_per_second(self) -> float | None:
        """Give the rate of the last minute; None while nothing moved in it or too little is known."""
        now = time.monotonic()
        with self._lock:
            while self._samples and now - self._samples[0][0] > WINDOW_SECONDS:
                self._samples.popleft()
            if len(self._samples) < 2:
                return None
            began, first_bytes = self._samples[0]
            return (self._done_bytes - first_bytes) / max(now - began, 0.2)


class Board:
    """All meters of the controller."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bays: dict[str, Meter] = {}
        self._clips: dict[str, tuple[Meter, str]] = {}
        self._sent: dict[str, Meter] = {}

    def bay(self, bay_id: str) -> Meter:
        """Begin to count what comes from a bay."""
        with self._lock:
            return self._bays.setdefault(bay_id, Meter())

    def rate(self, bay_id: str) -> float | None:
        """Give what a bay brings a second; None while nothing moves or too little is known."""
        with self._lock:
            meter = self._bays.get(bay_id)
        return meter.bytes_per_second() if meter else None

    def close_bay(self, bay_id: str) -> None:
        """Stop to count a bay."""
        with self._lock:
            self._bays.pop(bay_id, None)

    def sending(self, clip_id: str, failure_domain: str) -> Meter:
        """Begin to count what of one object has been sent."""
        with self._lock:
            meter = self._clips[clip_id] = (Meter(), failure_domain)
        return meter[0]

    def sent(self, clip_id: str) -> None:
        """Stop to count an object."""
        with self._lock:
            self._clips.pop(clip_id, None)

    def destination(self, destination_id: str) -> Meter:
        """Count everything that goes to a destination."""
        with self._lock:
            return self._sent.setdefault(destination_id, Meter())

    def write_down(self, database: Database, forecasts: Mapping[str, Forecast]) -> None:
        """Write every meter that may have moved, in one transaction; none when nothing is under way."""
        with self._lock:
            bays = {bay: (meter.done_bytes, meter.bytes_per_second()) for bay, meter in self._bays.items()}
            clips = {clip: (meter.done_bytes, domain) for clip, (meter, domain) in self._clips.items()}
            sent = {destination: meter.bytes_per_second() for destination, meter in self._sent.items()}
        known = bays.keys() | forecasts.keys()
        if not bays and not clips and not forecasts:
            return
        with database.write() as session:
            docks.progress(session, {bay: _progress(*bays.get(bay, (0, None)), forecasts.get(bay)) for bay in known})
            deliveries.send_progress(session, clips)
            for destination_id, rate in sent.items():
                session.get_one(Destination, destination_id).bytes_per_second = rate


def _progress(done_bytes: int, bytes_per_second: float | None, forecast: Forecast | None) -> BayProgress:
    if forecast is None:
        return BayProgress(done_bytes, bytes_per_second)
    rate = None if forecast.waiting else bytes_per_second
    return BayProgress(done_bytes, rate, forecast.waiting, forecast.turn_in_seconds, forecast.ready_in_seconds)
