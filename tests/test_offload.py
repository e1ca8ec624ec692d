"""Taking recordings from a camera: a clip is read while the one before is proved; an error leaves nothing open."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from bodyworn import errors
from bodyworn.camera_volume.recording import RecordingDocument
from bodyworn.const import BLOCK_BYTES, Step
from bodyworn.crypto.keys import SigningKey
from bodyworn.hw.drivers.protocol import Listed, Receipted
from bodyworn.hw.faults import Hook, no_fault
from bodyworn.hw.intake import Intake
from bodyworn.hw.offload import Wanted, offload
from bodyworn.hw.workshop import Workshop
from bodyworn.migrations.run import upgrade
from bodyworn.models import Database, Recording, RecordingState
from bodyworn.services.keyring import Keyring
from bodyworn.store import Buffer, Digests, Store
from rig_parts import add_bay, add_camera, found_system, make_document, sign
from sqlalchemy import select

PATIENCE_SECONDS = 10


@dataclass
class FolderCamera:
    """A camera whose one recording lies in a folder, and that takes its turns at once."""

    folder: Path
    document: RecordingDocument
    envelope: bytes
    opened: list[str] = field(default_factory=list)
    open_at_once: int = 0
    most_at_once: int = 0

    @contextmanager
    def recordings(self) -> Iterator[FolderCamera]:
        yield self

    def listed(self) -> list[Listed]:
        return [Listed(self.document.id, self.document, self.envelope)]

    def open(self, camera_recording_id: str, source_name: str) -> io.FileIO:
        self.opened.append(source_name)
        self.open_at_once += 1
        self.most_at_once = max(self.most_at_once, self.open_at_once)
        return CountedFile(self, self.folder / source_name)

    def claim(self, camera_recording_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(camera_recording_ids)

    def acknowledge(self, stored: Sequence[Receipted]) -> frozenset[str]:
        return frozenset(one.camera_recording_id for one in stored)

    def is_there(self) -> bool:
        return True

    def ensure_connected(self) -> None:
        return None


class CountedFile(io.FileIO):
    """A file of the camera, which knows how many are open."""

    def __init__(self, camera: FolderCamera, path: Path) -> None:
        super().__init__(path, "rb")
        self._camera = camera

    def close(self) -> None:
        if not self.closed:
            self._camera.open_at_once -= 1
        super().close()


@dataclass
class Site:
    """A system with one camera in its bay."""

    shop: Workshop
    camera: FolderCamera
    intake: Intake

    def state(self) -> RecordingState:
        with self.shop.database.read() as session:
            return session.scalars(select(Recording)).one().state

    def stored(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.shop.spool.root.glob("*/*") if path.is_file()}


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    databases: list[Database] = []

    def make(clips: int, hook: Hook = no_fault) -> Site:
        database = Database.at(f"sqlite:///{tmp_path / 'bodyworn.db'}")
        databases.append(database)
        upgrade(database.engine)
        keyring, key = Keyring(tmp_path / "keys"), SigningKey.generate()
        with database.write() as session:
            found_system(session, keyring)
            bay = add_bay(session)
            camera_id, bay_id = add_camera(session, bay, key).id, bay.id
        shop = Workshop.on(database, keyring, tmp_path, hook=hook, reserve_bytes=0)
        camera = record(tmp_path / "camera", key, clips)
        return Site(shop, camera, Intake(shop, bay_id, camera_id, camera))

    yield make
    for database in databases:
        database.close()


def record(folder: Path, key: SigningKey, clips: int) -> FolderCamera:
    """Write clips of two blocks and a bit, each with its own bytes."""
    folder.mkdir()
    document = make_document(clips=clips, track=None)
    entries = []
    for number, entry in enumerate(document.clips):
        data = bytes([number]) * (2 * BLOCK_BYTES + number)
        (folder / entry.name).write_bytes(data)
        entries.append(msgspec.structs.replace(entry, size_bytes=len(data), sha256=sha256(data).hexdigest()))
    document = msgspec.structs.replace(document, clips=tuple(entries))
    return FolderCamera(folder, document, sign(document, key))


def names(site: Site) -> list[str]:
    return [clip.name for clip in site.camera.document.clips]


@pytest.mark.feature("REC-1")
def test_every_clip_is_stored_as_the_camera_has_it(make_site: Callable[..., Site]) -> None:
    site = make_site(clips=5)
    site.intake.run()
    assert site.intake.problems == []
    assert site.state() is RecordingState.STORED
    assert site.stored() == {name: (site.camera.folder / name).read_bytes() for name in names(site)}


def test_a_camera_is_read_one_file_at_a_time(make_site: Callable[..., Site]) -> None:
    site = make_site(clips=5)
    site.intake.run()
    assert sorted(site.camera.opened) == names(site)
    assert (site.camera.most_at_once, site.camera.open_at_once) == (1, 0)


def test_the_next_clip_is_read_while_the_one_before_is_proved(make_site: Callable[..., Site]) -> None:
    read: list[Step] = []
    second_is_read = threading.Event()
    overlapped = []

    def hook(step: Step) -> None:
        if step is Step.SYNCED:
            read.append(step)
            if len(read) == 2:
                second_is_read.set()
        if step is Step.REREAD and not overlapped:
            overlapped.append(second_is_read.wait(PATIENCE_SECONDS))

    site = make_site(clips=2, hook=hook)
    site.intake.run()
    assert overlapped == [True]
    assert site.state() is RecordingState.STORED


def test_a_clip_that_differs_stops_its_recording(make_site: Callable[..., Site]) -> None:
    site = make_site(clips=6)
    (site.camera.folder / names(site)[1]).write_bytes(b"something else")
    site.intake.run()
    assert [problem.id for problem in site.intake.problems] == [errors.ClipDiffers.id]
    assert site.state() is RecordingState.FOUND
    assert names(site)[1] not in site.stored()
    assert names(site)[-1] not in site.camera.opened


def test_an_error_that_is_kept_holds_neither_threads_nor_the_cameras_file(tmp_path: Path) -> None:
    source = tmp_path / "clip"
    source.write_bytes(bytes(40 * BLOCK_BYTES))
    wanted = Wanted("id", "container", "clip.mkv", source.stat().st_size, None, {})
    threads = threading.active_count()
    with io.FileIO(source, "rb") as opened:
        with pytest.raises(errors.StoreFull) as kept:
            offload(lambda: opened, wanted, FullStore(tmp_path / "spool"), None, lambda _: None)
        assert kept.value
        assert opened.closed
    assert threading.active_count() == threads


class FullStore(Store):
    """A store whose disk is full after the first block."""

    def write(self, container: str, name: str, blocks: Iterable[Buffer], **_: object) -> Digests:
        next(iter(blocks))
        raise errors.StoreFull(name=name)
