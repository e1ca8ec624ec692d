"""The client of a content destination: each request of the interface, and what its answer proves.

One client serves many threads. It never deletes, never overwrites knowingly, and retries one thing only: a request
whose token had ended, once, after signing in again. Every other retry is the uploader's decision.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO, Final
from urllib.parse import quote

from ..const import LARGEST_OBJECT_BYTES
from ..errors import (
    BodywornError,
    CategoriesMalformed,
    DifferentAtDestination,
    EtagDiffers,
    MissingContainer,
    MissingObject,
    TooLarge,
)
from .addresses import Address, parse_address
from .anchors import tls_context
from .capabilities import (
    BUILT_IN_CATEGORIES,
    EVERYTHING,
    NOTHING,
    Capabilities,
    Category,
    parse_capabilities,
    parse_categories,
)
from .connection_file import ConnectionFile
from .metadata import CONTAINER_PREFIX, OBJECT_PREFIX, from_headers, to_headers
from .names import CAPABILITIES_OBJECT, CATEGORIES_OBJECT, SYSTEM, require_name
from .proof import Proof, RemoteObject, compare, read_etag, read_remote_object
from .proxy import Proxy
from .refusals import refusal
from .secret import SecretHeaders
from .sign_in import SignIn, sign_in, sign_in_at
from .wire import LARGEST_ANSWER_BYTES, Answer, Pace, Reply, Upload, Wire

_UNAUTHORIZED: Final = 401
_OK: Final = 200
_NOT_FOUND: Final = 404
_EXISTS: Final = 412
_NO_SUCH_REQUEST: Final = frozenset({400, 403, _NOT_FOUND, 405, 501})


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    container: str
    name: str | None
    headers: Mapping[str, str]
    upload: Upload | None


class Client:
    """Talk to the destination of one connection file; safe to share between threads.

    ``timeout_seconds`` bounds connecting, and waiting for a destination that neither takes nor gives bytes.
    ``confirmed_storage_hosts`` holds ``host:port`` of storage addresses elsewhere that an administrator confirmed.
    ``proxy`` is what everything goes through; the environment's proxies are never used.
    ``pace`` holds back what is sent: it is asked for a number of bytes, waits, and says how many of them may go now.
    """

    def __init__(
        self,
        connection: ConnectionFile,
        *,
        timeout_seconds: float = 30.0,
        confirmed_storage_hosts: Collection[str] = (),
        proxy: Proxy | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.connection = connection
        self._pace = pace
        self._confirmed_storage_hosts = frozenset(confirmed_storage_hosts)
        self._wire = Wire(tls_context(connection.anchors_pem), timeout_seconds, proxy)
        self._lock = threading.Lock()
        self._sign_in: SignIn | None = None

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._wire.close()

    def sign_in(self, spent: SignIn | None = None) -> SignIn:
        """Return the sign-in in force, signing in where there is none or where it is still the ``spent`` one."""
        with self._lock:
            if self._sign_in is None or self._sign_in is spent:
                self._sign_in = sign_in(self._wire, self.connection, self._confirmed_storage_hosts)
            return self._sign_in

    def try_addresses(self) -> tuple[tuple[str, SignIn | BodywornError], ...]:
        """Sign in at each address of the connection file; return ``host:port`` with what came of it, in their order."""
        return tuple(
            (address.place, self._try(address)) for address in map(parse_address, self.connection.authentication_uris)
        )

    def put_container(self, name: str, metadata: Mapping[str, str]) -> None:
        """Create a container, or merge metadata into an existing one."""
        answer = self._ask("PUT", name, None, to_headers(CONTAINER_PREFIX, metadata))
        self._expect(answer, 201, 202)

    def post_container(self, name: str, metadata: Mapping[str, str]) -> None:
        """Merge metadata into a container; an empty value deletes its key. Raises MissingContainer."""
        answer = self._ask("POST", name, None, to_headers(CONTAINER_PREFIX, metadata))
        self._expect(answer, 204)

    def head_container(self, name: str) -> dict[str, str] | None:
        """Return a container's metadata with keys in lower case, or None when there is no such container.

        None also where that cannot be asked: the interface names no such request, and not every destination knows it.
        """
        answer = self._ask("HEAD", name)
        if answer.status in _NO_SUCH_REQUEST:
            return None
        self._expect(answer, 200, 204, storing=False)
        return from_headers(CONTAINER_PREFIX, answer.headers)

    def put_object(
        self,
        container: str,
        name: str,
        body: BinaryIO | bytes,
        *,
        size_bytes: int,
        md5: str,
        metadata: Mapping[str, str],
        progress: Callable[[int], None] | None = None,
    ) -> Proof:
        """Send an object that is not there yet, and return what the answer proves.

        ``progress`` is told the bytes sent so far, after each block. Where the name is taken already (an answer got
        lost, or somebody else was faster), what is there is compared: the same is as good as sent, anything else
        raises DifferentAtDestination. A file is read from its beginning and must be seekable.
        """
        if size_bytes > LARGEST_OBJECT_BYTES:
            raise TooLarge(size_bytes=size_bytes)
        source = io.BytesIO(body) if isinstance(body, bytes) else body
        headers = {
            "Content-Type": "application/octet-stream",
            "ETag": md5,
            "If-None-Match": "*",
            **to_headers(OBJECT_PREFIX, metadata),
        }
        answer = self._ask("PUT", container, name, headers, Upload(source, size_bytes, progress, self._pace))
        if answer.status == _EXISTS:
            return self.verify_object(container, name, size_bytes=size_bytes, md5=md5)
        self._expect(answer, 201, size_bytes=size_bytes)
        proof = compare(read_etag(answer.headers), md5, size_bytes)
        if proof is None:
            raise EtagDiffers
        return proof

    def verify_object(self, container: str, name: str, *, size_bytes: int, md5: str) -> Proof:
        """Compare an object at the destination with ours by size and digest.

        Raises MissingObject, or DifferentAtDestination when it is another one.
        """
        remote = self.head_object(container, name)
        if remote is None:
            raise MissingObject
        proof = compare(remote.etag, md5, size_bytes)
        if proof is None or remote.size_bytes not in (None, size_bytes):
            raise DifferentAtDestination
        return proof

    def post_object(self, container: str, name: str, metadata: Mapping[str, str]) -> None:
        """Replace all metadata of an object. Raises MissingObject."""
        answer = self._ask("POST", container, name, to_headers(OBJECT_PREFIX, metadata))
        self._expect(answer, 202, missing=MissingObject())

    def head_object(self, container: str, name: str) -> RemoteObject | None:
        """Return what the destination says about an object, or None when there is no such object."""
        answer = self._ask("HEAD", container, name)
        if answer.status == _NOT_FOUND:
            return None
        self._expect(answer, 200, storing=False)
        return read_remote_object(answer.headers)

    def get_object(self, container: str, name: str, limit_bytes: int = LARGEST_ANSWER_BYTES) -> bytes:
        """Return a small object whole. Raises MissingObject, or NonsenseAnswer past the limit."""
        return b"".join(self.iter_object(container, name, limit_bytes))

    def iter_object(self, container: str, name: str, limit_bytes: int = LARGEST_OBJECT_BYTES) -> Iterator[bytes]:
        """Yield an object in blocks; after the last one, raise EtagDiffers if the destination's digest is another."""
        reply = self._exchange("GET", container, name)
        if reply.status != _OK:
            self._expect(reply.read(), _OK, missing=MissingObject(), storing=False)
        digest = hashlib.md5(usedforsecurity=False)
        for block in reply.blocks(limit_bytes):
            digest.update(block)
            yield block
        if read_etag(reply.headers) not in (None, digest.hexdigest()):
            raise EtagDiffers

    def capabilities(self) -> Capabilities:
        """Read what the destination can do; nothing is believed that it does not say."""
        if self.connection.full_store_and_read:
            return EVERYTHING
        try:
            return parse_capabilities(self.get_object(SYSTEM, CAPABILITIES_OBJECT))
        except MissingObject:
            return NOTHING

    def categories(self) -> tuple[Category, ...]:
        """Read the destination's categories, or return the built-in ones where it keeps none.

        Raises CategoriesMalformed when it promised a list and what it has is none.
        """
        if not self.capabilities().read_categories:
            return BUILT_IN_CATEGORIES
        try:
            return parse_categories(self.get_object(SYSTEM, CATEGORIES_OBJECT))
        except MissingObject as error:
            if self.connection.full_store_and_read:
                return BUILT_IN_CATEGORIES
            raise CategoriesMalformed(reason="there is none, although the destination promises one") from error

    def _try(self, address: Address) -> SignIn | BodywornError:
        try:
            return sign_in_at(self._wire, address, self.connection, self._confirmed_storage_hosts)
        except BodywornError as error:
            return error

    def _ask(
        self,
        method: str,
        container: str,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        upload: Upload | None = None,
    ) -> Answer:
        return self._exchange(method, container, name, headers, upload).read()

    def _exchange(
        self,
        method: str,
        container: str,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        upload: Upload | None = None,
    ) -> Reply:
        """Make a request with the token in force, and once more with a new one if that had ended."""
        request = _Request(method, container, name, headers or {}, upload)
        signed_in = self.sign_in()
        reply = self._send(request, signed_in)
        if reply.status == _UNAUTHORIZED:
            reply.read()
            reply = self._send(request, self.sign_in(spent=signed_in))
        return reply

    def _send(self, request: _Request, signed_in: SignIn) -> Reply:
        headers = SecretHeaders(request.headers)
        headers["X-Auth-Token"] = signed_in.token.reveal()
        target = _target(signed_in.storage, request.container, request.name)
        return self._wire.request(request.method, target, headers, request.upload)

    def _expect(
        self,
        answer: Answer,
        *statuses: int,
        missing: BodywornError | None = None,
        size_bytes: int | None = None,
        storing: bool = True,
    ) -> None:
        """Raise what an answer means unless its status is one of those that the interface names for the request."""
        if answer.status not in statuses:
            raise refusal(answer, missing=missing or MissingContainer(), size_bytes=size_bytes, storing=storing)


def _target(storage: Address, container: str, name: str | None) -> Address:
    """Extend the storage address, which is used as given, by a container and an object."""
    parts = [container] if name is None else [container, name]
    path = "/".join(quote(require_name(part), safe="") for part in parts)
    return replace(storage, path=f"{storage.path.rstrip('/')}/{path}")
