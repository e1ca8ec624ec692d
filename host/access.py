"""Who is signed in, what they may do, and whether a form is theirs: server-side sign-ins and the CSRF check of the app.

The cookie holds a random secret, the database its digest; nothing in the cookie can be forged or read. Idle for half an
hour or twelve hours old, a sign-in is over. Before grave actions people enter their password again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, redirect, request, url_for
from sqlalchemy import delete
from werkzeug.wrappers import Response

from . import accounts, cookies, roles, state
from .database import Account, SignedIn, db, now
from .language import gettext as _

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
#: How long it counts that somebody entered their password.
CONFIRMED_FOR = timedelta(minutes=10)
#: A sign-in's last use is written at most this often.
_TOUCH = timedelta(minutes=1)
_COOKIE = "session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: These check the token of a visitor, who is nobody yet.
_CHECK_THEMSELVES = frozenset({"host.check", "host.begin_first_visit"})


def install(app: Flask) -> None:
    """Look who is asking before every request, and check the token of every form."""
    app.before_request(_recognise)
    app.before_request(_check_token)


def account() -> Account | None:
    """Give the account that is signed in, or None."""
    found: Account | None = g.get("harbour_account")
    return found


def signed_in() -> SignedIn | None:
    """Give this browser's sign-in, or None."""
    found: SignedIn | None = g.get("harbour_signed_in")
    return found


def confirmed_at() -> datetime | None:
    """Tell when whoever is signed in last entered their password."""
    found = signed_in()
    return found.confirmed_at if found else None


def is_confirmed() -> bool:
    """Tell whether that was lately enough for a grave action."""
    at = confirmed_at()
    return at is not None and now() - at < CONFIRMED_FOR


def can(permission: str) -> bool:
    """Tell whether the account that is signed in holds a permission."""
    asking = account()
    return asking is not None and roles.holds(asking.role, permission, state.of(current_app).loader.permissions)


def csrf_token() -> str:
    """Give the token that this browser's forms must carry; empty where nobody is signed in."""
    token: str = g.get("harbour_csrf", "")
    return token


def challenge() -> Response:
    """Answer a request of nobody: a page leads to the sign-in, or to the first visit; anything else gets 401."""
    if request.method not in ("GET", "HEAD") or not _is_navigation():
        return Response("Sign in first.\n", status=401, mimetype="text/plain")
    page = "host.sign_in" if accounts.exist() else "host.first_visit"
    return redirect(url_for(page, next=request.full_path.rstrip("?")))


def confirm(back_to: str) -> Response:
    """Lead to the page that asks for the password again, and from there back; what is no page gets 401."""
    if not _is_navigation():
        return Response("Enter your password again first.\n", status=401, mimetype="text/plain")
    return redirect(url_for("host.confirm", next=back_to), 303)


def local_path(address: str | None) -> str:
    """Give a path of this host to go to next; anything else becomes the start page."""
    if not address or not address.startswith("/") or address.startswith("//") or "\\" in address:
        return url_for("host.live")
    parts = urlsplit(address)
    return url_for("host.live") if parts.scheme or parts.netloc else address


def begin(found: Account, response: Response) -> Response:
    """Sign a browser in: a fresh secret, whatever it sent before."""
    token = secrets.token_urlsafe(32)
    _forget_sent_and_old()
    db.session.add(SignedIn(token_digest=_digest(token), account_id=found.id, csrf_token=secrets.token_urlsafe(32)))
    db.session.commit()
    cookies.put(response, _COOKIE, token)
    return response


def end(response: Response) -> Response:
    """Sign this browser out."""
    g.pop("harbour_signed_in", None)
    _forget_sent_and_old()
    db.session.commit()
    cookies.drop(response, _COOKIE)
    return response


def _forget_sent_and_old() -> None:
    sent = _digest(cookies.sent(_COOKIE))
    db.session.execute(
        delete(SignedIn).where((SignedIn.token_digest == sent) | (SignedIn.created_at < now() - LONGEST))
    )


def _recognise() -> None:
    token = cookies.sent(_COOKIE)
    row = db.session.get(SignedIn, _digest(token)) if token else None
    if row is None or not _is_fresh(row):
        return
    g.harbour_account = db.session.get(Account, row.account_id)
    g.harbour_signed_in = row
    g.harbour_csrf = row.csrf_token
    if now() - row.seen_at > _TOUCH:
        row.seen_at = now()
        db.session.commit()


def _is_fresh(row: SignedIn) -> bool:
    return now() - row.seen_at < IDLE and now() - row.created_at < LONGEST


def _check_token() -> None:
    """Refuse a change without this browser's token; whoever is nobody has no authority that could be abused."""
    own = request.endpoint in _CHECK_THEMSELVES or request.endpoint in state.of(current_app).loader.open_routes
    if own or request.method in _SAFE_METHODS or account() is None:
        return
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not hmac.compare_digest(sent.encode(), csrf_token().encode()):
        abort(403, description=_("This form does not belong to your present sign-in. Load its page again."))


def _is_navigation() -> bool:
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    return mode == "navigate" and "text/html" in request.headers.get("Accept", "")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
