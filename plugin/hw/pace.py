"""A reader that is in nobody's way: held to a rate, behind whoever matters more, and over as soon as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_LOOK_SECONDS = 0.2


class Interrupted(Exception):
    """Raised within a reading that is to end now; nothing is wrong."""


class Pace:
    """Slows one thread down. Rates are in bytes a second."""

    def __init__(self, bytes_per_second: float, stop: threading.Event, give_way: Callable[[], bool]) -> None:
        self._bytes_per_second, self._stop, self._give_way = bytes_per_second, stop, give_way
        self._free_at = 0.0

    def passed(self, size_bytes: int) -> None:
        """Wait until the next bytes may be read.

        :raises Interrupted: when there is to be no next time.
        """
        self.wait_for_others()
        self._free_at = max(self._free_at, time.monotonic()) + size_bytes / self._bytes_per_second
        self._pause(self._free_at - time.monotonic())

    def wait_for_others(self) -> None:
        """Wait while somebody else goes first; raises Interrupted."""
        self._pause(0.0)
        while self._give_way():
            self._pause(_LOOK_SECONDS)

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(max(0.0, seconds)):
            raise Interrupted
