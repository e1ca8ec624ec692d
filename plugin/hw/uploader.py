"""Bring stored recordings to the content destination, several at a time, and decide what each answer means (C3).

How one recording is sent is ``shipment``; what is due and what is written down is ``services.deliveries``.
"""

from __future__ import annotations

import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy.orm import Session

from ..const import Step
from ..destination.client import Client
from ..destination.proof import Proof
from ..errors import (
    BodyChanged,
    BodywornError,
    DestinationFailed,
    DifferentAtDestination,
    EtagDiffers,
    LicenceMissing,
    MissingObject,
    Rejected,
    SpoolDamaged,
    StoreError,
    TooLarge,
)
from ..models import Camera, Clip, Destination, Recording
from ..services import copies, damage, deliveries, destinations, documents, parcels
from ..services.deliveries import Delivery
from ..services.parcels import Item, Parcel
from ..services.systems import MOST_UPLOADS
from . import quarantine, sealing, shipment
from .offload import Lockbox, lockbox_of
from .progress import Meter
from .sealing import Readable
from .shipment import Route
from .workshop import Workshop

log = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 300.0
_IDLE_SECONDS = 1.0
#: Licences are bought by people.
_LICENCE_SECONDS = 3600.0
#: What is wrong with one recording, and not with the destination.
_OF_THE_RECORDING = (
    BodyChanged,
    DifferentAtDestination,
    EtagDiffers,
    MissingObject,
    Rejected,
    SpoolDamaged,
    StoreError,
    TooLarge,
)


@dataclass(frozen=True)
class _Job:
    """A recording in hand: everything that is needed while no transaction is open."""

    parcel: Parcel
    destination_id: str
    #: Of the destination's connection file.
    edition: str
    failure_domain: str
    route: Route
    #: Stored before the destination asked for encryption: encrypted first, sent after.
    readable: tuple[Readable, ...]
    lockbox: Lockbox | None


class Uploader:
    """Threads that send what is due. ``parallel`` recordings travel at a time."""

    def __init__(self, shop: Workshop, parallel: int | Callable[[], int]) -> None:
        """``parallel`` may be asked again and again, because it can be changed at any time."""
        self._shop = shop
        self._parallel = parallel if callable(parallel) else partial(int, parallel)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._in_hand: set[str] = set()
        self._clients: dict[str, tuple[bytes, Client]] = {}
        self._failures = 0
        self._paused_until = 0.0
        self._paused_for = ""
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"uploader-{number}", daemon=True)
            for number in range(MOST_UPLOADS)
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the object in hand, or give up after a few seconds; nothing is lost either way."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self, number: int) -> None:
        seen = -1
        while not self._stop.is_set():
            recording_id = self._take() if number < self._parallel() else None
            if recording_id is None:
                seen = self._shop.bell.wait(seen, _IDLE_SECONDS)
                continue
            try:
                self._handle(recording_id)
            except Exception as error:
                # What cannot be read, or a defect of ours: it stays stored and says so, the others go on.
                log.exception("recording %s cannot be sent", recording_id)
                self._set_aside(recording_id, error if isinstance(error, BodywornError) else BodywornError())
            finally:
                self._put_down(recording_id)

    def _take(self) -> str | None:
        """Take the next recording that nobody has in hand; None when there is none, or the destination rests."""
        with self._lock, self._shop.database.read() as session:
            destination = destinations.active(session)
            if destination is None or self._rests(destination):
                return None
            for recording in deliveries.due(session, limit=len(self._in_hand) + 1):
                if recording.id not in self._in_hand:
                    self._in_hand.add(recording.id)
                    return recording.id
        return None

    def _rests(self, destination: Destination) -> bool:
        """Tell whether the destination is to be left alone; a new connection file ends that."""
        return time.monotonic() < self._paused_until and self._paused_for == _edition(destination)

    def _set_aside(self, recording_id: str, error: BodywornError) -> None:
        with self._shop.database.write() as session:
            deliveries.upload_failed(session, recording_id, error, None)

    def _put_down(self, recording_id: str) -> None:
        with self._lock:
            self._in_hand.discard(recording_id)

    def _handle(self, recording_id: str) -> None:
        with self._shop.database.read() as session:
            destination = destinations.active(session)
            assert destination is not None, "there was one when the recording was taken"
            job = self._job(session, session.get_one(Recording, recording_id), destination)
        self._seal_or_send(job)

    def _job(self, session: Session, recording: Recording, destination: Destination) -> _Job:
        document = documents.read(recording, session.get_one(Camera, recording.camera_id))
        parcel = parcels.pack(session, recording, document, destination)
        route = Route(self._client(destination), self._shop.spool, destination.can_verify, self._shop.hook)
        lockbox = lockbox_of(route.client.connection, self._shop.book.recovery_encryption_key.raw)
        readable = sealing.readable(recording) if lockbox else ()
        domain = parcels.failure_domain(destination)
        return _Job(parcel, destination.id, _edition(destination), domain, route, readable, lockbox)

    def _client(self, destination: Destination) -> Client:
        """Give the client of a destination, made anew when its connection file changed."""
        known = self._clients.get(destination.id)
        if known is None or known[0] != destination.sealed_file:
            known = (destination.sealed_file, destinations.client(destination, self._shop.keyring))
            self._clients[destination.id] = known
        return known[1]

    def _seal_or_send(self, job: _Job) -> None:
        """Send a recording, or encrypt it where that was asked for after it was stored; it is due again then."""
        if not job.readable or job.lockbox is None:
            return self._send(job)
        try:
            sealing.seal(self._shop, job.readable, job.lockbox)
        except (SpoolDamaged, StoreError) as error:
            self._after_difference(job, error)
        except BodywornError as error:
            self._failed(job, error)

    def _send(self, job: _Job) -> None:
        assert not job.readable, "what is to be encrypted is never sent readable"
        try:
            self._announce(job, again=False)
            self._ship(job)
        except Rejected:
            self._send_after_telling_again(job)
        except (EtagDiffers, BodyChanged, StoreError) as error:
            self._after_difference(job, error)
        except BodywornError as error:
            self._failed(job, error)
        else:
            self._done(job)

    def _send_after_telling_again(self, job: _Job) -> None:
        """Somebody may have removed the user or the camera there: both are pushed again before a refusal counts."""
        try:
            self._announce(job, again=True)
            self._ship(job)
        except BodywornError as error:
            self._failed(job, error)
        else:
            self._done(job)

    def _announce(self, job: _Job, *, again: bool) -> None:
        with self._shop.database.read() as session:
            recording = session.get_one(Recording, job.parcel.recording_id)
            destination = session.get_one(Destination, job.destination_id)
            waiting = parcels.notices(session, recording, destination, again=again)
        for notice in waiting:
            shipment.announce(notice, job.route.client)
            with self._shop.database.write() as session:
                parcels.noticed(session, notice, session.get_one(Destination, job.destination_id))

    def _ship(self, job: _Job) -> None:
        with self._shop.database.write() as session:
            deliveries.sending(session, job.parcel.recording_id, session.get_one(Destination, job.destination_id))
        total = self._shop.board.destination(job.destination_id)
        shipment.send(
            job.parcel,
            job.route,
            progress=lambda item: self._counter(job, item, total),
            delivered=lambda item, proof: self._proved(job, item, proof),
        )

    def _counter(self, job: _Job, item: Item, total: Meter) -> Callable[[int], None]:
        meter = self._shop.board.sending(item.clip_id, job.failure_domain)
        return lambda done_bytes: total.add(meter.reach(done_bytes))

    def _proved(self, job: _Job, item: Item, proof: Proof) -> None:
        self._shop.board.sent(item.clip_id)
        with self._shop.database.write() as session:
            deliveries.clip_delivered(session, Delivery(item.clip_id, proof.verified, proof.md5), job.failure_domain)

    def _done(self, job: _Job) -> None:
        self._shop.hook(Step.UPLOADED)
        with self._shop.database.write() as session:
            deliveries.delivered(session, job.parcel.recording_id)
            destinations.works(session, session.get_one(Destination, job.destination_id))
        self._failures = 0

    def _after_difference(self, job: _Job, error: BodywornError) -> None:
        """Other bytes arrived than were meant, or none: find out whether ours changed, or the network changed them."""
        found = shipment.find_damage(job.parcel, self._shop.spool)
        if found is None:
            return self._failed(job, error)
        item, fault = found
        log.error("recording %s was not sent: %s", job.parcel.recording_id, fault)
        self._shop.board.sent(item.clip_id)
        with self._shop.database.write() as session:
            damage.copy_damaged(session, copies.in_spool(session.get_one(Clip, item.clip_id)), fault)
        quarantine.put_aside(self._shop, job.parcel.container)

    def _failed(self, job: _Job, error: BodywornError) -> None:
        log.warning("recording %s was not sent: %s", job.parcel.recording_id, error.id)
        for item in job.parcel.items:
            self._shop.board.sent(item.clip_id)
        with self._shop.database.write() as session:
            _judge(session, job, error)
        if not isinstance(error, _OF_THE_RECORDING):
            self._pause(job, error)

    def _pause(self, job: _Job, error: BodywornError) -> None:
        """Let the whole destination rest: longer each time, and as long as it asks."""
        self._failures += 1
        wait = min(2.0 ** min(self._failures - 1, 9), _LONGEST_PAUSE_SECONDS) * random.uniform(0.8, 1.2)  # noqa: S311
        asked = error.retry_after_seconds if isinstance(error, DestinationFailed) else 0.0
        if isinstance(error, LicenceMissing):
            asked = _LICENCE_SECONDS
        self._paused_for = job.edition
        self._paused_until = time.monotonic() + max(wait, min(asked, 3600.0))


def _edition(destination: Destination) -> str:
    """Name the connection file in force, which is sealed anew whenever somebody uploads one."""
    return hashlib.sha256(destination.sealed_file).hexdigest()


def _judge(session: Session, job: _Job, error: BodywornError) -> None:
    """Write down what an error means: for good, for this recording, or for the destination; never towards deletion."""
    recording_id = job.parcel.recording_id
    if isinstance(error, Rejected | TooLarge):
        deliveries.refused(session, recording_id, error)
    elif isinstance(error, DifferentAtDestination):
        deliveries.quarantined(session, recording_id, error)
    else:
        asked = error.retry_after_seconds if isinstance(error, DestinationFailed) else None
        deliveries.upload_failed(session, recording_id, error, asked)
    if not isinstance(error, _OF_THE_RECORDING):
        destinations.fails(session, session.get_one(Destination, job.destination_id), error)
