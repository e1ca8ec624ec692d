"""Shifts that never happened: simulated cameras are worn, record, are docked, and go out again when empty."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..camera_volume.documents import CameraState
from .build import Build
from .camera import SimulatedCamera
from .dock import SimulatedDock
from .page import CameraPage
from .recorder import Recorded, Wish
from .worn import WornCamera

_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True)
class Shift:
    """How cameras are used: what each records a shift, how long it is out, how long it rests in its bay when empty.

    One that was never out goes as soon as it is ready.
    """

    wish: Wish = field(default_factory=Wish)
    recordings: int = 1
    worn_seconds: float = 2.0
    docked_seconds: float = 20.0
    #: Shifts of each camera; it stays docked afterwards. None: no limit.
    limit: int | None = None


@dataclass
class _Worn:
    camera: SimulatedCamera
    bay: Path
    since: float
    shifts: int = 0


def run_simulation(
    dock_folder: Path,
    build: Callable[[int], Build],
    cameras: int,
    *,
    stop: threading.Event,
    shift: Shift | None = None,
    report: Callable[[str, Recorded], None] = lambda serial, recorded: None,
) -> None:
    """Run a dock full of cameras until ``stop`` is set; cameras keep what they have for the next time.

    A new camera waits in its bay until a host has added and assigned it.

    Args:
        dock_folder: Bays and, in ``cameras``, the cameras themselves.
        build: Gives what camera number n is made as, counted from one.
        cameras: How many, each with a bay of its own.
        stop: Ends the simulation, within a second or the recording in hand.
        shift: How they are used.
        report: Told of each recording that was made, with the camera's serial number.
    """
    plan = shift or Shift()
    dock = SimulatedDock(dock_folder, cameras)
    with ExitStack() as stack:
        worn = [
            _Worn(stack.enter_context(_camera(dock_folder, build(number))), dock.bay(number), time.monotonic())
            for number in range(1, cameras + 1)
        ]
        while not stop.is_set():
            for one in worn:
                _go_on(one, plan, report)
            stop.wait(_POLL_SECONDS)


def run_camera(folder: Path, build: Build, bay: Path, *, stop: threading.Event) -> None:
    """Keep one camera docked in a bay until ``stop`` is set, and undock it then."""
    with SimulatedCamera(folder, build) as camera:
        if not camera.docked():
            camera.dock(bay)
        stop.wait()
        camera.undock()


def wear_camera(
    folder: Path,
    build: Build,
    bay: Path,
    *,
    stop: threading.Event,
    port: int = 0,
    speed: float = 1.0,
    report: Callable[[str], None] = lambda url: None,
) -> None:
    """Let somebody use one camera on a page of its own until ``stop`` is set; it stays where it is then.

    Args:
        folder: The camera's own.
        build: What to make it as.
        bay: Where it goes when it is docked.
        stop: Ends it.
        port: Of the page, on loopback; 0 takes any free one.
        speed: How much faster than real the camera's time runs.
        report: Told the page's address.
    """
    with (
        SimulatedCamera(folder, build, speed=speed) as camera,
        WornCamera(camera) as worn,
        CameraPage(worn, bay, port) as page,
    ):
        report(page.url)
        stop.wait()


def _camera(dock_folder: Path, build: Build) -> SimulatedCamera:
    return SimulatedCamera(dock_folder / "cameras" / build.serial, build)


def _go_on(one: _Worn, shift: Shift, report: Callable[[str, Recorded], None]) -> None:
    camera, now = one.camera, time.monotonic()
    if not camera.docked():
        if now - one.since >= shift.worn_seconds:
            camera.dock(one.bay)
            one.since = now
        return
    rested = (one.shifts == 0 or now - one.since >= shift.docked_seconds) and (
        shift.limit is None or one.shifts < shift.limit
    )
    if rested and not camera.recordings() and camera.describe().state is CameraState.READY:
        camera.undock()
        one.shifts += 1
        for _ in range(shift.recordings):
            report(camera.serial, camera.record(shift.wish))
        one.since = time.monotonic()
