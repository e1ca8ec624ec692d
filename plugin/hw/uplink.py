"""The line to the destination, held to a rate: all uploads together, however many there are.

What the rate is, and when, is decided in ``services.uplink_limit``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: Bytes are given out for so long at a time, so that a new rate holds at once and several uploads take turns.
_SLICE_SECONDS = 0.05
_LEAST_BYTES = 1024
#: An upload that had nothing to send may catch up on so much; more would be a burst.
_CATCH_UP_SECONDS = 0.1


class Uplink:
    """Gives out bytes that may be sent. Any thread may ask; they are served in the order in which they asked.

    ``clock`` tells the seconds that pass, ``wait`` lets some pass.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, wait: Callable[[float], object] | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._clock, self._wait = clock, wait or self._stopped.wait
        self._bytes_per_second: float | None = None
        self._free_at = 0.0

    def hold_to(self, bytes_per_second: float | None) -> None:
        """Hold what follows to a rate; None lets everything through."""
        with self._lock:
            if bytes_per_second != self._bytes_per_second:
                self._bytes_per_second, self._free_at = bytes_per_second, self._clock()

    def stop(self) -> None:
        """Let nobody wait any longer: the process ends."""
        self._stopped.set()

    def take(self, wanted_bytes: int) -> int:
        """Wait until some bytes may go; gives how many of those that are wanted."""
        with self._lock:
            rate = self._bytes_per_second
            if rate is None:
                return wanted_bytes
            given = min(wanted_bytes, max(int(rate * _SLICE_SECONDS), _LEAST_BYTES))
            now = self._clock()
            begins_at = max(self._free_at, now - _CATCH_UP_SECONDS)
            self._free_at = begins_at + given / rate
        self._wait(max(begins_at - now, 0.0))
        return given
