"""The pages in a real browser: axe finds nothing, they live without being reloaded, and nobody loses their place."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import seed
from bodyworn.models import Bay, BayState, Controller
from hosting import PASSWORD, host_app
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Widths in pixels: the narrowest phone, a usual one, a tablet, a desk, 4K.
WIDTHS = (320, 390, 820, 1440, 3840)

pytestmark = [
    pytest.mark.flaky(reruns=2),  # a busy machine makes a real browser late now and then
    pytest.mark.feature("HST-2"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium at /usr/bin/chromium"),
]


class Quiet(WSGIRequestHandler):
    """Requests are not worth a line each."""

    def log_request(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    app = host_app(tmp_path_factory.mktemp("site"))
    database = app.extensions["bodyworn"].database
    ids = seed.seed(database)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(database=database, ids=ids, origin=f"http://127.0.0.1:{server.port}")
    server.shutdown()
    server.server_close()
    thread.join()
    database.close()


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def cookies(site, chromium):
    """Sign in once for all tests."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site.origin}/sign-in")
    page.fill("[name=name]", "administrator")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    found = context.cookies()
    context.close()
    return found


@pytest.fixture
def browse(site, chromium, cookies):
    """Open pages in a window of its own; complaints of the browser fail the test."""
    contexts, complaints = [], []

    def open_page(path, **settings):
        context = chromium.new_context(locale="en-GB", **settings)
        contexts.append(context)
        context.add_cookies(cookies)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{site.origin}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(said):
    """A form that is answered with 422 is no mistake of the page."""
    return said.type == "error" and "422" not in said.text


def addresses(ids):
    return (
        "/bodyworn/",
        "/bodyworn/devices",
        "/bodyworn/docks",
        f"/bodyworn/docks/{ids.dock}",
        f"/bodyworn/docks/{ids.dock}/forget",
        f"/bodyworn/devices/cameras/{ids.problem_camera}",
        f"/bodyworn/devices/cameras/{ids.new_camera}",
        "/bodyworn/recordings",
        f"/bodyworn/recordings/{ids.delivered}",
        f"/bodyworn/recordings/{ids.refused}",
        "/bodyworn/destination",
        "/bodyworn/settings",
        "/bodyworn/settings/date-and-time",
        "/bodyworn/settings/network",
        "/bodyworn/destination/connect",
        "/bodyworn/destination/proxy",
        "/bodyworn/verification",
        "/bodyworn/support",
        "/bodyworn/support/master-key",
        "/bodyworn/support/master-key/passphrase",
    )


@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1440)])
def test_axe_finds_nothing(site, browse, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = browse("/bodyworn/", color_scheme=scheme, viewport={"width": width, "height": 900})
    for path in addresses(site.ids):
        page.goto(f"{site.origin}{path}")
        for summary in page.locator("#bw-live summary").all()[:2]:
            summary.click()
        found = axe.run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"


def test_nothing_is_wider_than_the_window(site, browse):
    page = browse("/bodyworn/")
    for path in addresses(site.ids):
        page.goto(f"{site.origin}{path}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_what_can_be_touched_is_large_enough(site, browse):
    page = browse("/bodyworn/", viewport={"width": 390, "height": 900})
    for path in addresses(site.ids):
        page.goto(f"{site.origin}{path}")
        small = page.evaluate(
            """() => [...document.querySelectorAll(
                '.bw :is(button, select, summary, .bw-button, input:not([type=hidden], [type=checkbox]))')]
                .filter((e) => e.getBoundingClientRect().height && e.getBoundingClientRect().height < 38)
                .map((e) => e.outerHTML.slice(0, 80))"""
        )
        assert small == [], path


def test_reduced_motion_moves_nothing(browse):
    page = browse("/bodyworn/", reduced_motion="reduce")
    moving = page.evaluate(
        """() => [...document.querySelectorAll('.bw *')].filter((e) => {
            const s = getComputedStyle(e);
            return s.transitionDuration !== '0s' || s.animationName !== 'none'; }).length"""
    )
    assert moving == 0


def test_a_change_reaches_an_open_page_and_is_spoken_once(site, browse):
    page = browse("/bodyworn/devices")
    bay = page.locator("li.bw-bay", has_text="Miriam Okafor")
    assert "Synchronising" in bay.inner_text()
    _set_bay(site, BayState.READY)
    page.wait_for_function("() => document.getElementById('bw-announcer').textContent.includes('safe to undock')")
    assert "Ready · safe to undock" in bay.inner_text()
    _set_bay(site, BayState.SYNCHRONISING)
    page.wait_for_function("() => !document.getElementById('bw-announcer').textContent.includes('safe to undock')")


def test_progress_moves_without_being_spoken(site, browse):
    page = browse("/bodyworn/devices")
    bar = page.locator("progress").first
    before = float(bar.get_attribute("value"))
    _progress(site, 12_800_000_000)
    page.wait_for_function("value => document.querySelector('progress').value > value", arg=before)
    assert page.locator("#bw-announcer").inner_text() == ""
    _progress(site, 9_100_000_000)


def test_nobody_loses_focus_scroll_details_or_what_was_typed(site, browse):
    page = browse(f"/bodyworn/devices/cameras/{site.ids.ready_camera}", viewport={"width": 1440, "height": 500})
    page.fill("#new_user", "Half a na")
    page.locator(".bw-events summary").first.click()
    page.select_option("#camera_user", label="Sofia Rossi (1110)")
    page.focus("#new_user")
    page.evaluate("window.scrollTo(0, 120)")
    with page.expect_response(lambda answer: "/fragments/" in answer.url and answer.status == 200):
        _touch(site)
    page.wait_for_timeout(100)
    assert page.evaluate("document.activeElement.id") == "new_user"
    assert page.input_value("#new_user") == "Half a na"
    assert page.locator("#camera_user option:checked").inner_text() == "Sofia Rossi (1110)"
    assert page.locator(".bw-events details").first.get_attribute("open") is not None
    assert page.evaluate("window.scrollY") == 120


def test_a_page_that_nobody_changed_is_not_sent_again(browse):
    page = browse("/bodyworn/recordings")
    with page.expect_response(lambda answer: "/fragments/" in answer.url) as seen:
        pass
    assert seen.value.status == 304


def test_the_button_counts_what_is_selected(browse):
    page = browse("/bodyworn/devices")
    button = page.locator("#add-cameras")
    assert button.inner_text() == "Add cameras (1)"
    page.locator("[name=camera]").first.uncheck()
    assert button.inner_text() == "Add cameras (0)"
    assert button.is_disabled()


def test_a_wrong_form_takes_the_focus_to_its_summary(site, browse):
    page = browse(f"/bodyworn/devices/cameras/{site.ids.ready_camera}")
    page.fill("#name", "   ")
    page.get_by_role("button", name="Save camera").click()
    page.wait_for_function("() => document.activeElement.classList.contains('bw-summary')")
    assert page.locator("#name").get_attribute("aria-invalid") == "true"
    assert page.locator("#name").get_attribute("aria-describedby").strip() == "name-error"


def test_everything_is_there_without_javascript(site, browse):
    page = browse("/bodyworn/devices", java_script_enabled=False)
    assert page.locator("li.bw-bay").count() == 8
    page.goto(f"{site.origin}/bodyworn/recordings")
    page.select_option("#sort", "oldest")
    page.get_by_role("button", name="Search").click()
    assert "sort=oldest" in page.url
    page.goto(f"{site.origin}/bodyworn/recordings/{site.ids.delivered}")
    page.locator("summary").first.click()
    assert page.locator("details[open]").count() == 1


def test_a_notice_is_said_once(browse):
    page = browse("/bodyworn/devices?notice=cameras-added")
    assert page.locator("#bw-notice").is_visible()
    assert "notice" not in page.url


def _set_bay(site, state):
    with site.database.write() as session:
        session.scalars(select(Bay).where(Bay.position == 3)).one().state = state


def _progress(site, done_bytes):
    with site.database.write() as session:
        bay = session.scalars(select(Bay).where(Bay.position == 2)).one()
        bay.done_bytes, bay.progress_at = done_bytes, datetime.now(UTC)


def _touch(site):
    with site.database.write() as session:
        session.scalars(select(Controller)).one().heartbeat_at = datetime.now(UTC)
