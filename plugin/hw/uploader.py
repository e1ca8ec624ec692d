"""Bring stored recordings to the content destination, several at a time, and decide what each answer means (C3).

How one recording is sent is ``shipment``, what is written down meanwhile ``waybill``; what is due, and what follows,
is ``services.deliveries``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from sqlalchemy.orm import Session

from ..const import Step
from ..destination.client import Client
from ..errors import (
    BodyChanged,
    BodywornError,
    DestinationFailed,
    DifferentAtDestination,
    EtagDiffers,
    MissingObject,
    NoticeRefused,
    Rejected,
    SpoolDamaged,
    StoreError,
    TooLarge,
)
from ..models import Camera, Clip, Destination, Recording
from ..services import copies, damage, deliveries, destinations, documents, parcels, uplink_limit
from ..services.systems import MOST_UPLOADS
from . import quarantine, sealing, shipment
from .errands import Errands
from .offload import lockbox_of
from .rest import Rest, edition
from .shipment import Route
from .uplink import Uplink
from .waybill import Job, RecordingWaybill
from .workshop import Workshop

log = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0
#: Errands wait for whatever else changes in the same moment.
_ERRAND_SECONDS = 2.0
#: What is wrong with one recording, and not with the destination.
_OF_THE_RECORDING = (
    BodyChanged,
    DifferentAtDestination,
    EtagDiffers,
    MissingObject,
    NoticeRefused,
    Rejected,
    SpoolDamaged,
    StoreError,
    TooLarge,
)


class Uploader:
    """Threads that send what is due. At most ``parallel`` recordings travel at a time, and no more than is set."""

    def __init__(self, shop: Workshop, parallel: int | Callable[[], int]) -> None:
        """``parallel`` may be asked again and again, because it can be changed at any time."""
        self._shop = shop
        self._parallel = parallel if callable(parallel) else partial(int, parallel)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._in_hand: set[str] = set()
        self._clients: dict[str, tuple[bytes, Client]] = {}
        self._rest, self._uplink = Rest(), Uplink()
        self._errands = Errands(shop, self._rest, self._client)
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"uploader-{number}", daemon=True)
            for number in range(MOST_UPLOADS)
        ]
        self._threads.append(threading.Thread(target=self._attend, name="uploader-errands", daemon=True))

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the object in hand, or give up after a few seconds; nothing is lost either way."""
        self._stop.set()
        self._uplink.stop()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self, number: int) -> None:
        seen = -1
        while not self._stop.is_set():
            try:
                sent = number < self._parallel() and self._send_next()
            except Exception:
                # The database is full or away: what is stored stays stored, and is taken up once it answers again.
                log.exception("the next recording to send cannot be looked up, or what came of it not written down")
                self._stop.wait(_IDLE_SECONDS)
                sent = False
            if not sent:
                seen = self._shop.bell.wait(seen, _IDLE_SECONDS)

    def _send_next(self) -> bool:
        """Send the next recording that nobody has in hand; False when there is none."""
        recording_id = self._take()
        if recording_id is None:
            return False
        try:
            self._handle(recording_id)
        except Exception as error:
            # What cannot be read, or a defect of ours: it stays stored and says so, the others go on.
            log.exception("recording %s cannot be sent", recording_id)
            self._set_aside(recording_id, error if isinstance(error, BodywornError) else BodywornError())
        finally:
            self._put_down(recording_id)
        return True

    def _attend(self) -> None:
        """Hold the line to what is set, at once when that changes, and run errands."""
        seen, errands_at = -1, 0.0
        while not self._stop.is_set():
            try:
                self._hold_line()
                if time.monotonic() >= errands_at:
                    self._errands.run()
                    errands_at = time.monotonic() + _ERRAND_SECONDS
            except Exception:
                # Recordings go on without it, and the next round tries again.
                log.exception("errands at the destination cannot be run")
                errands_at = time.monotonic() + _ERRAND_SECONDS
            seen = self._shop.bell.wait(seen, _IDLE_SECONDS)

    def _hold_line(self) -> None:
        with self._shop.database.read() as session:
            self._uplink.hold_to(uplink_limit.bytes_per_second(session, datetime.now(UTC)))

    def _take(self) -> str | None:
        """Take the next recording that nobody has in hand; None when there is none, or the destination rests."""
        with self._lock, self._shop.database.read() as session:
            destination = destinations.active(session)
            if destination is None or self._rest.holds(destination):
                return None
            for recording in deliveries.due(session, limit=len(self._in_hand) + 1):
                if recording.id not in self._in_hand:
                    self._in_hand.add(recording.id)
                    return recording.id
        return None

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

    def _job(self, session: Session, recording: Recording, destination: Destination) -> Job:
        document = documents.read(recording, session.get_one(Camera, recording.camera_id))
        parcel = parcels.pack(session, recording, document, destination)
        client, takes_rejected = self._client(destination), deliveries.can(destination).rejected_content
        route = Route(client, self._shop.spool, destination.can_verify, takes_rejected, self._shop.hook)
        lockbox = lockbox_of(route.client.connection, self._shop.book.recovery_encryption_key.raw)
        readable = sealing.readable(recording) if lockbox else ()
        domain = parcels.failure_domain(destination)
        return Job(parcel, destination.id, edition(destination), domain, route, readable, lockbox)

    def _client(self, destination: Destination) -> Client:
        """Give the client of a destination, made anew when its connection file changed."""
        with self._lock:
            known = self._clients.get(destination.id)
            if known is None or known[0] != destination.sealed_file:
                client = destinations.client(destination, self._shop.keyring, self._uplink.take)
                known = self._clients[destination.id] = (destination.sealed_file, client)
            return known[1]

    def _seal_or_send(self, job: Job) -> None:
        """Send a recording, or encrypt it where that was asked for after it was stored; it is due again then."""
        if not job.readable or job.lockbox is None:
            return self._send(job)
        try:
            sealing.seal(self._shop, job.readable, job.lockbox)
        except (SpoolDamaged, StoreError) as error:
            self._after_difference(job, error)
        except BodywornError as error:
            self._failed(job, error)

    def _send(self, job: Job) -> None:
        assert not job.readable, "what is to be encrypted is never sent readable"
        try:
            refusal = shipment.send(job.parcel, job.route, RecordingWaybill(self._shop, job))
        except (EtagDiffers, BodyChanged, StoreError) as error:
            self._after_difference(job, error)
        except BodywornError as error:
            self._failed(job, error)
        else:
            self._done(job, refusal)

    def _done(self, job: Job, refusal: BodywornError | None) -> None:
        self._shop.hook(Step.UPLOADED)
        with self._shop.database.write() as session:
            if refusal is None:
                deliveries.delivered(session, job.parcel.recording_id)
            else:
                deliveries.refused(session, job.parcel.recording_id, refusal)
            destinations.works(session, session.get_one(Destination, job.destination_id))
        self._rest.over()

    def _after_difference(self, job: Job, error: BodywornError) -> None:
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

    def _failed(self, job: Job, error: BodywornError) -> None:
        log.warning("recording %s was not sent: %s", job.parcel.recording_id, error.id)
        for item in job.parcel.items:
            self._shop.board.sent(item.clip_id)
        with self._shop.database.write() as session:
            _judge(session, job, error)
        if not isinstance(error, _OF_THE_RECORDING):
            self._rest.begin(job.edition, error)


def _judge(session: Session, job: Job, error: BodywornError) -> None:
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
