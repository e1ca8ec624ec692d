"""The gate: what may be asked of the plugin, by whom, from where. A view that declares nothing answers nobody.

Who somebody is and what they may do is the host's to say. Whether a request that changes something comes from a page of
this host is decided here, so that it holds in hosts without tokens as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from .contract import ConfirmingHost
from .runtime import Runtime, current
from .services import events
from .services.sentence import marked
from .text import translator

_LOG = logging.getLogger(__name__)

_PERMISSION = "bodyworn_permission"
_OPEN = "bodyworn_open"
_CONFIRMED = "bodyworn_confirmed"
_DURING_SETUP = "bodyworn_during_setup"
#: How long it counts that somebody proved who they are.
CONFIRMED_FOR = timedelta(minutes=10)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = (
    "default-src 'self'; img-src 'self' data:; media-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'"
)

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


def needs(permission: str, *, confirmed: bool = False, during_setup: bool = False) -> Callable[[View], View]:
    """Declare which permission of the manifest a view asks for.

    ``confirmed``: a grave action; whoever asks must have proved within the last ten minutes who they are. The page with
    its form is declared so as well as its POST, so that nobody fills in a form in vain. ``during_setup``: answers
    before the system is set up, too.
    """

    def declare(view: View) -> View:
        setattr(view, _PERMISSION, permission)
        setattr(view, _CONFIRMED, confirmed)
        setattr(view, _DURING_SETUP, during_setup)
        return view

    return declare


def open_route(view: View) -> View:
    """Declare that a view of the machine interface authenticates its caller itself; the manifest lists it too."""
    setattr(view, _OPEN, True)
    return view


def gate(blueprint: Blueprint) -> None:
    """Put the gate before every page of a blueprint, its static files included."""
    blueprint.before_request(_check_page)
    blueprint.after_request(_add_headers)


def machine_gate(blueprint: Blueprint) -> None:
    """Put the gate before a machine interface: only declared open routes, without the host's limit on a body's size."""
    blueprint.before_request(_check_machine)
    blueprint.after_request(_add_headers)


def is_same_origin() -> bool:
    """Tell whether a page of this host, or the user's own hand, made the request.

    Browsers say it in ``Sec-Fetch-Site``; where that is missing (plain HTTP to another machine, old browsers),
    ``Origin`` decides. A request with neither proves nothing.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    return request.headers.get("Origin") == f"{request.scheme}://{request.host}"


def _check_page() -> ResponseReturnValue | None:
    runtime = _open_runtime()
    if request.endpoint == f"{request.blueprint}.static":
        return None if runtime.host.user() else runtime.host.challenge()
    permission = _declared(_PERMISSION)
    user = runtime.host.user()
    if user is None:
        return runtime.host.challenge()
    events.in_name_of(user.id, user.name)
    if not runtime.host.can(str(permission)):
        abort(403)
    if request.method not in _SAFE_METHODS and not is_same_origin():
        abort(403, description=_say(runtime, marked("This request did not come from a page of this host.")))
    if not (getattr(_view(), _DURING_SETUP, False) or runtime.is_set_up()):
        return _lead_to_setup(runtime)
    return _asked_again(runtime) if getattr(_view(), _CONFIRMED, False) else None


def _lead_to_setup(runtime: Runtime) -> ResponseReturnValue | None:
    """Before there is a system, lead to the wizard; whoever may not set it up is told that somebody else does."""
    if request.method not in _SAFE_METHODS or str(request.endpoint).endswith("_fragment"):
        abort(409, description=_say(runtime, marked("The system has not been set up yet.")))
    if runtime.host.can("bodyworn.system"):
        return redirect(url_for(f"{request.blueprint}.setup"))
    return render_template("bodyworn/setup_waiting.html"), 409


def _asked_again(runtime: Runtime) -> ResponseReturnValue | None:
    """Ask again who it is before a grave action; a host that cannot ask lets everybody pass, and health says so."""
    if not runtime.host.supports("confirmation"):
        return None
    host = cast(ConfirmingHost, runtime.host)
    proved_at = host.confirmed_at()
    if proved_at is not None and datetime.now(UTC) - proved_at < CONFIRMED_FOR:
        return None
    return host.confirm(_way_back())


def _way_back() -> str:
    """Give the path of the page that was asked for, or of the one whose form was sent."""
    if request.method in _SAFE_METHODS:
        return request.full_path.rstrip("?")
    page = urlsplit(request.referrer or "")
    if (page.scheme, page.netloc) != (request.scheme, request.host) or page.path.startswith("//"):
        return url_for(f"{request.blueprint}.status")
    return f"{page.path}?{page.query}" if page.query else page.path


def _check_machine() -> None:
    _open_runtime()
    _declared(_OPEN)
    request.max_content_length = None


def _open_runtime() -> Runtime:
    events.from_address(request.remote_addr or "")
    runtime = current()
    if runtime.closed:
        abort(503, description=_say(runtime, marked("The body worn plugin is disabled.")))
    return runtime


def _say(runtime: Runtime, sentence: str) -> str:
    return translator(runtime.host.locale()).gettext(sentence)


def _declared(name: str) -> object:
    """Read a view's declaration; a forgotten one is loud in tests and shut in production."""
    declared = getattr(_view(), name, None)
    if not declared:
        _LOG.error("%s declares no access", request.endpoint)
        abort(500 if current_app.testing else 403)
    return declared


def _view() -> Callable[..., object]:
    return current_app.view_functions[str(request.endpoint)]


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint != f"{request.blueprint}.static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
