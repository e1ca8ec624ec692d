"""The work that is interrupted: two cameras, each with a recording of three clips, a track and a bookmark.

One workload is used for many cycles, each of which is: a shift is recorded and docked, a controller is started and
something happens to it, another one is started, everything arrives, and what came of it is compared with the originals
(:mod:`checks`). Cameras and destination live in this process and are never interrupted.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import controllers
from bodyworn.camera_volume.documents import CameraState
from bodyworn.cli import rig as rigs
from bodyworn.cli.rig import Rig
from bodyworn.crypto.master_key import KdfCost
from bodyworn.hw import housekeeping
from bodyworn.hw.workshop import Workshop
from bodyworn.migrations.run import upgrade
from bodyworn.models import Clip, Database, DockKind, Recording
from bodyworn.services import docks, founding
from bodyworn.services.keyring import Keyring
from bodyworn.simulator import media
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.dock import SimulatedDock
from bodyworn.simulator.media import MadeClip, Scene
from bodyworn.simulator.recorder import Recorded, Wish
from bodyworn.store import Store
from controllers import NO_TROUBLE, ControllerProcess, Trouble
from goals import Goal
from sqlalchemy import select
from sqlalchemy.orm import selectinload

CAMERAS = 2
CLIPS = 3
CLIP_BYTES = 150_000
PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.02
_CHEAPEST = KdfCost(memory_kib=64 * 1024, iterations=1, lanes=1)


@dataclass(frozen=True)
class Original:
    """One recording as it truly is."""

    camera: SimulatedCamera
    recorded: Recorded
    #: SHA-256 of each of its files by its name on the camera.
    files: dict[str, str]

    @property
    def clips(self) -> dict[str, str]:
        """SHA-256 of each clip by its name, which it keeps all the way."""
        return {clip.name: clip.sha256 for clip in self.recorded.clips}


class Workload:
    """A system whose controller can be killed. ``home`` is its data folder: database, spool, keys. It may be unmounted
    between cycles, once :meth:`let_go` was called. ``around`` holds docks and cameras.
    """

    def __init__(self, home: Path, around: Path, goal: Goal, *, clip_bytes: int = CLIP_BYTES) -> None:
        self.home, self.around, self.goal = home, around, goal
        self.log = around / controllers.LOG
        self._clip_bytes = clip_bytes
        self._stack = ExitStack()
        self._database: Database | None = None
        self.cameras: list[SimulatedCamera] = []
        self.dock = SimulatedDock(around / "dock", CAMERAS)

    def __enter__(self) -> Self:
        """Found the system, connect its destination, and give it its cameras, ready to record."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(tables(), self.home / "bodyworn.db")
        self._found()
        rigs.connect(self.rig, self.goal.connection_file())
        _record_anything()
        self.cameras = [self._camera(number) for number in range(1, CAMERAS + 1)]
        with self.controller():
            self.dock_all()
            if not rigs.wait_until(self._all_ready, PATIENCE_SECONDS * _busyness()):
                raise TimeoutError(f"the cameras could not be added\n{self.story()}")
            self.undock_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self.let_go()

    # what there is

    @property
    def database(self) -> Database:
        """The system's database, opened when it is needed."""
        if self._database is None:
            self._database = Database.at(f"sqlite:///{self.home / 'bodyworn.db'}")
        return self._database

    @property
    def rig(self) -> Rig:
        """The system as the product's own helpers take it."""
        return Rig(self.database, self.home, Keyring(self.home / "keys"), self.dock)

    @property
    def spool(self) -> Store:
        """The system's spool."""
        return Store(self.home / "spool")

    def let_go(self) -> None:
        """Hold no file of ``home`` open any more."""
        if self._database is not None:
            self._database.close()
            self._database = None

    # a cycle

    def shift(self) -> list[Original]:
        """Record on every camera, and dock it."""
        originals = [self._record(camera) for camera in self.cameras]
        self.dock_all()
        return originals

    def dock_all(self) -> None:
        """Put every camera into its bay."""
        for number, camera in enumerate(self.cameras, 1):
            camera.dock(self.dock.bay(number))

    def undock_all(self) -> None:
        """Pull every camera out."""
        for camera in self.cameras:
            camera.undock()

    @contextmanager
    def controller(self, trouble: Trouble = NO_TROUBLE) -> Iterator[ControllerProcess]:
        """Run a controller for the block's time; it is killed at its end if it has not ended by itself."""
        process = self.start(trouble)
        try:
            yield process
        finally:
            process.kill()

    def start(self, trouble: Trouble = NO_TROUBLE) -> ControllerProcess:
        """Start a controller that whoever called this kills."""
        process = ControllerProcess(self.home, trouble, self.log)
        process.start()
        return process

    def is_done(self, originals: list[Original]) -> bool:
        """Tell whether every recording has arrived and is gone from its camera, as far as the system knows."""
        with self.database.read() as session:
            ids = [original.recorded.id for original in originals]
            rows = select(Recording.delivered_at, Recording.erased_at)
            rows = rows.where(Recording.camera_recording_id.in_(ids))
            found = session.execute(rows).all()
        return len(found) == len(originals) and all(None not in row for row in found)

    def wait_done(self, originals: list[Original], seconds: float | None = None) -> bool:
        """Wait until that is so; tells whether it became so in time, which by default is longer on a busy machine."""
        began = time.monotonic()
        while not self.is_done(originals):
            if time.monotonic() - began > (PATIENCE_SECONDS * _busyness() if seconds is None else seconds):
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def recover(self, originals: list[Original], seconds: float = PATIENCE_SECONDS) -> float | None:
        """Start a controller that nothing happens to; gives after how many seconds all was done, None if never.

        A busy machine gets longer than ``seconds``.
        """
        began = time.monotonic()
        with self.controller():
            if not self.wait_done(originals, seconds * _busyness()):
                return None
            return time.monotonic() - began

    def clear(self) -> None:
        """Pull the cameras out, and forget what arrived, here and there, so that the next cycle has less to read."""
        self.undock_all()
        housekeeping.clear(self._workshop(), grace_seconds=0.0)
        self.goal.forget()
        self.log.unlink(missing_ok=True)

    # what is known

    def recording(self, original: Original) -> Recording | None:
        """Read what the system knows of a recording, with its objects and copies."""
        rows = select(Recording).where(Recording.camera_recording_id == original.recorded.id)
        with self.database.read() as session:
            return session.scalars(rows.options(selectinload(Recording.clips).selectinload(Clip.copies))).one_or_none()

    def story(self) -> str:
        """Give the end of what the controllers said, for whoever reads why a point failed."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def _found(self) -> None:
        with self.database.write() as session:
            founding.found(
                session,
                self.rig.keyring,
                name="Campaign",
                controller_name="Campaign",
                passphrase="nobody reads it",
                demonstration=True,
                cost=_CHEAPEST,
            )
            locator = str(self.dock.folder.absolute())
            docks.add_dock(session, name="Dock", kind=DockKind.SIMULATED, locator=locator, bays=CAMERAS)

    def _camera(self, number: int) -> SimulatedCamera:
        folder = self.around / "cameras" / f"{number}"
        return self._stack.enter_context(SimulatedCamera(folder, self.build(f"SIM{number:04}")))

    def build(self, serial: str) -> Build:
        """Say what its cameras are made as."""
        return Build(serial=serial)

    def _all_ready(self) -> bool:
        serials = [camera.serial for camera in self.cameras]
        rigs.add_new_cameras(self.rig, serials, [f"User of {serial}" for serial in serials])
        return all(camera.describe().state is CameraState.READY for camera in self.cameras)

    def _record(self, camera: SimulatedCamera) -> Original:
        recorded = camera.record(Wish(clips=CLIPS, size_bytes=self._clip_bytes, bookmarks=("here",)))
        return Original(camera, recorded, self.digests_of(camera, recorded.id))

    def digests_of(self, camera: SimulatedCamera, recording_id: str) -> dict[str, str]:
        """Give the SHA-256 of each file of a recording on its camera."""
        return {path.name: sha256(path.read_bytes()).hexdigest() for path in self.files_of(recording_id)}

    def files_of(self, recording_id: str) -> list[Path]:
        """Find the files of a recording on its camera, in whose hands its media are at the moment."""
        return [path for path in self.around.glob(f"**/recordings/{recording_id}/*") if path.is_file()]

    def _workshop(self) -> Workshop:
        return Workshop.on(self.database, self.rig.keyring, self.home)


def _busyness() -> float:
    """Tell how much longer things take because others want the processors as well; at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def tables() -> Path:
    """Make the tables once; every system begins with a copy, which goes when this process ends."""
    with _MAKING:
        return _made()


@cache
def _made() -> Path:
    folder = TemporaryDirectory(prefix="bodyworn-tables-")
    _KEPT.append(folder)
    path = Path(folder.name) / "bodyworn.db"
    database = Database.at(f"sqlite:///{path}")
    upgrade(database.engine)
    database.close()
    return path


_KEPT: list[TemporaryDirectory[str]] = []
_MAKING = threading.Lock()


def _record_anything() -> None:
    """Let cameras record noise: encoding is most of a cycle's work, and nothing here looks into a clip."""
    media.make_clip = _noise


def _noise(
    path: Path, scene: Scene, *, seconds: float | None = None, size_bytes: int | None = None, muted: object = ()
) -> MadeClip:
    size = size_bytes or CLIP_BYTES
    path.write_bytes(os.urandom(size))
    return MadeClip(size, timedelta(seconds=seconds or size * 8 / scene.bits_per_second))
