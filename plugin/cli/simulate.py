"""``bodyworn simulate``: a dock full of cameras that do not exist."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path

import click

from ..simulator.build import Build
from ..simulator.recorder import Recorded, Wish
from ..simulator.run import Shift, run_simulation


@click.command()
@click.option("--dock", type=click.Path(path_type=Path), required=True, help="Folder of the dock; made if missing.")
@click.option("--cameras", type=click.IntRange(1, 99), default=4, show_default=True)
@click.option("--clips", type=click.IntRange(1, 100), default=2, show_default=True, help="Clips a recording.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="Length of a clip.")
@click.option("--worn", type=float, default=15.0, show_default=True, help="Seconds out of the dock.")
@click.option("--docked", type=float, default=30.0, show_default=True, help="Seconds in the dock when empty.")
@click.option("--shifts", type=click.IntRange(1), help="Stay docked after so many; for ever if not given.")
@click.option("--prefix", default="SIM", show_default=True, help="Beginning of serial numbers.")
def command(
    dock: Path,
    cameras: int,
    clips: int,
    seconds: float,
    worn: float,
    docked: float,
    shifts: int | None,
    prefix: str,
) -> None:
    """Let cameras be worn, record, be docked, and go out again when they are empty."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    shift = Shift(wish=Wish(clips=clips, seconds=seconds), worn_seconds=worn, docked_seconds=docked, limit=shifts)
    run_simulation(
        dock, lambda number: Build(serial=f"{prefix}{number:04}"), cameras, stop=stop, shift=shift, report=_report
    )


def _report(serial: str, recorded: Recorded) -> None:
    sizes = ", ".join(f"{clip.name} ({clip.size_bytes} bytes)" for clip in recorded.clips)
    logging.getLogger("bodyworn.simulator").info("%s recorded %s", serial, sizes)
