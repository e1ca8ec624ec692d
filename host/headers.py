"""Headers of every answer: the content security policy with a nonce for each, and what else keeps pages apart."""

from __future__ import annotations

import secrets

from flask import Flask, current_app, g, request
from werkzeug.wrappers import Response

from . import state

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'nonce-{nonce}'",
    "style-src": "'self' 'nonce-{nonce}'",
    "img-src": "'self' data:",
    "media-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
#: A month, so that a host that goes back to a certificate of its own can be reached again some day.
_HTTPS_ONLY = f"max-age={30 * 24 * 3600}"
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    # not "no-referrer": browsers then send "Origin: null" with forms, and a gate could not tell whose they are
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def install(app: Flask) -> None:
    """Add the headers to every answer of the app, errors and static files included."""
    app.after_request(_add)


def nonce() -> str:
    """Give the nonce of the response that is being built."""
    if "harbour_nonce" not in g:
        g.harbour_nonce = secrets.token_urlsafe(18)
    value: str = g.harbour_nonce
    return value


def _add(response: Response) -> Response:
    policy = "; ".join(f"{name} {sources}" for name, sources in _POLICY.items())
    response.headers.setdefault("Content-Security-Policy", policy.format(nonce=nonce()))
    for name, value in _FIXED.items():
        response.headers.setdefault(name, value)
    if _insists_on_https():
        response.headers.setdefault("Strict-Transport-Security", _HTTPS_ONLY)
    if not (request.endpoint or "").endswith("static"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _insists_on_https() -> bool:
    """Tell whether browsers may be told to come over HTTPS only: with a certificate they cannot be asked about."""
    tls = state.of(current_app).tls
    return tls is not None and tls.waiting_until() is None and tls.now().by_authority
