"""Take the recordings of one docked camera into the spool: list, claim, offload, store, receipt (P5 to P14).

How one file travels is ``offload``; the rest of a docking is ``docking``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from io import FileIO

from ..const import Step
from ..errors import BodywornError, CameraGone, CameraOwnedElsewhere
from ..models import Camera, Clip, ClipKind, CopyState, Place, Recording, RecordingState
from ..services import cameras, copies, destinations, docks, manifests, recordings, systems
from ..services.documents import Description
from ..services.recording_names import bookmark_bodies
from ..services.recordings import StoredClip
from .drivers.protocol import DockedCamera, Listed, Receipted, RecordingSource
from .offload import Lockbox, Wanted, lockbox_of, offload
from .turns import Line, Part
from .workshop import Workshop

log = logging.getLogger(__name__)

#: One file is read from the camera while the one before is read again from the disk and proved.
_FILES_IN_HAND = 2


Check = Callable[[], None]


def _fine() -> None:
    """Nothing stands against it."""


def _nothing() -> bool:
    """Nothing else is wanted of the camera."""
    return False


class _SomethingElse(Exception):
    """Something else is wanted of the camera than its recordings, between two of them."""


@dataclass(frozen=True)
class _File:
    """One file to take, and its name on the camera."""

    source_name: str
    wanted: Wanted


@dataclass(frozen=True)
class _Taking:
    """A recording to take: what of it is not stored yet."""

    recording_id: str
    camera_recording_id: str
    protected: bool
    start_at: datetime
    files: tuple[_File, ...]
    bookmarks: tuple[tuple[Wanted, bytes], ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.wanted.size_bytes for file in self.files)


class Intake:
    """Takes everything that a camera has, in order of importance; what fails is noted, the rest goes on."""

    def __init__(
        self,
        shop: Workshop,
        bay_id: str,
        camera_id: str,
        camera: DockedCamera,
        *,
        bus: str = "",
        check: Check = _fine,
        is_needed: Callable[[], bool] = _nothing,
    ) -> None:
        """``bus`` is what the bay shares with others; ``check`` may raise why the camera is to be left alone.

        ``is_needed`` tells between recordings whether the camera is to be told something first.
        """
        self._shop, self._bay_id, self._camera_id, self._camera = shop, bay_id, camera_id, camera
        self._bus, self._check, self._is_needed = bus or bay_id, check, is_needed
        self._reading = threading.Lock()
        self.problems: list[BodywornError] = []

    def run(self) -> bool:
        """Take all recordings; False when the camera was needed for something else before the end.

        Problems of single recordings are collected, those of the camera are raised.
        """
        self.problems = []
        self._shop.hook(Step.MOUNTED)
        with self._camera.recordings() as source:
            self._shop.hook(Step.LISTED)
            began_at = datetime.now(UTC)
            listed = source.listed()
        takings = self._note(listed, began_at)
        done = True
        if takings:
            self._expect(takings)
            try:
                with self._shop.turns.line(self._bay_id, self._bus, map(_part, takings)) as line:
                    self._take_in_turn(line, takings)
            except _SomethingElse:
                done = False
        self._leave_receipts()
        return done

    def _take_in_turn(self, line: Line, takings: Sequence[_Taking]) -> None:
        """Take nothing before it is this camera's turn: one that only waits can still go to another controller."""
        line.wait(self._check_free)
        ours = self._claimed(takings)
        if len(ours) < len(takings):
            line.bring(map(_part, ours))
            self._expect(ours)
        if ours:
            with self._camera.recordings() as source:
                self._take_all(source, ours, line)

    def _expect(self, takings: Sequence[_Taking]) -> None:
        with self._shop.database.write() as session:
            docks.expect(session, self._bay_id, sum(taking.size_bytes for taking in takings))

    def _check_free(self) -> None:
        self._camera.ensure_connected()
        self._check()
        if self._is_needed():
            raise _SomethingElse

    def _note(self, listed: Sequence[Listed], began_at: datetime) -> list[_Taking]:
        """Write down the intent to take each recording that is not stored yet (P6)."""
        for one in listed:
            if one.problem is not None and not one.harmless:
                log.warning("recording %s cannot be listed: %s", one.camera_recording_id, one.problem.id)
                self.problems.append(one.problem)
        self._shop.hook(Step.INTENT)
        with self._shop.database.write() as session:
            camera = session.get_one(Camera, self._camera_id)
            noted = [
                (one, recordings.found(session, camera, one.document, one.envelope)) for one in listed if one.document
            ]
            recordings.vanished(session, camera, [one.camera_recording_id for one in listed if not one.harmless])
            left = [one.problem for one in listed if one.problem is not None]
            cameras.listed(session, camera, left, whole_at=None if self.problems else began_at)
            takings = [
                _taking(recording, one.document)
                for one, recording in noted
                if one.document and recording.state is RecordingState.FOUND
            ]
        return sorted(takings, key=lambda taking: (not taking.protected, taking.start_at))

    def _claimed(self, takings: Sequence[_Taking]) -> list[_Taking]:
        """Lock what is to be taken; what another controller has in hand is left to it (I9)."""
        ours = self._camera.claim([taking.camera_recording_id for taking in takings])
        for taking in takings:
            if taking.camera_recording_id not in ours:
                self._failed(taking, CameraOwnedElsewhere())
        return [taking for taking in takings if taking.camera_recording_id in ours]

    def _take_all(self, source: RecordingSource, takings: Sequence[_Taking], line: Line) -> None:
        lockbox, meter = self._lockbox(), self._shop.board.bay(self._bay_id)
        for taking in takings:
            if not line.active:
                line.wait(self._check_free)
                meter.rest()
            self._check_free()
            try:
                self._take(source, taking, lockbox, line)
            except CameraGone:
                raise
            except BodywornError as error:
                self._camera.ensure_connected()
                self._failed(taking, error)
            line.bytes_per_second = meter.bytes_per_second() or line.bytes_per_second
            line.done()

    def _take(self, source: RecordingSource, taking: _Taking, lockbox: Lockbox | None, line: Line) -> None:
        pool = ThreadPoolExecutor(_FILES_IN_HAND, "intake")
        try:
            work = [pool.submit(self._take_file, source, taking, file, lockbox, line) for file in taking.files]
            for done in work:
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)
        for wanted, body in taking.bookmarks:
            digests = self._shop.spool.write_bytes(wanted.container, wanted.name, body, metadata=wanted.metadata)
            self._stored(StoredClip(wanted.clip_id, digests.size_bytes, digests.sha256, digests))
        self._whole(taking)

    def _take_file(
        self, source: RecordingSource, taking: _Taking, file: _File, lockbox: Lockbox | None, line: Line
    ) -> None:
        meter = self._shop.board.bay(self._bay_id)

        def count(size_bytes: int) -> None:
            meter.add(size_bytes)
            line.read(size_bytes)

        with self._shop.room_for(file.wanted.size_bytes):
            opening = partial(self._opened, source, taking, file)
            stored = offload(opening, file.wanted, self._shop.spool, lockbox, count)
        self._stored(stored)

    @contextmanager
    def _opened(self, source: RecordingSource, taking: _Taking, file: _File) -> Iterator[FileIO]:
        """Open a file on the camera once the one before has been read: two at once would only share its speed."""
        with self._reading, source.open(taking.camera_recording_id, file.source_name) as opened:
            yield opened

    def _stored(self, stored: StoredClip) -> None:
        self._shop.hook(Step.STORED)
        with self._shop.database.write() as session:
            recordings.clip_stored(session, stored, self._shop.spool.failure_domain())
            self._shop.hook(Step.AUDITED)

    def _whole(self, taking: _Taking) -> None:
        with self._shop.database.write() as session:
            recording = recordings.get(session, taking.recording_id)
            manifest = manifests.sign(recording, systems.authority(session, self._shop.keyring))
            recordings.stored(session, taking.recording_id, manifest)

    def _failed(self, taking: _Taking, error: BodywornError) -> None:
        log.warning("recording %s was not taken: %s", taking.recording_id, error.id)
        self.problems.append(error)
        with self._shop.database.write() as session:
            recordings.offload_failed(session, taking.recording_id, error)

    def _leave_receipts(self) -> None:
        """Tell the camera what is stored here, so that any other controller skips it (decision 16)."""
        with self._shop.database.read() as session:
            missing = [
                Receipted(one.camera_recording_id, recordings.content_digest(one))
                for one in recordings.unreceipted(session, self._camera_id)
            ]
        if missing:
            noted = self._camera.acknowledge(missing)
            with self._shop.database.write() as session:
                recordings.receipted(session, self._camera_id, noted)

    def _lockbox(self) -> Lockbox | None:
        with self._shop.database.read() as session:
            destination = destinations.active(session)
            connection = destinations.connection(destination, self._shop.keyring) if destination else None
        return lockbox_of(connection, self._shop.book.recovery_encryption_key.raw) if connection else None


def _part(taking: _Taking) -> Part:
    return Part(taking.protected, taking.size_bytes)


def _taking(recording: Recording, document: Description) -> _Taking:
    bodies = bookmark_bodies(document)
    declared = {entry.name: entry.sha256 for entry in document.clips}
    if document.track is not None:
        declared[document.track.name] = document.track.sha256
    waiting = [clip for clip in recording.clips if copies.state(clip, Place.SPOOL) is not CopyState.VERIFIED]
    return _Taking(
        recording_id=recording.id,
        camera_recording_id=recording.camera_recording_id,
        protected=recording.protected,
        start_at=recording.start_at,
        files=tuple(
            _File(clip.source_name, replace(_wanted(recording, clip), sha256=declared.get(clip.source_name)))
            for clip in waiting
            if clip.source_name is not None
        ),
        bookmarks=tuple(
            (_wanted(recording, clip), bodies[clip.name]) for clip in waiting if clip.kind is ClipKind.BOOKMARK
        ),
    )


def _wanted(recording: Recording, clip: Clip) -> Wanted:
    metadata = {key: str(value) for key, value in clip.wire_metadata.items()}
    return Wanted(clip.id, recording.container_name, clip.name, clip.size_bytes, None, metadata)
