"""First visit and wizard in a real browser, as a person goes through them, against the command that people start.

Every page is looked at by axe, at a desk in the light and on a phone in the dark. With ``BODYWORN_PICTURES`` set to a
folder, the pictures of the guide (``docs/setup.md``) are taken on the way.
"""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from bodyworn.cli import rig
from bodyworn_host.server import free_port
from test_browser import ARGUMENTS, CHROMIUM

PASSWORD = "moss-lantern-quiet-harbour"
PASSPHRASE = "grey harbour lantern seven moths"
TOKEN = re.compile(r"\b(?:[a-z0-9]{6}-){3}[a-z0-9]{6}\b")
PICTURES = Path(os.environ["BODYWORN_PICTURES"]) if "BODYWORN_PICTURES" in os.environ else None
LOOKS = (("desktop-light", 1440, 900, "light"), ("phone-dark", 390, 844, "dark"))

pytestmark = [
    pytest.mark.flaky(reruns=1),  # a busy machine makes a real browser late now and then
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium at /usr/bin/chromium"),
]


@contextmanager
def serving(data_dir):
    """Start the host on an empty folder, and read the setup token from its console."""
    port = free_port("127.0.0.1")
    command = [str(Path(sys.executable).with_name("bodyworn")), "serve", "--data-dir", str(data_dir)]
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    console, ready, told = [], threading.Event(), []

    def read():
        for line in process.stdout:
            console.append(line)
            told.extend(TOKEN.findall(line))
            if told:
                ready.set()
        ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert ready.wait(60), "".join(console)
        assert len(told) == 1, "".join(console)
        assert rig.wait_until(lambda: answers(port), 30), "".join(console)
        yield SimpleNamespace(origin=f"http://127.0.0.1:{port}", token=told[0], data_dir=data_dir)
    finally:
        process.terminate()
        process.wait(30)
        reader.join()
        process.stdout.close()


def answers(port):
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


class Person:
    """Somebody in front of a browser, who looks at every page before doing anything on it."""

    def __init__(self, chromium, site, pictures=None, seen=()):
        self.page = chromium.new_context(locale="en-GB", viewport={"width": 1440, "height": 900}).new_page()
        self.origin, self.pictures, self.seen = site.origin, pictures, set(seen)

    def look(self, name):
        """See a page, the first time, at a desk and on a phone; axe finds nothing, nothing is wider than the window."""
        if name in self.seen:
            return
        self.seen.add(name)
        axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
        for look, width, height, scheme in reversed(LOOKS):
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.emulate_media(color_scheme=scheme)
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width, (name, look)
            found = axe.run(self.page)
            assert found.violations_count == 0, f"{name}, {look}: {found.generate_report()}"
            if self.pictures:
                self.page.screenshot(path=self.pictures / f"setup-{name}-{look}.png", full_page=True)

    def press(self, button):
        self.page.get_by_role("button", name=button, exact=True).click()

    def follow(self, link):
        self.page.get_by_role("link", name=link, exact=True).click()

    def first_visit(self, token):
        """Come with the token of the console; it leads to the wizard in the end."""
        self.page.goto(f"{self.origin}/")
        assert "/first-visit" in self.page.url
        self.look("first-visit")
        self.page.fill("[name=token]", token)
        self.page.fill("[name=new]", PASSWORD)
        self.page.fill("[name=again]", PASSWORD)
        self.page.locator("main form button[type=submit], main form button:not([type])").last.click()
        self.page.wait_for_url(lambda address: "first-visit" not in address)
        self.page.goto(f"{self.origin}/bodyworn/devices")
        assert self.at() == ""

    def sign_in(self):
        self.page.goto(f"{self.origin}/sign-in")
        self.page.fill("[name=name]", "root")
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main button")

    def at(self):
        """Tell which step of the wizard is shown."""
        assert "/bodyworn/setup" in self.page.url, self.page.url
        return self.page.url.partition("/bodyworn/setup")[2].strip("/")

    def go_to_the_master_key(self):
        self.press("Create a new system")
        self.look("1-firmware")
        self.press("Continue with this version")
        self.look("2-network")
        self.press("Use this network")
        assert self.at() == "date-and-time"
        self.look("3-date-and-time")
        self.page.select_option("#time_zone", "Europe/Vienna")
        self.press("Use this date and time")
        self.look("4-destination")
        self.press("Keep recordings on this server")
        self.look("4-destination-connected")
        self.press("Continue")
        self.look("5-power-line")
        assert self.page.get_by_label("50 Hz").is_checked()
        self.press("Use this frequency")
        assert self.at() == "master-key"

    def name_and_finish(self, name):
        self.look("7-name")
        self.page.fill("#name", name)
        self.press("Use this name")
        self.look("8-finish")
        self.press("Finish the setup")
        self.page.wait_for_url(f"{self.origin}/bodyworn/")
        assert name in self.page.inner_text("body")
        assert "Left to do after the setup" in self.page.inner_text("body")


def system_of(site):
    with sqlite3.connect(site.data_dir / "plugins" / "bodyworn" / "bodyworn.db") as database:
        return database.execute("SELECT id, epoch, name, time_zone FROM bodyworn_system").fetchone()


def controller_reports(page):
    """Wait until the controller process, which waited for the system, shows as running."""
    page.wait_for_function("() => !document.body.innerText.includes('Unavailable')", timeout=60_000)


@pytest.fixture(scope="module")
def created(chromium, tmp_path_factory):
    """Go through First visit and wizard on an empty folder, and keep the master key."""
    folder = tmp_path_factory.mktemp("created")
    with serving(folder / "data") as site:
        person = Person(chromium, site, PICTURES)
        person.first_visit(site.token)
        person.look("0-start")
        person.follow("Extend an existing system")
        person.look("0-extend")
        person.follow("Back")
        person.go_to_the_master_key()
        left_and_back = Person(chromium, site)
        left_and_back.sign_in()
        left_and_back.page.goto(f"{site.origin}/bodyworn/recordings")
        came_back_to = left_and_back.at()
        left_and_back.page.context.close()
        person.look("6-master-key")
        person.page.fill("#wanted", PASSPHRASE)
        person.page.get_by_text("Hard to guess").wait_for()
        person.page.fill("#again", PASSPHRASE)
        person.press("Make the master key")
        person.look("6-master-key-made")
        with person.page.expect_download() as download:
            person.press("Download the master key")
        download.value.save_as(folder / "key.bwmk")
        person.press("Continue")
        person.name_and_finish("North depot")
        controller_reports(person.page)
        person.look("9-status")
        person.page.context.close()
        return SimpleNamespace(
            key=folder / "key.bwmk", came_back_to=came_back_to, system=system_of(site), seen=person.seen
        )


@pytest.mark.feature("SET-1")
@pytest.mark.feature("SET-11")
@pytest.mark.feature("SET-12")
def test_a_person_sets_a_system_up_from_the_console_to_its_status(created):
    _, epoch, name, time_zone = created.system
    assert (epoch, name, time_zone) == (1, "North depot", "Europe/Vienna")
    assert created.key.read_bytes().startswith(b'{"type":"bwm-master-key"')


@pytest.mark.feature("SET-1")
def test_leaving_and_coming_back_continues_at_the_same_step(created):
    assert created.came_back_to == "master-key"


@pytest.mark.feature("SET-9")
def test_a_second_machine_becomes_the_same_system_with_the_key_and_only_with_its_passphrase(
    chromium, created, tmp_path
):
    with serving(tmp_path / "data") as site:
        person = Person(chromium, site, PICTURES, created.seen)
        person.first_visit(site.token)
        person.go_to_the_master_key()
        person.follow("Upload an existing master key")
        person.look("6-restore")
        upload(person, created.key, "not the passphrase of this")
        assert "The passphrase is wrong" in person.page.inner_text("main")
        assert "Nothing was changed" in person.page.inner_text("main")
        assert system_of(site) is None
        person.look("6-restore-wrong")
        upload(person, created.key, PASSPHRASE)
        person.page.get_by_text("This is the system of that master key again.").wait_for()
        person.look("6-restored")
        with person.page.expect_download():
            person.press("Download the master key")
        person.press("Continue")
        person.name_and_finish("North depot")
        person.page.context.close()
        system_id, epoch, *_ = system_of(site)
    assert (system_id, epoch) == (created.system[0], 2)


def upload(person, key, passphrase):
    person.page.fill("#passphrase", passphrase)
    person.page.set_input_files("#file", key)
    person.press("Upload")
    person.page.wait_for_load_state()
