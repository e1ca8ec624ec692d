"""HTTP to a destination, one exchange at a time: no redirects, no proxies but a chosen one, bounded answers.

What urllib3, TLS and sockets raise becomes an error of ours here and nowhere else. What a status means is decided in
:mod:`.refusals`, what a request means in :mod:`.client`.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

import urllib3
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection

from ..const import BLOCK_BYTES, DOMAIN, VERSION
from ..errors import (
    BodyChanged,
    BodywornError,
    CertificateRefused,
    DestinationHungUp,
    DestinationNameUnknown,
    DestinationRefusesConnection,
    DestinationTooSlow,
    NonsenseAnswer,
    ProxyNeedsTls,
    TlsFailed,
)
from .addresses import Address
from .patient_socket import PatientSocket
from .proxy import Proxy, open_tunnel
from .secret import SecretHeaders

#: The most that is read of an answer which is not an object.
LARGEST_ANSWER_BYTES: Final = 1024 * 1024

_KEPT_CONNECTIONS: Final = 16


#: Waits until some of so many bytes may be sent; gives how many, at least one.
Pace = Callable[[int], int]


class _PatientConnection(HTTPConnection):
    """A connection whose socket listens while it sends."""

    def connect(self) -> None:
        super().connect()
        self.sock = PatientSocket(self.sock)

    @property
    def is_connected(self) -> bool:
        return super().is_connected and not (isinstance(self.sock, PatientSocket) and self.sock.spoilt)


class _PatientSecureConnection(_PatientConnection, HTTPSConnection):
    """The same within TLS."""


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PatientConnection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _PatientSecureConnection


def _pool_through(proxy: Proxy) -> type[_SecurePool]:
    """Make the kind of pool whose connections begin at a proxy; TLS within them is the same code as without it."""

    class Connection(_PatientSecureConnection):
        def _new_conn(self) -> socket.socket:
            assert self.timeout is not None, "every connection has one"
            return open_tunnel(proxy, Address("https", self.host, self.port, ""), self.timeout)

    class Pool(_SecurePool):
        ConnectionCls = Connection

    return Pool


class Upload:
    """The body of one PUT, exactly as long as it was said to be; iterating reads it from its beginning, in blocks."""

    def __init__(
        self,
        body: BinaryIO,
        size_bytes: int,
        progress: Callable[[int], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        if body.seek(0, io.SEEK_END) != size_bytes:
            raise BodyChanged
        self._body = body
        self._progress = progress
        self._pace = pace
        self.size_bytes = size_bytes
        #: True once everything was handed to the network.
        self.complete = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks, telling progress the bytes sent so far; raise BodyChanged if the file became shorter."""
        self._body.seek(0)
        self.complete = False
        sent_bytes = 0
        while sent_bytes < self.size_bytes:
            wanted_bytes = min(BLOCK_BYTES, self.size_bytes - sent_bytes)
            block = self._body.read(wanted_bytes if self._pace is None else self._pace(wanted_bytes))
            if not block:
                raise BodyChanged
            yield block
            sent_bytes += len(block)
            if self._progress is not None:
                self._progress(sent_bytes)
        self.complete = True


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read to its end; ``place`` is the host and port that gave it, headers go without case."""

    place: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Reply:
    """An answer whose body is still to be read, by one of two methods; the connection is free or closed afterwards."""

    def __init__(self, response: urllib3.BaseHTTPResponse, address: Address) -> None:
        self._response = response
        self._address = address
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def read(self, limit_bytes: int = LARGEST_ANSWER_BYTES) -> Answer:
        """Read the whole answer; raise NonsenseAnswer when it has more than ``limit_bytes``."""
        body = b"".join(self.blocks(limit_bytes))
        return Answer(self._address.place, self.status, self.headers, body)

    def blocks(self, limit_bytes: int) -> Iterator[bytes]:
        """Yield the body in blocks; raise NonsenseAnswer as soon as it has more than ``limit_bytes``."""
        read_bytes = 0
        try:
            while block := self._response.read(min(BLOCK_BYTES, limit_bytes + 1 - read_bytes)):
                read_bytes += len(block)
                if read_bytes > limit_bytes:
                    raise NonsenseAnswer(host=self._address.place, reason=f"more than {limit_bytes} bytes")
                yield block
            self._response.release_conn()
        except exceptions.HTTPError as error:
            raise _translate(error, self._address) from error
        finally:
            self._response.close()


class Wire:
    """Connections to one destination, kept open and shared by threads."""

    def __init__(self, context: ssl.SSLContext, timeout_seconds: float, proxy: Proxy | None = None) -> None:
        self._proxy = proxy
        self._manager = urllib3.PoolManager(
            maxsize=_KEPT_CONNECTIONS,
            timeout=urllib3.Timeout(connect=timeout_seconds, read=timeout_seconds),
            retries=False,
            ssl_context=context,
        )
        self._manager.pool_classes_by_scheme = {
            "http": _Pool,
            "https": _pool_through(proxy) if proxy else _SecurePool,
        }

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._manager.clear()

    def request(self, method: str, address: Address, headers: Mapping[str, str], upload: Upload | None = None) -> Reply:
        """Make one request.

        An answer that comes before the whole body is sent ends the sending and counts, unless it claims success.
        With a proxy everything goes through it within TLS, except plain HTTP to this very machine.
        """
        if self._proxy is not None and not (address.secure or address.loopback):
            raise ProxyNeedsTls(host=address.place)
        pool = self._manager.connection_from_host(address.host, address.port, address.scheme)
        sent = SecretHeaders({"User-Agent": f"{DOMAIN}/{VERSION}", **headers})
        if upload is not None:
            sent["Content-Length"] = str(upload.size_bytes)
        try:
            response = pool.urlopen(
                method,
                address.path or "/",
                body=upload,
                headers=sent,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except exceptions.HTTPError as error:
            raise _translate(error, address) from error
        if upload is not None and not upload.complete and response.status < 300:
            response.close()
            raise NonsenseAnswer(host=address.place, reason="it says that it stored what it never received")
        return Reply(response, address)


def _translate(error: exceptions.HTTPError, address: Address) -> BodywornError:
    """Turn what the library raises into an error of ours; the text of the former is for nobody's eyes."""
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused(host=address.place, reason=cause.verify_message or cause.reason or "not verified")
    for kind, make in _MEANINGS:
        for cause in chain:
            if isinstance(cause, kind):
                return make(address.place, cause)
    return NonsenseAnswer(host=address.place, reason="it is not HTTP")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk an error and whatever is wrapped in it, outermost first."""
    seen: list[BaseException] = []
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop(0)
        if current in seen:
            continue
        seen.append(current)
        yield current
        inner = [*current.args, current.__cause__, current.__context__]
        waiting.extend(one for one in inner if isinstance(one, BaseException))


def _reason(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLError) and cause.reason:
        return cause.reason.replace("_", " ").lower()
    return str(getattr(cause, "strerror", None) or getattr(cause, "reason", None) or type(cause).__name__)


# The first kind that is found anywhere in the chain decides.
_MEANINGS: Final[tuple[tuple[type[BaseException], Callable[[str, BaseException], BodywornError]], ...]] = (
    (ssl.SSLEOFError, lambda place, _: DestinationHungUp(host=place)),
    (ssl.SSLZeroReturnError, lambda place, _: DestinationHungUp(host=place)),
    (ssl.SSLError, lambda place, cause: TlsFailed(host=place, reason=_reason(cause))),
    (socket.gaierror, lambda place, _: DestinationNameUnknown(host=place)),
    (TimeoutError, lambda place, _: DestinationTooSlow(host=place)),
    (ConnectionRefusedError, lambda place, cause: DestinationRefusesConnection(host=place, reason=_reason(cause))),
    (ConnectionError, lambda place, _: DestinationHungUp(host=place)),
    (exceptions.IncompleteRead, lambda place, _: DestinationHungUp(host=place)),
    (OSError, lambda place, cause: DestinationRefusesConnection(host=place, reason=_reason(cause))),
)
