"""The first visit: nobody has an account, and whoever has the token from the console becomes root, once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from bodyworn_host import accounts, first_accounts, first_visit, serving, state
from bodyworn_host.app import create_app
from bodyworn_host.database import Account, Preference, SignedIn, db
from bodyworn_host.problems import UnfitPassword
from bodyworn_host.settings import PasswordCost, Settings
from hosting import host_app, token_in

PASSWORD = "violet harbour tram 42 moss"
PAGE = {"Accept": "text/html"}


def fresh(folder, **settings):
    return create_app(Settings(folder, password_cost=PasswordCost.QUICK, testing=True, **settings))


@pytest.fixture
def app(tmp_path):
    return fresh(tmp_path)


@pytest.fixture
def token(app):
    with app.app_context():
        return first_visit.new_token()


def visit(browser, token: str, password: str = PASSWORD, again: str | None = None, address: str = "127.0.0.1"):
    """Open the page and send it."""
    form = {"token": token, "new": password, "again": password if again is None else again}
    form["csrf_token"] = token_in(browser.get("/first-visit").text)
    return browser.post("/first-visit", data=form, environ_base={"REMOTE_ADDR": address})


def names(app) -> list[str]:
    with app.app_context():
        return [account.name for account in accounts.every()]


@pytest.mark.feature("SET-11")
@pytest.mark.parametrize("path", ["/", "/plugins", "/accounts", "/account", "/confirm", "/sign-in"])
def test_while_nobody_has_an_account_every_page_leads_to_the_first_visit(app, path):
    answer = app.test_client().get(path, headers=PAGE)
    assert answer.headers["Location"].startswith("/first-visit")


@pytest.mark.feature("SET-1")
def test_the_plugins_pages_lead_there_too_and_its_machine_interface_does_not(tmp_path):
    app = host_app(tmp_path / "data", with_accounts=False)
    assert app.test_client().get("/bodyworn/", headers=PAGE).headers["Location"].startswith("/first-visit")
    assert app.test_client().get("/bodyworn/receiver/auth/v1.0").status_code == 401


@pytest.mark.feature("SET-2")
def test_with_the_token_root_is_made_signed_in_and_led_on(app, token):
    browser = app.test_client()
    answer = visit(browser, token)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "root" in browser.get("/").text
    assert browser.get("/accounts").status_code == 200
    assert names(app) == ["root"]


def test_where_there_is_a_plugin_its_first_page_comes_next(tmp_path):
    app = host_app(tmp_path / "data", with_accounts=False)
    with app.app_context():
        token = first_visit.new_token()
    assert visit(app.test_client(), token).headers["Location"] == "/bodyworn/"


def test_the_token_may_be_entered_in_capitals_and_with_spaces_around_it(app, token):
    assert visit(app.test_client(), f"  {token.upper()} ").status_code == 303


@pytest.mark.feature("SET-11")
@pytest.mark.parametrize("entered", ["", "-", "aaaaaa-bbbbbb-cccccc-dddddd"])
def test_without_the_token_or_with_another_nobody_becomes_root(app, token, entered):
    answer = visit(app.test_client(), entered)
    assert answer.status_code == 401
    assert "not the setup token" in answer.text
    assert names(app) == []


@pytest.mark.feature("SET-11")
def test_where_no_token_was_made_none_is_right(app):
    assert visit(app.test_client(), "-").status_code == 401
    assert visit(app.test_client(), "").status_code == 401


@pytest.mark.feature("SET-11")
def test_guessing_tokens_is_throttled_and_keeps_nobody_else_from_setting_up(app, token):
    guesser = app.test_client()
    answers = [visit(guesser, f"guess {number}", address="203.0.113.9").status_code for number in range(8)]
    assert answers == [401] * 5 + [429] * 3
    assert visit(guesser, token, address="203.0.113.9").status_code == 429
    for number in range(60):
        visit(app.test_client(), "guess", address=f"198.51.100.{number}")
    assert visit(app.test_client(), token, address="192.0.2.7").status_code == 303


@pytest.mark.feature("SET-11")
def test_a_second_setup_is_refused_even_with_the_token(app, token):
    late = app.test_client()
    form = {"token": token, "new": PASSWORD, "again": PASSWORD, "csrf_token": token_in(late.get("/first-visit").text)}
    assert visit(app.test_client(), token).status_code == 303
    answer = late.post("/first-visit", data=form)
    assert answer.status_code == 409
    assert "set up already" in answer.text
    assert late.get("/first-visit").headers["Location"] == "/sign-in"
    assert names(app) == ["root"]


def test_of_two_at_the_same_moment_one_becomes_root(app, token):
    browsers = [app.test_client() for _ in range(2)]
    forms = [{"token": token, "new": PASSWORD + str(number), "again": PASSWORD + str(number)} for number in range(2)]
    for browser, form in zip(browsers, forms, strict=True):
        form["csrf_token"] = token_in(browser.get("/first-visit").text)
    together = Barrier(2)

    def send(number):
        together.wait()
        return browsers[number].post("/first-visit", data=forms[number]).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(send, range(2)))
    assert answers in ([303, 401], [303, 409])
    assert names(app) == ["root"]


def test_a_start_ends_the_token_of_the_one_before(app, token):
    with app.app_context():
        newer = first_visit.new_token()
    assert newer != token
    assert visit(app.test_client(), token).status_code == 401
    assert visit(app.test_client(), newer).status_code == 303
    with app.app_context():
        assert first_visit.new_token() is None


def test_the_database_holds_the_tokens_digest_until_it_is_used(app, token, tmp_path):
    with app.app_context():
        (kept,) = db.session.query(Preference).all()
        assert token not in kept.value
        assert len(kept.value) == 64
    visit(app.test_client(), token)
    with app.app_context():
        assert db.session.query(Preference).count() == 0


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("seven77", None, "too short"),
        ("x" * 257, None, "too long"),
        ("Password1", None, "most common"),
        (PASSWORD, PASSWORD + "!", "differ"),
    ],
)
def test_a_bad_password_is_refused_with_its_reason_and_the_token_stays(app, token, password, again, said):
    browser = app.test_client()
    answer = visit(browser, token, password, again)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{token}"' in answer.text
    assert password not in answer.text
    assert visit(browser, token).status_code == 303


def test_another_sites_form_and_a_browser_without_cookies_are_refused(app, token):
    form = {"token": token, "new": PASSWORD, "again": PASSWORD, "csrf_token": "made up"}
    browser = app.test_client()
    browser.get("/first-visit")
    assert browser.post("/first-visit", data=form).status_code == 400
    assert "did not send back the cookie" in app.test_client(use_cookies=False).post("/first-visit", data=form).text
    assert names(app) == []


@pytest.mark.feature("CRT-4")
def test_over_plain_http_from_elsewhere_neither_token_nor_password_is_asked_for(tmp_path):
    app = fresh(tmp_path, external_url="http://vms.example")
    with app.app_context():
        token = first_visit.new_token()
    page = app.test_client().get("/first-visit", base_url="http://vms.example")
    assert page.status_code == 403
    assert 'name="token"' not in page.text
    form = {"token": token, "new": PASSWORD, "again": PASSWORD}
    assert app.test_client().post("/first-visit", data=form, base_url="http://vms.example").status_code == 403
    assert app.test_client().get("/first-visit", base_url="http://127.0.0.1:8088").status_code == 200
    assert names(app) == []


# --- on the console ------------------------------------------------------------------------------------------------


def started(app, **chosen) -> str:
    """Start as the command does; give what the console shows."""
    shown: list[str] = []
    first_accounts.prepare(app, serving.AtStart(**chosen), shown.append)
    first_accounts.invite(app, shown.append)
    return "\n".join(shown)


@pytest.mark.feature("SET-11")
def test_the_console_shows_the_token_and_the_log_does_not(app, caplog):
    caplog.set_level("DEBUG")
    shown = started(app)
    (token,) = re.findall(r"[a-z2-9]{6}(?:-[a-z2-9]{6}){3}", shown)
    assert "/first-visit" in shown
    visit(app.test_client(), token)
    assert token not in caplog.text
    assert started(app) == ""


def test_a_password_from_a_file_makes_root_without_a_visit(app):
    shown = started(app, root_password=PASSWORD, demo_accounts=True)
    assert PASSWORD not in shown
    assert "token" not in shown
    assert names(app) == ["root", "operator", "viewer"]
    assert started(app, root_password="something else 17") == ""


def test_a_bad_password_from_a_file_is_refused_before_anything_is_served(app):
    with pytest.raises(UnfitPassword, match="root cannot have this password"):
        started(app, root_password="password")


def test_root_gets_a_new_password_on_the_console_and_all_its_sign_ins_end(app, token):
    visit(app.test_client(), token)
    shown = started(app, reset_root=True)
    with app.app_context():
        assert db.session.query(SignedIn).count() == 0
        root = db.session.query(Account).one()
        assert state.of(app).passwords.matches(shown.rpartition(" ")[2], root.password_hash)
