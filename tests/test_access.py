"""Who may ask what: every route, every method, every role, as a table. A route that is not in it fails the build."""

from __future__ import annotations

import re

import pytest
from bodyworn.services.keyring import Keyring
from hosting import ROLES, SAME_ORIGIN, host_app, signed_in, token_of
from rig_parts import found_system

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

ALL = frozenset(ROLES)
OPERATORS = frozenset({"operator", "administrator"})
ADMINISTRATORS = frozenset({"administrator"})
#: Nobody signed in, too.
EVERYBODY = ALL | {"nobody"}
#: Checks a token of its own; being signed in to the host helps nobody.
ITSELF = frozenset({"itself"})

#: Endpoint: who may read it (GET, HEAD, OPTIONS, as far as there are), and who may change with it (all others).
TABLE = {
    "static": (EVERYBODY, None),
    "host.live": (ALL, None),
    "host.search": (ALL, None),
    "host.alarms": (OPERATORS, None),
    "host.plugins": (ADMINISTRATORS, None),
    "host.disable_plugin": (None, ADMINISTRATORS),
    "host.enable_plugin": (None, ADMINISTRATORS),
    "host.choose_language": (None, EVERYBODY),
    "host.sign_in": (EVERYBODY, None),
    "host.check": (None, EVERYBODY),
    "host.sign_out": (None, EVERYBODY),
    "host.confirm": (ALL, None),
    "host.check_again": (None, ALL),
    "host.first_visit": (EVERYBODY, None),
    "host.begin_first_visit": (None, EVERYBODY),
    "host.account": (ALL, None),
    "host.change_password": (None, ALL),
    "host.end_other_sign_ins": (None, ALL),
    "host.weigh_password": (None, ALL),
    "host.accounts": (ADMINISTRATORS, None),
    "host.add_account": (None, ADMINISTRATORS),
    "host.choose_lockout": (None, ADMINISTRATORS),
    "host.one_account": (ADMINISTRATORS, None),
    "host.change_role": (None, ADMINISTRATORS),
    "host.set_password": (None, ADMINISTRATORS),
    "host.end_sign_ins": (None, ADMINISTRATORS),
    "host.ask_remove_account": (ADMINISTRATORS, None),
    "host.remove_account": (None, ADMINISTRATORS),
    "bodyworn.static": (ALL, None),
    "bodyworn.setup": (ADMINISTRATORS, None),
    "bodyworn.begin_setup": (None, ADMINISTRATORS),
    "bodyworn.extend_system": (ADMINISTRATORS, None),
    "bodyworn.setup_firmware": (ADMINISTRATORS, None),
    "bodyworn.pass_firmware": (None, ADMINISTRATORS),
    "bodyworn.setup_network": (ADMINISTRATORS, None),
    "bodyworn.pass_network": (None, ADMINISTRATORS),
    "bodyworn.keep_addresses_during_setup": (None, ADMINISTRATORS),
    "bodyworn.setup_date_and_time": (ADMINISTRATORS, None),
    "bodyworn.pass_date_and_time": (None, ADMINISTRATORS),
    "bodyworn.setup_destination": (ADMINISTRATORS, None),
    "bodyworn.pass_destination": (None, ADMINISTRATORS),
    "bodyworn.connect_during_setup": (None, ADMINISTRATORS),
    "bodyworn.keep_here_during_setup": (None, ADMINISTRATORS),
    "bodyworn.setup_power_line": (ADMINISTRATORS, None),
    "bodyworn.pass_power_line": (None, ADMINISTRATORS),
    "bodyworn.setup_master_key": (ADMINISTRATORS, None),
    "bodyworn.pass_master_key": (None, ADMINISTRATORS),
    "bodyworn.download_new_master_key": (None, ADMINISTRATORS),
    "bodyworn.setup_restore": (ADMINISTRATORS, None),
    "bodyworn.restore_system": (None, ADMINISTRATORS),
    "bodyworn.setup_name": (ADMINISTRATORS, None),
    "bodyworn.pass_name": (None, ADMINISTRATORS),
    "bodyworn.setup_finish": (ADMINISTRATORS, None),
    "bodyworn.pass_finish": (None, ADMINISTRATORS),
    "bodyworn.status": (ALL, None),
    "bodyworn.support": (ALL, None),
    "bodyworn.master_key": (ADMINISTRATORS, None),
    "bodyworn.download_master_key": (None, ADMINISTRATORS),
    "bodyworn.ask_change_passphrase": (ADMINISTRATORS, None),
    "bodyworn.change_passphrase": (None, ADMINISTRATORS),
    "bodyworn.passphrase_strength": (None, ADMINISTRATORS),
    "bodyworn.settings": (ALL, None),
    "bodyworn.certificates": (ADMINISTRATORS, None),
    "bodyworn.ask_create_certificate": (ADMINISTRATORS, None),
    "bodyworn.create_certificate": (None, ADMINISTRATORS),
    "bodyworn.ask_install_certificate": (ADMINISTRATORS, None),
    "bodyworn.install_certificate": (None, ADMINISTRATORS),
    "bodyworn.confirm_certificate": (None, ADMINISTRATORS),
    "bodyworn.ask_signing_request": (ADMINISTRATORS, None),
    "bodyworn.create_signing_request": (None, ADMINISTRATORS),
    "bodyworn.download_signing_request": (ADMINISTRATORS, None),
    "bodyworn.download_certificate": (ADMINISTRATORS, None),
    "bodyworn.ask_activate_certificate": (ADMINISTRATORS, None),
    "bodyworn.activate_certificate": (None, ADMINISTRATORS),
    "bodyworn.ask_delete_certificate": (ADMINISTRATORS, None),
    "bodyworn.delete_certificate": (None, ADMINISTRATORS),
    "bodyworn.settings_fragment": (ALL, None),
    "bodyworn.date_and_time": (ALL, None),
    "bodyworn.save_date_and_time": (None, ADMINISTRATORS),
    "bodyworn.network": (ALL, None),
    "bodyworn.save_network": (None, ADMINISTRATORS),
    "bodyworn.keep_addresses": (None, ADMINISTRATORS),
    "bodyworn.status_fragment": (ALL, None),
    "bodyworn.status_json": (ALL, None),
    "bodyworn.help": (ALL, None),
    "bodyworn.overdue": (ALL, None),
    "bodyworn.overdue_fragment": (ALL, None),
    "bodyworn.help_topic": (ALL, None),
    "bodyworn.devices": (ALL, None),
    "bodyworn.devices_fragment": (ALL, None),
    "bodyworn.add_cameras": (None, OPERATORS),
    "bodyworn.docks": (ALL, None),
    "bodyworn.docks_fragment": (ALL, None),
    "bodyworn.add_dock": (None, OPERATORS),
    "bodyworn.set_limits": (None, OPERATORS),
    "bodyworn.dock": (ALL, None),
    "bodyworn.dock_fragment": (ALL, None),
    "bodyworn.save_dock": (None, OPERATORS),
    "bodyworn.learn_bays": (None, OPERATORS),
    "bodyworn.move_dock": (None, OPERATORS),
    "bodyworn.move_bay": (None, OPERATORS),
    "bodyworn.ask_forget_dock": (OPERATORS, None),
    "bodyworn.forget_dock": (None, OPERATORS),
    "bodyworn.ask_forget_bay": (OPERATORS, None),
    "bodyworn.forget_bay": (None, OPERATORS),
    "bodyworn.ask_remove_camera": (OPERATORS, None),
    "bodyworn.remove_camera": (None, OPERATORS),
    "bodyworn.keep_camera": (None, OPERATORS),
    "bodyworn.ask_force_remove_camera": (OPERATORS, None),
    "bodyworn.force_remove_camera": (None, OPERATORS),
    "bodyworn.locked_cameras": (ALL, None),
    "bodyworn.locked_cameras_fragment": (ALL, None),
    "bodyworn.ask_unlock": (OPERATORS, None),
    "bodyworn.unlock_cameras": (None, OPERATORS),
    "bodyworn.profiles": (ALL, None),
    "bodyworn.profiles_fragment": (ALL, None),
    "bodyworn.new_profile": (OPERATORS, None),
    "bodyworn.create_profile": (None, OPERATORS),
    "bodyworn.profile": (ALL, None),
    "bodyworn.profile_fragment": (ALL, None),
    "bodyworn.save_profile": (None, OPERATORS),
    "bodyworn.make_default_profile": (None, OPERATORS),
    "bodyworn.ask_remove_profile": (OPERATORS, None),
    "bodyworn.remove_profile": (None, OPERATORS),
    "bodyworn.daily_use_guide": (ALL, None),
    "bodyworn.camera": (ALL, None),
    "bodyworn.camera_fragment": (ALL, None),
    "bodyworn.save_camera": (None, OPERATORS),
    "bodyworn.users": (ALL, None),
    "bodyworn.users_fragment": (ALL, None),
    "bodyworn.add_user": (None, OPERATORS),
    "bodyworn.give_profile": (None, OPERATORS),
    "bodyworn.give_wearers_profile": (None, OPERATORS),
    "bodyworn.user": (ALL, None),
    "bodyworn.user_fragment": (ALL, None),
    "bodyworn.save_user": (None, OPERATORS),
    "bodyworn.ask_remove_user": (OPERATORS, None),
    "bodyworn.remove_user": (None, OPERATORS),
    "bodyworn.bring_user_back": (None, OPERATORS),
    "bodyworn.users_template": (OPERATORS, None),
    "bodyworn.export_users": (OPERATORS, None),
    "bodyworn.ask_import_users": (OPERATORS, None),
    "bodyworn.check_users_file": (None, OPERATORS),
    "bodyworn.import_users": (None, OPERATORS),
    "bodyworn.recordings": (OPERATORS, None),
    "bodyworn.recordings_fragment": (OPERATORS, None),
    "bodyworn.recording": (OPERATORS, None),
    "bodyworn.recording_fragment": (OPERATORS, None),
    "bodyworn.recording_proof": (OPERATORS, None),
    "bodyworn.recording_clip": (OPERATORS, None),
    "bodyworn.open_recording_clip": (None, OPERATORS),
    "bodyworn.try_recording_again": (None, OPERATORS),
    "bodyworn.try_recordings_again": (None, OPERATORS),
    "bodyworn.try_destination_again": (None, ADMINISTRATORS),
    "bodyworn.push_again": (None, ADMINISTRATORS),
    "bodyworn.limit_uploads": (None, ADMINISTRATORS),
    "bodyworn.destination": (ALL, None),
    "bodyworn.destination_fragment": (ALL, None),
    "bodyworn.rehearse_destination": (None, ADMINISTRATORS),
    "bodyworn.ask_connect_destination": (ADMINISTRATORS, None),
    "bodyworn.connect_destination": (None, ADMINISTRATORS),
    "bodyworn.keep_recordings_here": (None, ADMINISTRATORS),
    "bodyworn.ask_destination_proxy": (ADMINISTRATORS, None),
    "bodyworn.set_destination_proxy": (None, ADMINISTRATORS),
    "bodyworn.export_connection_file": (None, ADMINISTRATORS),
    "bodyworn.verification": (OPERATORS, None),
    "bodyworn.verification_fragment": (OPERATORS, None),
    "bodyworn.check_now": (None, OPERATORS),
    "bodyworn.export_events": (OPERATORS, None),
    "bodyworn.audit_log": (ADMINISTRATORS, None),
    "bodyworn.export_audit_csv": (ADMINISTRATORS, None),
    "bodyworn.export_audit_lines": (ADMINISTRATORS, None),
    "bodyworn.received": (OPERATORS, None),
    "bodyworn.received_fragment": (OPERATORS, None),
    "bodyworn.received_recording": (OPERATORS, None),
    "bodyworn.received_clip": (OPERATORS, None),
    "bodyworn.received_still": (OPERATORS, None),
    "bodyworn_receiver.sign_in": (ITSELF, None),
    "bodyworn_receiver.account": (ITSELF, None),
    "bodyworn_receiver.container": (ITSELF, ITSELF),
    "bodyworn_receiver.stored_object": (ITSELF, ITSELF),
}
READING = frozenset({"GET", "HEAD"})
#: Flask's own answer to OPTIONS names the methods of an address; the host leaves that open, the plugin's gate does not.
OPEN_OPTIONS = re.compile(r"static|host\..*")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """A host whose system is set up; before, every page leads to the wizard (test_setup.py)."""
    built = host_app(tmp_path_factory.mktemp("access"))
    runtime = built.extensions["bodyworn"]
    with runtime.database.write() as session:
        found_system(session, Keyring(runtime.data_dir / "keys"))
    return built


@pytest.fixture(scope="module")
def browsers(app):
    return {role: signed_in(app, role) for role in ROLES} | {"nobody": app.test_client(use_cookies=False)}


@pytest.fixture(scope="module")
def tokens(browsers):
    return {role: token_of(browsers[role]) for role in ROLES} | {"nobody": ""}


def address_of(rule) -> str:
    """Fill a rule with things that do not exist, so that nothing is changed behind the gate."""
    return re.sub(r"<[^>]*>", "absent", rule.rule)


def cells(app) -> list[tuple[str, str, str]]:
    """List endpoint, address and method of everything the app answers; OPTIONS belongs to the first of an address."""
    routes = app.url_map.bind("localhost")
    asked = {(address_of(rule), method) for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    return sorted((routes.match(address, method)[0], address, method) for address, method in asked)


def allowed(endpoint: str, method: str) -> frozenset[str] | None:
    """Look up who may; None where the table has no such cell."""
    reading, changing = TABLE.get(endpoint, (None, None))
    if method == "OPTIONS":
        return EVERYBODY if OPEN_OPTIONS.fullmatch(endpoint) else reading or changing
    return reading if method in READING else changing


def outcome(answer) -> str:
    """Tell how a request was received: in, forbidden, or sent to sign in."""
    if answer.status_code == 401 or answer.headers.get("Location", "").startswith("/sign-in?next="):
        return "challenged"
    return "forbidden" if answer.status_code == 403 else "in"


def wanted(role: str, who: frozenset[str]) -> str:
    if role in who:
        return "in"
    return "challenged" if role == "nobody" or who == ITSELF else "forbidden"


def test_every_route_and_method_is_in_the_table_and_nothing_else(app):
    assert {endpoint for endpoint, _, _ in cells(app)} == set(TABLE)
    assert [cell for cell in cells(app) if allowed(cell[0], cell[2]) is None] == []


def test_an_unlisted_route_is_noticed(app):
    assert allowed("bodyworn.forgotten", "GET") is None
    assert allowed("bodyworn.status", "DELETE") is None


@pytest.mark.feature("HST-2")
@pytest.mark.parametrize("role", ["nobody", *ROLES])
def test_every_role_gets_what_the_table_says(app, browsers, tokens, role):
    for endpoint, address, method in cells(app):
        if endpoint in ("host.sign_out", "host.check"):
            continue  # these have tests of their own, because they end or begin a sign-in
        headers = {**SAME_ORIGIN, "X-CSRF-Token": tokens[role]}
        answer = browsers[role].open(address, method=method, headers=headers)
        assert outcome(answer) == wanted(role, allowed(endpoint, method)), (method, address, answer.status_code)
        assert answer.status_code < 500, (method, address)


@pytest.mark.parametrize("role", ["nobody", *ROLES])
def test_methods_that_a_route_does_not_have_are_refused(app, browsers, tokens, role):
    there: dict[str, set[str]] = {}
    for _, address, method in cells(app):
        there.setdefault(address, set()).add(method)
    for address, methods in there.items():
        for method in set(METHODS) - methods:
            answer = browsers[role].open(address, method=method, headers={"X-CSRF-Token": tokens[role]})
            assert answer.status_code == 405, (method, address)


def test_a_wrong_path_to_a_page_is_not_another_way_in(browsers):
    for path in (
        "/bodyworn//devices",
        "/bodyworn/./devices",
        "/bodyworn/%2e/devices",
        "/BODYWORN/devices",
        "/bodyworn/devices/",
        "/bodyworn/static/..%2fmanifest.json",
        "/bodyworn/static/../contract.py",
        "/static/..%2fserver.py",
        "//bodyworn/devices",
        "/bodyworn/devices%00",
        "/bodyworn;/devices",
    ):
        answer = browsers["nobody"].get(path)
        assert answer.status_code in (302, 308, 400, 401, 404), path
        assert "bw-" not in answer.text, path


def test_headers_that_claim_an_identity_are_not_believed(browsers):
    claims = {"X-Remote-User": "administrator", "X-Forwarded-User": "administrator", "Authorization": "Basic YTpi"}
    assert outcome(browsers["nobody"].get("/bodyworn/", headers=claims)) == "challenged"


def test_a_view_that_declares_nothing_answers_nobody(tmp_path):
    from bodyworn import access
    from bodyworn.runtime import Runtime
    from flask import Blueprint, Flask

    class Permissive:
        def user(self):
            return object()

        def can(self, permission):
            return True

    app = Flask("forgetful")
    page = Blueprint("bodyworn", "forgetful", url_prefix="/bodyworn")
    access.gate(page)
    page.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    app.register_blueprint(page)
    app.extensions["bodyworn"] = Runtime(Permissive(), None, tmp_path)
    assert app.test_client().get("/bodyworn/forgotten").status_code == 403
    app.testing = True
    assert app.test_client().get("/bodyworn/forgotten").status_code == 500


# --- forms ---------------------------------------------------------------------------------------------------------

OWN, FOREIGN = "http://localhost", "http://evil.example"
SITES = (None, "same-origin", "none", "same-site", "cross-site", "nonsense")
ORIGINS = (None, OWN, FOREIGN, "null", "https://localhost", "http://localhost:81", "http://localhost.evil.example")


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("token", ["own", "none", "another's"])
def test_changes_are_taken_from_pages_of_this_host_alone(browsers, tokens, site, origin, token):
    """Sec-Fetch-Site decides where it is sent, Origin otherwise; the host's token is needed on top of it."""
    headers = {"Sec-Fetch-Site": site, "Origin": origin}
    form = {"csrf_token": {"own": tokens["operator"], "none": "", "another's": tokens["administrator"]}[token]}
    sent = {name: value for name, value in headers.items() if value is not None}
    answer = browsers["operator"].post("/bodyworn/devices/add", headers=sent, data=form)
    proved = site in ("same-origin", "none") if site else origin == OWN
    assert outcome(answer) == ("in" if proved and token == "own" else "forbidden")


@pytest.mark.parametrize("path", ["/plugins/absent/disable", "/plugins/absent/enable", "/sign-out", "/language"])
def test_the_hosts_own_forms_need_the_token_of_the_sign_in(browsers, tokens, path):
    administrator = browsers["administrator"]
    assert administrator.post(path, headers=SAME_ORIGIN).status_code == 403
    assert administrator.post(path, data={"csrf_token": tokens["operator"]}).status_code == 403
    assert administrator.post(path, data={"csrf_token": "x" * 100_000}).status_code == 403
    assert administrator.post(path + "?csrf_token=" + tokens["administrator"]).status_code == 403


def test_the_machine_interface_needs_no_form_token(browsers):
    assert browsers["operator"].put("/bodyworn/receiver/v1/a/b").status_code == 401


# --- headers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["nobody", "administrator"])
def test_every_answer_carries_the_headers_that_keep_pages_apart(app, browsers, role):
    addresses = {address for _, address, _ in cells(app)} | {"/nowhere", "/static/host.css"}
    for address in addresses:
        with browsers[role].get(address) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, address
        assert "frame-ancestors 'none'" in policy, address
        assert "base-uri 'none'" in policy, address
        assert "unsafe" not in policy, address
        assert headers["X-Content-Type-Options"] == "nosniff", address
        assert headers["Referrer-Policy"] == "same-origin", address
        if "/static/" not in address:
            assert headers["Cache-Control"] == "no-store" or "private" in headers["Cache-Control"], address


def test_each_response_has_a_nonce_of_its_own(browsers):
    policies = {browsers["viewer"].get("/").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_pages_have_no_inline_style_or_handler(browsers):
    for path in ("/", "/search", "/alarms", "/plugins", "/bodyworn/", "/bodyworn/devices", "/bodyworn/destination"):
        page = browsers["administrator"].get(path).text
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page), path
        assert not re.search(r"<script(?![^>]*\b(src|nonce)=)", page), path
