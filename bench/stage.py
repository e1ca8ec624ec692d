"""A system with docked cameras that have recorded: what the controller sees just before it offloads.

Everything is the real thing except the cameras, which are simulated on plain folders of the same disk: database,
keys, spool, the volume driver with its turns, and ``Intake``, which is measured.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, cast

from bodyworn.camera_volume.documents import Unit
from bodyworn.camera_volume.port import HostPort
from bodyworn.cli import own_receiver, rig
from bodyworn.hw.controller import Controller
from bodyworn.hw.drivers.protocol import DockedCamera, Listed, RecordingSource
from bodyworn.hw.intake import Intake
from bodyworn.hw.sockets import Socket, Sockets
from bodyworn.hw.workshop import Workshop
from bodyworn.models import Clip, Copy, Database, Recording
from bodyworn.services import cameras
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.recorder import Wish
from sqlalchemy import delete

_READY_SECONDS = 60.0


@dataclass(frozen=True)
class Guest:
    """A camera in its bay."""

    bay_id: str
    camera_id: str
    camera: DockedCamera


@dataclass(frozen=True)
class Stage:
    """The system; its cameras are full, its spool is empty."""

    shop: Workshop
    guests: tuple[Guest, ...]
    #: What each camera has recorded, as files on its medium.
    clips: tuple[tuple[Path, ...], ...]
    size_bytes: int

    def offload(self, count: int, bytes_per_second: int | None = None) -> None:
        """Let the first cameras be offloaded at the same time (P4 to P14 with the camera's turns around them)."""
        takings = [self._intake(guest, bytes_per_second) for guest in self.guests[:count]]
        threads = [threading.Thread(target=taking.run) for taking in takings]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for guest in self.guests[:count]:
            self.shop.board.close_bay(guest.bay_id)
        self._check(count, takings)

    def forget(self) -> None:
        """Empty the spool, so that the next offload finds everything new."""
        with self.shop.database.write() as session:
            for table in (Copy, Clip, Recording):
                session.execute(delete(table))
        shutil.rmtree(self.shop.spool.root)
        self.shop.spool.root.mkdir(mode=0o700)

    def _intake(self, guest: Guest, bytes_per_second: int | None) -> Intake:
        camera = guest.camera
        if bytes_per_second:
            camera = cast("DockedCamera", _SlowCamera(camera, bytes_per_second))
        return Intake(self.shop, guest.bay_id, guest.camera_id, camera)

    def _check(self, count: int, takings: Sequence[Intake]) -> None:
        problems = [problem for taking in takings for problem in taking.problems]
        found = {path.name for path in self.shop.spool.root.glob("*/*") if path.is_file()}
        wanted = {clip.name for clips in self.clips[:count] for clip in clips}
        if problems or not wanted <= found:
            raise RuntimeError(f"the offload did not do its work: {problems or sorted(wanted - found)}")


@contextmanager
def staged(folder: Path, *, cameras: int, clips: int, clip_bytes: int, encrypt: bool = False) -> Iterator[Stage]:
    """Set a system up, let cameras record and dock, and remove it all at the end."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        database = Database.at(f"sqlite:///{folder / 'bodyworn.db'}")
        stack.callback(database.close)
        system = rig.build(
            database, folder, name="Bench", passphrase=secrets.token_urlsafe(24), bays=cameras, demonstration=True
        )
        if encrypt:
            with own_receiver.running(folder / "receiver", encrypt=True) as connection_file:
                rig.connect(system, connection_file)
        ours = [
            stack.enter_context(SimulatedCamera(folder / "cameras" / serial, Build(serial=serial)))
            for serial in (f"SIM{number:04}" for number in range(1, cameras + 1))
        ]
        enlist(ours, system)
        for camera in ours:
            camera.record(Wish(clips=clips, size_bytes=clip_bytes))
        for number, camera in enumerate(ours, 1):
            camera.dock(system.dock.bay(number))
        yield _opened(system, cameras, cameras * clips * clip_bytes)


def enlist(ours: Sequence[SimulatedCamera], system: rig.Rig) -> None:
    """Let a controller add and enrol cameras; afterwards they are undocked and ready to record."""
    stop = threading.Event()
    controller = threading.Thread(
        target=Controller(system.database, system.data_dir, reserve_bytes=0).run, args=(stop,)
    )
    controller.start()
    try:
        for number, camera in enumerate(ours, 1):
            camera.dock(system.dock.bay(number))
        serials = [camera.serial for camera in ours]

        def ready() -> bool:
            rig.add_new_cameras(system, serials, [f"User {serial}" for serial in serials])
            return all(camera.describe().state == "ready" for camera in ours)

        if not rig.wait_until(ready, _READY_SECONDS):
            raise RuntimeError("the cameras could not be added")
        for camera in ours:
            camera.undock()
    finally:
        stop.set()
        controller.join()


def _opened(system: rig.Rig, count: int, size_bytes: int) -> Stage:
    shop = Workshop.on(system.database, system.keyring, system.data_dir, reserve_bytes=0)
    guests = tuple(_guest(shop, socket) for socket in Sockets(system.database).local()[:count])
    clips = tuple(_clips_in(HostPort(system.dock.bay(position))) for position in range(1, count + 1))
    return Stage(shop, guests, clips, size_bytes)


def _guest(shop: Workshop, socket: Socket) -> Guest:
    camera = socket.camera(shop.book, shop.scratch)
    assert camera is not None, "every bay has its camera"
    facts = camera.identify()
    with shop.database.write() as session:
        camera_id = cameras.seen(session, socket.bay_id, facts).id
    return Guest(socket.bay_id, camera_id, camera)


def _clips_in(port: HostPort) -> tuple[Path, ...]:
    plug = port.state().plug
    assert plug is not None
    port.wait_until_present([Unit.MEDIA], plug, _READY_SECONDS)
    return tuple(sorted(port.path(Unit.MEDIA).glob("recordings/*/*.mkv")))


class _SlowCamera:
    """A camera behind a slow cable: everything is the camera's own, only its files come no faster than that."""

    def __init__(self, camera: DockedCamera, bytes_per_second: int) -> None:
        self._camera, self._bytes_per_second = camera, bytes_per_second

    @contextmanager
    def recordings(self) -> Iterator[RecordingSource]:
        with self._camera.recordings() as source:
            yield _SlowSource(source, self._bytes_per_second)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._camera, name)


class _SlowSource:
    def __init__(self, source: RecordingSource, bytes_per_second: int) -> None:
        self._source, self._bytes_per_second = source, bytes_per_second

    def listed(self) -> list[Listed]:
        return self._source.listed()

    def open(self, camera_recording_id: str, source_name: str) -> FileIO:
        with self._source.open(camera_recording_id, source_name) as file:
            return SlowFile(file, self._bytes_per_second)


class SlowFile(FileIO):
    """A file that gives its bytes no faster than a rate, counted from its opening."""

    def __init__(self, file: FileIO, bytes_per_second: int) -> None:
        super().__init__(os.dup(file.fileno()), "rb")
        self._bytes_per_second = bytes_per_second
        self._began, self._given_bytes = time.monotonic(), 0

    def read(self, size: int | None = -1, /) -> bytes | None:
        block = super().read(-1 if size is None else size)
        self._given_bytes += len(block or b"")
        early = self._began + self._given_bytes / self._bytes_per_second - time.monotonic()
        time.sleep(max(early, 0.0))
        return block
