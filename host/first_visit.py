"""The first visit: whoever has the token from the console becomes ``root``.

While there is no account, every page leads here. The token is made anew at each start, shown on the console that once,
kept as a digest, and gone when it was used. So whoever is first on the network gains nothing by it.
"""

from __future__ import annotations

import hashlib
import hmac

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from . import access, accounts, events, passwords, state, throttle, transport, visitors
from .accounts import Throttled
from .database import Account, db, now, prefer, preference
from .language import gettext as _
from .password_words import why
from .passwords import PasswordRefused
from .signing_in import said

_PREFERENCE = "setup-token"
#: Under which tries are counted; no account can have it.
_NO_NAME = ""


def add(blueprint: Blueprint) -> None:
    """Register the pages."""
    blueprint.add_url_rule("/first-visit", "first_visit", first_visit)
    blueprint.add_url_rule("/first-visit", "begin_first_visit", begin, methods=["POST"])


def new_token() -> str | None:
    """Make the token of this start, which ends every earlier one; None where there are accounts."""
    token = None if accounts.exist() else passwords.generate()
    prefer(_PREFERENCE, _digest(token) if token else None)
    db.session.commit()
    return token


def first_visit() -> Response:
    """Ask for the token and for the password of ``root``."""
    if accounts.exist():
        return redirect(url_for("host.sign_in"))
    if transport.is_readable():
        return Response(render_template("host/first_visit_readable.html"), 403)
    return _form()


def begin() -> Response:
    """Make ``root``, sign this browser in, and lead on to what there is to set up."""
    if accounts.exist():
        abort(409, description=_("This host has been set up already. Sign in, or ask an administrator."))
    if transport.is_readable():
        abort(403, description=_("Over plain HTTP the token and the password could be read on the way."))
    problem = visitors.problem()
    if problem:
        return _form(problem, 400)
    address = request.remote_addr or ""
    until = throttle.begin(db.session(), _NO_NAME, address, now())
    if until is not None:
        return _form(*said(Throttled(until), ""))
    if not _is_token(request.form.get("token", "")):
        return _form(_("This is not the setup token that the console showed last."), 401)
    throttle.forgive(db.session(), _NO_NAME, address, now())
    db.session.commit()
    return _with_password()


def _with_password() -> Response:
    password = request.form.get("new", "")
    if password != request.form.get("again", ""):
        return _form(_("The two passwords differ. Enter the same one twice."), 422)
    try:
        root = _make_root(password)
    except PasswordRefused as refused:
        return _form(why(refused.reason), 422)
    events.tell("account.first-made", root)
    return access.begin(root, redirect(_next_page(), 303))


def _make_root(password: str) -> Account:
    """Make the account and take the token back in one transaction; of two at the same moment one comes too late."""
    prefer(_PREFERENCE, None)
    try:
        root = accounts.create_first(state.of(current_app).passwords, password)
    except IntegrityError:
        root = None
    if root is None:
        db.session.rollback()
        abort(409, description=_("This host has been set up already. Sign in, or ask an administrator."))
    return root


def _is_token(entered: str) -> bool:
    """Compare with the digest; spaces and capitals are nobody's fault."""
    return hmac.compare_digest(preference(_PREFERENCE) or "-", _digest("".join(entered.split()).lower()))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _next_page() -> str:
    """Give the first page of a plugin, which knows what it needs; else the host's own."""
    menu = state.of(current_app).loader.menu
    return url_for(menu[0].endpoint) if menu else url_for("host.live")


def _form(problem: str = "", status: int = 200) -> Response:
    return visitors.page(
        "host/first_visit.html",
        status,
        problem=problem,
        entered=request.form.get("token", ""),
        suggestion=passwords.generate(),
    )
