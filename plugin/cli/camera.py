"""``bodyworn camera``: one camera that does not exist, kept in a bay until the command ends."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from ..simulator.build import Build
from ..simulator.run import run_camera


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="The camera's own folder.")
@click.option("--bay", type=click.Path(path_type=Path), required=True, help="Folder of the bay.")
@click.option("--serial", default="SIM0001", show_default=True)
def command(folder: Path, bay: Path, serial: str) -> None:
    """Dock a simulated camera; end the command to undock it."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_camera(folder, Build(serial=serial), bay, stop=stop)
