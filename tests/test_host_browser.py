"""The host's pages about accounts in a real browser: axe finds nothing, in both languages, at a desk and on a phone."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from bodyworn_host import accounts, state
from bodyworn_host.database import SignedIn, db, now
from hosting import PASSWORD, host_alone
from test_browser import ARGUMENTS, CHROMIUM, Quiet
from werkzeug.serving import make_server

LOOKS = (("en-GB", "light", 1440), ("de-DE", "dark", 320))

pytestmark = [
    pytest.mark.flaky(reruns=1),  # a busy machine makes a real browser late now and then
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium at /usr/bin/chromium"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    app = host_alone(tmp_path_factory.mktemp("host"))
    with app.app_context():
        accounts.create(state.of(app).passwords, "root", "administrator", PASSWORD)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(app=app, origin=f"http://127.0.0.1:{server.port}")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def windows(chromium):
    """Open windows; complaints of the browser fail the test."""
    contexts, complaints = [], []

    def open_window(**settings):
        context = chromium.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page, site) -> None:
    page.goto(f"{site.origin}/sign-in")
    page.fill("[name=name]", "root")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{site.origin}/")


def addresses(site) -> list[str]:
    with site.app.app_context():
        made = {account.name: account.id for account in accounts.every()}
    one = f"/accounts/{made['viewer']}"
    return [
        "/account?done=password",
        "/accounts?done=added",
        one,
        f"{one}/remove",
        f"/accounts/{made['root']}",
        "/confirm",
    ]


@pytest.mark.feature("CRT-3")
@pytest.mark.parametrize(("language", "scheme", "width"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(site, windows, language, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = windows(locale=language, color_scheme=scheme, viewport={"width": width, "height": 900})
    sign_in(page, site)
    for path in addresses(site):
        page.goto(site.origin + path)
        for summary in page.locator("summary").all():
            summary.click()
        if page.locator("#new-password").count():
            page.fill("#new-password", "violet harbour")
            page.wait_for_selector("#password-strength meter")
        found = axe.run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.feature("CRT-3")
def test_an_account_is_added_with_a_suggested_password_and_signs_in_with_it(site, windows):
    page = windows(locale="en-GB")
    sign_in(page, site)
    with site.app.app_context():
        db.session.query(SignedIn).update({"confirmed_at": now().replace(year=2020)})
        db.session.commit()
    page.get_by_role("link", name="Accounts", exact=True).click()
    page.get_by_label("Password of root").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("Kim Example")
    page.get_by_label("Role").select_option("operator")
    page.get_by_text("Suggest a password").click()
    suggested = page.locator("#suggested-password").text_content()
    page.get_by_role("button", name="Use this one").click()
    page.get_by_text("Very strong.").wait_for()
    page.get_by_role("button", name="Add the account").click()
    page.get_by_text("The account is there.").wait_for()
    kim = windows(locale="en-GB")
    kim.goto(f"{site.origin}/sign-in")
    kim.fill("[name=name]", "Kim Example")
    kim.fill("[name=password]", suggested)
    kim.click("main button")
    kim.get_by_role("link", name="Kim Example").wait_for()
