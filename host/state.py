"""What one app carries with it: its settings, its plugins, its keys. Found through the app, never through a global."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from flask import Flask

from .loader import Loader
from .passwords import Passwords
from .settings import Settings
from .tls import TlsServer

_KEY = "harbour"


@dataclass(frozen=True)
class State:
    """Everything that lives as long as the app."""

    settings: Settings
    loader: Loader
    passwords: Passwords
    #: What HTTPS is served with; None for plain HTTP.
    tls: TlsServer | None = None
    #: Signs the tokens of visitors; a restart makes sign-in pages that are still open ask again.
    visitor_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)


def keep(app: Flask, state: State) -> None:
    """Attach the state to its app."""
    app.extensions[_KEY] = state


def of(app: Flask) -> State:
    """Give the state of an app."""
    state: State = app.extensions[_KEY]
    return state
