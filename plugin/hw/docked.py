"""Which camera stands in which bays: one that seems to stand in two is two cameras, and nobody can tell them apart.

A camera that was moved is in both for as long as its first bay may still believe that it only came loose.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict

#: Longer than a bay waits for a camera that came loose.
MOVING_SECONDS = 5.0


class Docked:
    """What each bay of this controller holds; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bays: defaultdict[str, set[str]] = defaultdict(set)
        self._doubled_at: dict[str, float] = {}

    def came(self, camera_id: str, bay_id: str) -> None:
        """Note that a camera stands in a bay."""
        with self._lock:
            bays = self._bays[camera_id]
            bays.add(bay_id)
            if len(bays) > 1:
                self._doubled_at.setdefault(camera_id, time.monotonic())

    def left(self, camera_id: str, bay_id: str) -> None:
        """Note that it does not stand there any more."""
        with self._lock:
            bays = self._bays[camera_id]
            bays.discard(bay_id)
            if len(bays) < 2:
                self._doubled_at.pop(camera_id, None)
            if not bays:
                del self._bays[camera_id]

    def is_doubled(self, camera_id: str) -> bool:
        """Tell whether it is in more than one bay at this moment; it may be moving."""
        with self._lock:
            return camera_id in self._doubled_at

    def is_contested(self, camera_id: str) -> bool:
        """Tell whether it has been in more than one bay for longer than anybody needs to move it."""
        with self._lock:
            since = self._doubled_at.get(camera_id)
        return since is not None and time.monotonic() - since > MOVING_SECONDS
