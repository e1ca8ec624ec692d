"""Encrypt what was stored before the destination asked for encryption: nothing readable is ever sent (decision 24).

What comes from a camera afterwards is encrypted on its way (``offload``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from ..const import BLOCK_BYTES
from ..crypto.content import ContentEncryption
from ..destination.names import key_name
from ..errors import SpoolDamaged
from ..models import Clip, Recording
from ..services import manifests, recordings, systems
from ..services.erasing import ON_CAMERA
from ..services.recordings import StoredClip
from ..store import Buffer, Store, ahead
from .offload import Lockbox
from .workshop import Workshop

_SUFFIX = ".sealed"


@dataclass(frozen=True)
class Readable:
    """One file that lies readable in the spool."""

    clip_id: str
    container: str
    name: str
    spool_name: str
    sha256: str


def readable(recording: Recording) -> tuple[Readable, ...]:
    """List what of a recording is not encrypted and should be."""
    return tuple(
        Readable(clip.id, recording.container_name, clip.name, clip.spool_name, clip.sha256 or "")
        for clip in recording.clips
        if clip.kind in ON_CAMERA and not clip.encrypted
    )


def seal(shop: Workshop, files: tuple[Readable, ...], lockbox: Lockbox) -> None:
    """Encrypt files within the spool; what was readable is removed once its encrypted copy is proved and noted."""
    for file in files:
        with shop.database.read() as session:
            size_bytes = session.get_one(Clip, file.clip_id).size_bytes
        with shop.room_for(size_bytes):
            sealed = _sealed(shop.spool, file, lockbox)
        with shop.database.write() as session:
            before = recordings.clip_sealed(
                session, file.clip_id, sealed, file.name + _SUFFIX, shop.spool.failure_domain()
            )
            recording = session.get_one(Clip, file.clip_id).recording
            recording.manifest = manifests.sign(recording, systems.authority(session, shop.keyring))
        shop.spool.remove(file.container, before)


def clear_leftovers(shop: Workshop) -> None:
    """Remove what a crash left readable beside its encrypted copy; done once, before anything else is stored."""
    with shop.database.read() as session:
        rows = select(Recording.container_name, Clip.name).join(Clip, Clip.recording_id == Recording.id)
        sealed = session.execute(rows.where(Clip.stored_name.is_not(None), Clip.stored_name != Clip.name)).all()
    for container, name in sealed:
        if shop.spool.exists(container, name):
            shop.spool.remove(container, name)


def _sealed(spool: Store, file: Readable, lockbox: Lockbox) -> StoredClip:
    for leftover in (file.name + _SUFFIX, key_name(file.name)):
        if spool.exists(file.container, leftover):
            spool.remove(file.container, leftover)
    encryption = ContentEncryption.new(
        file.name, lockbox.destination_key_pem, lockbox.public_key_id, lockbox.recovery_key
    )
    try:
        stored = spool.write(
            file.container,
            file.name + _SUFFIX,
            ahead(encryption.encrypt(ahead(_blocks(spool, file)))),
            verifier=encryption.verifier(),
            accept=lambda _: _compare(file, encryption.plaintext_sha256),
        )
        key = spool.write_bytes(file.container, key_name(file.name), encryption.key_object(stored.sha256))
    finally:
        encryption.wipe()
    size_bytes, sha256 = encryption.plaintext_size_bytes, encryption.plaintext_sha256
    return StoredClip(file.clip_id, size_bytes, sha256, stored, key_name(file.name), key)


def _blocks(spool: Store, file: Readable) -> Iterator[Buffer]:
    with spool.open(file.container, file.spool_name) as opened:
        while block := opened.read(BLOCK_BYTES):
            yield block


def _compare(file: Readable, sha256: str) -> None:
    if sha256 != file.sha256:
        raise SpoolDamaged(name=file.name)
