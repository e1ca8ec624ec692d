"""An uploaded connection file, from the request to its outcome: for pages with ``_connect_form.html``.

A page draws the partial with ``connect=shown(session)``, answers its form with :func:`submit`, and draws it again with
``connect=refused(outcome)``.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import current_app, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from .. import pages
from ..const import DOMAIN
from ..errors import BodywornError, ConnectionFileMissing, ConnectionFileTooLarge
from ..forms.connecting import ConnectForm
from ..runtime import current
from ..services import connecting, destinations, rehearsals, systems
from ..services.connecting import Connected, Refused
from ..services.keyring import Keyring
from ..services.rehearsals import StepView
from ..services.sentence import Problem, problem_of

#: Of a connection file (API, section 1).
_LIMIT_BYTES: Final = 64 * 1024
#: Of the request that carries it, with what a browser adds.
_REQUEST_LIMIT_BYTES: Final = 256 * 1024
RECEIVER_SIGN_IN: Final = f"{DOMAIN}_receiver.sign_in"


@dataclass(frozen=True)
class ConnectView:
    """What ``_connect_form.html`` shows."""

    form: ConnectForm
    #: Why nothing was changed; where the rehearsal found it, its steps say it as well.
    problem: Problem | None = None
    steps: Sequence[StepView] = ()
    #: A machine that has to be confirmed by name.
    ask_host: str | None = None


def shown(session: Session) -> ConnectView:
    """Prepare the form; a proxy that is in use is proposed again, without its password."""
    present = destinations.active(session)
    proxy = destinations.proxy(present, keyring()) if present else None
    address, user = (proxy.place, proxy.user_name) if proxy else ("", "")
    return ConnectView(ConnectForm(proxy_address=address, proxy_user=user))


def submit() -> Connected | Refused:
    """Read the form of this request, and connect; nothing is changed unless all goes well."""
    try:
        data = _uploaded()
        form = ConnectForm(request.form)
        with current().database.read() as session:
            proxy = connecting.choose_proxy(
                session,
                keyring(),
                form.proxy_address.data or "",
                form.proxy_user.data or "",
                form.proxy_password.data or "",
            )
    except BodywornError as error:
        return Refused(error)
    return connecting.connect(
        current().database,
        keyring(),
        data,
        allow_http=bool(form.allow_http.data),
        confirmed_storage_host=form.storage_host.data or None,
        proxy=proxy,
        actor=pages.actor(),
    )


def refused(outcome: Refused) -> ConnectView:
    """Show the form again with what was entered, and why nothing was changed."""
    steps = rehearsals.steps_of(outcome.rehearsal) if outcome.rehearsal else ()
    return ConnectView(ConnectForm(_entered()), problem_of(outcome.problem), steps, outcome.storage_host)


def can_keep_here() -> bool:
    """Tell whether this host has a receiver, and so can be its own destination."""
    return RECEIVER_SIGN_IN in current_app.view_functions


def keep_here() -> Connected | Refused:
    """Connect to this very host as its own destination."""
    runtime = current()
    with runtime.database.read() as session:
        system = systems.find(session)
    name = system.name if system else socket.gethostname()
    address = runtime.host.external_url(RECEIVER_SIGN_IN)
    return connecting.keep_here(runtime.database, keyring(), address=address, name=name[:64], actor=pages.actor())


def keyring() -> Keyring:
    """Open the keys of this machine."""
    return Keyring(current().data_dir / "keys")


def _entered() -> MultiDict[str, str] | None:
    """Give the fields of the request; nothing of one that was too large to be read."""
    try:
        return request.form
    except RequestEntityTooLarge:
        return None


def _uploaded() -> bytes:
    """Read the file; it is bounded before anything looks at it."""
    request.max_content_length = _REQUEST_LIMIT_BYTES
    try:
        file: FileStorage | None = request.files.get("file")
    except RequestEntityTooLarge as error:
        raise ConnectionFileTooLarge(limit_bytes=_LIMIT_BYTES) from error
    data = file.stream.read(_LIMIT_BYTES + 1) if file is not None else b""
    if not data:
        raise ConnectionFileMissing
    if len(data) > _LIMIT_BYTES:
        raise ConnectionFileTooLarge(limit_bytes=_LIMIT_BYTES)
    return data
