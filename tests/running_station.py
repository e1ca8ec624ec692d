"""A station that runs: simulated cameras in a dock, a controller in threads, and a destination that can be scripted.

Nothing is replaced by something that pretends: cameras, spool, database and wire are the real ones, small. Fixtures for
it are in :mod:`fixtures_rig`.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bodyworn.camera_volume.documents import CameraState
from bodyworn.cli import rig as rigs
from bodyworn.cli.rig import Rig
from bodyworn.crypto.content_reader import decrypt_clip
from bodyworn.destination.connection_file import export
from bodyworn.destination.names import key_name
from bodyworn.hw.controller import Controller
from bodyworn.models import Bay, BayState, Camera, Clip, Database, Destination, Recording, RecordingState
from bodyworn.services import destinations, events, problems
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.recorder import Recorded, Wish
from bodyworn.store import Store
from fake_destination import FakeDestination
from sqlalchemy import select
from sqlalchemy.orm import selectinload

PATIENCE_SECONDS = 20.0
BAYS = 3
SMALL = Wish(size_bytes=160 * 1024, bookmarks=("here",))


@dataclass
class Station:
    """One system on one folder; everything that is started in it ends with the test."""

    rig: Rig
    stack: ExitStack
    fake: FakeDestination
    private_pem: bytes | None = None
    cameras: dict[str, SimulatedCamera] = field(default_factory=dict)

    # what there is

    @property
    def database(self) -> Database:
        return self.rig.database

    @property
    def spool(self) -> Store:
        return Store(self.rig.data_dir / "spool")

    def camera(self, number: int = 1, serial: str = "", **build: Any) -> SimulatedCamera:
        """Make a camera, which nobody knows yet."""
        serial = serial or f"SIM{number:04}"
        camera = SimulatedCamera(self.rig.data_dir / "cameras" / f"{number}", Build(serial=serial, **build))
        self.cameras[str(number)] = self.stack.enter_context(camera)
        return camera

    def bay(self, number: int = 1) -> Path:
        return self.rig.dock.bay(number)

    # what it does

    @contextmanager
    def running(self, **how: Any) -> Iterator[Controller]:
        """Run a controller for the block's time."""
        stop, failures = threading.Event(), []
        how = {"reserve_bytes": 0} | how
        controller = Controller(self.database, self.rig.data_dir, **how)

        def run() -> None:
            try:
                controller.run(stop)
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run, name="controller")
        thread.start()
        try:
            yield controller
        finally:
            stop.set()
            thread.join()
        assert not failures, failures

    def connect(self, **changes: Any) -> None:
        """Connect the scripted destination."""
        facts: dict[str, Any] = {"full_store_and_read": True}
        rigs.connect(self.rig, export(self.fake.connection(**(facts | changes))))

    def connect_encrypted(self, private_pem: bytes, public_pem: bytes) -> None:
        """Connect it so that everything is to arrive encrypted."""
        self.private_pem = private_pem
        self.connect(want_encryption=True, public_key_pem=public_pem, public_key_id="test")

    def worn(self, number: int = 1, serial: str = "", **build: Any) -> SimulatedCamera:
        """Give a camera that was added and assigned, out of its dock and ready to record."""
        camera = self.camera(number, serial, **build)
        with self.running():
            camera.dock(self.bay(number))
            self.add(camera)
            camera.undock()
        return camera

    def add(self, *cameras: SimulatedCamera) -> None:
        """Add cameras as soon as they are seen, each with a user of its own."""
        serials = [camera.serial for camera in cameras]

        def ready() -> bool:
            rigs.add_new_cameras(self.rig, serials, [f"User of {serial}" for serial in serials])
            return all(camera.describe().state is CameraState.READY for camera in cameras)

        self.wait(ready)

    def wait(self, condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until something is so."""
        assert rigs.wait_until(lambda: bool(condition()), seconds), self.story()

    # what came of it

    def recordings(self) -> Sequence[Recording]:
        """Read all recordings with their objects and copies."""
        rows = select(Recording).options(selectinload(Recording.clips).selectinload(Clip.copies))
        with self.database.read() as session:
            return session.scalars(rows.order_by(Recording.found_at)).all()

    def recording(self, recorded: Recorded) -> Recording | None:
        """Read what is known of one recording."""
        return next((one for one in self.recordings() if one.camera_recording_id == recorded.id), None)

    def state(self, recorded: Recorded) -> RecordingState | None:
        found = self.recording(recorded)
        return found.state if found else None

    def problem(self, recorded: Recorded) -> str | None:
        found = self.recording(recorded)
        return found.problem_id if found else None

    def is_delivered(self, *recorded: Recorded) -> bool:
        return all(self.state(one) is RecordingState.DELIVERED for one in recorded)

    def is_erased(self, *recorded: Recorded) -> bool:
        found = [self.recording(one) for one in recorded]
        return all(one is not None and one.erased_at is not None for one in found)

    def bay_row(self, number: int = 1) -> Bay:
        with self.database.read() as session:
            return session.scalars(select(Bay).where(Bay.position == number)).one()

    def bay_state(self, number: int = 1) -> BayState:
        return self.bay_row(number).state

    def sentence(self, row: Any) -> str:
        """Say the problem of a row in words, as pages do."""
        error = problems.read(row)
        return f"{error} {error.mend}" if error else ""

    def known(self, serial: str) -> list[Camera]:
        with self.database.read() as session:
            return list(session.scalars(select(Camera).where(Camera.serial == serial)))

    def destination(self) -> Destination:
        with self.database.read() as session:
            found = destinations.active(session)
        assert found is not None
        return found

    def arrived(self, recorded: Recorded) -> dict[str, bytes]:
        """Give the clips of a recording as whoever owns the destination reads them."""
        found = self.recording(recorded)
        assert found is not None
        container = found.container_name
        clips = {clip.name: self.fake.objects[f"{container}/{clip.name}"].body for clip in recorded.clips}
        if self.private_pem is None:
            return clips
        keys = {name: self.fake.objects[f"{container}/{key_name(name)}"].body for name in clips}
        return {name: b"".join(decrypt_clip([body], keys[name], self.private_pem)) for name, body in clips.items()}

    def puts(self, name: str) -> int:
        """Count how often an object was sent and taken."""
        return sum(bool(one.body) for one in self.fake.seen("PUT", name))

    def breaks(self) -> list[events.Break]:
        with self.database.read() as session:
            return list(events.check(session))

    def parts(self) -> list[Path]:
        """List unfinished copies in the spool."""
        return list((self.rig.data_dir / "spool").rglob("*.part"))

    def story(self) -> str:
        """Say how everything stands, for whoever reads why a test failed."""
        lines = [f"bay {n}: {self.bay_row(n).state} {self.sentence(self.bay_row(n))}" for n in range(1, BAYS + 1)]
        lines += [f"recording {one.state} {self.sentence(one)} erased {one.erased_at}" for one in self.recordings()]
        with self.database.read() as session:
            lines += [f"destination {one.state} {self.sentence(one)}" for one in session.scalars(select(Destination))]
        lines += [f"camera {key}: {one.describe().state} {one.recordings()}" for key, one in self.cameras.items()]
        return "\n".join(lines)


def found_station(stack: ExitStack, tables: Path, folder: Path, url: str) -> Station:
    folder.mkdir(mode=0o700)
    if not url:
        shutil.copy(tables, folder / "bodyworn.db")
    database = Database.at(url or f"sqlite:///{folder / 'bodyworn.db'}")
    stack.callback(database.close)
    rig = rigs.build(database, folder, name="Depot", passphrase="nobody reads it", bays=BAYS, demonstration=True)
    return Station(rig, stack, stack.enter_context(FakeDestination()))
