"""Who is asking: the sign-in, and the token that every other request carries."""

from __future__ import annotations

import logging

from flask import Response, request

from ..access import open_route
from ..errors import OtherAccount, SignInRefused
from ..runtime import current
from ..services import connection_files
from ..services.received import Peer
from . import tokens

_LOG = logging.getLogger(__name__)


@open_route
def sign_in() -> Response:
    """Answer name and key with a token and the address of the account."""
    runtime = current()
    try:
        with runtime.database.read() as session:
            peer = connection_files.sign_in(
                session, request.headers.get("X-Auth-User", ""), request.headers.get("X-Auth-Key", "")
            )
    except SignInRefused:
        _LOG.warning("Refused a sign-in to the receiver from %s", request.remote_addr)
        raise
    token = tokens.issue(runtime.secrets, peer.account_id)
    return Response(
        status=200,
        headers={
            "X-Auth-Token": token,
            "X-Storage-Token": token,
            "X-Auth-Token-Expires": str(tokens.LIFETIME_SECONDS),
            "X-Storage-Url": runtime.host.external_url("bodyworn_receiver.account", account_id=peer.account_id),
        },
    )


def authorized(account_id: str) -> Peer:
    """Tell who makes this request for an account; raises SignInRefused or OtherAccount."""
    runtime = current()
    signed_in = tokens.account_of(runtime.secrets, request.headers.get("X-Auth-Token", ""))
    if signed_in != account_id:
        raise OtherAccount
    with runtime.database.read() as session:
        return connection_files.peer_of(session, account_id)
