"""``bodyworn transfer``: the whole way once, without pages: cameras record, dock, are emptied, proved and erased.

For acceptance tests and figures. What it puts together is in ``rig``; the receiver it may start is in ``own_receiver``.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import shutil
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from ..hw.controller import Controller
from ..hw.faults import hook_from_environment
from ..models import Database
from ..simulator.build import Build
from ..simulator.camera import SimulatedCamera
from ..simulator.recorder import Recorded, Wish
from . import own_receiver, rig
from .connection_keys import with_encryption
from .outcome import Outcome, collect, is_settled, stuck

_UNITS = {"": 1, "B": 1, "KIB": 1024, "MIB": 1024**2, "GIB": 1024**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_ADD_SECONDS = 60.0
#: Nothing delivered or erased for this long means that nothing more will be.
_STANDSTILL_SECONDS = 120.0


class Size(click.ParamType[int]):
    """A number of bytes, as ``67108864`` or ``64MiB``."""

    name = "size"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say what is expected."""
        match = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", str(value))
        if match is None or match[2].upper() not in _UNITS:
            self.fail(f"{value!r} is no size; write it like 64MiB.", param, ctx)
        return int(match[1]) * _UNITS[match[2].upper()]


@dataclass(frozen=True)
class Job:
    """What is to be done."""

    cameras: int
    wish: Wish
    uploads: int


@click.command()
@click.option("--connection-file", type=click.Path(path_type=Path, exists=True), help="Where the recordings go.")
@click.option("--receiver", is_flag=True, help="They go to a receiver that is started for it.")
@click.option("--cameras", type=click.IntRange(1, 99), default=1, show_default=True)
@click.option("--clips", type=click.IntRange(1, 1000), default=1, show_default=True, help="Clips a camera.")
@click.option("--seconds", type=click.FloatRange(min=0.5), help="Length of a clip.")
@click.option("--bytes", "size_bytes", type=Size(), help="Size of a clip, to the byte; 64MiB and the like.")
@click.option("--encrypt", is_flag=True, help="Encrypt to the key of the destination.")
@click.option("--private-key-out", type=click.Path(path_type=Path), help="Where a key pair is made for --encrypt.")
@click.option("--uploads", type=click.IntRange(1, 16), default=2, show_default=True, help="Recordings sent at a time.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Keep everything here; a folder that is removed if none."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def command(
    connection_file: Path | None,
    receiver: bool,
    cameras: int,
    clips: int,
    seconds: float | None,
    size_bytes: int | None,
    encrypt: bool,
    private_key_out: Path | None,
    uploads: int,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Let simulated cameras record, dock and be emptied.

    Exit code 0 when every clip is verified at the destination and erased from its camera, 3 when all arrived but the
    destination proves nothing, 1 otherwise.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if (connection_file is None) == (not receiver):
        raise click.UsageError("Give either --connection-file or --receiver.")
    wish = Wish(clips=clips, seconds=seconds or (None if size_bytes else 10.0), size_bytes=size_bytes)
    with ExitStack() as stack:
        folder = data_dir or _scratch(stack)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if receiver:
            file = stack.enter_context(own_receiver.running(folder / "receiver", encrypt=encrypt))
        else:
            assert connection_file is not None
            file = connection_file.read_bytes()
            file = with_encryption(file, private_key_out) if encrypt else file
        outcome = run(Job(cameras, wish, uploads), file, folder / "system")
    _print(outcome, as_json)
    sys.exit(outcome.exit_code)


def run(job: Job, connection_file: bytes, data_dir: Path) -> Outcome:
    """Do it, and say what came of it. Raises what makes it impossible: a file or a destination that is refused."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database.at(f"sqlite:///{data_dir / 'bodyworn.db'}")
    system = rig.build(
        database, data_dir, name="Transfer", passphrase=secrets.token_urlsafe(24), bays=job.cameras, demonstration=True
    )
    rig.connect(system, connection_file)
    stop = threading.Event()
    controller = Controller(database, data_dir, hook=hook_from_environment(), uploads=job.uploads, reserve_bytes=0)
    thread = threading.Thread(target=controller.run, args=(stop,), name="controller")
    thread.start()
    try:
        return _work(job, system)
    finally:
        stop.set()
        thread.join()
        database.close()


def _work(job: Job, system: rig.Rig) -> Outcome:
    with ExitStack() as stack:
        cameras = [
            stack.enter_context(SimulatedCamera(system.data_dir / "cameras" / serial, Build(serial=serial)))
            for serial in (f"SIM{number:04}" for number in range(1, job.cameras + 1))
        ]
        _enlist(cameras, system)
        recorded = [_record(camera, job.wish) for camera in cameras]
        began, cpu_began = time.monotonic(), time.process_time()
        for number, camera in enumerate(cameras, 1):
            camera.dock(system.dock.bay(number))
        _wait(cameras, system)
        seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
        left = sum(len(camera.recordings()) for camera in cameras)
    return collect(system.database, recorded, left_on_cameras=left, seconds=seconds, cpu_seconds=cpu_seconds)


def _enlist(cameras: list[SimulatedCamera], system: rig.Rig) -> None:
    """Dock every camera once, so that it is added, enrolled and assigned; then take it out to record."""
    serials = [camera.serial for camera in cameras]
    for number, camera in enumerate(cameras, 1):
        camera.dock(system.dock.bay(number))
    names = [f"User {number}" for number in range(1, len(cameras) + 1)]

    def ready() -> bool:
        rig.add_new_cameras(system, serials, names)
        return all(camera.describe().state == "ready" for camera in cameras)

    if not rig.wait_until(ready, _ADD_SECONDS):
        raise click.ClickException("The cameras could not be added: " + "; ".join(stuck(system.database)))
    for camera in cameras:
        camera.undock()


def _record(camera: SimulatedCamera, wish: Wish) -> Recorded:
    return camera.record(wish)


def _wait(cameras: list[SimulatedCamera], system: rig.Rig) -> None:
    """Wait until the cameras are empty, or until nothing has moved for a while."""
    seen, since = None, time.monotonic()
    while not (is_settled(system.database) and not any(camera.recordings() for camera in cameras)):
        counter = system.database.change_counter()
        if counter != seen:
            seen, since = counter, time.monotonic()
        problems = stuck(system.database)
        if problems or time.monotonic() - since > _STANDSTILL_SECONDS:
            return
        time.sleep(0.05)


def _scratch(stack: ExitStack) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="bodyworn-transfer-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _print(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome.document(), indent=2))
        return
    click.echo(
        f"{len(outcome.delivered)} of {len(outcome.recorded)} clips delivered, {outcome.verified} of them verified; "
        f"{outcome.size_bytes / 1e6:.1f} MB in {outcome.seconds:.1f} s ({outcome.cpu_seconds:.1f} s of CPU)."
    )
    for problem in outcome.problems:
        click.echo(problem)
