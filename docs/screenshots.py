"""Take the pictures of the four pages while transfers run: ``python docs/screenshots.py`` (about three minutes).

It starts the reference host on a scratch folder with a system of its own, lets four simulated cameras bring several
gigabytes, and takes each page in two sizes, light and dark, into ``docs/screenshots/``. Needs Chromium and playwright.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bodyworn.cli import rig
from bodyworn.models import Copy, Database, Place
from bodyworn.services import connection_files
from bodyworn.services.connection_files import Site
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.recorder import Wish
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select

PORT = 8097
BASE = f"http://127.0.0.1:{PORT}"
PAGES = {"status": "", "devices": "devices", "recordings": "recordings", "destination": "destination"}
SIZES = {"desktop": (1440, 1000), "phone": (390, 844)}
SERIALS = [f"SIM{number:04}" for number in range(1, 6)]
USERS = ["User 1041", "User 1067", "User 1088", "User 1102"]
TARGET = Path(__file__).resolve().parent / "screenshots"
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
COMMAND = str(Path(sys.executable).with_name("bodyworn"))


@contextmanager
def running(*arguments: str) -> Iterator[None]:
    """Keep a command running for the block's time."""
    process = subprocess.Popen([COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def answers() -> bool:
    """Tell whether the host is up."""
    try:
        urllib.request.urlopen(f"{BASE}/", timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def connect(system: rig.Rig) -> None:
    """Make the host its own content destination."""
    site = Site(name="Evidence store", authentication_uris=(f"{BASE}/bodyworn/receiver/auth/v1.0",))
    with system.database.write() as session:
        file = connection_files.export(session, system.keyring.box, site).data
    rig.connect(system, file)


def sign_in(browser: Browser, scheme: str, size: tuple[int, int], password: str) -> Page:
    """Open a browser window as the administrator."""
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(f"{BASE}/")
    page.fill("input[name=name]", "root")
    page.fill("input[name=password]", password)
    page.click("main button")
    page.wait_for_url(lambda address: "sign" not in address)
    return page


def take(windows: dict[str, Page]) -> None:
    """Take every page in every window."""
    for name, path in PAGES.items():
        for window, page in windows.items():
            page.goto(f"{BASE}/bodyworn/{path}")
            page.screenshot(path=TARGET / f"{name}-{window}.png", full_page=True)


def main() -> None:
    """Start everything, wait until recordings are on their way, and take the pictures."""
    folder = Path(tempfile.mkdtemp(prefix="bodyworn-screenshots-"))
    plugin = folder / "plugins" / "bodyworn"
    plugin.mkdir(parents=True, mode=0o700)
    password = folder / "password"
    password.write_text("for a scratch folder only")
    database = Database.at(f"sqlite:///{plugin / 'bodyworn.db'}")
    system = rig.build(database, plugin, name="Depot", passphrase=password.read_text(), bays=8, demonstration=True)
    serve = ("serve", "--data-dir", str(folder), "--port", str(PORT), "--admin-password-file", str(password))
    try:
        with running(*serve), sync_playwright() as playwright, ExitStack() as stack:
            rig.wait_until(answers, 30)
            connect(system)
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
            windows = {
                f"{size}-{scheme}": sign_in(browser, scheme, SIZES[size], password.read_text())
                for size in SIZES
                for scheme in ("light", "dark")
            }
            worn_a_shift(system, stack)
            take(windows)
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def worn_a_shift(system: rig.Rig, stack: ExitStack) -> None:
    """Let cameras be added, record, and stand in the dock again; returns when the first has been offloaded."""
    cameras = [
        stack.enter_context(SimulatedCamera(system.data_dir / "cameras" / serial, Build(serial=serial)))
        for serial in SERIALS
    ]
    bays = [system.dock.bay(number) for number in range(1, len(SERIALS) + 1)]
    for camera, bay in zip(cameras, bays, strict=True):
        camera.dock(bay)
    rig.wait_until(lambda: rig.add_new_cameras(system, SERIALS[:-1], USERS) < 0 or all_ready(cameras[:-1]), 60)
    for number, camera in enumerate(cameras[:-1], 1):
        camera.undock()
        bookmarks = ("Handover at the gate",) if number == 2 else ()
        camera.record(Wish(clips=3 + number, seconds=240.0, bookmarks=bookmarks))
    for camera, bay in zip(cameras[:-1], bays, strict=False):
        camera.dock(bay)
    rig.wait_until(lambda: something_is_sent(system), 60)


def all_ready(cameras: list[SimulatedCamera]) -> bool:
    """Tell whether every camera may go out."""
    return all(camera.describe().state == "ready" for camera in cameras)


def something_is_sent(system: rig.Rig) -> bool:
    """Tell whether a first clip is on its way to the destination."""
    with system.database.read() as session:
        return session.scalars(select(Copy).where(Copy.place == Place.DESTINATION)).first() is not None


if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    main()
