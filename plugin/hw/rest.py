"""How long a destination is left alone after it could not do as asked: longer each time, and as long as it asks."""

from __future__ import annotations

import hashlib
import random
import threading
import time

from ..errors import BodywornError, DestinationFailed, LicenceMissing
from ..models import Destination

_LONGEST_SECONDS = 300.0
#: Licences are bought by people, and what has to be mended is mended by people; somebody who did can say so.
_FOR_PEOPLE_SECONDS = 3600.0


class Rest:
    """The rest of one destination at a time; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0
        self._edition = ""

    def holds(self, destination: Destination) -> bool:
        """Tell whether it is to be left alone; a new connection file, or somebody's wish, ends that."""
        with self._lock:
            return time.monotonic() < self._until and self._edition == edition(destination)

    def begin(self, failed_edition: str, error: BodywornError) -> None:
        """Leave it alone after an error."""
        with self._lock:
            self._failures += 1
            wait = min(2.0 ** min(self._failures - 1, 9), _LONGEST_SECONDS) * random.uniform(0.8, 1.2)  # noqa: S311
            self._edition = failed_edition
            self._until = time.monotonic() + max(wait, _asked_seconds(error))

    def over(self) -> None:
        """It works: the next rest will be a short one."""
        with self._lock:
            self._failures = 0


def edition(destination: Destination) -> str:
    """Name what the next attempts are made with: the connection file, and the last wish that it be tried at once."""
    return f"{hashlib.sha256(destination.sealed_file).hexdigest()}:{destination.attempts_wanted}"


def _asked_seconds(error: BodywornError) -> float:
    if isinstance(error, LicenceMissing) or not error.retry:
        return _FOR_PEOPLE_SECONDS
    return min(error.retry_after_seconds, _FOR_PEOPLE_SECONDS) if isinstance(error, DestinationFailed) else 0.0
