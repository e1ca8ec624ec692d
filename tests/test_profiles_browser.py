"""Camera profiles in a real browser: nobody leaves changes behind unasked, and the guide is one page of paper."""

from __future__ import annotations

import re

import pytest
import test_browser
from bodyworn.models import Profile
from bodyworn.services import systems
from sqlalchemy import select

pytestmark = test_browser.pytestmark[:1] + test_browser.pytestmark[2:]
site, chromium, cookies, browse = (
    test_browser.site,
    test_browser.chromium,
    test_browser.cookies,
    test_browser.browse,
)


def profile_page(site, name="Best quality", more=""):
    with site.database.read() as session:
        return (
            "/bodyworn/camera-profiles/" + session.scalars(select(Profile.id).where(Profile.name == name)).one() + more
        )


@pytest.mark.feature("USR-3")
def test_leaving_with_changes_asks_and_without_them_does_not(site, browse):
    page = browse(profile_page(site))
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.click("text=Daily use guide")
    page.go_back()
    assert asked == []
    page.uncheck("#location")
    page.click("text=Daily use guide")
    page.wait_for_timeout(200)
    assert asked == ["beforeunload"]
    assert not page.is_checked("#location")
    page.click("text=Save profile")
    page.wait_for_selector("text=Version 2")
    assert asked == ["beforeunload"]


@pytest.mark.feature("USR-3")
@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1440)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(site, browse, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = browse("/bodyworn/", color_scheme=scheme, viewport={"width": width, "height": 900})
    own = [profile_page(site, "Long shift", more) for more in ("", "/remove", "/guide")]
    for path in ("/bodyworn/camera-profiles", "/bodyworn/camera-profiles/new", profile_page(site, "Default"), *own):
        page.goto(f"{site.origin}{path}")
        found = axe.run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


@pytest.mark.feature("USR-9")
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_guide_is_one_page_of_paper(site, browse, language):
    with site.database.write() as session:
        systems.current(session).language = language
    page = browse(profile_page(site, more="/guide"))
    assert page.is_visible("[data-bw-print]")
    printed = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    page.emulate_media(media="print")
    assert not page.is_visible(".bw-tabs")
    assert page.is_visible(".bw-guide")
