"""A reverse proxy before any destination, the scripted one or a real Swift, that answers in its place when told to.

It is a :class:`FakeDestination` whose requests are passed on; all turns of that module work before a real destination,
and these more, which need to know one.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from certificates import Certificate
from fake_destination import Exchange, FakeDestination, Turn

#: How long whoever was answered early may still send before the connection is closed on it.
_LINGER_SECONDS = 3.0
#: What travels between two parties only, and what this proxy writes itself.
_NOT_PASSED_ON = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


@dataclass(frozen=True)
class Behind:
    """The destination that is passed on to, which speaks plain HTTP."""

    host: str
    port: int

    def exchange(self, exchange: Exchange, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Make the request of an exchange there; give status, headers and body of the answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            connection.request(exchange.seen.method, exchange.seen.path, body, _passed_on(exchange.seen.headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def begin(self, exchange: Exchange, body: bytes) -> None:
        """Make a request with the beginning of its body only, and hang up."""
        seen = exchange.seen
        lines = [f"{seen.method} {seen.path} HTTP/1.1", *(f"{key}: {value}" for key, value in seen.headers.items())]
        with socket.create_connection((self.host, self.port), timeout=30) as connected:
            connected.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)


@contextmanager
def before(behind: Behind, certificate: Certificate | None = None) -> Iterator[FakeDestination]:
    """Run a proxy before a destination."""
    with FakeDestination(certificate=certificate, well=pass_on(behind)) as proxy:
        yield proxy


def pass_on(behind: Behind) -> Turn:
    """Let the destination behind answer; the storage address that it names becomes the proxy's own."""

    def turn(exchange: Exchange) -> None:
        status, headers, body = behind.exchange(exchange, _body(exchange))
        exchange.answer(status, _rewritten(exchange, headers, body), body)

    return turn


def answer_first(code: int) -> Turn:
    """Answer before anything of the body is read; then take what is still sent, and close."""

    def turn(exchange: Exchange) -> None:
        _answer_and_linger(exchange, code)

    return turn


def answer_midway(behind: Behind, code: int) -> Turn:
    """Answer in the middle of the body, of which the destination gets as much; without a body, break the answer off."""

    def turn(exchange: Exchange) -> None:
        length = _length(exchange)
        if length:
            behind.begin(exchange, exchange.handler.rfile.read(length // 2))
            _answer_and_linger(exchange, code)
        else:
            exchange.send(f"HTTP/1.1 {code} Said\r\nContent-Length: 1000\r\n\r\n".encode() + b"x" * 500)

    return turn


def answer_otherwise(behind: Behind, code: int) -> Turn:
    """Let the destination do it, and answer this instead of what it said."""

    def turn(exchange: Exchange) -> None:
        behind.exchange(exchange, _body(exchange))
        exchange.answer(code)

    return turn


def change_answer(behind: Behind, **headers: str | None) -> Turn:
    """Let the destination do it, and change headers of its answer; None takes one away."""

    def turn(exchange: Exchange) -> None:
        status, given, body = behind.exchange(exchange, _body(exchange))
        changed = _rewritten(exchange, given, body)
        for name, value in headers.items():
            changed = {key: old for key, old in changed.items() if key.lower() != name.lower()}
            if value is not None:
                changed[name] = value
        exchange.answer(status, changed, body)

    return turn


def reset_after(share: float) -> Turn:
    """Read a share of the body, then reset the connection."""

    def turn(exchange: Exchange) -> None:
        exchange.handler.rfile.read(int(_length(exchange) * share))
        reset(exchange)

    return turn


def reset(exchange: Exchange) -> None:
    """Let the connection end in a reset instead of an end."""
    exchange.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.hang_up()
    with contextlib.suppress(OSError):
        exchange.handler.connection.close()


def _answer_and_linger(exchange: Exchange, code: int) -> None:
    """Answer, and close only after the other side has: closing on unread bytes would take the answer back."""
    exchange.answer(code, {"Connection": "close"})
    exchange.hang_up()
    connected = exchange.handler.connection
    connected.settimeout(_LINGER_SECONDS)
    with contextlib.suppress(OSError):
        while connected.recv(65536):
            pass


def _length(exchange: Exchange) -> int:
    return int(exchange.handler.headers.get("Content-Length") or 0)


def _body(exchange: Exchange) -> bytes:
    """Read a body whole without keeping it."""
    body = exchange.handler.rfile.read(_length(exchange))
    if len(body) < _length(exchange):
        raise ConnectionResetError("the client hung up within its body")
    return body


def _passed_on(headers: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key.lower() not in ("connection", "content-length")}


def _rewritten(exchange: Exchange, headers: dict[str, str], body: bytes) -> dict[str, str]:
    length = headers.get("Content-Length", str(len(body)))
    kept = {key: value for key, value in headers.items() if key.lower() not in _NOT_PASSED_ON}
    for key in kept:
        if key.lower() == "x-storage-url":
            kept[key] = exchange.destination.origin + urlsplit(kept[key]).path
    return {**kept, "Content-Length": length}
