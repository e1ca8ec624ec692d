"""Reading a file again from the device, behind whoever is still writing it.

Each stretch is made durable before it is read, and what was read is the device's, not memory's. What the bytes should
be is for :mod:`.part`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Condition
from typing import Final

from .device import device_blocks
from .folders import edge
from .pipeline import Buffer, Rooms, fan_out

#: As much is made durable and read again together; less is read when all has been written.
STRETCH_BYTES: Final = 32 * 1024 * 1024


class Rereading:
    """One reading of a growing file. It begins with :meth:`reach` and is over with :meth:`finish` or :meth:`give_up`.

    Consumers get every block in order, each in a thread of its own.
    """

    def __init__(self, descriptor: int, label: str, *consumers: Callable[[Buffer], object]) -> None:
        self._descriptor, self._label, self._consumers = descriptor, label, consumers
        self._moved = Condition()
        self._written_bytes = 0
        self._durable = self._given_up = False
        self._pool = ThreadPoolExecutor(1, "reread")
        self._work: Future[None] | None = None

    def reach(self, written_bytes: int) -> None:
        """Say that so much has been written; whole stretches of it are read again from now on.

        Raises what went wrong with those before.
        """
        if written_bytes - self._written_bytes >= STRETCH_BYTES:
            self._move(written_bytes)
            self._work = self._work or self._pool.submit(self._read)
            if self._work.done():
                self._work.result()

    def finish(self, written_bytes: int) -> None:
        """Read what is left; all of it is durable. Raises what went wrong with any of it."""
        self._move(written_bytes, durable=True)
        if self._work is None:
            self._read()
        else:
            self._work.result()

    def give_up(self) -> None:
        """Stop reading and wait for the stretch in hand; after :meth:`finish` nothing happens."""
        self._move(self._written_bytes, given_up=True)
        self._pool.shutdown()

    def _move(self, written_bytes: int, *, durable: bool = False, given_up: bool = False) -> None:
        with self._moved:
            self._written_bytes = written_bytes
            self._durable, self._given_up = self._durable or durable, self._given_up or given_up
            self._moved.notify_all()

    def _read(self) -> None:
        fan_out(self._blocks(), *self._consumers)

    def _blocks(self) -> Iterator[Buffer]:
        read_bytes, rooms = 0, Rooms()
        while (end := self._next_end(read_bytes)) > read_bytes:
            yield from device_blocks(self._descriptor, self._label, read_bytes, end, rooms=rooms)
            read_bytes = end

    def _next_end(self, read_bytes: int) -> int:
        """Wait for more, make it durable, and give how far may be read; no more when all is read."""
        with self._moved:
            self._moved.wait_for(lambda: self._written_bytes > read_bytes or self._durable or self._given_up)
            end, durable = self._written_bytes, self._durable
            if self._given_up:
                return read_bytes
        if not durable:
            with edge(self._label):
                os.fdatasync(self._descriptor)
        return end
