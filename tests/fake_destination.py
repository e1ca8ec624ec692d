"""A content destination on loopback that behaves well until it is told otherwise, one request at a time.

Without a script it is a small object store with Etags. ``script(method, path, *turns)`` makes the next requests whose
path contains ``path`` take these turns instead; a turn is a function of the :class:`Exchange`, ready ones stand below.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from weakref import WeakSet

from bodyworn.destination.connection_file import ConnectionFile
from bodyworn.destination.secret import Secret
from certificates import Certificate

USER_NAME = "bwc:cam"
API_KEY = "canary-key-that-nobody-may-see"
AUTH_PATH = "/auth/v1.0"
STORAGE_PATH = "/v1.0/abc"
#: After this, a turn that would last for ever ends by itself.
GIVES_UP_SECONDS = 60.0


@dataclass
class StoredObject:
    """What is kept of an object."""

    body: bytes
    metadata: dict[str, str]

    @property
    def md5(self) -> str:
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest()


@dataclass
class Seen:
    """A request as it came; ``body`` stays empty when nobody read it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


class Exchange:
    """One request and the means to answer it, properly or not."""

    def __init__(self, destination: FakeDestination, handler: BaseHTTPRequestHandler) -> None:
        self.destination = destination
        self.handler = handler
        self.seen = Seen(handler.command, handler.path, dict(handler.headers.items()))
        destination.requests.append(self.seen)

    def read_body(self) -> bytes:
        """Read the request's body to its end."""
        length = int(self.handler.headers.get("Content-Length", 0))
        self.seen.body = self.handler.rfile.read(length)
        if len(self.seen.body) < length:
            raise ConnectionResetError("the client hung up within its body")
        return self.seen.body

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Answer as HTTP wants it."""
        self.handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        if self.seen.method != "HEAD":
            self.handler.wfile.write(body)

    def send(self, data: bytes) -> None:
        """Send bytes that need not be HTTP, and hang up afterwards."""
        self.handler.close_connection = True
        self.handler.wfile.write(data)

    def hang_up(self) -> None:
        """Close the connection after this turn."""
        self.handler.close_connection = True


Turn = Callable[[Exchange], None]


@dataclass
class FakeDestination:
    """The server; ``etags`` switched off makes it one that only acknowledges."""

    certificate: Certificate | None = None
    etags: bool = True
    storage_url: str | None = None
    clock_ahead_seconds: float = 0
    #: Where to listen; any free port if 0.
    at_port: int = 0
    at_address: str = "127.0.0.1"
    #: What is done with a request that no script is for; a module may pass it on to a real destination.
    well: Turn | None = None
    containers: dict[str, dict[str, str]] = field(default_factory=dict)
    objects: dict[str, StoredObject] = field(default_factory=dict)
    requests: list[Seen] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._turns: list[tuple[str, str, Turn]] = []
        self._context = self.certificate.server_context() if self.certificate else None
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """Return the port that was free."""
        return int(self._server.server_address[1])

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        return f"{'https' if self.certificate else 'http'}://{self.at_address}:{self.port}"

    def connection(self, **changes: Any) -> ConnectionFile:
        """Make the connection file that leads here."""
        values: dict[str, Any] = {
            "site_name": "Fake",
            "application_name": "fake destination",
            "application_version": "1",
            "authentication_uris": (f"{self.origin}{AUTH_PATH}",),
            "user_name": USER_NAME,
            "api_key": Secret(API_KEY),
            "anchors_pem": (self.certificate.pem,) if self.certificate else (),
        }
        return ConnectionFile(**(values | changes))

    def script(self, method: str, path: str, *turns: Turn) -> None:
        """Let the next requests of this kind take these turns, in this order."""
        self._turns += [(method, path, turn) for turn in turns]

    def behave_again(self) -> None:
        """Forget the turns that nobody took."""
        self._turns.clear()

    def show(self, certificate: Certificate | None) -> None:
        """Show another certificate from the next connection on, or speak without TLS."""
        self._context = certificate.server_context() if certificate else None

    def hang_up_others(self, exchange: Exchange) -> None:
        """End every connection but the one of an exchange."""
        for connected in list(self._server.connections):
            if connected is not exchange.handler.connection:
                with contextlib.suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)

    def seen(self, method: str, path: str = "") -> list[Seen]:
        """List the requests of a kind so far."""
        return [one for one in self.requests if one.method == method and path in one.path]

    def wrap(self, connected: Any) -> Any:
        """Speak TLS where there is a certificate; the handshake happens in the thread of the connection."""
        if self._context is None:
            return connected
        return self._context.wrap_socket(connected, server_side=True, do_handshake_on_connect=False)

    def take_turn(self, exchange: Exchange) -> None:
        """Answer one request, as scripted or well."""
        for index, (method, path, turn) in enumerate(self._turns):
            if method == exchange.seen.method and path in exchange.seen.path:
                del self._turns[index]
                turn(exchange)
                return
        (self.well or behave)(exchange)

    def __enter__(self) -> FakeDestination:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away; a second call does nothing."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def status(code: int, **headers: str) -> Turn:
    """Answer with a status after reading the body."""

    def turn(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.answer(code, {name.replace("_", "-"): value for name, value in headers.items()})

    return turn


def early(code: int, *, hold: bool = False, **headers: str) -> Turn:
    """Answer before the body is read; then hang up, or hold the connection open without ever reading."""

    def turn(exchange: Exchange) -> None:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        exchange.answer(code, given if hold else {**given, "Connection": "close"})
        if hold:
            exchange.destination.released.wait(20)
        exchange.hang_up()

    return turn


def body(code: int, data: bytes, **headers: str) -> Turn:
    """Answer with a body."""

    def turn(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.answer(code, headers, data)

    return turn


def garbage(data: bytes) -> Turn:
    """Answer something that is no HTTP."""

    def turn(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(data)

    return turn


def nothing(exchange: Exchange) -> None:
    """Read the request and hang up without a word."""
    exchange.read_body()
    exchange.hang_up()


def lose_answer(exchange: Exchange) -> None:
    """Store an object and hang up before saying so."""
    data = exchange.read_body()
    path = exchange.seen.path.removeprefix(f"{STORAGE_PATH}/")
    exchange.destination.objects[path] = StoredObject(data, {})
    exchange.hang_up()


def silence(exchange: Exchange) -> None:
    """Neither read nor answer, until the test is over."""
    exchange.destination.released.wait(GIVES_UP_SECONDS)
    exchange.hang_up()


def drip(data: bytes, every_seconds: float) -> Turn:
    """Answer a byte at a time until the client has had enough."""

    def turn(exchange: Exchange) -> None:
        exchange.read_body()
        for value in data:
            if exchange.destination.released.wait(every_seconds):
                break
            exchange.send(bytes([value]))

    return turn


def behave(exchange: Exchange) -> None:
    """Do what a destination does."""
    data = exchange.read_body()
    if exchange.seen.path == AUTH_PATH:
        _sign_in(exchange)
        return
    if exchange.seen.headers.get("X-Auth-Token") not in exchange.destination.tokens:
        exchange.answer(401)
        return
    parts = exchange.seen.path.removeprefix(f"{STORAGE_PATH}/").split("/")
    if len(parts) == 1:
        _container(exchange, parts[0])
    else:
        _object(exchange, parts[0], "/".join(parts), data)


def _sign_in(exchange: Exchange) -> None:
    destination, headers = exchange.destination, exchange.seen.headers
    if (headers.get("X-Auth-User"), headers.get("X-Auth-Key")) != (USER_NAME, API_KEY):
        exchange.answer(401)
        return
    token = secrets.token_hex(8)
    destination.tokens.add(token)
    storage_url = destination.storage_url or f"{destination.origin}{STORAGE_PATH}"
    exchange.answer(200, {"X-Auth-Token": token, "X-Storage-Url": storage_url})


def _container(exchange: Exchange, name: str) -> None:
    containers = exchange.destination.containers
    known = name in containers
    if exchange.seen.method == "PUT" or known:
        containers.setdefault(name, {}).update(_metadata(exchange, "x-container-meta-"))
        exchange.answer({"PUT": 202 if known else 201, "POST": 204}.get(exchange.seen.method, 204), containers[name])
    else:
        exchange.answer(404)


def _object(exchange: Exchange, container: str, path: str, data: bytes) -> None:
    destination, method = exchange.destination, exchange.seen.method
    stored = destination.objects.get(path)
    if container not in destination.containers or (method != "PUT" and stored is None):
        exchange.answer(404)
    elif method == "PUT" and stored is not None and exchange.seen.headers.get("If-None-Match") == "*":
        exchange.answer(412)
    elif method == "PUT" and exchange.seen.headers.get("ETag") not in (None, StoredObject(data, {}).md5):
        exchange.answer(422)
    elif method == "PUT":
        destination.objects[path] = StoredObject(data, _metadata(exchange, "x-object-meta-"))
        exchange.answer(201, _etag(destination, destination.objects[path]))
    elif stored is not None and method == "POST":
        stored.metadata = _metadata(exchange, "x-object-meta-")
        exchange.answer(202)
    elif stored is not None:
        length = {"Content-Length": str(len(stored.body))}
        exchange.answer(200, {**_etag(destination, stored), **stored.metadata, **length}, stored.body)


def _etag(destination: FakeDestination, stored: StoredObject) -> dict[str, str]:
    return {"Etag": stored.md5} if destination.etags else {}


def _metadata(exchange: Exchange, prefix: str) -> dict[str, str]:
    return {name.title(): value for name, value in exchange.seen.headers.items() if name.lower().startswith(prefix)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, destination: FakeDestination) -> None:
        self.destination = destination
        self.connections: WeakSet[socket.socket] = WeakSet()
        super().__init__((destination.at_address, destination.at_port), _Handler)

    def get_request(self) -> tuple[Any, Any]:
        connected, address = super().get_request()
        wrapped = self.destination.wrap(connected)
        self.connections.add(wrapped)
        return wrapped, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up, or refuse the certificate, are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    #: Head and body of an answer are written one after the other; neither waits for the other's acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.server.destination.take_turn(Exchange(self.server.destination, self))

    do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Tell the time of the destination's clock."""
        return formatdate(time.time() + self.server.destination.clock_ahead_seconds, usegmt=True)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Give a port at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])
