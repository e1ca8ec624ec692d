"""From docking to the page: how soon an operator sees a camera, and how soon its recordings begin to move."""

from __future__ import annotations

import http.cookiejar
import re
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bodyworn
from bodyworn.cli import rig
from bodyworn.const import DOMAIN
from bodyworn.models import Database
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.recorder import Wish
from measure import MIB, Goal, Plan, Row
from stage import enlist

#: An open page asks again this long after each answer (``static/live.js``).
PAGE_SECONDS = 1.0
_CLIP_BYTES = 4 * MIB
_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0
_LAUNCH = Path(bodyworn.__file__).with_name("launch.py")
_PAGE_NOTE = (
    "From `SimulatedCamera.dock()` until the fragment of the Devices page, fetched from `bodyworn serve` by somebody "
    "who has signed in, shows the bay occupied; and the second that an open page may take until it asks."
)
_BYTE_NOTE = "From `SimulatedCamera.dock()` until the first bytes of a recording are in the spool's `.part` file."


def rows(plan: Plan) -> Iterator[Row]:
    """Measure both, in the same dockings."""
    samples = _samples(plan)
    seen = statistics.median(page for page, _ in samples)
    first_byte = statistics.median(byte for _, byte in samples)
    at_most = Goal(2, at_most=True, unit="s")
    shown = f"{seen:.2f} s + {PAGE_SECONDS:.0f} s"
    yield Row("From docking to the page", shown, "", "", seen + PAGE_SECONDS, at_most, notes=(_PAGE_NOTE,))
    within = Goal(1, at_most=True, unit="s")
    yield Row(
        "From docking to the first byte read", f"{first_byte:.2f} s", "", "", first_byte, within, notes=(_BYTE_NOTE,)
    )


def _samples(plan: Plan) -> list[tuple[float, float]]:
    folder = plan.folder / "docking"
    data_dir = folder / "plugins" / DOMAIN
    data_dir.mkdir(parents=True)
    database = Database.at(f"sqlite:///{data_dir / f'{DOMAIN}.db'}")
    system = rig.build(
        database, data_dir, name="Bench", passphrase=secrets.token_urlsafe(24), bays=1, demonstration=True
    )
    try:
        with SimulatedCamera(data_dir / "camera", Build(serial="SIM0001")) as camera:
            enlist([camera], system)
            database.close()
            with _host(folder) as browser:
                # the first one, in which everything is loaded, does not count
                samples = [_dock(camera, system.dock.bay(1), browser, data_dir / "spool") for _ in range(plan.runs + 1)]
        return samples[1:]
    finally:
        database.close()
        shutil.rmtree(folder)


def _dock(camera: SimulatedCamera, bay: Path, browser: Browser, spool: Path) -> tuple[float, float]:
    """Record, dock and undock once; gives when the page showed it, and when the first byte came."""
    camera.record(Wish(size_bytes=_CLIP_BYTES))
    browser.wait_until_bay(lambda classes: "bw-bay--empty" in classes)
    first_byte: list[float] = []
    watcher = threading.Thread(target=lambda: first_byte.append(_first_byte_at(spool)))
    watcher.start()
    began = time.monotonic()
    camera.dock(bay)
    browser.wait_until_bay(lambda classes: "bw-bay--empty" not in classes)
    seen = time.monotonic()
    watcher.join()
    browser.wait_until_bay(lambda classes: "bw-bay--okay" in classes)
    camera.undock()
    return seen - began, first_byte[0] - began


def _first_byte_at(spool: Path) -> float:
    def begun() -> bool:
        return any(_size(part) for part in spool.glob("*/.*.part"))

    _wait_until(begun, 0.002)
    return time.monotonic()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _wait_until(condition: Callable[[], bool], pause_seconds: float) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("it did not happen in time")
        time.sleep(pause_seconds)


class Browser:
    """Somebody who has signed in and looks at the Devices page."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self._etag, self._classes = "", ""

    def sign_in(self, name: str, password: str) -> None:
        """Fill in the form."""
        page = self._get("/sign-in")
        token = re.findall(r'name="csrf_token" value="([^"]*)"', page)[-1]
        form = urllib.parse.urlencode({"name": name, "password": password, "csrf_token": token}).encode()
        self._opener.open(f"{self._base_url}/sign-in", form, timeout=_PATIENCE_SECONDS).close()

    def wait_until_bay(self, is_so: Callable[[str], bool]) -> None:
        """Ask for the page's live part, as the page does but more often, until the only bay looks like that."""
        _wait_until(lambda: is_so(self._bay()), _POLL_SECONDS)

    def _bay(self) -> str:
        request = urllib.request.Request(f"{self._base_url}/{DOMAIN}/fragments/devices")
        if self._etag:
            request.add_header("If-None-Match", self._etag)
        try:
            with self._opener.open(request, timeout=_PATIENCE_SECONDS) as answer:
                self._etag = answer.headers["ETag"]
                (self._classes,) = re.findall(r'<li id="bay-[^"]*" class="([^"]*)"', answer.read().decode())
        except urllib.error.HTTPError as error:
            if error.code != 304:
                raise
        return self._classes

    def _get(self, path: str) -> str:
        with self._opener.open(f"{self._base_url}{path}", timeout=_PATIENCE_SECONDS) as answer:
            text: str = answer.read().decode()
            return text


@contextmanager
def _host(folder: Path) -> Iterator[Browser]:
    """Run ``bodyworn serve``, which starts its controller, and sign in."""
    password = secrets.token_urlsafe(16)
    password_file = folder / "password"
    password_file.write_text(password)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-P", str(_LAUNCH), "serve", "--data-dir", str(folder), "--port", str(port)]
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--admin-password-file", str(password_file)], stdin=subprocess.PIPE, stdout=log, stderr=log
        )
    try:
        _wait_until(lambda: process.poll() is not None or _is_listening(port), 0.1)
        browser = Browser(f"http://127.0.0.1:{port}")
        browser.sign_in("root", password)
        yield browser
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
