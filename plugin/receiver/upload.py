"""The body of an upload: how long it is, its blocks as they come in, and how many may come in at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from typing import Final, cast

from flask import current_app, request
from flask.sansio.app import App
from werkzeug.exceptions import ClientDisconnected

from ..const import BLOCK_BYTES, LARGEST_OBJECT_BYTES
from ..errors import ReceiverBusy, StoreFull, UploadByReference, UploadCut, UploadLengthMissing
from ..services.received_objects import Offer, check_object_size
from ..store import Buffer, Store
from .headers import OBJECT_PREFIX, read_metadata

#: Uploads at a time in one process, unless the app's configuration says ``BODYWORN_PARALLEL_UPLOADS``.
PARALLEL_UPLOADS: Final = 8
#: Left on the disk for the database and whatever else needs a little.
KEEP_FREE_BYTES: Final = 64 * 1024 * 1024
_EXTENSION: Final = "bodyworn_receiver"
_LONGEST_CONTENT_TYPE: Final = 100
#: With these a stock Swift makes an object out of others.
_REFERENCES: Final = ("X-Copy-From", "X-Object-Manifest", "X-Symlink-Target")


class Slots:
    """As many uploads as leave threads for pages."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = threading.BoundedSemaphore(limit)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a slot, or raise ReceiverBusy at once."""
        if not self._free.acquire(blocking=False):
            raise ReceiverBusy(limit=self._limit)
        try:
            yield
        finally:
            self._free.release()


def install(app: App) -> None:
    """Make the slots of an app."""
    app.extensions[_EXTENSION] = Slots(int(app.config.get("BODYWORN_PARALLEL_UPLOADS", PARALLEL_UPLOADS)))


def slots() -> Slots:
    """Give the slots of the app that is serving."""
    found: Slots = current_app.extensions[_EXTENSION]
    return found


def read_offer(container: str, name: str) -> Offer:
    """Read what the request says of its body.

    Raises:
        UploadLengthMissing: nothing tells where it ends.
        UploadByReference: there is none, or one that only names other objects, as a stock Swift would take it.
    """
    if "multipart-manifest" in request.args or any(header in request.headers for header in _REFERENCES):
        raise UploadByReference(name=name)
    # a host limits what forms may send (None would mean that limit again); evidence has its own, checked later
    request.max_content_length = LARGEST_OBJECT_BYTES + 1
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    # a server that does not take chunks apart hands over a stream without an end
    if (chunked and not request.environ.get("wsgi.input_terminated")) or (
        not chunked and request.content_length is None
    ):
        raise UploadLengthMissing(name=name)
    return Offer(
        container=container,
        name=name,
        content_type=(request.content_type or "application/octet-stream")[:_LONGEST_CONTENT_TYPE],
        metadata={key: value for key, value in read_metadata(OBJECT_PREFIX).items() if value},
        size_bytes=None if chunked else request.content_length,
        md5=request.headers.get("ETag", "").strip().strip('"').lower() or None,
        only_new=request.headers.get("If-None-Match", "").strip() == "*",
    )


def blocks(offer: Offer) -> Iterator[Buffer]:
    """Read the body; raises UploadCut unless it is all there, and UploadTooLarge as soon as it is."""
    taken_bytes, body = 0, cast(RawIOBase, request.stream)
    while block := _read(body, offer.name):
        taken_bytes += len(block)
        check_object_size(offer.name, taken_bytes)
        yield block
    if offer.size_bytes not in (None, taken_bytes):
        raise UploadCut(name=offer.name)


def check_room(store: Store, offer: Offer) -> None:
    """Refuse what would fill the disk; of a body in chunks nothing is known yet."""
    if store.free_bytes() < (offer.size_bytes or 0) + KEEP_FREE_BYTES:
        raise StoreFull(name=offer.name)


def _read(body: RawIOBase, name: str) -> Buffer:
    """Read a block without copying it; servers tell in many ways that the other side has gone."""
    room = bytearray(BLOCK_BYTES)
    try:
        return memoryview(room)[: body.readinto(room)]
    except (OSError, ValueError, ClientDisconnected) as error:
        raise UploadCut(name=name) from error
