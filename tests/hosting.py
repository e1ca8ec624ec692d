"""A reference host for tests: built in a scratch folder, an account for each role, browsers that are signed in."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bodyworn_host import accounts, state
from bodyworn_host.app import create_app
from bodyworn_host.loader import Loader
from bodyworn_host.settings import PasswordCost, Settings
from flask import Flask
from flask.testing import FlaskClient

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "plain-test-password"
ROLES = ("viewer", "operator", "administrator")
#: What a browser says about a form of the same page.
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def host_app(data_dir: Path, *plugins: Path, with_accounts: bool = True, port: int = 8088) -> Flask:
    """Build a host with this plugin (or those given), its tables made, nothing started; ``port`` is told to others."""
    return _built(data_dir, plugins or (ROOT,), with_accounts, port)


def host_alone(data_dir: Path) -> Flask:
    """Build a host without any plugin, which takes a tenth of the time."""
    return _built(data_dir, (), with_accounts=True)


def _built(data_dir: Path, plugins: tuple[Path, ...], with_accounts: bool, port: int = 8088) -> Flask:
    app = create_app(Settings(data_dir, plugins, port=port, password_cost=PasswordCost.QUICK, testing=True))
    loader_of(app).migrate()
    if with_accounts:
        with app.app_context():
            for role in ROLES:
                accounts.create(state.of(app).passwords, role, role, PASSWORD)
    return app


def loader_of(app: Flask) -> Loader:
    """Give the plugins of a host."""
    return state.of(app).loader


def token_in(page: str) -> str:
    """Find the token that the last form of a page carries."""
    return re.findall(r'name="csrf_token" value="([^"]*)"', page)[-1]


def signed_in(app: Flask, role: str) -> FlaskClient:
    """Open a browser and sign in as the account of a role."""
    browser = app.test_client()
    form = {"name": role, "password": PASSWORD, "csrf_token": token_in(browser.get("/sign-in").text)}
    assert browser.post("/sign-in", data=form).status_code == 302
    return browser


def token_of(browser: FlaskClient) -> str:
    """Give the token of a browser's sign-in."""
    return token_in(browser.get("/").text)


def write_plugin(folder: Path, domain: str, code: str, /, **changes: object) -> Path:
    """Write a small plugin; ``changes`` replace keys of its manifest, None removes one."""
    manifest = {
        "domain": domain,
        "name": domain.title(),
        "version": "1.0",
        "contract": 1,
        "package": "code",
        "host": ">=1",
        "python": ">=3.11",
        "requirements": [],
        "permissions": [{"id": f"{domain}.view", "title": "Look", "risk": "low"}],
        "open_routes": [],
    } | changes
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "__init__.py").write_text(code)
    kept = {key: value for key, value in manifest.items() if value is not None}
    (folder / "manifest.json").write_text(json.dumps(kept))
    return folder
