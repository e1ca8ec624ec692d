"""Accounts of the reference host: passwords, roles, sign-ins that end, and what happens after wrong passwords."""

from __future__ import annotations

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from bodyworn.models import Event
from bodyworn_host import accounts, state
from bodyworn_host.app import create_app
from bodyworn_host.database import Account, Attempt, SignedIn, db, now
from bodyworn_host.password_words import age, strength
from bodyworn_host.passwords import PasswordRefused, Refusal, generate
from bodyworn_host.settings import PasswordCost, Settings
from hosting import PASSWORD, host_alone, host_app, signed_in, token_in, token_of
from sqlalchemy import select

OTHER = "seven green kettles hum"


@pytest.fixture
def app(tmp_path):
    """A host with root and an account for each role."""
    made = host_alone(tmp_path / "data")
    with made.app_context():
        accounts.create(state.of(made).passwords, "root", "administrator", PASSWORD)
    return made


@pytest.fixture
def boss(app):
    return signed_in(app, "administrator")


def identifier(app, name: str) -> str:
    with app.app_context():
        return db.session.scalars(select(Account.id).where(Account.name == name)).one()


def send(browser, path: str, **form: str):
    return browser.post(path, data=form | {"csrf_token": token_of(browser)})


def sign_in(app, name: str, password: str, address: str = "127.0.0.1") -> int:
    browser = app.test_client()
    form = {"name": name, "password": password, "csrf_token": token_in(browser.get("/sign-in").text)}
    return browser.post("/sign-in", data=form, environ_base={"REMOTE_ADDR": address}).status_code


# --- one's own password --------------------------------------------------------------------------------------------


@pytest.mark.feature("CRT-3")
def test_the_password_is_changed_with_the_old_one_and_all_other_sign_ins_end(app):
    here, elsewhere = signed_in(app, "viewer"), signed_in(app, "viewer")
    cookie = here.get_cookie("harbour_8088_session").value
    answer = send(here, "/account/password", password=PASSWORD, new=OTHER, again=OTHER)
    assert answer.headers["Location"] == "/account?done=password"
    assert here.get("/account").status_code == 200
    assert here.get_cookie("harbour_8088_session").value != cookie
    assert elsewhere.get("/").status_code == 401
    assert sign_in(app, "viewer", PASSWORD) == 401
    assert sign_in(app, "viewer", OTHER) == 302


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"password": "not the old one", "new": OTHER, "again": OTHER}, 422, "The old password is not right."),
        ({"password": PASSWORD, "new": OTHER, "again": "x"}, 422, "The two passwords differ."),
        ({"password": PASSWORD, "new": "short", "again": "short"}, 422, "too short"),
        ({"password": PASSWORD, "new": "Password1", "again": "Password1"}, 422, "most common passwords"),
        ({}, 422, "The old password is not right."),
    ],
)
def test_a_change_that_is_refused_says_why_and_changes_nothing(app, form, status, said):
    here, elsewhere = signed_in(app, "viewer"), signed_in(app, "viewer")
    answer = send(here, "/account/password", **form)
    assert answer.status_code == status
    assert said in answer.text
    assert elsewhere.get("/").status_code == 200
    assert sign_in(app, "viewer", PASSWORD) == 302


def test_the_old_password_cannot_be_guessed_at_an_open_screen(app):
    here = signed_in(app, "viewer")
    form = {"new": OTHER, "again": OTHER}
    answers = [send(here, "/account/password", password=f"guess {number}", **form).status_code for number in range(6)]
    assert answers == [422] * 5 + [429]
    assert send(here, "/account/password", password=PASSWORD, **form).status_code == 429


@pytest.mark.feature("CRT-4")
@pytest.mark.parametrize(("days", "words", "advised"), [(0, "Changed today", False), (364, "364 days old", False)])
def test_the_age_of_a_password_is_shown(app, days, words, advised):
    shown = age(now() - timedelta(days=days, minutes=1))
    assert (shown.words, shown.is_old) == (words, advised)


@pytest.mark.feature("CRT-4")
def test_after_a_year_a_change_is_advised_and_not_forced(app):
    with app.app_context():
        db.session.query(Account).update({"password_changed_at": now() - timedelta(days=366)})
        db.session.commit()
    browser = signed_in(app, "viewer")
    page = browser.get("/account").text
    assert "366 days old" in page
    assert "once a year is advised; nobody forces you" in page
    assert browser.get("/").status_code == 200


@pytest.mark.feature("CRT-4")
@pytest.mark.parametrize(("base_url", "warned"), [("http://vms.example", True), ("http://127.0.0.1", False)])
def test_over_plain_http_from_elsewhere_pages_with_passwords_warn(tmp_path, base_url, warned):
    app = create_app(Settings(tmp_path, external_url="http://vms.example", password_cost=PasswordCost.QUICK))
    with app.app_context():
        accounts.create(state.of(app).passwords, "root", "administrator", PASSWORD)
    page = app.test_client().get("/sign-in", base_url=base_url)
    assert ("can be read on the way" in page.text) is warned


# --- which passwords -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("1234567", Refusal.SHORT),
        ("ä" * 129, Refusal.LONG),
        ("iloveyou1", Refusal.COMMON),
        ("PASSWORD1", Refusal.COMMON),
        ("Viewer-One", Refusal.NAMED),
    ],
)
def test_a_password_is_refused_for_one_reason(app, password, reason):
    with pytest.raises(PasswordRefused) as refused:
        state.of(app).passwords.hash(password, "viewer-one")
    assert refused.value.reason is reason
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", ["äöü kleiner spass", "x9#kQ2!z", "鉄道の時刻表を読む人", "🦊🚲🌧️ and a boat"])
def test_there_are_no_rules_of_composition(app, password):
    assert state.of(app).passwords.hash(password, "viewer")


def test_a_password_that_is_made_up_is_taken(app):
    assert state.of(app).passwords.hash(generate(), "viewer")


def test_strength_goes_from_refused_to_very_strong(app):
    with app.test_request_context():
        scores = [strength(word, "kim").score for word in ("short", "qwerty1985x", "violet harbour", generate())]
        assert scores == sorted(scores)
        assert (scores[0], scores[-1]) == (0, 4)
        assert strength("x" * 256, "kim").score >= 1


def test_strength_is_told_to_those_who_choose_a_password(app, tmp_path):
    nobody, browser = app.test_client(), signed_in(app, "viewer")
    assert nobody.post("/password-strength", data={"password": "password"}).status_code == 401
    answer = browser.post(
        "/password-strength", data={"password": "password"}, headers={"X-CSRF-Token": token_of(browser)}
    )
    assert answer.json == {"score": 0, "words": strength_words(app, "password")}
    fresh = create_app(Settings(tmp_path / "fresh", password_cost=PasswordCost.QUICK, testing=True))
    assert fresh.test_client().post("/password-strength", data={"password": "root"}).json["score"] == 0


def strength_words(app, password: str) -> str:
    with app.test_request_context():
        return strength(password, "viewer").words


# --- all accounts --------------------------------------------------------------------------------------------------


@pytest.mark.feature("CRT-3")
def test_there_can_be_several_administrators(app, boss):
    answer = send(boss, "/accounts", name="Kim Example", role="administrator", new=OTHER, again=OTHER)
    assert answer.headers["Location"] == "/accounts?done=added"
    assert "Kim Example" in boss.get("/accounts").text
    assert sign_in(app, "Kim Example", OTHER) == 302


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "VIEWER"}, "There is an account with this name already."),
        ({"name": "Root"}, "There is an account with this name already."),
        ({"name": ""}, "A name has 1 to 64 characters"),
        ({"name": "x" * 65}, "A name has 1 to 64 characters"),
        ({"name": "a\u202eb"}, "A name has 1 to 64 characters"),
        ({"again": "x"}, "The two passwords differ."),
        ({"new": "football1", "again": "football1"}, "most common passwords"),
    ],
)
def test_an_account_that_cannot_be_says_why(app, boss, changes, said):
    answer = send(boss, "/accounts", **{"name": "kim", "role": "viewer", "new": OTHER, "again": OTHER} | changes)
    assert answer.status_code == 422
    assert said in answer.text


@pytest.mark.parametrize("role", ["", "owner", "administrator "])
def test_a_role_that_there_is_not_is_refused(app, boss, role):
    assert send(boss, "/accounts", name="kim", role=role, new=OTHER, again=OTHER).status_code == 422
    assert send(boss, f"/accounts/{identifier(app, 'viewer')}/role", role=role).status_code == 422


def test_another_role_holds_at_once(app, boss):
    viewer = signed_in(app, "viewer")
    assert viewer.get("/alarms").status_code == 403
    send(boss, f"/accounts/{identifier(app, 'viewer')}/role", role="operator")
    assert viewer.get("/alarms").status_code == 200


def test_a_removed_account_is_out_at_once(app, boss):
    viewer, path = signed_in(app, "viewer"), f"/accounts/{identifier(app, 'viewer')}/remove"
    assert "Remove viewer?" in boss.get(path).text
    assert send(boss, path).headers["Location"] == "/accounts?done=removed"
    assert viewer.get("/").status_code == 401
    assert sign_in(app, "viewer", PASSWORD) == 401


@pytest.mark.feature("CRT-3")
@pytest.mark.parametrize("name", ["root", "administrator"])
def test_nobody_removes_or_demotes_root_or_themselves(app, boss, name):
    path = f"/accounts/{identifier(app, name)}"
    assert send(boss, f"{path}/remove").status_code == 409
    assert send(boss, f"{path}/role", role="viewer").status_code == 409
    with app.app_context():
        assert db.session.scalars(select(Account.role).where(Account.name == name)).one() == "administrator"


def test_an_administrator_sets_a_forgotten_password_but_not_their_own(app, boss):
    viewer = signed_in(app, "viewer")
    form = {"new": OTHER, "again": OTHER}
    assert send(boss, f"/accounts/{identifier(app, 'viewer')}/password", **form).status_code == 303
    assert viewer.get("/").status_code == 401
    assert sign_in(app, "viewer", OTHER) == 302
    assert send(boss, f"/accounts/{identifier(app, 'administrator')}/password", **form).status_code == 409
    assert sign_in(app, "administrator", PASSWORD) == 302


def test_sign_ins_are_ended_all_or_all_others(app, boss):
    viewers, second = [signed_in(app, "viewer") for _ in range(2)], signed_in(app, "administrator")
    assert "at 2 places" in boss.get("/accounts").text
    send(boss, f"/accounts/{identifier(app, 'viewer')}/end")
    assert [browser.get("/").status_code for browser in viewers] == [401, 401]
    send(boss, "/account/end-others")
    assert (boss.get("/").status_code, second.get("/").status_code) == (200, 401)


# --- after wrong passwords -----------------------------------------------------------------------------------------


def fail(app, name: str, address: str, times: int, ago: timedelta = timedelta()) -> None:
    """Note failures without the cost of making them."""
    with app.app_context():
        db.session.add_all(
            Attempt(name=name, address=address, succeeded=False, at=now() - ago - timedelta(seconds=number))
            for number in range(times)
        )
        db.session.commit()


def test_root_cannot_be_locked_from_another_address(app):
    assert sign_in(app, "root", PASSWORD, "192.0.2.1") == 302
    for number in range(60):
        fail(app, "root", f"203.0.113.{number}", 5)
    assert sign_in(app, "root", PASSWORD, "203.0.113.5") == 429
    assert sign_in(app, "root", PASSWORD, "192.0.2.1") == 302


def test_the_strict_preset_pauses_for_three_hours_after_three_failures(app, boss):
    fail(app, "viewer", "192.0.2.1", 3, ago=timedelta(hours=2, minutes=59))
    assert sign_in(app, "viewer", PASSWORD, "192.0.2.1") == 302
    fail(app, "viewer", "192.0.2.2", 3, ago=timedelta(hours=2, minutes=59))
    assert send(boss, "/lockout", lockout="strict").headers["Location"] == "/accounts?done=lockout"
    assert re.search(r'value="strict" checked', boss.get("/accounts").text)
    assert sign_in(app, "viewer", PASSWORD, "192.0.2.2") == 429
    fail(app, "viewer", "192.0.2.3", 3, ago=timedelta(hours=3, minutes=1))
    assert sign_in(app, "viewer", PASSWORD, "192.0.2.3") == 302
    assert send(boss, "/lockout", lockout="lenient").status_code == 422


def test_failures_further_apart_than_the_window_lock_nobody(app):
    for number in range(10):
        fail(app, "viewer", "192.0.2.1", 1, ago=timedelta(minutes=4 * number))
    assert sign_in(app, "viewer", PASSWORD, "192.0.2.1") == 302


def test_many_tries_at_the_same_moment_are_counted_all(app):
    passwords = state.of(app).passwords

    def guess(number):
        with app.app_context():
            return accounts.sign_in(passwords, "viewer", f"guess {number}", "203.0.113.9")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(40)))
    assert sum(isinstance(answer, accounts.Wrong) for answer in answers) <= 5
    assert any(isinstance(answer, accounts.Throttled) for answer in answers)


def test_a_name_of_any_length_is_cut_before_it_is_kept(app):
    assert sign_in(app, "x" * 100_000, PASSWORD) == 401
    with app.app_context():
        assert len(db.session.scalars(select(Attempt.name)).one()) == accounts.LONGEST_NAME


# --- what auditors find --------------------------------------------------------------------------------------------


@pytest.mark.feature("SYS-10")
def test_what_accounts_do_stands_in_the_plugins_events(tmp_path):
    app = host_app(tmp_path / "data")
    boss = signed_in(app, "administrator")
    send(boss, "/accounts", name="kim", role="viewer", new=OTHER, again=OTHER)
    send(boss, f"/accounts/{identifier(app, 'kim')}/role", role="operator")
    send(boss, "/lockout", lockout="strict")
    send(boss, f"/accounts/{identifier(app, 'kim')}/remove")
    send(boss, "/confirm", password="not it")
    for password in ("a wrong one", "another one"):
        sign_in(app, "administrator", password)
    sign_in(app, "my-secret-typed-as-a-name", "x")
    with app.extensions["bodyworn"].database.read() as session:
        found = session.scalars(select(Event).where(Event.action.like("account.%") | Event.action.like("host.%"))).all()
    told = [(event.action, event.actor, event.object_id, event.result) for event in found]
    boss_name = "administrator"
    assert told == [
        ("account.signed-in", boss_name, boss_name, "done"),
        ("account.added", boss_name, "kim", "done"),
        ("account.role-changed", boss_name, "kim", "done"),
        ("host.lockout-chosen", boss_name, "host", "done"),
        ("account.removed", boss_name, "kim", "done"),
        ("account.confirmation-refused", boss_name, boss_name, "refused"),
        ("account.sign-in-refused", boss_name, boss_name, "refused"),
        ("account.sign-in-refused", boss_name, boss_name, "refused"),
        ("account.locked-out", boss_name, boss_name, "refused"),
    ]
    assert {event.address for event in found} == {"127.0.0.1"}
    kept = " ".join(str(event.detail) + event.actor + event.object_id for event in found)
    assert not [secret for secret in (PASSWORD, OTHER, "my-secret", "a wrong one") if secret in kept]


# --- files of the version before -----------------------------------------------------------------------------------


def test_the_tables_of_the_first_version_are_taken_over_and_admin_becomes_root(app, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    with app.app_context():
        stored = state.of(app).passwords.hash(PASSWORD)
    with sqlite3.connect(old / "host.db") as connection:
        connection.executescript(
            "CREATE TABLE account (id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL UNIQUE, role VARCHAR NOT NULL, "
            "password_hash VARCHAR NOT NULL, created_at DATETIME NOT NULL);"
            "CREATE TABLE signed_in (token_digest VARCHAR PRIMARY KEY, account_id VARCHAR NOT NULL REFERENCES account, "
            "csrf_token VARCHAR NOT NULL, created_at DATETIME NOT NULL, seen_at DATETIME NOT NULL);"
            "PRAGMA user_version=1;"
        )
        row = ("1", "admin", "administrator", stored, "2026-01-02 03:04:05.000000")
        connection.execute("INSERT INTO account VALUES (?, ?, ?, ?, ?)", row)
    connection.close()
    taken = create_app(Settings(old, password_cost=PasswordCost.QUICK, testing=True))
    assert sign_in(taken, "root", PASSWORD) == 302
    with taken.app_context():
        root = db.session.query(Account).one()
        assert root.password_changed_at == root.created_at
        assert db.session.query(SignedIn).one().confirmed_at is not None
    create_app(Settings(old, password_cost=PasswordCost.QUICK, testing=True))
