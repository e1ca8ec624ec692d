"""The pages beneath Support: who finds what there, and the master key, handed out for its passphrase alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from bodyworn.crypto.master_key import unwrap
from bodyworn.errors import WrongPassphrase
from bodyworn.models import Database
from bodyworn.services import founding, systems
from bodyworn.services.keyring import Keyring
from flask import Flask
from flask.testing import FlaskClient
from hosting import SAME_ORIGIN, host_app, signed_in, token_of
from rig_parts import CHEAPEST, PASSPHRASE, event_actions

ANOTHER = "violet tram under nine bridges"
KEY = "/bodyworn/support/master-key"
CHANGE = f"{KEY}/passphrase"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    made = host_app(tmp_path)
    runtime = made.extensions["bodyworn"]
    with runtime.database.write() as session:
        founding.found(
            session, Keyring(runtime.data_dir / "keys"), name="Wache Süd", passphrase=PASSPHRASE, cost=CHEAPEST
        )
    return made


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return signed_in(app, "administrator")


def send(browser: FlaskClient, path: str, **form: str):
    return browser.post(path, data={"csrf_token": token_of(browser), **form}, headers=SAME_ORIGIN)


def database_of(app: Flask) -> Database:
    return app.extensions["bodyworn"].database


def kept(app: Flask) -> bytes:
    with database_of(app).read() as session:
        file = systems.current(session).master_key_file
    assert file is not None
    return file


@pytest.mark.parametrize(
    ("role", "cards"),
    [("viewer", ()), ("operator", ("verification",)), ("administrator", ("master-key", "audit-log", "verification"))],
)
def test_everybody_finds_what_they_may_see(app: Flask, role: str, cards: tuple[str, ...]) -> None:
    page = signed_in(app, role).get("/bodyworn/support").text
    for path in ("support/master-key", "support/audit-log", "verification"):
        assert (f'href="/bodyworn/{path}"' in page) is (path.rpartition("/")[2] in cards)
    assert 'href="/bodyworn/help"' in page


@pytest.mark.feature("SYS-5")
def test_the_master_key_is_saved_as_a_file_of_the_systems_name(app: Flask, browser: FlaskClient) -> None:
    assert "Not downloaded" in browser.get(KEY).text
    answer = send(browser, KEY, passphrase=PASSPHRASE)
    assert answer.data == kept(app)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Wache-Sud.bwmk"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Not downloaded" not in browser.get(KEY).text
    assert event_actions(database_of(app))[-1] == "master-key.downloaded"


@pytest.mark.parametrize("passphrase", ["", "wrong", "x" * 2000])
def test_nothing_is_handed_out_for_anything_else(app: Flask, browser: FlaskClient, passphrase: str) -> None:
    answer = send(browser, KEY, passphrase=passphrase)
    assert answer.status_code == 422
    assert "Content-Disposition" not in answer.headers
    assert 'id="passphrase-error"' in answer.text
    assert "Not downloaded" in browser.get(KEY).text


@pytest.mark.feature("SYS-5")
def test_the_passphrase_is_changed_after_a_warning(
    app: Flask, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodyworn.crypto.master_key.KdfCost", lambda: CHEAPEST)
    assert "still open with the old passphrase" in browser.get(CHANGE).text
    answer = send(browser, CHANGE, passphrase=PASSPHRASE, wanted=ANOTHER, again=ANOTHER)
    assert answer.status_code == 303
    assert "Download the master key now" in browser.get(answer.location).text
    unwrap(kept(app), ANOTHER)
    with pytest.raises(WrongPassphrase):
        unwrap(kept(app), PASSPHRASE)


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"passphrase": PASSPHRASE, "wanted": ANOTHER, "again": "other"}, "again"),
        ({"passphrase": PASSPHRASE, "wanted": "Password1234567!", "again": "Password1234567!"}, "wanted"),
        ({"passphrase": "quux quux", "wanted": ANOTHER, "again": ANOTHER}, "passphrase"),
        ({"passphrase": "", "wanted": ANOTHER, "again": ANOTHER}, "passphrase"),
    ],
)
def test_a_refused_change_says_at_which_field_and_sends_nothing_back(
    app: Flask, browser: FlaskClient, entered: dict[str, str], field: str
) -> None:
    before = kept(app)
    answer = send(browser, CHANGE, **entered)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert not any(value and value in answer.text for value in entered.values())
    assert kept(app) == before


def test_a_passphrase_is_judged_while_it_is_entered(browser: FlaskClient) -> None:
    for wanted, word in (("", ""), ("zyzzyva", "Too short"), ("Password1234567!", "Easy to guess"), (ANOTHER, "Hard")):
        answer = send(browser, "/bodyworn/support/passphrase-strength", wanted=wanted)
        assert word in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert not wanted or wanted not in answer.text


def test_no_passphrase_reaches_the_log_or_the_events(
    app: Flask, browser: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for passphrase in (PASSPHRASE, ANOTHER):
        send(browser, KEY, passphrase=passphrase)
        send(browser, "/bodyworn/support/passphrase-strength", wanted=passphrase)
    raw = app.extensions["bodyworn"].data_dir.rglob("*")
    held = b"".join(path.read_bytes() for path in raw if path.is_file())
    for passphrase in (PASSPHRASE, ANOTHER):
        assert passphrase not in caplog.text
        assert passphrase.encode() not in held
