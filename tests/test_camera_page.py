"""The page with the simulated camera drawn on it: used by hand, in a browser, and by nobody else."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from bodyworn.camera_volume.port import HostPort
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.dock import SimulatedDock
from bodyworn.simulator.page import CameraPage
from bodyworn.simulator.run import wear_camera
from bodyworn.simulator.worn import WornCamera
from test_browser import ARGUMENTS, CHROMIUM
from test_simulator import Host, System

pytest.importorskip("av", reason="simulated cameras record with PyAV (the extra `media`)")
pytestmark = pytest.mark.feature("SIM-4")

SPEED = 20.0
MARK = {"X-Bodyworn-Camera": "1"}


@pytest.fixture
def dock(tmp_path: Path) -> SimulatedDock:
    return SimulatedDock(tmp_path / "dock", bays=1)


@pytest.fixture
def camera(tmp_path: Path, dock: SimulatedDock) -> Iterator[SimulatedCamera]:
    """A camera that is added and assigned, and lies on the table."""
    with SimulatedCamera(tmp_path / "camera", Build("SIM-0001"), speed=SPEED) as made:
        made.dock(dock.bay(1))
        Host(dock.bay(1), System()).enrol()
        made.undock()
        yield made
        made.undock()


@pytest.fixture
def page(camera: SimulatedCamera, dock: SimulatedDock) -> Iterator[CameraPage]:
    with WornCamera(camera) as worn, CameraPage(worn, dock.bay(1)) as served:
        yield served


def ask(page: CameraPage, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", int(page.url.rstrip("/").rpartition(":")[2]), timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_another_sites_page_cannot_use_the_camera(page: CameraPage) -> None:
    assert ask(page, "POST", "/press/power")[0] == 403
    assert ask(page, "POST", "/press/power", {**MARK, "Host": "example.org"})[0] == 403
    assert ask(page, "GET", "/state.json", {"Host": "example.org"})[0] == 403
    assert json.loads(ask(page, "GET", "/state.json")[1])["phase"] == "off"


@pytest.mark.parametrize("path", ["/press/nose", "/dock/2", "/fault/rain/on", "/../page.py"])
def test_what_there_is_not_is_not_found(page: CameraPage, path: str) -> None:
    assert ask(page, "POST", path, MARK)[0] == 404
    assert ask(page, "GET", path)[0] == 404


def test_a_bay_that_is_taken_is_said_in_words(page: CameraPage) -> None:
    assert ask(page, "POST", "/dock", MARK)[0] == 204
    status, said = ask(page, "POST", "/dock", MARK)
    assert (status, said.decode().split(".")[0]) == (409, "There is a camera in bay bay-01 already")


def test_faults_come_and_go(page: CameraPage) -> None:
    ask(page, "POST", "/fault/charging/on", MARK)
    ask(page, "POST", "/fault/sensor/on", MARK)
    ask(page, "POST", "/fault/charging/off", MARK)
    assert json.loads(ask(page, "GET", "/state.json")[1])["faults"] == ["sensor"]


def test_a_camera_is_used_on_a_page_until_it_is_stopped(tmp_path: Path, dock: SimulatedDock) -> None:
    stop, urls = threading.Event(), []

    def report(url: str) -> None:
        urls.append(url)
        stop.set()

    wear_camera(tmp_path / "other", Build("SIM-0002"), dock.bay(1), stop=stop, report=report)
    assert urls[0].startswith("http://127.0.0.1:")


@pytest.fixture
def chromium() -> Iterator[object]:
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium at /usr/bin/chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.mark.flaky(reruns=2)
def test_a_camera_is_pressed_held_docked_and_undocked(
    page: CameraPage, chromium, camera: SimulatedCamera, dock: SimulatedDock, tmp_path: Path
) -> None:
    tab = chromium.new_page(viewport={"width": 820, "height": 700})
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.goto(page.url)

    def shows(light: str, word: str) -> None:
        tab.wait_for_function(
            "([light, word]) => document.getElementById(`word-${light}`).textContent === word", arg=[light, word]
        )

    tab.locator("[data-button=power]").click()
    shows("docking", "pulsing amber")
    shows("operation", "green")
    tab.locator("[data-button=front]").click()
    shows("front", "red")
    tab.wait_for_selector("#heard li")
    tab.locator("[data-button=front]").focus()
    tab.keyboard.down("Space")
    shows("front", "dark")
    tab.keyboard.up("Space")
    assert len(camera.recordings()) == 1
    tab.get_by_role("button", name="Put into the dock").click()
    tab.get_by_role("button", name="Take out of the dock").wait_for()
    shows("battery", "green")
    shows("storage", "pulsing amber")
    assert HostPort(dock.bay(1)).state().plug is not None
    tab.screenshot(path=str(tmp_path / "camera.png"))
    tab.get_by_role("button", name="Take out of the dock").click()
    shows("operation", "green")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    assert [found["id"] for found in axe.run(tab).response["violations"]] == []
    assert complaints == []
