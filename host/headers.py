"""Headers of every answer: the content security policy with a nonce for each, and what else keeps pages apart."""

from __future__ import annotations

import secrets

from flask import Flask, g, request
from werkzeug.wrappers import Response

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
    if not (request.endpoint or "").endswith("static"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
