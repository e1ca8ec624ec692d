"""Camera users in a real browser: added, given a profile, imported from a file and removed, as people do it."""

from __future__ import annotations

import secrets

import pytest
import test_browser
from bodyworn.services import users

pytestmark = test_browser.pytestmark[:1] + test_browser.pytestmark[2:]
site, chromium, cookies, browse = (
    test_browser.site,
    test_browser.chromium,
    test_browser.cookies,
    test_browser.browse,
)


@pytest.mark.feature("USR-1")
def test_a_user_is_added_given_a_profile_and_removed(site, browse):
    name = f"Zoë {secrets.token_hex(4)}"  # a test that is run again finds what it left
    page = browse("/bodyworn/users")
    page.fill("#add-user #name", name)
    page.click("#add-user button")
    page.wait_for_selector("text=Added. The content destination is told.")
    with site.database.write() as session:
        users.create_user(session, name=f"Not {name}", actor="olga")
    page.wait_for_selector(f"text=Not {name}")
    assert page.is_visible("#bw-notice"), "it stays, whatever else changes"
    row = page.locator("tr").filter(has=page.get_by_role("link", name=name, exact=True))
    row.locator("input[type=checkbox]").check()
    page.select_option("#give-profile", label="Long shift")
    page.click("button:has-text('Give profile')")
    page.wait_for_selector("text=Saved. Cameras of these users")
    assert "Long shift" in row.inner_text()
    row.get_by_role("link", name=name, exact=True).click()
    page.click("text=Remove user")
    page.wait_for_selector("text=Never remove this user at the content destination")
    page.click("button:has-text('Remove user')")
    page.wait_for_selector("text=Removed. The content destination is told")
    assert row.count() == 0


@pytest.mark.feature("USR-5")
def test_a_file_is_looked_at_before_it_counts(site, browse, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("name;user_id;profile\nÅsa Öberg;S-1;Long shift\n", "utf-8-sig")
    page = browse("/bodyworn/users")
    page.click("text=Import users")
    page.set_input_files("#file", path)
    page.click("text=Check the file")
    page.wait_for_selector("text=What the file changes")
    assert "Åsa Öberg" in page.inner_text("table")
    page.click("button:has-text('Import users')")
    page.wait_for_selector("text=Imported. The content destination is told")
    assert "S-1" in page.inner_text("tr:has-text('Åsa Öberg')")


@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1440)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(site, browse, tmp_path, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = browse("/bodyworn/users", color_scheme=scheme, viewport={"width": width, "height": 900})
    one = page.locator("tbody tr td a").first.get_attribute("href")
    wrong, right = tmp_path / "wrong.csv", tmp_path / "right.csv"
    wrong.write_text("name\n\u202e\n")
    right.write_text("name\n" + "W" * 100 + "\n")
    for path in ("/bodyworn/users", one, f"{one}/remove", "/bodyworn/users/all/import", wrong, right):
        if isinstance(path, str):
            page.goto(f"{site.origin}{path}")
        else:
            page.goto(f"{site.origin}/bodyworn/users/all/import")
            page.set_input_files("#file", path)
            page.click("text=Check the file")
            page.wait_for_selector("table")
        found = axe.run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
