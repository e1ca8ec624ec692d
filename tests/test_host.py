"""The reference host itself: signing in, languages, its own pages, switching plugins off and on."""

from __future__ import annotations

import io
import re
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from bodyworn_host import accounts, serving, state
from bodyworn_host.app import create_app
from bodyworn_host.database import Account, Attempt, SignedIn, db, now
from bodyworn_host.loader import State
from bodyworn_host.passwords import PasswordRefused, Passwords, generate
from bodyworn_host.problems import AlreadyServed, ForeignSchema
from bodyworn_host.settings import PasswordCost, Settings
from hosting import PASSWORD, ROOT, host_alone, host_app, loader_of, signed_in, token_in, token_of

COOKIE = "harbour_8088_session"


@pytest.fixture
def app(tmp_path):
    return host_alone(tmp_path / "data")


@pytest.fixture
def whole(tmp_path):
    """The host with the plugin in it."""
    return host_app(tmp_path / "data")


def sign_in(browser, name: str, password: str, address: str = "127.0.0.1", **form: str):
    """Open the sign-in page and send it."""
    fields = {"name": name, "password": password, "csrf_token": token_in(browser.get("/sign-in").text)} | form
    return browser.post("/sign-in", data=fields, environ_base={"REMOTE_ADDR": address})


# --- signing in ----------------------------------------------------------------------------------------------------


def test_the_way_in_leads_back_to_the_page_that_was_asked_for(whole):
    browser = whole.test_client()
    answer = browser.get("/bodyworn/devices?q=a", headers={"Accept": "text/html"})
    form = browser.get(answer.headers["Location"]).text
    fields = {"name": "viewer", "password": PASSWORD, "csrf_token": token_in(form)}
    fields["next"] = re.search(r'name="next" value="(/body[^"]*)"', form)[1]
    assert browser.post("/sign-in", data=fields).headers["Location"] == "/bodyworn/devices?q=a"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "\\\\evil.example",
    ],
)
def test_signing_in_leads_to_no_other_site(app, target):
    assert sign_in(app.test_client(), "viewer", PASSWORD, next=target).headers["Location"] == "/"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(app):
    cookie = sign_in(app.test_client(), "viewer", PASSWORD).headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))


def test_over_https_the_cookie_is_bound_to_the_host(tmp_path):
    app = create_app(Settings(tmp_path, address="0.0.0.0", password_cost=PasswordCost.QUICK, testing=True))
    with app.app_context():
        accounts.create(state.of(app).passwords, "root", "administrator", PASSWORD)
    cookie = app.test_client().get("/sign-in", base_url="https://localhost").headers["Set-Cookie"]
    assert cookie.startswith("__Host-harbour_visitor=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))


def test_a_sign_in_whose_cookie_did_not_come_back_says_so(app):
    browser = app.test_client(use_cookies=False)
    answer = sign_in(browser, "viewer", PASSWORD)
    assert answer.status_code == 400
    assert "did not send back the cookie" in answer.text


def test_another_sites_form_cannot_sign_a_browser_in(app):
    browser = app.test_client()
    assert sign_in(browser, "viewer", PASSWORD, csrf_token="made up").status_code == 400
    assert browser.get_cookie(COOKIE) is None


def test_signing_in_twice_replaces_the_first_sign_in(app):
    browser = signed_in(app, "viewer")
    first = browser.get_cookie(COOKIE).value
    visitor = app.test_client()
    form = {"name": "viewer", "password": PASSWORD, "csrf_token": token_in(visitor.get("/sign-in").text)}
    browser.set_cookie("harbour_8088_visitor", visitor.get_cookie("harbour_8088_visitor").value)
    assert browser.post("/sign-in", data=form).status_code == 302
    assert browser.get_cookie(COOKIE).value != first
    with app.app_context():
        assert db.session.query(SignedIn).count() == 1


def test_signing_out_ends_the_sign_in_on_the_server(app):
    browser = signed_in(app, "viewer")
    kept = browser.get_cookie(COOKIE).value
    browser.post("/sign-out", data={"csrf_token": token_of(browser)})
    browser.set_cookie(COOKIE, kept)
    assert browser.get("/").status_code == 401


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"seen_at": timedelta(minutes=29)}, 200),
        ({"seen_at": timedelta(minutes=31)}, 401),
        ({"created_at": timedelta(hours=11, minutes=59)}, 200),
        ({"created_at": timedelta(hours=12, minutes=1)}, 401),
    ],
)
def test_a_sign_in_ends_by_idleness_and_by_age(app, changed, status):
    browser = signed_in(app, "viewer")
    with app.app_context():
        row = db.session.query(SignedIn).one()
        for column, age in changed.items():
            setattr(row, column, now() - age)
        db.session.commit()
    assert browser.get("/").status_code == status


def test_the_database_holds_neither_password_nor_cookie(app, tmp_path):
    browser = signed_in(app, "viewer")
    with app.app_context():
        db.session.execute(db.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    kept = (tmp_path / "data" / "host.db").read_bytes()
    assert PASSWORD.encode() not in kept
    assert browser.get_cookie(COOKIE).value.encode() not in kept


def test_an_unknown_name_costs_as_much_as_a_known_one(app):
    passwords = state.of(app).passwords
    derivations = []

    class Counting:
        """The real hasher, counting."""

        def __init__(self, hasher):
            self._hasher = hasher

        def verify(self, stored, password):
            derivations.append(stored)
            return self._hasher.verify(stored, password)

        def check_needs_rehash(self, stored):
            return self._hasher.check_needs_rehash(stored)

    passwords._hasher = Counting(passwords._hasher)
    assert sign_in(app.test_client(), "nobody", PASSWORD).status_code == 401
    assert sign_in(app.test_client(), "viewer", "wrong password").status_code == 401
    assert len(derivations) == 2
    assert {stored.split("$")[3] for stored in derivations} == {"m=1024,t=1,p=1"}


def test_the_same_is_said_for_an_unknown_name_and_a_wrong_password(app):
    said = [sign_in(app.test_client(), name, "wrong password").text for name in ("nobody", "viewer")]
    cleaned = {re.sub(r'value="[^"]*"', "", page) for page in said}
    assert len(cleaned) == 1


def test_passwords_are_hashed_as_the_guide_recommends():
    stored = Passwords(PasswordCost.STRONG).hash("a long enough one")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("password", ["", "seven77", "x" * 257, "ä" * 129])
def test_passwords_too_short_or_too_long_are_refused(password):
    with pytest.raises(PasswordRefused):
        Passwords(PasswordCost.QUICK).hash(password)


def test_a_hash_of_another_cost_is_renewed_at_the_next_sign_in(app):
    with app.app_context():
        db.session.query(Account).filter_by(name="viewer").one().password_hash = Passwords(PasswordCost.STRONG).hash(
            PASSWORD
        )
        db.session.commit()
    assert sign_in(app.test_client(), "viewer", PASSWORD).status_code == 302
    with app.app_context():
        assert "m=1024" in db.session.query(Account).filter_by(name="viewer").one().password_hash


# --- throttling ----------------------------------------------------------------------------------------------------


def fail(app, name: str, address: str, times: int, ago: timedelta = timedelta()) -> None:
    """Note failures without the cost of making them."""
    with app.app_context():
        for _ in range(times):
            db.session.add(Attempt(name=name, address=address, succeeded=False, at=now() - ago))
        db.session.commit()


def test_after_five_failures_even_the_right_password_waits(app):
    browser = app.test_client()
    for _ in range(5):
        assert sign_in(browser, "viewer", "wrong password").status_code == 401
    answer = sign_in(browser, "viewer", PASSWORD)
    assert answer.status_code == 429
    assert "Try again after" in answer.text


def test_an_account_cannot_be_locked_from_another_address(app):
    fail(app, "viewer", "203.0.113.9", 5)
    assert sign_in(app.test_client(), "viewer", PASSWORD, "203.0.113.9").status_code == 429
    assert sign_in(app.test_client(), "viewer", PASSWORD, "198.51.100.1").status_code == 302


def test_spraying_many_names_from_one_address_is_stopped(app):
    for number in range(20):
        fail(app, f"name {number}", "203.0.113.9", 1)
    assert sign_in(app.test_client(), "viewer", PASSWORD, "203.0.113.9").status_code == 429
    assert sign_in(app.test_client(), "viewer", PASSWORD, "198.51.100.1").status_code == 302


def test_many_addresses_guessing_one_account_lock_strangers_but_not_its_owner(app):
    assert sign_in(app.test_client(), "viewer", PASSWORD, "198.51.100.1").status_code == 302
    for number in range(50):
        fail(app, "viewer", f"203.0.113.{number}", 1)
    assert sign_in(app.test_client(), "viewer", PASSWORD, "192.0.2.7").status_code == 429
    assert sign_in(app.test_client(), "viewer", PASSWORD, "198.51.100.1").status_code == 302


def test_the_pause_lasts_ten_minutes_and_a_success_forgives(app):
    fail(app, "viewer", "127.0.0.1", 5, ago=timedelta(minutes=9))
    assert sign_in(app.test_client(), "viewer", PASSWORD).status_code == 429
    with app.app_context():
        db.session.query(Attempt).update({"at": now() - timedelta(minutes=11)})
        db.session.commit()
    assert sign_in(app.test_client(), "viewer", PASSWORD).status_code == 302
    with app.app_context():
        assert db.session.query(Attempt).filter_by(succeeded=False).count() == 0


def test_ten_thousand_guesses_at_one_account_are_answered_with_five_looks_at_a_password(app, monkeypatch):
    passwords, looked_at = state.of(app).passwords, []
    matches = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda *given: looked_at.append(given) or matches(*given))
    with app.app_context():
        answers = [accounts.sign_in(passwords, "viewer", str(guess), "203.0.113.9") for guess in range(10_000)]
    assert len(looked_at) == 5
    assert all(isinstance(answer, accounts.Throttled) for answer in answers[5:])


# --- accounts ------------------------------------------------------------------------------------------------------


def test_generated_passwords_differ_and_can_be_typed():
    made = {generate() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"[a-z2-9]{6}(-[a-z2-9]{6}){3}", password) for password in made)


def test_an_account_needs_a_role_that_there_is(app):
    with app.app_context(), pytest.raises(accounts.UnknownRole, match="viewer, operator, administrator"):
        accounts.create(state.of(app).passwords, "x", "root", PASSWORD)


# --- running -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.8.8.8", True)]
    + [(address, False) for address in ("0.0.0.0", "::", "192.0.2.1", "vms.example")],
)
def test_plain_http_is_for_this_machine_alone(tmp_path, address, loopback):
    settings = Settings(tmp_path, address=address)
    assert settings.is_loopback is loopback
    assert settings.secure is not loopback
    assert settings.base_url.startswith("http://" if loopback else "https://")


def test_a_data_folder_is_served_once(tmp_path):
    with serving._alone(tmp_path), pytest.raises(AlreadyServed), serving._alone(tmp_path):
        pass
    with serving._alone(tmp_path):
        pass


def test_tables_of_another_version_are_left_alone(tmp_path):
    create_app(Settings(tmp_path))
    with sqlite3.connect(tmp_path / "host.db") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(ForeignSchema, match="version 99"):
        create_app(Settings(tmp_path))


def test_folders_belong_to_the_service_alone(whole, tmp_path):
    for folder in (tmp_path / "data", tmp_path / "data" / "plugins" / "bodyworn"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_request_for_another_name_is_refused(app):
    answer = app.test_client().get("/sign-in", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


# --- languages -----------------------------------------------------------------------------------------------------


def test_pages_speak_the_language_that_the_browser_asks_for(app):
    assert "Melden" not in app.test_client().get("/sign-in").text
    page = app.test_client().get("/sign-in", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}).text
    assert '<html lang="de">' in page
    assert "<h1>Anmelden</h1>" in page


def test_the_language_can_be_chosen_and_is_kept(app):
    browser = signed_in(app, "administrator")
    form = {"language": "de", "next": "/alarms", "csrf_token": token_of(browser)}
    assert browser.post("/language", data=form).headers["Location"] == "/alarms"
    assert "<h1>Alarme</h1>" in browser.get("/alarms").text
    assert "Ihre Rolle" in _chosen(app, "viewer").get("/plugins").text


def _chosen(app, role):
    browser = signed_in(app, role)
    browser.set_cookie("harbour_8088_language", "de")
    return browser


@pytest.mark.feature("HST-2")
def test_the_hosts_layout_stays_translated_around_the_plugins_pages(whole):
    page = _chosen(whole, "operator").get("/bodyworn/").text
    assert ">Suche</a>" in page
    assert "Abmelden" in page


@pytest.mark.parametrize("language", ["tlh", "../../etc", ""])
def test_an_unknown_language_changes_nothing(app, language):
    browser = app.test_client()
    assert "Set-Cookie" not in browser.post("/language", data={"language": language}).headers
    browser.set_cookie("harbour_8088_language", language or "x")
    assert '<html lang="en">' in browser.get("/sign-in").text


def sentences(catalogue) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Give what is said for each sentence and its plural."""

    def forms(text) -> tuple[str, ...]:
        return (text,) if isinstance(text, str) else tuple(text)

    return {forms(message.id): forms(message.string) for message in catalogue if message.id}


CATALOGUES = sorted((ROOT / "host").glob("locale/*/LC_MESSAGES/*.po"))


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-3])
def test_compiled_sentences_are_those_of_the_source_and_none_is_missing(catalogue):
    from babel.messages.mofile import read_mo
    from babel.messages.pofile import read_po

    with catalogue.open("rb") as source:
        written = read_po(source)
    compiled = read_mo(io.BytesIO(catalogue.with_suffix(".mo").read_bytes()))
    assert sentences(compiled) == sentences(written)
    assert [message.id for message in written if not message.string or message.fuzzy] == []


def test_every_sentence_of_the_host_is_in_its_catalogue():
    from babel.messages.extract import extract_from_dir
    from babel.messages.pofile import read_po

    with (ROOT / "host/locale/de/LC_MESSAGES/harbour.po").open("rb") as source:
        written = {message.id for message in read_po(source) if message.id}
    methods = [("**.py", "python"), ("**.html", "jinja2.ext.babel_extract")]
    said = {sentence for _, _, sentence, _, _ in extract_from_dir(str(ROOT / "host"), methods)}
    assert said == written


# --- pages ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrived:
    id: str
    title: str
    camera: str
    started_at: datetime
    stopped_at: datetime
    address: str


def arrive(app, number: int, **changes: str) -> None:
    """Let a recording arrive, as the plugin tells it."""
    start = datetime(2026, 11, 22, 3, number, tzinfo=UTC)
    told = {
        "id": str(number),
        "title": f"Recording {number}",
        "camera": "B8A44F",
        "address": f"/bodyworn/received/{number}",
    }
    told |= changes
    app.extensions["bodyworn"].host.recording_arrived(
        Arrived(started_at=start, stopped_at=start + timedelta(seconds=75), **told)
    )


@pytest.mark.feature("HST-2")
def test_recordings_that_arrived_are_listed_newest_first_with_a_way_to_play_them(whole):
    arrive(whole, 1)
    arrive(whole, 2)
    page = signed_in(whole, "viewer").get("/search").text
    assert page.index("Recording 2") < page.index("Recording 1")
    assert 'href="/bodyworn/received/2"' in page
    assert "1 min 15 s" in page


def test_a_recording_that_changed_is_listed_once(whole):
    arrive(whole, 1)
    arrive(whole, 1, title="Corrected")
    page = signed_in(whole, "viewer").get("/search").text
    assert "Corrected" in page
    assert "Recording 1" not in page


def test_search_finds_by_title_and_camera_and_takes_signs_literally(whole):
    arrive(whole, 1, title="100 % sure")
    arrive(whole, 2, camera="C_77")
    browser = signed_in(whole, "viewer")
    assert "100 % sure" in browser.get("/search?q=%25").text
    assert "C_77" not in browser.get("/search?q=%25").text
    assert "C_77" in browser.get("/search?q=c_7").text
    assert "No recording has" in browser.get("/search?q=nothing").text


def test_names_from_outside_are_shown_as_text(whole):
    arrive(whole, 1, title="<script>alert(1)</script>")
    page = signed_in(whole, "viewer").get("/search?q=<script>").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("path", ["/", "/alarms"])
def test_placeholders_say_that_they_are(app, path):
    assert "This page is a placeholder" in signed_in(app, "operator").get(path).text


def test_the_menu_shows_what_a_role_may_open(whole):
    assert "/plugins" not in signed_in(whole, "viewer").get("/").text
    administrator = signed_in(whole, "administrator").get("/").text
    for label in ("Live", "Search", "Alarms", "Body worn", "Plugins"):
        assert f">{label}</a>" in administrator


# --- plugins -------------------------------------------------------------------------------------------------------


def switch(app, action: str):
    browser = signed_in(app, "administrator")
    return browser.post(f"/plugins/bodyworn/{action}", data={"csrf_token": token_of(browser)})


def test_the_plugins_page_shows_state_version_and_health(whole):
    page = signed_in(whole, "administrator").get("/plugins").text
    assert "Body worn" in page
    assert "Version 0.1.0" in page
    assert "Loaded, not started" in page
    assert "No system has been set up yet." in page


@pytest.mark.feature("HST-1")
def test_a_plugin_is_unloaded_and_loaded_again_without_a_restart(whole):
    browser = signed_in(whole, "administrator")
    assert switch(whole, "disable").status_code == 302
    assert browser.get("/bodyworn/setup").status_code == 503
    assert ">Body worn</a>" not in browser.get("/").text
    try:
        assert switch(whole, "enable").status_code == 302
        assert loader_of(whole).slot("bodyworn").state is State.RUNNING
        assert browser.get("/bodyworn/setup").status_code == 200
        assert ">Body worn</a>" in browser.get("/").text
    finally:
        assert loader_of(whole).stop() == []


def test_a_disabled_plugin_stays_off_over_a_restart(whole, tmp_path):
    switch(whole, "disable")
    again = create_app(state.of(whole).settings)
    loader_of(again).migrate()
    loader_of(again).start()
    assert loader_of(again).slot("bodyworn").state is State.UNLOADED
    assert again.test_client().get("/bodyworn/").status_code == 503


def test_a_plugin_that_could_not_be_loaded_is_shown_with_its_reason(tmp_path):
    app = host_app(tmp_path / "data", tmp_path / "nothing here")
    page = signed_in(app, "administrator").get("/plugins").text
    assert "manifest.json cannot be read" in page
    assert "Failed" in page
    assert "Enable" not in page
