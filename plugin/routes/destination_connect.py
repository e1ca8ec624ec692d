"""Connecting to a content destination, replacing its file, and the proxy before it: each on a page of its own.

They decide where evidence goes, so whoever opens one of these pages proves again who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..errors import BodywornError
from ..forms.connecting import ProxyForm
from ..runtime import current
from ..services import connecting, destination_view, destinations, own_destination, rehearsals
from ..services.connecting import Refused
from ..services.sentence import problem_of
from . import connection_upload
from .connection_upload import keyring

_CONNECT = "bodyworn/destination_connect.html"
_PROXY = "bodyworn/destination_proxy.html"


def add(blueprint: Blueprint) -> None:
    """Register the pages and what is done on them."""
    route = blueprint.add_url_rule
    route("/destination/connect", "ask_connect_destination", ask_connect_destination)
    route("/destination/connect", "connect_destination", connect_destination, methods=["POST"])
    route("/destination/keep-here", "keep_recordings_here", keep_recordings_here, methods=["POST"])
    route("/destination/proxy", "ask_destination_proxy", ask_destination_proxy)
    route("/destination/proxy", "set_destination_proxy", set_destination_proxy, methods=["POST"])


@needs("bodyworn.destination", confirmed=True)
def ask_connect_destination() -> ResponseReturnValue:
    """Say what a new connection file changes and what it does not, and take one."""
    return pages.still(_CONNECT, _connect_content)


@needs("bodyworn.destination", confirmed=True)
def connect_destination() -> ResponseReturnValue:
    """Rehearse with a connection file, and adopt it when every step went well; nothing is changed otherwise."""
    outcome = connection_upload.submit()
    if isinstance(outcome, Refused):
        return pages.still(_CONNECT, _connect_content, 422, connect=connection_upload.refused(outcome))
    return pages.done(".destination", "destination-connected")


@needs("bodyworn.destination", confirmed=True)
def keep_recordings_here() -> ResponseReturnValue:
    """Make this very host the destination."""
    outcome = connection_upload.keep_here()
    if isinstance(outcome, Refused):
        return pages.still(_CONNECT, _connect_content, 422, here_refused=problem_of(outcome.problem))
    return pages.done(".destination", "destination-is-here")


@needs("bodyworn.destination", confirmed=True)
def ask_destination_proxy() -> ResponseReturnValue:
    """Show through what the destination is reached."""
    return pages.still(_PROXY, _proxy_content)


@needs("bodyworn.destination", confirmed=True)
def set_destination_proxy() -> ResponseReturnValue:
    """Reach the destination in force another way, once it was reached that way."""
    form = ProxyForm(request.form)
    runtime = current()
    try:
        with runtime.database.read() as session:
            proxy = connecting.choose_proxy(
                session,
                keyring(),
                form.proxy_address.data or "",
                form.proxy_user.data or "",
                form.proxy_password.data or "",
            )
    except BodywornError as error:
        return pages.still(_PROXY, _proxy_content, 422, form=form, refused=problem_of(error))
    outcome = connecting.set_proxy(runtime.database, keyring(), proxy, actor=pages.actor())
    if isinstance(outcome, Refused):
        steps = rehearsals.steps_of(outcome.rehearsal) if outcome.rehearsal else ()
        return pages.still(_PROXY, _proxy_content, 422, form=form, refused=problem_of(outcome.problem), steps=steps)
    return pages.done(".destination", "destination-proxy-set")


def _connect_content(session: Session, now: datetime) -> Mapping[str, Any]:
    return {
        "destination": destination_view.destination(session, now),
        "connect": connection_upload.shown(session),
        "can_keep_here": connection_upload.can_keep_here(),
        "is_here": own_destination.is_here(session, keyring()),
        "here_refused": None,
    }


def _proxy_content(session: Session, now: datetime) -> Mapping[str, Any]:
    present = destinations.active(session)
    proxy = destinations.proxy(present, keyring()) if present else None
    return {
        "destination": destination_view.destination(session, now),
        "form": ProxyForm(proxy_address=proxy.place, proxy_user=proxy.user_name) if proxy else ProxyForm(),
        "proxy": proxy.place if proxy else None,
        "refused": None,
        "steps": (),
    }
