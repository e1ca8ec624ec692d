"""A connected socket that waits no longer than it should and hears an answer that comes before the request is finished.

HTTP libraries send a whole body before they listen, and time out one read at a time. Here a destination that answers
"full" at once is heard at once, and one that drips a byte every few seconds runs out of patience. It stands where
:mod:`http.client` expects a socket; all that is known here of HTTP is that its heads are lines, and not many.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

#: A destination slower than this, over and above the timeout, is given up.
SLOWEST_BYTES_PER_SECOND: Final = 16 * 1024

#: Pace at which a destination may still be working on what it has received before it answers.
DIGESTING_BYTES_PER_SECOND: Final = 8 * 1024 * 1024

#: A head has at most a hundred lines, and a few interim answers may come before the one that counts.
MOST_LINES_IN_A_ROW: Final = 1000

# Reading or writing "would block": for a plain socket and for TLS, which may have to do either.
_WOULD_BLOCK: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class AnsweredEarly(BrokenPipeError):
    """The other side answered or hung up before everything was sent; its answer can be read."""


class Patience:
    """How long one direction of an exchange may still wait for the other side; own work is not counted.

    Waiting spends it and bytes that move earn it back, never above the allowance.
    """

    def __init__(self, allowance_seconds: float) -> None:
        self._allowance_seconds = allowance_seconds
        self._left_seconds = allowance_seconds

    def left_seconds(self) -> float:
        """Return how long the next wait may be; raise TimeoutError when none is left."""
        if self._left_seconds <= 0:
            raise TimeoutError("the other side is too slow")
        return self._left_seconds

    def spend(self, seconds: float) -> None:
        """Count a wait."""
        self._left_seconds -= seconds

    def earn(self, moved_bytes: int) -> None:
        """Count bytes that went through."""
        earned = self._left_seconds + moved_bytes / SLOWEST_BYTES_PER_SECOND
        self._left_seconds = min(earned, self._allowance_seconds)


class PatientSocket:
    """Wrap a connected plain or TLS socket; ``settimeout`` sets the patience of what follows, in seconds."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._timeout_seconds = connected.gettimeout() or 60.0
        self._patience = Patience(self._timeout_seconds)
        self._sent_bytes = 0
        self._early = b""
        #: True once a request was cut short: the connection must not carry another one.
        self.spoilt = False
        connected.settimeout(0)

    def settimeout(self, seconds: float | None) -> None:
        """Begin a new exchange with this patience."""
        self._timeout_seconds = seconds or self._timeout_seconds
        self._patience = Patience(self._timeout_seconds)

    def gettimeout(self) -> float:
        """Return the patience of an exchange, in seconds."""
        return self._timeout_seconds

    def fileno(self) -> int:
        """Return the descriptor, to poll it."""
        return self._socket.fileno()

    def shutdown(self, how: int) -> None:
        """Shut down one or both directions."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Close the socket; an answer that is being read keeps it open until it is closed as well."""
        self._socket.close()

    def sendall(self, data: ReadableBuffer) -> None:
        """Send everything, listening meanwhile; raise :class:`AnsweredEarly` as soon as an answer begins to arrive."""
        waiting = memoryview(data)
        try:
            while waiting:
                self._listen()
                waiting = waiting[self._send_some(waiting) :]
        except (ConnectionError, ssl.SSLError) as error:
            self.spoilt = True
            raise AnsweredEarly from error
        except TimeoutError:
            self.spoilt = True
            raise

    def makefile(self, mode: str = "rb") -> io.BufferedReader:
        """Open the answer for reading; what was heard early comes first."""
        self._patience = Patience(self._timeout_seconds + self._sent_bytes / DIGESTING_BYTES_PER_SECOND)
        self._sent_bytes = 0
        return _Reader(_Answer(self, self._socket.makefile("rb", buffering=0)))

    def take_early(self) -> bytes:
        """Hand over, once, what was heard while sending."""
        early, self._early = self._early, b""
        return early

    def wait(self, events: int) -> None:
        """Wait until one of the events of ``select.poll`` happens; raise TimeoutError when patience is at its end."""
        poll = select.poll()
        poll.register(self._socket, events)
        began = time.monotonic()
        poll.poll(self._patience.left_seconds() * 1000)
        self._patience.spend(time.monotonic() - began)

    def moved(self, count: int) -> None:
        """Count bytes that went through, which earns patience."""
        self._patience.earn(count)

    def _send_some(self, waiting: memoryview) -> int:
        while (count := self._try_to_send(waiting)) is None:
            self.wait(select.POLLIN | select.POLLOUT)
            self._listen()
        self.moved(count)
        self._sent_bytes += count
        return count

    def _try_to_send(self, waiting: memoryview) -> int | None:
        """Send what goes at once, or None; to wait within the handler would make a slow network an error of TLS."""
        try:
            return self._socket.send(waiting)
        except _WOULD_BLOCK:
            return None

    def _listen(self) -> None:
        """Look for an answer without waiting; reading one byte is the one way that works for TLS as well."""
        try:
            self._early = self._socket.recv(1)
        except _WOULD_BLOCK:
            return
        raise AnsweredEarly


class _Reader(io.BufferedReader):
    """Reads an answer whose head ends: the library skips interim answers without a limit, however fast they come."""

    _lines = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self._lines += 1
        if self._lines > MOST_LINES_IN_A_ROW:
            raise http.client.HTTPException("the head of the answer does not end")
        return super().readline(size)

    def read(self, size: int | None = -1, /) -> bytes:
        self._lines = 0
        return super().read(size)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._lines = 0
        return super().readinto(buffer)


class _Answer(io.RawIOBase):
    """The bytes of one answer, read with the socket's patience."""

    def __init__(self, owner: PatientSocket, raw: socket.SocketIO) -> None:
        self._owner = owner
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        early = self._owner.take_early()
        if early:
            memoryview(buffer)[: len(early)] = early
            return len(early)
        count = self._read_some(buffer)
        self._owner.moved(count)
        return count

    def _read_some(self, buffer: WriteableBuffer) -> int:
        while True:
            try:
                count = self._raw.readinto(buffer)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                count = None
            if count is not None:
                return count
            self._owner.wait(select.POLLIN)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
