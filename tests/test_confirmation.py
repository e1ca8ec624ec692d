"""Before grave actions people prove again who they are: the host asks, the plugin's gate wants to know it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import seed
from bodyworn import access
from bodyworn_host.database import SignedIn, db, now
from flask import Blueprint, Flask, Response
from hosting import PASSWORD, SAME_ORIGIN, host_alone, host_app, signed_in, token_of

PAGE = {"Accept": "text/html"}


class Host:
    """A host in which one person may do everything, and that remembers when they proved who they are."""

    def __init__(self, *features: str) -> None:
        self.features, self.proved_at, self.asked = features, None, []

    def user(self):
        return SimpleNamespace(id="kim", name="Kim")

    def can(self, permission):
        return True

    def locale(self):
        return "en"

    def supports(self, feature):
        return feature in self.features

    def confirmed_at(self):
        return self.proved_at

    def confirm(self, back_to):
        self.asked.append(back_to)
        return Response("who are you?", 401)


@pytest.fixture
def site():
    """An app with one page, its form, and a page that is not grave, behind the gate."""
    host, done = Host("confirmation"), []
    runtime = SimpleNamespace(host=host, closed=False, is_set_up=lambda: True)
    blueprint = Blueprint("bodyworn", __name__, url_prefix="/bodyworn")
    access.gate(blueprint)
    blueprint.add_url_rule("/", "status", access.needs("bodyworn.view")(lambda: "status"))
    grave = access.needs("bodyworn.system", confirmed=True)
    blueprint.add_url_rule("/erase", "ask_erase", grave(lambda: "what will be lost"))
    blueprint.add_url_rule("/erase", "erase", grave(lambda: done.append(1) or "erased"), methods=["POST"])
    app = Flask(__name__)
    app.testing = True
    app.extensions["bodyworn"] = runtime
    app.register_blueprint(blueprint)
    return SimpleNamespace(host=host, done=done, browser=app.test_client())


def ago(**passed: float) -> datetime:
    return datetime.now(UTC) - timedelta(**passed)


def test_a_page_that_is_not_grave_asks_nobody(site):
    assert site.browser.get("/bodyworn/").text == "status"
    assert site.host.asked == []


@pytest.mark.parametrize(("minutes", "asked"), [(None, True), (11, True), (9, False)])
def test_a_proof_counts_for_ten_minutes(site, minutes, asked):
    proved_at = None if minutes is None else ago(minutes=minutes)
    site.host.proved_at = proved_at
    page = site.browser.get("/bodyworn/erase?of=7")
    form = site.browser.post("/bodyworn/erase", headers=SAME_ORIGIN)
    assert (page.status_code, form.status_code) == ((401, 401) if asked else (200, 200))
    assert site.done == ([] if asked else [1])


@pytest.mark.parametrize(
    ("referrer", "back_to"),
    [
        ("http://localhost/bodyworn/erase?of=7", "/bodyworn/erase?of=7"),
        ("http://localhost/bodyworn/erase", "/bodyworn/erase"),
        ("http://evil.example/bodyworn/erase", "/bodyworn/"),
        ("https://localhost/bodyworn/erase", "/bodyworn/"),
        ("http://localhost//evil.example/", "/bodyworn/"),
        ("", "/bodyworn/"),
    ],
)
def test_a_form_leads_back_to_its_page_and_to_no_other_site(site, referrer, back_to):
    site.browser.post("/bodyworn/erase", headers={**SAME_ORIGIN, "Referer": referrer})
    assert site.host.asked == [back_to]
    assert site.done == []


def test_a_page_leads_back_to_itself_with_what_it_was_asked(site):
    site.browser.get("/bodyworn/erase?of=7&and=8")
    assert site.host.asked == ["/bodyworn/erase?of=7&and=8"]


def test_another_sites_form_is_refused_before_anybody_is_asked(site):
    assert site.browser.post("/bodyworn/erase", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert site.host.asked == []


def test_a_host_that_cannot_ask_lets_people_pass(site):
    site.host.features = ()
    assert site.browser.post("/bodyworn/erase", headers=SAME_ORIGIN).text == "erased"


# --- in the reference host -----------------------------------------------------------------------------------------


def age_proof(app, **passed: float) -> None:
    with app.app_context():
        db.session.query(SignedIn).update({"confirmed_at": now() - timedelta(**passed)})
        db.session.commit()


@pytest.mark.feature("CRT-3")
def test_forgetting_a_dock_asks_for_the_password_and_leads_back(tmp_path):
    app = host_app(tmp_path / "data")
    page = f"/bodyworn/docks/{seed.seed(app.extensions['bodyworn'].database).dock}/forget"
    browser = signed_in(app, "operator")
    assert browser.get(page, headers=PAGE).status_code == 200
    age_proof(app, minutes=11)
    answer = browser.get(page, headers=PAGE)
    assert answer.headers["Location"] == f"/confirm?next={page}"
    assert browser.post(page, headers={**PAGE, **SAME_ORIGIN, "X-CSRF-Token": token_of(browser)}).status_code == 303
    form = {"password": PASSWORD, "next": page, "csrf_token": token_of(browser)}
    assert browser.post("/confirm", data=form).headers["Location"] == page
    assert browser.get(page, headers=PAGE).status_code == 200


def test_what_is_no_page_is_told_401_instead_of_being_led_anywhere(tmp_path):
    app = host_alone(tmp_path)
    browser = signed_in(app, "administrator")
    age_proof(app, minutes=11)
    assert browser.get("/accounts", headers={**PAGE, "Sec-Fetch-Mode": "cors"}).status_code == 401
    assert browser.get("/accounts", headers=PAGE).headers["Location"] == "/confirm?next=/accounts"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_done_to_accounts_without_a_fresh_proof(tmp_path, method):
    app = host_alone(tmp_path)
    browser = signed_in(app, "administrator")
    token = token_of(browser)
    age_proof(app, minutes=11)
    grave = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/accounts") and method in rule.methods]
    assert len(grave) >= 3
    for rule in grave:
        path = rule.rule.replace("<account_id>", "absent")
        answer = browser.open(path, method=method, headers={**PAGE, "X-CSRF-Token": token})
        assert answer.headers["Location"].startswith("/confirm?next=/accounts"), path


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example", "x"])
def test_proving_leads_to_no_other_site(tmp_path, target):
    browser = signed_in(host_alone(tmp_path), "viewer")
    form = {"password": PASSWORD, "next": target, "csrf_token": token_of(browser)}
    assert browser.post("/confirm", data=form).headers["Location"] == "/"


def test_a_wrong_password_proves_nothing_and_is_throttled(tmp_path):
    app = host_alone(tmp_path)
    browser = signed_in(app, "administrator")
    age_proof(app, minutes=11)
    form = {"next": "/accounts", "csrf_token": token_of(browser)}
    answers = [browser.post("/confirm", data=form | {"password": "guess"}).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]
    assert browser.post("/confirm", data=form | {"password": PASSWORD}).status_code == 429
    assert browser.get("/accounts", headers=PAGE).status_code == 303


def test_one_proof_counts_for_one_browser(tmp_path):
    app = host_alone(tmp_path)
    first, second = signed_in(app, "administrator"), signed_in(app, "administrator")
    age_proof(app, minutes=11)
    first.post("/confirm", data={"password": PASSWORD, "csrf_token": token_of(first)})
    assert first.get("/accounts", headers=PAGE).status_code == 200
    assert second.get("/accounts", headers=PAGE).headers["Location"].startswith("/confirm")


def test_health_says_where_nobody_can_be_asked(tmp_path):
    app = host_app(tmp_path / "data")
    plugin_host = app.extensions["bodyworn"].host
    slots = app.extensions["harbour"].loader.slots
    assert [item.part for item in slots[0].plugin.health() if item.part == "Confirmation"] == []
    plugin_host.supports = lambda feature: False
    (item,) = [item for item in slots[0].plugin.health() if item.part == "Confirmation"]
    assert (item.state, item.sentence) == (
        "attention",
        "This host cannot ask people again who they are before grave actions.",
    )


def test_the_plugin_learns_where_people_change_their_password(tmp_path):
    app = host_app(tmp_path / "data")
    host = app.extensions["bodyworn"].host
    with app.test_request_context():
        assert host.supports("accounts")
        assert host.account_address() == "/account"
