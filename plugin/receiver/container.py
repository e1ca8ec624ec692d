"""A container: created, described, listed."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request

from ..access import open_route
from ..errors import DeleteRefused
from ..runtime import current
from ..services import received
from ..services.received import Peer
from ..services.received_listings import container_usage, list_objects
from . import arrivals, listing
from .headers import CONTAINER_PREFIX, last_modified, read_metadata, write_metadata
from .signing_in import authorized


@open_route
def container(account_id: str, container: str) -> Response:
    """Create or describe a container, or list what it holds."""
    return _METHODS[request.method](authorized(account_id), container)


def _put(peer: Peer, name: str) -> Response:
    return Response(status=201 if _change(peer, name, may_create=True) else 202)


def _post(peer: Peer, name: str) -> Response:
    _change(peer, name, may_create=False)
    return Response(status=204)


def _change(peer: Peer, name: str, *, may_create: bool) -> bool:
    """Merge the request's metadata; tell whether the container was created."""
    runtime = current()
    store = received.store_of(runtime.receiver_store().root, peer.account_id)
    changes, created = read_metadata(CONTAINER_PREFIX), False
    with runtime.database.write() as session:
        if may_create:
            changed, created = received.put_container(session, store, peer, name, changes)
        else:
            changed = received.post_container(session, store, peer, name, changes)
        arrived = arrivals.arrived(session, changed)
    if arrived is not None:
        arrivals.tell(runtime.host, arrived)
    return created


def _show(peer: Peer, name: str) -> Response:
    with current().database.read() as session:
        found = received.get_container(session, peer, name)
        usage = container_usage(session, found)
        headers = {
            **write_metadata(CONTAINER_PREFIX, found.wire_metadata),
            "X-Container-Object-Count": str(usage.objects),
            "X-Container-Bytes-Used": str(usage.size_bytes),
            **last_modified(found.created_at),
        }
        if request.method == "HEAD":
            return Response(status=204, headers=headers, mimetype="text/plain")
        return listing.objects(list_objects(session, found, listing.selection()), headers)


def _delete(peer: Peer, name: str) -> Response:
    raise DeleteRefused


_METHODS: dict[str, Callable[[Peer, str], Response]] = {
    "PUT": _put,
    "POST": _post,
    "GET": _show,
    "HEAD": _show,
    "DELETE": _delete,
}
