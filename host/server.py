r"""The WSGI server: cheroot, in one process, with corrections to how it reads bodies.

Chosen by measurement (Debian 12, 2 cores, Python 3.11; ``bench/wsgi_server.py`` repeats it). Each server ran one
process with 32 threads; a PUT is read in 1 MiB blocks into SHA-256 and MD5, a page costs 1.5 ms of Python:

====================================  =====================  ========================
\                                     cheroot 11.1           gunicorn 27 gthread
====================================  =====================  ========================
one PUT of 256 MiB                    360 MiB/s, 0.70 CPU s  278 MiB/s, 0.91 CPU s
four PUTs of 512 MiB at once          590 MiB/s              500-585 MiB/s
page while they run, median/95 %/max  5.5 / 14 / 19 ms       4.6 / 15 / 23 ms
page after another client kept its    2 ms                   2004 ms: lingering closes
closed connection open                                       hold up the accepting thread
GET of 256 MiB                        2500 MiB/s             4000 MiB/s
memory at its highest                 56 MiB                 74 MiB
``Expect: 100-continue``              answered               answered
answer before the body is read        reads the rest first   sends it, closes
chunk of a chunked body               held whole in memory   streamed
====================================  =====================  ========================

Cheroot takes a quarter less CPU for each byte of evidence, never stalls other pages, and needs no second process: a
plugin that is disabled is disabled everywhere. Its two weaknesses, the last two rows, are mended here
(:class:`EarlyAnswers`, :class:`ChunkedBody`); :class:`SizedBody` came after these figures and saves it some copying.
Gunicorn with two workers hashed no faster on two cores (358 MiB/s for four PUTs).
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from cheroot.server import KnownLengthRFile
from cheroot.wsgi import Gateway_10, Server as CherootServer
from flask import Flask

from . import tls as certificates
from .connection import Connection
from .problems import AddressTaken
from .redirect import redirecting
from .settings import Settings
from .tls import CLOSE, OVER, TlsServer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

THREADS = 32
_IDLE_SECONDS = 60
_STOP_SECONDS = 5
_BACKLOG = 128

#: What is read, at most, of a body that nobody wanted.
_DRAIN_BYTES = 4 * 1024 * 1024
_DRAIN_SECONDS = 2.0
_BLOCK_BYTES = 64 * 1024
_LONGEST_CHUNK_LINE = 4096


class Server:
    """An app on an address. Listening begins with the object, answering with :meth:`start`."""

    def __init__(self, app: Flask, settings: Settings, tls: TlsServer | None = None) -> None:
        """Bind the address; ``tls`` is what the settings ask for, where it is not given.

        :raises AddressTaken: when that is not possible.
        """
        self._thread: threading.Thread | None = None
        tls = tls or certificates.server_of(settings)
        self._server = CherootServer(
            (settings.address, settings.port),
            app.wsgi_app if tls is None else _over_tls(app.wsgi_app, redirecting(settings.port)),
            numthreads=THREADS,
            max=THREADS,
            request_queue_size=_BACKLOG,
            timeout=_IDLE_SECONDS,
            shutdown_timeout=_STOP_SECONDS,
            server_name="Harbour",
        )
        self._server.gateway = EarlyAnswers
        if tls is not None:
            self._server.ConnectionClass = Connection.over(tls)
        try:
            # tried by hand first: where it fails, cheroot forgets to close its socket
            socket.create_server((settings.address, settings.port), family=family(settings.address)).close()
            self._server.prepare()
        except OSError as error:
            raise AddressTaken(f"The host cannot listen on {settings.authority}: {error}") from error

    def start(self) -> None:
        """Answer requests, in other threads than the caller's."""
        self._thread = threading.Thread(target=self._server.serve, name="harbour-server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests and wait a few seconds for those under way."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join()


def free_port(address: str) -> int:
    """Find a port that nobody listens on.

    :raises AddressTaken: when the address is not one of this machine.
    """
    try:
        with socket.create_server((address, 0), family=family(address)) as probe:
            port: int = probe.getsockname()[1]
            return port
    except OSError as error:
        raise AddressTaken(f"{address} is no address of this machine ({error.strerror}).") from error


def family(address: str) -> socket.AddressFamily:
    """Tell IPv6 addresses from the others."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class EarlyAnswers(Gateway_10):
    """Sends an answer that was given before the body was read, then closes the connection.

    Cheroot would read the rest of the body into memory first: half a gigabyte for a refusal.
    """

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """Describe the request, with a body that never holds a whole chunk and is not copied on its way."""
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        body = environ["wsgi.input"]
        if environ["wsgi.input_terminated"]:
            environ["wsgi.input"] = ChunkedBody(body.rfile)
        elif isinstance(body, KnownLengthRFile):
            environ["wsgi.input"] = SizedBody(body)
        return environ

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Note the answer; a connection with an unread body on it can carry no other request."""
        if _is_unread(self.env["wsgi.input"]) or self.env.get(CLOSE):
            self.req.close_connection = True
        return super().start_response(status, headers, exc_info)

    def respond(self) -> None:
        """Answer, then read a little of what nobody wanted, so that the client gets to see the answer."""
        super().respond()
        _drain(self.env["wsgi.input"])


class SizedBody(io.RawIOBase):
    """A request body of known length, received straight into the block that is to hold it.

    Cheroot's own reader is written in Python and copies each byte four times on the way.
    """

    def __init__(self, source: KnownLengthRFile) -> None:
        """Begin where cheroot stands, with what it read ahead of the headers' end."""
        self._source = source
        self._ahead = source.rfile

    @property
    def remaining(self) -> int:
        """Bytes that were not read yet."""
        return int(self._source.remaining)

    def readable(self) -> bool:
        """Say yes; reading is all there is."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill a buffer; less than that is there only at the end, or when the client has gone."""
        room = memoryview(buffer)[: self.remaining]
        filled = 0
        while filled < len(room) and (received := self._receive(room[filled:])):
            filled += received
        return filled

    def _receive(self, room: memoryview) -> int:
        if self._ahead.has_data():
            data = self._source.read(min(len(room), len(self._ahead.peek())))
            room[: len(data)] = data
            return len(data)
        received = int(self._ahead.raw.readinto(room) or 0)
        self._source.remaining -= received
        return received


class ChunkedBody:
    """A chunked request body, read in pieces of any size without holding a chunk."""

    def __init__(self, source: BinaryIO) -> None:
        """Begin before the first chunk."""
        self._source = source
        self._left_bytes = 0
        self._begun = False
        #: True when the last chunk and the trailers were read.
        self.is_read = False

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, or all; empty at the end.

        :raises ValueError: when the framing is broken.
        """
        pieces = []
        wanted = size
        while not self.is_read and wanted != 0:
            piece = self._read_piece(wanted)
            pieces.append(piece)
            wanted -= len(piece) if size > 0 else 0
        return b"".join(pieces)

    def readline(self, size: int = -1) -> bytes:
        """Read up to a line's end; form parsers ask for it."""
        line = bytearray()
        while not line.endswith(b"\n") and (size < 0 or len(line) < size) and (byte := self.read(1)):
            line += byte
        return bytes(line)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _read_piece(self, wanted: int) -> bytes:
        if self._left_bytes == 0 and not self._next_chunk():
            return b""
        piece = self._source.read(min(self._left_bytes, wanted) if wanted > 0 else min(self._left_bytes, _BLOCK_BYTES))
        if not piece:
            raise ValueError("the body ended within a chunk")
        self._left_bytes -= len(piece)
        return piece

    def _next_chunk(self) -> bool:
        if self._begun and self._line() != b"":
            raise ValueError("a chunk is longer than it said")
        self._begun = True
        digits = self._line().partition(b";")[0].strip()
        if not digits or not all(digit in b"0123456789abcdefABCDEF" for digit in digits):
            raise ValueError("a chunk has no size")
        self._left_bytes = int(digits, 16)
        if self._left_bytes == 0:
            self._skip_trailers()
        return not self.is_read

    def _skip_trailers(self) -> None:
        for _ in range(100):
            if self._line() == b"":
                self.is_read = True
                return
        raise ValueError("the body has too many trailers")

    def _line(self) -> bytes:
        line = self._source.readline(_LONGEST_CHUNK_LINE)
        if not line.endswith(b"\n"):
            raise ValueError("the body ended within its framing")
        return line.rstrip(b"\r\n")


def _over_tls(app: WSGIApplication, plain_app: WSGIApplication) -> WSGIApplication:
    """Let only requests that came over TLS get to the app."""

    def chosen(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return (app if OVER in environ else plain_app)(environ, start_response)

    return chosen


def _is_unread(body: Any) -> bool:
    if isinstance(body, ChunkedBody):
        return not body.is_read
    return bool(getattr(body, "remaining", 0))


def _drain(body: Any) -> None:
    deadline = time.monotonic() + _DRAIN_SECONDS
    left_bytes = _DRAIN_BYTES
    while left_bytes > 0 and _is_unread(body) and time.monotonic() < deadline:
        try:
            piece = body.read(min(_BLOCK_BYTES, left_bytes))
        except (OSError, ValueError):
            return
        if not piece:
            return
        left_bytes -= len(piece)
