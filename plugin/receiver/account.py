"""An account: what containers there are, and how much they hold."""

from __future__ import annotations

from flask import Response, request

from ..access import open_route
from ..runtime import current
from ..services.received_listings import account_usage, list_containers
from . import listing
from .signing_in import authorized


@open_route
def account(account_id: str) -> Response:
    """List the containers; HEAD only counts them."""
    peer = authorized(account_id)
    with current().database.read() as session:
        usage = account_usage(session, peer)
        listed = list_containers(session, peer, listing.selection()) if request.method == "GET" else []
    headers = {
        "X-Account-Container-Count": str(usage.containers),
        "X-Account-Object-Count": str(usage.objects),
        "X-Account-Bytes-Used": str(usage.size_bytes),
    }
    if request.method == "HEAD":
        return Response(status=204, headers=headers, mimetype="text/plain")
    return listing.containers(listed, headers)
