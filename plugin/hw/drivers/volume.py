"""Driver for cameras of the open camera volume format (``docs/camera-volume.md``): units that change hands by turns."""

from __future__ import annotations

import logging
import secrets
from base64 import b64encode
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from io import FileIO
from typing import Any, TypeVar

from ...camera_volume import beneath, documents
from ...camera_volume.answers import ANSWERS, Acknowledgement, Answer, AnswerKind, Erased, Identity
from ...camera_volume.control import ControlUnit, Described, Message
from ...camera_volume.documents import CameraState, Unit
from ...camera_volume.media import MediaUnit
from ...camera_volume.orders import LEASE, Erasure as OrderedErasure, OrderKind, ReceiptState
from ...camera_volume.recording import TRACK_NAME
from ...crypto import envelope
from ...crypto.envelope import PayloadType
from ...crypto.keys import PublicKey
from ...errors import (
    BodywornError,
    CameraBelongsElsewhere,
    CameraListingTooLong,
    CameraNotGenuine,
    CameraRefused,
    DocumentRefused,
    EnvelopeRefused,
    RecordingUnfinished,
)
from ...services.camera_settings import WantedSettings
from ...services.cameras import SeenCamera
from ...services.documents import open_document
from ..order_book import OrderBook
from ..ports import Port
from .lost_receipts import lost_receipts
from .protocol import Erasure, Listed, Outcome, Receipted, RecordingSource, Wishes

log = logging.getLogger(__name__)

NAME = "volume"
#: How long a camera may take to come back with a unit; real firmware needs seconds.
TURN_SECONDS = 60.0
#: A camera that remembers more has been tampered with; whoever follows it could soon order nothing any more.
_LARGEST_SEQUENCE = 2**52
#: So many restores that nobody had heard of; a camera that speaks of more would use up the epochs.
_MOST_RESTORES = 1000
#: The control unit is no larger.
_LARGEST_OUTBOX_BYTES = 16 * 1024 * 1024
#: Of the documents of all recordings together, which are held in memory.
_LARGEST_DOCUMENTS_BYTES = 64 * 1024 * 1024
_MOST_NAMES = 10

_Kind = TypeVar("_Kind", bound=Answer)


class VolumeCamera:
    """One docking of a volume camera, seen from the host."""

    def __init__(self, port: Port, book: OrderBook) -> None:
        self._port, self._book = port, book
        self._described: Described | None = None
        #: Serial number and key with which it was identified; it stays the same camera until it is identified anew.
        self._known_as: tuple[str, str] | None = None
        self._clock_offset_seconds: float | None = None
        #: Whether it has seen a later epoch than ours.
        self._is_ahead = False

    # who it is

    def identify(self) -> SeenCamera:
        """Challenge the camera: it signs our nonce, its own, and the digest of what it says of itself.

        A locked camera proves itself, too. One that has seen a later epoch than ours (the system was restored twice
        from one file) obeys nobody here, so it cannot; it is locked to us until the recovery key unlocks it.

        :raises CameraNotGenuine: when the answer does not hold; CameraBelongsElsewhere.
        """
        self._port.begin()
        self._port.wait_until_present([Unit.CONTROL], TURN_SECONDS)
        with self._control(read_only=True) as control:
            self._described = control.read_description()
        self._clock_offset_seconds = (self._description.time - datetime.now(UTC)).total_seconds()
        self._known_as = None
        self._refuse_foreign()
        self._is_ahead = self._description.system_id is not None and self._description.epoch > self._book.epoch
        if self._is_ahead:
            self._known_as = _who(self._description)
        else:
            self._challenge()
        self._book.go_on_from(max((one.sequence for one in self._description.applied.values()), default=0))
        return self.facts()

    def _challenge(self) -> None:
        nonce = b64encode(secrets.token_bytes(32)).decode()
        order = self._issue(OrderKind.CHALLENGE, nonce=nonce, camera_nonce=self._description.nonce)
        camera_nonce = self._description.nonce
        answers = self._turn([(OrderKind.CHALLENGE, order)])
        identity = _answer(answers, order, Identity)
        proved = identity is not None and (identity.nonce, identity.camera_nonce) == (nonce, camera_nonce)
        if identity is None or not proved or identity.camera_sha256 != self._last.sha256:
            raise CameraNotGenuine(serial=self._description.serial)
        self._known_as = _who(self._description)

    def _refuse_foreign(self) -> None:
        description = self._description
        if max((one.sequence for one in description.applied.values()), default=0) > _LARGEST_SEQUENCE:
            raise DocumentRefused(document="CameraDescription", reason="it leaves no numbers for orders")
        if description.system_id not in (None, self._book.system_id):
            raise CameraBelongsElsewhere(serial=description.serial)
        if description.system_id is not None and description.epoch > self._book.epoch + _MOST_RESTORES:
            raise DocumentRefused(document="CameraDescription", reason="its epoch is beyond all others")

    def facts(self) -> SeenCamera:
        """Give what the camera said at its last turn; its clock's offset is the one it was docked with."""
        described = self._description
        return SeenCamera(
            driver=NAME,
            serial=described.serial,
            model=described.model,
            manufacturer=described.manufacturer,
            firmware=described.firmware,
            public_key=self._key.raw,
            enrolled=described.system_id == self._book.system_id,
            docking_counter=described.docking,
            battery_percent=described.battery.percent,
            charging=described.battery.charging,
            storage_used_bytes=described.storage.used_bytes,
            storage_total_bytes=described.storage.total_bytes,
            clock_offset_seconds=self._clock_offset_seconds,
            locked=described.state is CameraState.LOCKED or self._is_ahead,
            epoch=described.epoch,
            nonce=described.nonce,
            proved=not self._is_ahead,
        )

    def is_there(self) -> bool:
        """Tell whether it stands in its socket."""
        return self._port.is_there()

    def ensure_connected(self) -> None:
        """Raise CameraGone, or CameraInterrupted when it came loose since it was identified."""
        self._port.ensure_connected()

    # what it is told

    def synchronise(self, wishes: Wishes) -> Outcome:
        """Unlock, enrol, set the clock, renew the lease and change settings, or let it go, in one turn."""
        orders: list[tuple[OrderKind, bytes]] = []
        issued_at = datetime.now(UTC)
        if wishes.unlock is not None:
            orders.append((OrderKind.UNLOCK, wishes.unlock))
        if wishes.enrol_as is not None:
            orders.append(self._ordered(OrderKind.ENROLMENT, **self._enrolment(wishes.enrol_as)))
        if wishes.renew_lease:
            orders.append(self._ordered(OrderKind.LEASE, expires=issued_at + LEASE))
        if wishes.settings is not None and wishes.settings.sequence != self._description.settings_sequence:
            orders.append(self._settings(wishes.settings))
        if wishes.set_clock:
            orders.append(self._ordered(OrderKind.CLOCK, time=datetime.now(UTC)))
        if wishes.release:
            orders.append(self._ordered(OrderKind.RESET, shipping=True))
        answers = self._turn(orders)
        applied = {kind for kind, order in orders if _is_applied(answers, order)}
        return Outcome(
            settings_sequence=self._description.settings_sequence or None,
            lease_issued_at=issued_at if OrderKind.LEASE in applied else None,
            released=OrderKind.RESET in applied,
            refused=tuple((kind, _reason(answers, order)) for kind, order in orders if kind not in applied),
        )

    def _enrolment(self, system_name: str) -> dict[str, str]:
        return {
            "recovery_key": self._book.recovery_key.to_base64(),
            "recovery_encryption_key": self._book.recovery_encryption_key.to_base64(),
            "system_name": system_name[:64],
        }

    def _settings(self, wanted: WantedSettings) -> tuple[OrderKind, bytes]:
        order = self._issue(
            OrderKind.SETTINGS,
            sequence=wanted.sequence,
            time_zone=wanted.time_zone,
            power_line_hertz=wanted.power_line_hertz,
            profile=wanted.profile,
            user=wanted.user,
            camera_name=wanted.camera_name,
            categories=wanted.categories,
        )
        return OrderKind.SETTINGS, order

    # its recordings

    @contextmanager
    def recordings(self) -> Iterator[RecordingSource]:
        """Open the unit that holds recordings, read-only."""
        self._port.wait_until_present([self._recordings_on], TURN_SECONDS)
        with self._port.opened(self._recordings_on, read_only=True) as path, MediaUnit(path) as media:
            yield _Recordings(media, self._key.raw)

    def claim(self, camera_recording_ids: Sequence[str]) -> frozenset[str]:
        """Put a receipt "taking" on each recording, in place of one that a lost controller left there."""
        with self._control(read_only=True) as control:
            lost = lost_receipts(control, camera_recording_ids, self._book)
        for recording in lost:
            log.info("camera %s: recording %s is taken over", self._description.serial, recording)
        orders = {
            recording: self._ordered(
                OrderKind.RECEIPT,
                recording_id=recording,
                state=ReceiptState.TAKING,
                controller_id=self._book.controller_id,
                replaces=lost.get(recording),
            )
            for recording in camera_recording_ids
        }
        return self._applied_of(orders)

    def acknowledge(self, stored: Sequence[Receipted]) -> frozenset[str]:
        """Put a receipt "stored" on each recording."""
        orders = {
            one.camera_recording_id: self._ordered(
                OrderKind.RECEIPT,
                recording_id=one.camera_recording_id,
                state=ReceiptState.STORED,
                controller_id=self._book.controller_id,
                content_sha256=one.content_sha256,
            )
            for one in stored
        }
        return self._applied_of(orders)

    def _applied_of(self, orders: dict[str, tuple[OrderKind, bytes]]) -> frozenset[str]:
        answers = self._turn(list(orders.values()))
        applied = {recording for recording, (_, order) in orders.items() if _is_applied(answers, order)}
        for recording in orders.keys() - applied:
            log.warning("receipt for %s refused: %s", recording, _reason(answers, orders[recording][1]))
        return frozenset(applied)

    def erase(self, erasures: Sequence[Erasure]) -> tuple[str, ...]:
        """Give both units back with an erase order; the camera deletes what is still what was stored."""
        assert all(erasure.proof for erasure in erasures), "I1: nothing is ordered without its proof"
        recordings = tuple(
            OrderedErasure(recording_id=one.camera_recording_id, content_sha256=one.content_sha256) for one in erasures
        )
        order = self._ordered(OrderKind.ERASE_ORDER, recordings=recordings)
        answer = _answer(self._turn([order], {self._recordings_on, Unit.CONTROL}), order[1], Erased)
        if answer is None:
            raise CameraRefused(serial=self._description.serial, order=OrderKind.ERASE_ORDER)
        return answer.erased

    # turns

    def _turn(
        self, orders: Sequence[tuple[OrderKind, bytes]], units: Collection[Unit] = (Unit.CONTROL,)
    ) -> dict[str, Answer]:
        """Put orders into the inbox, hand over, and read what came back: answers by the digest of their order."""
        with self._control() as control:
            for kind, order in orders:
                control.put_order(kind, order)
        self._port.turn(units, TURN_SECONDS)
        with self._control() as control:
            self._described = self._same(control.read_description())
            return {answer.order_sha256: answer for answer in self._answers(control) if answer.order_sha256}

    def _same(self, described: Described) -> Described:
        if self._known_as not in (None, _who(described.description)):
            raise CameraNotGenuine(serial=described.description.serial)
        return described

    def _answers(self, control: ControlUnit) -> Iterator[Answer]:
        """Take the answers out; what does not hold, and kinds of later versions, are left where they are."""
        left_bytes = _LARGEST_OUTBOX_BYTES
        for message in control.list_outbox():
            if message.kind not in set(AnswerKind):
                continue
            data = control.read_answer(message)
            left_bytes -= len(data)
            if left_bytes < 0:
                raise CameraListingTooLong(name="outbox", limit=_LARGEST_OUTBOX_BYTES)
            answer = self._read(message, data)
            if answer is not None:
                control.remove_answer(message)
                yield answer

    def _read(self, message: Message, data: bytes) -> Answer | None:
        """Verify an answer, then read it. One that does not hold is no answer: whoever waits for it goes without."""
        kind = AnswerKind(message.kind)
        payload_type = PayloadType(f"application/vnd.bodyworn.{kind}.v1+json")
        try:
            return documents.decode(ANSWERS[kind], envelope.verify(data, payload_type, [self._key]))
        except (EnvelopeRefused, DocumentRefused) as error:
            log.warning("camera %s: %s counts for nothing: %s", self._description.serial, message.name, error.id)
            return None

    def _ordered(self, kind: OrderKind, **members: Any) -> tuple[OrderKind, bytes]:
        return kind, self._issue(kind, **members)

    def _issue(self, kind: OrderKind, sequence: int | None = None, **members: Any) -> bytes:
        return self._book.issue(self._key, kind, sequence, **members)

    @property
    def _last(self) -> Described:
        assert self._described is not None, "identify comes first"
        return self._described

    @property
    def _description(self) -> documents.CameraDescription:
        return self._last.description

    @property
    def _recordings_on(self) -> Unit:
        """Cameras with a single unit keep their recordings on it (format, section 13)."""
        return Unit.MEDIA if Unit.MEDIA in self._description.units else Unit.CONTROL

    @property
    def _key(self) -> PublicKey:
        return PublicKey.from_base64(self._description.public_key)

    @contextmanager
    def _control(self, *, read_only: bool = False) -> Iterator[ControlUnit]:
        with self._port.opened(Unit.CONTROL, read_only=read_only) as path, ControlUnit(path) as control:
            yield control


class _Recordings:
    """The media unit as a source of recordings."""

    def __init__(self, media: MediaUnit, public_key: bytes) -> None:
        self._media, self._public_key = media, public_key

    def listed(self) -> list[Listed]:
        """List recordings that have their document; of the others it is told that they are there."""
        listing = self._media.list_recordings()
        return [*self._documented(listing.recordings), *_told(listing.unfinished), *_told(listing.strange)]

    def _documented(self, recording_ids: Sequence[str]) -> Iterator[Listed]:
        left_bytes = _LARGEST_DOCUMENTS_BYTES
        for recording_id in recording_ids:
            one = self._listed(recording_id)
            left_bytes -= len(one.envelope)
            if left_bytes < 0:
                too_long = CameraListingTooLong(name="recordings", limit=_LARGEST_DOCUMENTS_BYTES)
                yield Listed(recording_id, None, b"", too_long)
            else:
                yield one

    def _listed(self, recording_id: str) -> Listed:
        try:
            signed = self._media.read_document(recording_id)
            document = open_document(signed, self._public_key)
        except BodywornError as error:
            return Listed(recording_id, None, b"", error)
        if document.id != recording_id:
            return Listed(recording_id, None, b"", CameraNotGenuine(serial=document.serial))
        return Listed(recording_id, document, signed)

    def open(self, camera_recording_id: str, source_name: str) -> FileIO:
        """Open a clip, or the track."""
        if source_name == TRACK_NAME:
            return self._media.open_track(camera_recording_id)
        return self._media.open_clip(camera_recording_id, source_name)


def _who(description: documents.CameraDescription) -> tuple[str, str]:
    return description.serial, description.public_key


def _told(names: Sequence[str]) -> list[Listed]:
    """Tell of entries that are no finished recordings."""
    some = [beneath.printable(name) for name in names[:_MOST_NAMES]] + (["…"] if len(names) > _MOST_NAMES else [])
    problem = RecordingUnfinished(count=len(names), names=", ".join(some))
    return [Listed(some[0], None, b"", problem, harmless=True)] if names else []


def _answer(answers: dict[str, Answer], order: bytes, kind: type[_Kind]) -> _Kind | None:
    found = answers.get(sha256(order).hexdigest())
    return found if isinstance(found, kind) else None


def _is_applied(answers: dict[str, Answer], order: bytes) -> bool:
    found = _answer(answers, order, Acknowledgement)
    return found is not None and found.applied


def _reason(answers: dict[str, Answer], order: bytes) -> str:
    found = _answer(answers, order, Acknowledgement)
    return (found.reason or "unanswered") if found else "unanswered"
