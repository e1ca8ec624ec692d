"""The sign-in page and the way out.

Whoever opens the page gets a visitor's cookie with the flags of the sign-in's own, and the form carries a token made
from it. So no other site can sign a browser in, and a browser that sends no cookies back learns it before a password
is looked at.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from . import access, accounts, cookies, state
from .accounts import Throttled
from .language import gettext as _

_COOKIE = "visitor"


def add(blueprint: Blueprint) -> None:
    """Register the pages."""
    blueprint.add_url_rule("/sign-in", "sign_in", sign_in)
    blueprint.add_url_rule("/sign-in", "check", check, methods=["POST"])
    blueprint.add_url_rule("/sign-out", "sign_out", sign_out, methods=["POST"])


def sign_in() -> Response:
    """Ask for name and password."""
    if access.account() is not None:
        return redirect(access.local_path(request.args.get("next")))
    return _form(request.args.get("next", ""))


def check() -> Response:
    """Sign in, or say why not."""
    target = request.form.get("next", "")
    visitor = cookies.sent(_COOKIE)
    if not visitor:
        return _form(target, _cookie_lost(), status=400)
    if not hmac.compare_digest(request.form.get("csrf_token", "").encode(), _token_of(visitor).encode()):
        return _form(target, _("This page was open for too long. Sign in again."), status=400)
    name = request.form.get("name", "").strip()
    password = request.form.get("password", "")
    found = accounts.sign_in(state.of(current_app).passwords, name, password, request.remote_addr or "")
    if isinstance(found, Throttled):
        return _form(target, _throttled(found), name, status=429)
    if found is None:
        return _form(target, _("Name and password do not belong together."), name, status=401)
    return access.begin(found, redirect(access.local_path(target)))


def sign_out() -> Response:
    """Sign this browser out."""
    return access.end(redirect(url_for("host.sign_in")))


def _form(target: str, problem: str = "", name: str = "", status: int = 200) -> Response:
    visitor = secrets.token_urlsafe(24)
    page = render_template("host/sign_in.html", target=target, problem=problem, name=name, token=_token_of(visitor))
    response = make_response(page, status)
    cookies.put(response, _COOKIE, visitor)
    return response


def _token_of(visitor: str) -> str:
    return hmac.new(state.of(current_app).visitor_key, visitor.encode(), hashlib.sha256).hexdigest()


def _cookie_lost() -> str:
    return _(
        "Your browser did not send back the cookie of this page, so nobody can stay signed in. "
        "Allow cookies for %(address)s and sign in again.",
        address=request.host,
    )


def _throttled(found: Throttled) -> str:
    return _("Too many wrong passwords. Try again after %(time)s UTC.", time=f"{found.until:%H:%M}")
