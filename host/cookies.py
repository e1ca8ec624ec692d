"""Cookies of this host: one way to name, set and drop them, so that all come back or none does."""

from __future__ import annotations

from flask import current_app, request
from werkzeug.wrappers import Response

from . import state


def name(purpose: str) -> str:
    """Name the cookie of a purpose."""
    return f"{state.of(current_app).settings.cookie_prefix}_{purpose}"


def sent(purpose: str) -> str:
    """Give what the browser sent, or an empty string."""
    return request.cookies.get(name(purpose), "")


def put(response: Response, purpose: str, value: str, max_age_seconds: int | None = None) -> None:
    """Set a cookie that no script and no other site gets to use."""
    response.set_cookie(
        name(purpose), value, max_age=max_age_seconds, secure=_is_secure(), httponly=True, samesite="Strict"
    )


def drop(response: Response, purpose: str) -> None:
    """Let the browser forget a cookie."""
    response.delete_cookie(name(purpose), secure=_is_secure(), httponly=True, samesite="Strict")


def _is_secure() -> bool:
    return state.of(current_app).settings.secure
