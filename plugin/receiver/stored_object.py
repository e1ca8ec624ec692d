"""An object: stored once and durably, described, read back. Nothing is overwritten and nothing is deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Response, request

from ..access import open_route
from ..destination.names import SYSTEM
from ..errors import DeleteRefused, DifferentContent, OverwriteRefused
from ..runtime import Runtime, current
from ..sending import send
from ..services import received, received_objects
from ..services.playback import open_content
from ..services.received import Peer
from ..services.received_objects import Offer
from ..store import Digests, Store
from . import upload
from .capabilities import own_object
from .headers import OBJECT_PREFIX, last_modified, read_metadata, write_metadata
from .signing_in import authorized


@open_route
def stored_object(account_id: str, container: str, name: str) -> Response:
    """Store, describe or read an object."""
    return _METHODS[request.method](authorized(account_id), container, name)


def _put(peer: Peer, container: str, name: str) -> Response:
    runtime, offer = current(), upload.read_offer(container, name)
    try:
        digests = _take(runtime, peer, offer)
    except (OverwriteRefused, DifferentContent) as error:
        with runtime.database.write() as session:
            received_objects.note_refusal(session, peer, offer)
        raise OverwriteRefused(name=name) from error
    return Response(status=201, headers={"Etag": digests.md5})


def _take(runtime: Runtime, peer: Peer, offer: Offer) -> Digests:
    """Let the bytes in: no transaction is open while they come, and they are durable before one is."""
    with runtime.database.read() as session:
        known_sha256 = received_objects.consider(session, peer, offer)
    store = _store(runtime, peer)
    with upload.slots().one():
        upload.check_room(store, offer)
        digests = store.write(
            offer.container,
            offer.name,
            upload.blocks(offer),
            accept=partial(received_objects.inspect, offer, known_sha256),
            metadata=offer.metadata,
            md5=offer.md5,
        )
        with runtime.database.write() as session:
            received_objects.put_object(session, store, peer, offer, digests)
    return digests


def _post(peer: Peer, container: str, name: str) -> Response:
    runtime = current()
    with runtime.database.write() as session:
        metadata = read_metadata(OBJECT_PREFIX)
        received_objects.post_object(session, _store(runtime, peer), peer, container, name, metadata)
    return Response(status=202)


def _show(peer: Peer, container: str, name: str) -> Response:
    own = own_object(name) if container == SYSTEM else None
    if own is not None:
        return Response(own.data, headers={"Etag": own.md5}, mimetype="application/json")
    runtime = current()
    with runtime.database.read() as session:
        found = received_objects.get_object(session, peer, container, name)
        headers = {
            **write_metadata(OBJECT_PREFIX, found.wire_metadata),
            "Content-Type": found.content_type,
            "Etag": found.md5,
            **last_modified(found.received_at),
        }
    return send(open_content(_store(runtime, peer), container, name), headers)


def _delete(peer: Peer, container: str, name: str) -> Response:
    raise DeleteRefused


def _store(runtime: Runtime, peer: Peer) -> Store:
    return received.store_of(runtime.receiver_store().root, peer.account_id)


_METHODS: dict[str, Callable[[Peer, str, str], Response]] = {
    "PUT": _put,
    "POST": _post,
    "GET": _show,
    "HEAD": _show,
    "DELETE": _delete,
}
