"""``bodyworn controller``: the process that works with docks and destinations, alone on its machine."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path

import click

from .. import signals
from ..errors import DatabaseOutdated, NoSystem
from ..hw import auditor
from ..hw.controller import Controller
from ..hw.faults import hook_from_environment
from ..models import Database
from ..supervise import DATABASE_VARIABLE

_LOOK_SECONDS = 1.0


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), required=True, help="The plugin's folder.")
@click.option("--database", envvar=DATABASE_VARIABLE, required=True, help=f"Better given in {DATABASE_VARIABLE}.")
@click.option("--uploads", type=click.IntRange(1, 16), help="Recordings sent at a time, whatever the Docks page says.")
@click.option(
    "--audit-rate",
    type=click.FloatRange(min=0.1),
    default=auditor.BYTES_PER_SECOND / 1e6,
    show_default=True,
    help="Megabytes a second at which stored copies are read again while nothing is taken in.",
)
def command(data_dir: Path, database: str, uploads: int | None, audit_rate: float) -> None:
    """Work with the docks of this machine until it is told to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    opened = Database.at(database)
    controller = Controller(
        opened,
        data_dir,
        hook=hook_from_environment(),
        uploads=uploads,
        audit_bytes_per_second=audit_rate * 1e6,
    )
    with signals.telling(opened, data_dir):
        while not stop.is_set():
            try:
                return controller.run(stop)
            except (NoSystem, DatabaseOutdated):
                # Nothing to work for yet: somebody is at the wizard, or the host is bringing the tables up to date.
                stop.wait(_LOOK_SECONDS)
