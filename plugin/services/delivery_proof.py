"""The proof of delivery of a recording: a signed file that says what was recorded, stored and delivered, and by whom.

It carries the certificates that lead to the system's recovery key, so whoever has that key can check it without this
system. Copies and custody on a page are ``recording_list``; the whole chain of events as a file is ``event_export``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..crypto.documents import decode
from ..crypto.envelope import PayloadType
from ..crypto.keys import PublicKey
from ..errors import (
    CameraVolumeError,
    EnvelopeRefused,
    EventChanged,
    EvidenceFinding,
    KeyOtherwise,
    KeyRefused,
    ProofContradicts,
    ProofFileDiffers,
    ProofFileMissing,
    ProofRefused,
    RecordingNotDelivered,
    UnknownRecording,
)
from ..models import Camera, CameraUser, Clip, Controller, CopyState, Destination, Event, Place, Recording
from . import copies, documents, events, manifest_check, systems
from .event_export import Happened
from .keyring import Keyring
from .manifests import ManifestEntry
from .trust import Trust

#: A recording of a whole shift has some thousand objects and events.
LARGEST_PROOF_BYTES = 32 * 1024 * 1024
_PROVED = frozenset({CopyState.VERIFIED, CopyState.ACKNOWLEDGED})
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ProvedSystem(msgspec.Struct, frozen=True, kw_only=True):
    """Whose recording it is; the key in base64, to be compared with the system's own before the file is believed."""

    id: str
    name: str
    recovery_key: str


class ProvedController(msgspec.Struct, frozen=True, kw_only=True):
    """Who took it from the camera."""

    id: str
    name: str
    serial: str


class ProvedUser(msgspec.Struct, frozen=True, kw_only=True):
    """Who wore the camera."""

    id: str
    name: str


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """When it was where; the first two are the camera's."""

    recorded_from: _Moment
    recorded_until: _Moment
    found: _Moment
    stored: _Moment | None
    delivered: _Moment
    #: When the camera had deleted it.
    erased: _Moment | None


class ProvedCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A copy in one place, and since when that is proved."""

    place: Place
    state: CopyState
    at: _Moment | None
    #: Why the destination refused it, wherever else it keeps it; or what was wrong with the copy when it was last read.
    problem: str | None


class ProvedObject(msgspec.Struct, frozen=True, kw_only=True):
    """One object, with its hashes at the camera, on the controller and at the destination."""

    name: str
    kind: str
    encrypted: bool
    size_bytes: int
    #: As the camera says under its signature; None where it says none, or has no key to sign with.
    camera_sha256: str | None
    #: As it was read from the camera.
    read_sha256: str | None
    #: As it was stored, and travelled: the same, unless it is encrypted.
    stored_size_bytes: int | None
    stored_sha256: str | None
    stored_md5: str | None
    #: The Etag by which the destination proved what it holds.
    destination_md5: str | None
    copies: tuple[ProvedCopy, ...]

    def entry(self) -> ManifestEntry:
        """Give it as the manifest has it."""
        return ManifestEntry(
            name=self.name,
            kind=self.kind,
            size_bytes=self.size_bytes,
            sha256=self.read_sha256,
            stored_size_bytes=self.stored_size_bytes,
            stored_sha256=self.stored_sha256,
            stored_md5=self.stored_md5,
            encrypted=self.encrypted,
        )

    def at_destination(self) -> CopyState | None:
        """Tell what is known of the destination's copy, if it has one."""
        states = (copy.state for copy in self.copies if copy.place is Place.DESTINATION)
        return next((state for state in states if state in _PROVED), None)


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that this system can say of the way of one recording."""

    issued_at: _Moment
    system: ProvedSystem
    controller: ProvedController
    camera_serial: str
    user: ProvedUser | None
    recording_id: str
    container: str
    #: Where the destination keeps what it refused of it.
    rejected_container: str | None
    #: Site name of the destination.
    destination: str | None
    times: Times
    objects: tuple[ProvedObject, ...]
    #: The manifest as it was signed, in base64.
    manifest: bytes | None
    custody: tuple[Happened, ...]


def delivered(session: Session, recording_id: str) -> Recording:
    """Give a recording that is complete at its destination.

    :raises UnknownRecording: RecordingNotDelivered.
    """
    found = session.get(Recording, recording_id)
    if found is None:
        raise UnknownRecording
    if found.delivered_at is None:
        raise RecordingNotDelivered
    return found


def file_name(recording: Recording) -> str:
    """Name the file of a proof."""
    return f"{recording.container_name}_proof.json"


def issue(session: Session, keyring: Keyring, recording: Recording) -> bytes:
    """Write the proof of a delivered recording, and sign it with this controller's authority.

    :raises NoSystem: before a system was founded.
    """
    payload = msgspec.json.encode(_proof(session, recording))
    return systems.authority(session, keyring).issue(payload, PayloadType.DELIVERY_PROOF)


def _proof(session: Session, recording: Recording) -> Proof:
    system, camera = systems.current(session), session.get_one(Camera, recording.camera_id)
    controller = session.get_one(Controller, recording.controller_id)
    user = session.get(CameraUser, recording.camera_user_id) if recording.camera_user_id else None
    destination = session.get(Destination, recording.destination_id) if recording.destination_id else None
    declared = _declared(recording, camera)
    return Proof(
        issued_at=datetime.now(UTC),
        system=ProvedSystem(
            id=system.id, name=system.name, recovery_key=PublicKey(system.recovery_public_key).to_base64()
        ),
        controller=ProvedController(id=controller.id, name=controller.name, serial=controller.serial),
        camera_serial=camera.serial,
        user=ProvedUser(id=user.id, name=user.name) if user else None,
        recording_id=recording.id,
        container=recording.container_name,
        rejected_container=recording.rejected_container,
        destination=destination.site_name if destination else None,
        times=_times(recording),
        objects=tuple(_object(clip, declared.get(clip.source_name or "")) for clip in recording.clips),
        manifest=recording.manifest,
        custody=tuple(_custody(session, recording.id)),
    )


def _declared(recording: Recording, camera: Camera) -> dict[str, str | None]:
    """List what the camera signed. What its signature does not cover (any more), the proof does not say in its name."""
    if camera.public_key is None:
        return {}
    try:
        document = documents.open_document(recording.document, camera.public_key)
    except (EnvelopeRefused, CameraVolumeError):
        return {}
    return {name: sha256 for name, (_size, sha256) in manifest_check.declared(document).items()}


def _times(recording: Recording) -> Times:
    assert recording.delivered_at is not None, "only what was delivered has a proof of it"
    return Times(
        recorded_from=recording.start_at,
        recorded_until=recording.stop_at,
        found=recording.found_at,
        stored=recording.stored_at,
        delivered=recording.delivered_at,
        erased=recording.erased_at,
    )


def _object(clip: Clip, camera_sha256: str | None) -> ProvedObject:
    there = copies.find(clip, Place.DESTINATION)
    return ProvedObject(
        name=clip.name,
        kind=clip.kind,
        encrypted=clip.encrypted,
        size_bytes=clip.size_bytes,
        camera_sha256=camera_sha256,
        read_sha256=clip.sha256,
        stored_size_bytes=clip.stored_size_bytes,
        stored_sha256=clip.stored_sha256,
        stored_md5=clip.stored_md5,
        destination_md5=there.proved_md5 if there else None,
        copies=tuple(
            ProvedCopy(place=copy.place, state=copy.state, at=copy.proved_at, problem=copy.problem_id)
            for place in Place
            if (copy := copies.find(clip, place))
        ),
    )


def _custody(session: Session, recording_id: str) -> Iterator[Happened]:
    of_it = select(Event).where(Event.object_kind == "recording", Event.object_id == recording_id)
    for event in session.scalars(of_it.order_by(Event.chain_id, Event.sequence)):
        yield Happened(**{name: getattr(event, name) for name in Happened.__struct_fields__})


@dataclass(frozen=True)
class Verdict:
    """What a proof says whose signature holds, and what in it or beside it does not fit."""

    proof: Proof
    #: The key that was believed; its owner should know it.
    recovery_key_id: str
    #: Files beside it that were read.
    files: int
    findings: tuple[EvidenceFinding, ...]

    @property
    def is_whole(self) -> bool:
        """Tell whether everything fits."""
        return not self.findings


def verify(source: IO[bytes], recovery_key: PublicKey | None = None, folder: Path | None = None) -> Verdict:
    """Verify a proof with nothing but itself, or with a recovery key that is known from elsewhere.

    Args:
        source: The file, open for reading.
        recovery_key: The key that its system must have; None to believe the one in the file.
        folder: Where files of the recording lie, under the names of its objects; None to look at none.

    Raises:
        ProofRefused: it is none, or is not signed as it must be.
        KeyOtherwise: it is one of another system.
    """
    order = source.read(LARGEST_PROOF_BYTES + 1)
    system = _unverified(order).system
    key = _key_of(system)
    if recovery_key is not None and recovery_key != key:
        raise KeyOtherwise(found=key.key_id)
    trust = Trust(key, system.id)
    try:
        proof = trust.open(
            order, PayloadType.DELIVERY_PROOF, Proof, lambda said: said.issued_at, limit_bytes=LARGEST_PROOF_BYTES
        )
    except EnvelopeRefused as error:
        raise ProofRefused from error
    present = [one for one in proof.objects if folder is not None and _beside(folder, one).exists()]
    findings = [*_in_itself(proof, trust), *(_files(proof, folder) if folder is not None else ())]
    return Verdict(proof, key.key_id, len(present), tuple(findings))


class _Payload(msgspec.Struct):
    payload: bytes


class _Order(msgspec.Struct):
    envelope: _Payload


def _unverified(order: bytes) -> Proof:
    """Read what a file claims, only to learn the key with which it is then verified."""
    if len(order) > LARGEST_PROOF_BYTES:
        raise ProofRefused
    return decode(decode(order, _Order, ProofRefused).envelope.payload, Proof, ProofRefused)


def _key_of(system: ProvedSystem) -> PublicKey:
    try:
        return PublicKey.from_base64(system.recovery_key)
    except KeyRefused as error:
        raise ProofRefused from error


def _in_itself(proof: Proof, trust: Trust) -> Iterator[EvidenceFinding]:
    entries = (one.entry() for one in proof.objects)
    yield from manifest_check.compare(proof.manifest, proof.recording_id, proof.container, entries, trust)
    for one in proof.objects:
        if not _agrees(one):
            yield ProofContradicts(name=one.name)
    for happened in proof.custody:
        if happened.object_id != proof.recording_id or events.digest(happened) != happened.hash:
            yield EventChanged(chain=happened.chain_id, sequence=happened.sequence)


def _agrees(one: ProvedObject) -> bool:
    """Compare the hashes of the three places, as far as there are any."""
    if one.at_destination() is CopyState.VERIFIED and one.destination_md5 != one.stored_md5:
        return False
    if not one.encrypted and one.read_sha256 != one.stored_sha256:
        return False
    return one.camera_sha256 in (None, one.read_sha256)


def _files(proof: Proof, folder: Path) -> Iterator[EvidenceFinding]:
    for one in proof.objects:
        path = _beside(folder, one)
        if not path.exists():
            if one.at_destination() is not None:
                yield ProofFileMissing(name=one.name)
        elif _read(path) not in (one.stored_sha256, one.read_sha256):
            yield ProofFileDiffers(name=one.name)


def _beside(folder: Path, one: ProvedObject) -> Path:
    """Name its file: in that folder, whatever the object is called."""
    return folder / (Path(one.name).name or "-")


def _read(path: Path) -> str:
    """Hash a file, which may be encrypted as it travelled or decrypted as it was recorded; nothing if unreadable."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
