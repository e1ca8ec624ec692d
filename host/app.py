"""The app factory: it puts the host's rooms together and loads the plugins. It neither migrates nor starts them."""

from __future__ import annotations

import os

from flask import Blueprint, Flask, current_app, render_template, request
from sqlalchemy import select
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from . import (
    access,
    account_pages,
    database,
    first_visit,
    headers,
    language,
    own_account,
    pages,
    roles,
    signing_in,
    state,
    tls,
)
from .adapter import Adapter, plugin_folder
from .database import DisabledPlugin, db
from .loader import Loader
from .manifest import Manifest
from .passwords import Passwords
from .settings import Settings
from .state import State

#: Forms and small uploads; routes that take evidence lift the limit for themselves.
LARGEST_FORM_BYTES = 16 * 1024 * 1024


def create_app(settings: Settings) -> Flask:
    """Build a host with its plugins loaded, ready for its first request.

    :raises ForeignSchema: when the data folder was written by another version.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(settings.data_dir, 0o700)
    loader = Loader(settings.plugins)
    app = Flask(__package__)
    _configure(app, settings, loader.manifests)
    state.keep(app, State(settings, loader, Passwords(settings.password_cost), tls.server_of(settings)))
    db.init_app(app)
    database.prepare(app)
    for room in (access, headers, language):
        room.install(app)
    _add_pages(app)
    _load(app, settings, loader)
    return app


def _configure(app: Flask, settings: Settings, manifests: list[Manifest]) -> None:
    chosen = dict(settings.plugin_databases)
    app.config.update(
        TESTING=settings.testing,
        MAX_CONTENT_LENGTH=LARGEST_FORM_BYTES,
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{settings.data_dir.absolute()}/host.db",
        SQLALCHEMY_BINDS={
            manifest.domain: chosen.get(manifest.domain) or _own_database(settings, manifest.domain)
            for manifest in manifests
        },
    )
    if settings.is_loopback and not settings.external_url:
        app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost", "[::1]"]


def _own_database(settings: Settings, domain: str) -> str:
    return f"sqlite:///{plugin_folder(settings, domain).absolute()}/{domain}.db"


def _add_pages(app: Flask) -> None:
    blueprint = Blueprint("host", __package__ or __name__)
    for room in (pages, signing_in, first_visit, own_account, account_pages):
        room.add(blueprint)
    app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _problem_page)
    app.context_processor(_for_layout)


def _load(app: Flask, settings: Settings, loader: Loader) -> None:
    loader.load(app, lambda manifest: Adapter(app, settings, manifest))
    with app.app_context():
        for domain in db.session.scalars(select(DisabledPlugin.domain)):
            if loader.slot(domain) is not None:
                loader.disable(domain)


def _for_layout() -> dict[str, object]:
    return {
        "harbour_account": access.account(),
        "harbour_role": _role(),
        "harbour_menu": _menu() if access.account() else [],
        "harbour_language": language.current(),
        "harbour_languages": language.LANGUAGES,
        "harbour_here": request.full_path.rstrip("?") if request.method == "GET" else "",
        "harbour_csrf_token": access.csrf_token(),
    }


def _role() -> str:
    account = access.account()
    return roles.title(account.role) if account else ""


def _menu() -> list[tuple[str, str]]:
    """Give label and endpoint of every entry that the account may open."""
    own = [
        (language.gettext("Live"), "host.live", "host.live"),
        (language.gettext("Search"), "host.search", "host.search"),
        (language.gettext("Alarms"), "host.alarms", "host.alarms"),
    ]
    loaded = [
        item for slot in state.of(current_app).loader.slots if slot.plugin and slot.serves for item in slot.plugin.menu
    ]
    plugins = [(item.label, item.endpoint, item.permission) for item in sorted(loaded, key=lambda item: item.order)]
    last = [
        (language.gettext("Plugins"), "host.plugins", roles.PLUGINS),
        (language.gettext("Accounts"), "host.accounts", roles.ACCOUNTS),
    ]
    return [(label, endpoint) for label, endpoint, permission in own + plugins + last if access.can(permission)]


def _problem_page(error: HTTPException) -> Response:
    """Show what went wrong within the layout; redirects and ready answers pass."""
    response = error.get_response()
    # a request for a name that is not ours has no addresses to draw a page with
    if error.code is None or error.code < 400 or error.response is not None or isinstance(error, SecurityError):
        return Response(response.get_data(), response.status_code, response.headers)
    # the library's own descriptions are English and for developers
    said = error.description if error.description != type(error).description else ""
    page = render_template("host/problem.html", code=error.code, name=error.name, said=said)
    answer = Response(page, error.code, mimetype="text/html")
    for name, value in response.headers:
        if name not in ("Content-Type", "Content-Length"):
            answer.headers[name] = value
    return answer
