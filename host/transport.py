"""How a request travels: whether somebody on the way could read what is entered."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, request

from . import state
from .settings import is_loopback


def is_readable() -> bool:
    """Tell whether this request came over plain HTTP from, or for all we know from, another machine."""
    if request.is_secure or state.of(current_app).settings.base_url.startswith("https:"):
        return False
    return not is_loopback(urlsplit(f"//{request.host}").hostname or "")
