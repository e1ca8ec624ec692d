"""A received recording in a real browser: timeline and map follow what is played, and axe finds nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import seed
from bodyworn.destination.client import Client
from bodyworn.destination.connection_file import parse
from bodyworn.services import connection_files, received_recordings
from bodyworn.services.connection_files import Site
from bodyworn_host.server import Server, free_port
from bodyworn_host.settings import Settings
from delivery import SentBookmark, SentRecording, real_clip, send
from hosting import PASSWORD, host_app

CHROMIUM = Path("/usr/bin/chromium")
FIRST, SECOND, BROKEN = "20240301_101500_7CF7.mkv", "20240301_101510_7CF7.mp4", "20240301_101520_7CF7.mkv"
WIDTHS = (320, 390, 820, 1440)

pytestmark = [
    pytest.mark.flaky(reruns=2),  # a busy machine makes a real browser late now and then
    pytest.mark.feature("REC-8"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium at /usr/bin/chromium"),
]


@dataclass(frozen=True)
class Shown:
    """A host that has received two recordings; where their pages are."""

    origin: str
    plain: str
    encrypted: str


def walked(seconds: int) -> list[tuple[float, float, float]]:
    """Walk a bent way, with a gap of a minute in the middle of it."""
    return [
        (at, 55.7185 + 0.00001 * at, 13.225 + 0.0004 * math.sin(at / 9))
        for at in [*range(seconds // 2), *range(seconds // 2 + 60, seconds + 60)]
    ]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    pytest.importorskip("av", reason="PyAV is not installed")
    port = free_port("127.0.0.1")
    app = host_app(tmp_path_factory.mktemp("site"), port=port)
    with app.extensions["bodyworn"].database.write() as session:
        seed.found_system(session, datetime.now(UTC), time_zone="UTC")
    server = Server(app, Settings(Path(), port=port))
    server.start()
    origin = f"http://127.0.0.1:{port}"
    try:
        yield Shown(origin, receive(app, origin, encrypt=False), receive(app, origin, encrypt=True))
    finally:
        server.stop()
        app.extensions["bodyworn"].database.close()


def receive(app: Any, origin: str, *, encrypt: bool) -> str:
    """Send a recording to the host; gives the address of its page."""
    runtime, serial = app.extensions["bodyworn"], "SECRET01" if encrypt else "PLAIN001"
    site = Site(name="North", authentication_uris=(f"{origin}/bodyworn/receiver/auth/v1.0",), want_encryption=encrypt)
    with runtime.database.write() as session:
        connection = parse(connection_files.export(session, runtime.secrets, site).data)
    client = Client(connection, timeout_seconds=20)
    bookmarks = [
        SentBookmark(3, "Sees the car,\nnumber plate ABC 123", ("5", "Traffic"), [("case", "12"), ("urgent", "")]),
        SentBookmark(12),
    ]
    clips = {
        FIRST: (real_clip("mkv"), 0, 6),
        SECOND: (real_clip("mp4"), 10, 6),
        BROKEN: (b"no clip at all", 20, 5),
    }
    try:
        send(client, connection, SentRecording(serial, clips, walked(200), bookmarks, seconds=260))
    finally:
        client.close()
    with runtime.database.read() as session:
        (row,) = received_recordings.list_recordings(session, serial).rows
    return f"/bodyworn/received/{row.id}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--autoplay-policy=no-user-gesture-required"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def cookies(shown: Shown, chromium: Any) -> Any:
    """Sign in once for all tests."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{shown.origin}/sign-in")
    page.fill("[name=name]", "operator")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    found = context.cookies()
    context.close()
    return found


@pytest.fixture
def browse(shown: Shown, chromium: Any, cookies: Any) -> Iterator[Callable[..., Any]]:
    """Open pages in windows of their own; complaints of the browser fail the test, but for absent stills."""
    contexts, complaints = [], []

    def open_page(path: str, **settings: Any) -> Any:
        context = chromium.new_context(locale="en-GB", **settings)
        contexts.append(context)
        context.add_cookies(cookies)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{shown.origin}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(said: Any) -> bool:
    return said.type == "error" and not said.location["url"].endswith("/still")


@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1440)])
def test_axe_finds_nothing(shown: Shown, browse: Callable[..., Any], scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    for path in (shown.plain, f"{shown.encrypted}?at=3"):
        page = browse(path, color_scheme=scheme, viewport={"width": width, "height": 900})
        page.locator("#positions summary").click()
        found = axe.run(page)
        assert found.violations_count == 0, found.generate_report()


def test_nothing_is_wider_than_the_window_and_what_can_be_touched_is_large_enough(
    shown: Shown, browse: Callable[..., Any]
) -> None:
    page = browse(shown.plain)
    page.locator("#positions summary").click()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """() => [...document.querySelectorAll('.bw :is(button, summary, .bw-button, a.bw-when)')]
            .filter((e) => e.getBoundingClientRect().height && e.getBoundingClientRect().height < 38)
            .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_a_bookmark_leads_to_its_moment_in_the_player_and_the_map_goes_along(
    shown: Shown, browse: Callable[..., Any]
) -> None:
    page = browse(shown.plain)
    here = page.locator("[data-bw-here]")
    assert here.get_attribute("visibility") == "hidden"
    before = here.get_attribute("cx")
    page.locator("a.bw-when[data-bw-seek='3.0']").click()
    page.wait_for_function("name => document.querySelector(`video[aria-label*='${name}']`).currentTime >= 3", arg=FIRST)
    assert "at=" not in page.url
    assert here.get_attribute("visibility") is None
    page.wait_for_function("cx => document.querySelector('[data-bw-here]').getAttribute('cx') !== cx", arg=before)


def test_a_click_on_the_timeline_leads_to_that_moment(shown: Shown, browse: Callable[..., Any]) -> None:
    page = browse(shown.plain)
    clip = page.locator(".bw-timeline a").nth(1)
    box = clip.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        """name => {
          const at = document.querySelector(`video[aria-label*='${name}']`).currentTime;
          return at > 2 && at < 6 && [...document.querySelectorAll("video")].filter((one) => !one.paused).length === 1;
        }""",
        arg=SECOND,
        polling=50,
    )


#: A position set before the browser knows the length would be forgotten.
PLAY_THE_END = """async (video) => {
  if (video.readyState < 1) {
    video.load();
    await new Promise((done) => video.addEventListener("loadedmetadata", done, { once: true }));
  }
  video.currentTime = 5.5;
  await video.play();
}"""


def test_the_next_clip_follows_the_one_that_ended(shown: Shown, browse: Callable[..., Any]) -> None:
    page = browse(shown.encrypted)
    page.locator(f"video[aria-label*='{FIRST}']").evaluate(PLAY_THE_END)
    page.wait_for_function("name => !document.querySelector(`video[aria-label*='${name}']`).paused", arg=SECOND)


def test_stills_are_shown_and_where_there_is_none_words_are(shown: Shown, browse: Callable[..., Any]) -> None:
    page = browse(shown.encrypted)
    page.locator(".bw-moments").scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelectorAll('img.bw-still').length === 2")
    page.wait_for_function("() => [...document.querySelectorAll('img.bw-still')].every((still) => still.naturalWidth)")
    assert page.locator(".bw-still--none").inner_text() == "No picture"
    page.reload()
    assert page.locator(".bw-still--none").inner_text() == "No picture"


def test_without_javascript_links_lead_to_the_moment(shown: Shown, browse: Callable[..., Any]) -> None:
    page = browse(shown.plain, java_script_enabled=False)
    page.locator("a.bw-when", has_text=re.compile("10:15:12")).first.click()
    assert page.url.endswith("?at=12.0#part-2")
    assert page.locator(f"video[aria-label*='{SECOND}'] source").get_attribute("src").endswith("#t=2.0")
    assert page.locator("[data-bw-here]").get_attribute("visibility") is None
    page.locator("#positions summary").click()
    assert page.locator("#positions tbody tr").count() == 100
