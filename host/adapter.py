"""What this host gives to one plugin: the members of the contract, read from the host's rooms."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import Flask, url_for
from sqlalchemy import Engine
from werkzeug.wrappers import Response

from . import access, headers, language, state
from .database import Recording, db
from .manifest import Manifest
from .settings import Settings
from .shapes import ArrivedRecording
from .tls import OfferedTls

LAYOUT = "host/layout.html"
_SUPPORTED = ("accounts", "confirmation", "recordings")


@dataclass(frozen=True)
class SignedInUser:
    """Who is signed in, as plugins know them: by the name, which is unique, never changes and is legible in logs."""

    id: str
    name: str


class Adapter:
    """The host as one plugin sees it."""

    layout = LAYOUT

    def __init__(self, app: Flask, settings: Settings, manifest: Manifest) -> None:
        """Make the plugin's folder and take its engine from the bind of its domain."""
        self._app = app
        self._base_url = settings.base_url
        self._domain = manifest.domain
        self._support_contact = settings.support_contact
        self._changes_certificates = settings.secure and not settings.has_given_certificate
        self.data_dir: Path = plugin_folder(settings, manifest.domain)
        with app.app_context():
            self.engine: Engine = db.engines[manifest.domain]

    def user(self) -> SignedInUser | None:
        """Name who is signed in."""
        account = access.account()
        return SignedInUser(account.name, account.name) if account else None

    def can(self, permission: str) -> bool:
        """Ask the roles."""
        return access.can(permission)

    def challenge(self) -> Response:
        """Send a person to the sign-in page, and tell a program 401."""
        return access.challenge()

    def csp_nonce(self) -> str:
        """Give the nonce of this response."""
        return headers.nonce()

    def csrf_token(self) -> str:
        """Give the token of this browser's sign-in."""
        return access.csrf_token()

    def external_url(self, endpoint: str, **values: str) -> str:
        """Build an absolute address; needs no request."""
        scheme, _, authority = self._base_url.partition("://")
        return self._app.url_map.bind(authority, url_scheme=scheme).build(endpoint, values, force_external=True)

    def locale(self) -> str:
        """Give the language of this request."""
        return language.current()

    def supports(self, feature: str) -> bool:
        """Recordings are listed, people have accounts here and are asked again; this host sends no messages."""
        if feature == "support":
            return bool(self._support_contact)
        return self._changes_certificates if feature == "tls" else feature in _SUPPORTED

    def support_contact(self) -> str:
        """Name whom the command line names."""
        return self._support_contact

    def confirmed_at(self) -> datetime | None:
        """Tell when the password was entered last."""
        return access.confirmed_at()

    def confirm(self, back_to: str) -> Response:
        """Ask for the password again."""
        return access.confirm(back_to)

    def account_address(self) -> str:
        """Give the page where people change their password."""
        return url_for("host.account")

    def tls(self) -> OfferedTls:
        """Give the server whose certificate may be changed; what the command line names is not changed by plugins."""
        server = state.of(self._app).tls
        assert server is not None, "supports() was not asked"
        return OfferedTls(server)

    def recording_arrived(self, recording: ArrivedRecording) -> None:
        """Keep a line for the search page."""
        with self._app.app_context():
            db.session.merge(
                Recording(
                    plugin=self._domain,
                    id=recording.id,
                    title=recording.title,
                    camera=recording.camera,
                    started_at=recording.started_at,
                    stopped_at=recording.stopped_at,
                    address=recording.address,
                )
            )
            db.session.commit()


def plugin_folder(settings: Settings, domain: str) -> Path:
    """Make the folder that a plugin owns, for the service's user alone."""
    folder = settings.data_dir / "plugins" / domain
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(folder, 0o700)
    return folder
