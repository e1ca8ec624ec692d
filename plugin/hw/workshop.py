"""What every part of the controller works with, handed around as one: database, keys, spool, counters, the hook."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import StorageLow
from ..models import Database
from ..services.keyring import Keyring
from ..store import Store
from .bell import Bell
from .docked import Docked
from .faults import Hook, no_fault
from .order_book import OrderBook
from .progress import Board
from .turns import Turns

#: Kept free beyond what is under way (I15, decision 32).
RESERVE_BYTES = 2 * 1024**3


@dataclass
class Workshop:
    """The controller's tools; every member may be used by any thread."""

    database: Database
    keyring: Keyring
    spool: Store
    #: Where units of cameras are mounted.
    scratch: Path
    board: Board
    bell: Bell
    book: OrderBook
    hook: Hook
    reserve_bytes: int = RESERVE_BYTES
    #: Whose turn it is to be offloaded.
    turns: Turns = field(default_factory=Turns)
    #: How many recordings are sent at a time.
    parallel_uploads: int = 2
    #: Cameras that are to be seen in one bay at a time.
    docked: Docked = field(default_factory=Docked)
    #: What was refused last, while there is no room for it.
    _refused_bytes: int | None = field(default=None, init=False)
    _in_flight_bytes: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @classmethod
    def on(
        cls,
        database: Database,
        keyring: Keyring,
        data_dir: Path,
        *,
        hook: Hook = no_fault,
        reserve_bytes: int = RESERVE_BYTES,
    ) -> Workshop:
        """Lay the tools out for a data folder: its spool, and the place where units of cameras are mounted."""
        return cls(
            database=database,
            keyring=keyring,
            spool=Store(data_dir / "spool", hook),
            scratch=data_dir / "mounts",
            board=Board(),
            bell=Bell(database),
            book=OrderBook(database, keyring),
            hook=hook,
            reserve_bytes=reserve_bytes,
        )

    @property
    def taking_in(self) -> bool:
        """Tell whether something is being brought into the spool."""
        return self._in_flight_bytes > 0

    @property
    def lacks_room(self) -> bool:
        """Tell whether the last recording that was to come in had no room, and still has none (decision 32)."""
        with self._lock:
            wanted = self._refused_bytes
            if wanted is None:
                return False
            return self.spool.free_bytes() < self._in_flight_bytes + wanted + self.reserve_bytes

    @contextmanager
    def room_for(self, size_bytes: int) -> Iterator[None]:
        """Reserve room in the spool for the block's time.

        :raises StorageLow: when what is under way, this and the reserve do not fit; so intake stops in time.
        """
        with self._lock:
            free_bytes = self.spool.free_bytes()
            if free_bytes < self._in_flight_bytes + size_bytes + self.reserve_bytes:
                self._refused_bytes = size_bytes
                raise StorageLow(free_gigabytes=round(free_bytes / 1e9, 1))
            self._in_flight_bytes += size_bytes
            self._refused_bytes = None
        try:
            yield
        finally:
            with self._lock:
                self._in_flight_bytes -= size_bytes
