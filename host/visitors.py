"""Forms of people who are nobody yet.

Whoever opens such a page gets a visitor's cookie with the flags of the sign-in's own, and the form carries a token made
from it. So no other site can sign a browser in, and a browser that sends no cookies back learns it before a password
is looked at.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flask import current_app, make_response, render_template, request
from werkzeug.wrappers import Response

from . import cookies, state
from .language import gettext as _

_COOKIE = "visitor"


def page(template: str, status: int = 200, **values: object) -> Response:
    """Draw a page with such a form; it is given ``token``."""
    visitor = secrets.token_urlsafe(24)
    response = make_response(render_template(template, token=_token_of(visitor), **values), status)
    cookies.put(response, _COOKIE, visitor)
    return response


def problem() -> str:
    """Say what keeps the form that was sent from being looked at, or nothing."""
    visitor = cookies.sent(_COOKIE)
    if not visitor:
        return _(
            "Your browser did not send back the cookie of this page, so nobody can stay signed in. "
            "Allow cookies for %(address)s and sign in again.",
            address=request.host,
        )
    if not hmac.compare_digest(request.form.get("csrf_token", "").encode(), _token_of(visitor).encode()):
        return _("This page was open for too long. Sign in again.")
    return ""


def _token_of(visitor: str) -> str:
    return hmac.new(state.of(current_app).visitor_key, visitor.encode(), hashlib.sha256).hexdigest()
