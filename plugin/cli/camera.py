"""``bodyworn camera``: one camera that does not exist, kept in a bay until the command ends, or used on a page."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from ..simulator.build import Build
from ..simulator.run import run_camera, wear_camera


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="The camera's own folder.")
@click.option("--bay", type=click.Path(path_type=Path), required=True, help="Folder of the bay.")
@click.option("--serial", default="SIM0001", show_default=True)
@click.option("--page", type=click.IntRange(0, 65535), help="Use the camera on a page at this port; 0: any free one.")
@click.option("--speed", type=click.FloatRange(1, 1000), default=1.0, show_default=True, help="Of its time, on a page.")
def command(folder: Path, bay: Path, serial: str, page: int | None, speed: float) -> None:
    """Dock a simulated camera, and undock it at the end; or, with --page, have its buttons pressed by somebody."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if page is None:
        run_camera(folder, Build(serial=serial), bay, stop=stop)
    else:
        wear_camera(folder, Build(serial=serial), bay, stop=stop, port=page, speed=speed, report=_report)


def _report(url: str) -> None:
    click.echo(f"A camera to hold in your hands: {url}")
