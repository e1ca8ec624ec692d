"""A system to be looked at: set up, marked as a demonstration, with simulated cameras that record and are emptied.

Used by ``bodyworn serve --demonstration``. Recordings go to the receiver of the same host, the way they would to any
other content destination.
"""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..const import DOMAIN
from ..errors import BodywornError, DestinationUnreachable
from ..migrations.run import upgrade
from ..models import Database
from ..services import connection_files, destinations
from ..services.connection_files import Site
from . import rig

log = logging.getLogger(__name__)

BAYS = 8
#: Four go through their shifts; the fifth waits under New for somebody to add it.
USERS = ("User 1041", "User 1067", "User 1088", "User 1102")
_SERIALS = tuple(f"SIM{number:04}" for number in range(1, len(USERS) + 1))
_LOOK_SECONDS = 1.0
_LAUNCH = Path(__file__).resolve().parent.parent / "launch.py"
#: Lies on the table until somebody uses it, on a page of its own.
_HANDHELD = "SIM0006"
_HANDHELD_BAY = 6
_SHIFTS = ("--cameras", "5", "--clips", "2", "--seconds", "90", "--worn", "20", "--docked", "60", "--shifts", "4")


def password_file(data_dir: Path) -> Path:
    """Give the file with the demonstration's administrator password, made at the first start."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = data_dir / "demonstration-password"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(9))
    return path


@contextmanager
def running(data_dir: Path, base_url: str) -> Iterator[None]:
    """Set the system up, and keep its cameras busy for the block's time."""
    folder = data_dir.absolute() / "plugins" / DOMAIN
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database.at(f"sqlite:///{folder / f'{DOMAIN}.db'}")
    upgrade(database.engine)
    passphrase = secrets.token_urlsafe(24)
    system = rig.build(database, folder, name="Depot", passphrase=passphrase, bays=BAYS, demonstration=True)
    stop = threading.Event()
    thread = threading.Thread(target=_attend, args=(system, base_url, stop), name="demonstration", daemon=True)
    thread.start()
    try:
        dock = folder / "dock"
        with _simulation(dock, data_dir / "simulation.log"), _handheld(dock, system.dock.bay(_HANDHELD_BAY)):
            yield
    finally:
        stop.set()
        thread.join(timeout=10)
        database.close()


def _attend(system: rig.Rig, base_url: str, stop: threading.Event) -> None:
    """Connect the destination as soon as it answers, then add the cameras that appear."""
    file = b"" if _is_connected(system) else _connection_file(system, base_url)
    while not stop.is_set() and not _is_connected(system):
        try:
            rig.connect(system, file)
        except DestinationUnreachable:
            stop.wait(_LOOK_SECONDS)
        except BodywornError as error:
            log.error("the demonstration's destination cannot be used: %s %s", error, error.advice)
            return
    added = 0
    while added < len(_SERIALS) and not stop.wait(_LOOK_SECONDS):
        added += rig.add_new_cameras(system, _SERIALS, USERS)


def _is_connected(system: rig.Rig) -> bool:
    with system.database.read() as session:
        return destinations.active(session) is not None


def _connection_file(system: rig.Rig, base_url: str) -> bytes:
    site = Site(name="This host", authentication_uris=(f"{base_url}/{DOMAIN}/receiver/auth/v1.0",))
    with system.database.write() as session:
        return connection_files.export(session, system.keyring.box, site, actor=rig.ACTOR).data


@contextmanager
def _simulation(dock: Path, log_file: Path) -> Iterator[None]:
    with log_file.open("ab") as output, _running("simulate", "--dock", str(dock), *_SHIFTS, output=output):
        yield


@contextmanager
def _handheld(dock: Path, bay: Path) -> Iterator[None]:
    """Run a camera that somebody can use; it prints where."""
    folder = str(dock / "cameras" / _HANDHELD)
    with _running("camera", "--folder", folder, "--bay", str(bay), "--serial", _HANDHELD, "--page", "0"):
        yield


@contextmanager
def _running(*arguments: str, output: IO[bytes] | None = None) -> Iterator[None]:
    """Run a command of ours beside; without ``output``, it prints where this process does."""
    command = [sys.executable, "-P", str(_LAUNCH), *arguments]
    errors = subprocess.STDOUT if output else None
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=errors)  # noqa: S603
    try:
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)
