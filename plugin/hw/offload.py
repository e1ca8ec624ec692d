"""Bring one file from a camera into the spool: one pass over the bytes, proved before its name is there (P7 to P12).

What is brought, and what follows from it, is ``docking``'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from io import FileIO

from ..const import BLOCK_BYTES
from ..crypto.content import ContentEncryption
from ..destination.connection_file import ConnectionFile
from ..destination.names import key_name
from ..errors import CameraReadFailed, ClipDiffers
from ..services.recordings import StoredClip
from ..store import Buffer, Digests, Store, ahead


@dataclass(frozen=True)
class Lockbox:
    """To whom content is encrypted: the destination, and the system's own recovery key (decision 24)."""

    destination_key_pem: bytes
    public_key_id: str
    recovery_key: bytes | None


def lockbox_of(connection: ConnectionFile, recovery_key: bytes) -> Lockbox | None:
    """Give what a destination wants content encrypted to; None where it wants none."""
    if not connection.want_encryption:
        return None
    assert connection.public_key_pem is not None, "a file that asks for encryption brings its key"
    return Lockbox(connection.public_key_pem, connection.public_key_id or "", recovery_key)


@dataclass(frozen=True)
class Wanted:
    """One file on a camera, as its recording's document describes it."""

    clip_id: str
    container: str
    name: str
    size_bytes: int
    #: What the camera says; None where it computes none.
    sha256: str | None
    metadata: dict[str, str]


#: Opens the file on the camera; entered and left in another thread, and left as soon as it has been read.
Opening = Callable[[], AbstractContextManager[FileIO]]


def offload(
    source: Opening, wanted: Wanted, spool: Store, lockbox: Lockbox | None, progress: Callable[[int], None]
) -> StoredClip:
    """Copy a file from a camera into the spool.

    ``progress`` gets the number of bytes of each block, in a thread of its own.

    :raises ClipDiffers: when the bytes are not what the document says; nothing is kept of the copy then.
    :raises CameraReadFailed: and other errors of camera or spool; the camera's file is as it was.
    """
    # closed by hand, innermost first: an error that somebody keeps would keep the thread and the camera's file as well
    with closing(_counted(source, wanted, progress)) as counted, closing(ahead(counted)) as blocks:
        if lockbox is None:
            return _plainly(blocks, wanted, spool)
        return _encrypted(blocks, wanted, spool, lockbox)


def _plainly(blocks: Iterator[Buffer], wanted: Wanted, spool: Store) -> StoredClip:
    digests = spool.write(
        wanted.container,
        wanted.name,
        blocks,
        accept=lambda found: _compare(wanted, found.size_bytes, found.sha256),
        metadata=wanted.metadata,
    )
    return StoredClip(wanted.clip_id, digests.size_bytes, digests.sha256, digests)


def _encrypted(blocks: Iterator[Buffer], wanted: Wanted, spool: Store, lockbox: Lockbox) -> StoredClip:
    """Encrypt on the way; plaintext is never written. What an earlier process left is of no use without its key."""
    _drop_leftovers(wanted, spool)
    encryption = ContentEncryption.new(
        wanted.name, lockbox.destination_key_pem, lockbox.public_key_id, lockbox.recovery_key
    )
    try:
        with closing(ahead(encryption.encrypt(blocks))) as encrypted:
            digests = spool.write(
                wanted.container,
                wanted.name,
                encrypted,
                verifier=encryption.verifier(),
                accept=lambda _: _compare(wanted, encryption.plaintext_size_bytes, encryption.plaintext_sha256),
                metadata=wanted.metadata,
            )
        key = _store_key(encryption, wanted, spool, digests)
    finally:
        encryption.wipe()
    return StoredClip(
        wanted.clip_id,
        encryption.plaintext_size_bytes,
        encryption.plaintext_sha256,
        digests,
        key_name(wanted.name),
        key,
    )


def _store_key(encryption: ContentEncryption, wanted: Wanted, spool: Store, digests: Digests) -> Digests:
    return spool.write_bytes(wanted.container, key_name(wanted.name), encryption.key_object(digests.sha256))


def _drop_leftovers(wanted: Wanted, spool: Store) -> None:
    for name in (wanted.name, key_name(wanted.name)):
        if spool.exists(wanted.container, name):
            spool.remove(wanted.container, name)


def _compare(wanted: Wanted, size_bytes: int, sha256: str) -> None:
    if size_bytes != wanted.size_bytes or (wanted.sha256 is not None and sha256 != wanted.sha256):
        raise ClipDiffers(name=wanted.name)


def _counted(source: Opening, wanted: Wanted, progress: Callable[[int], None]) -> Generator[Buffer, None, None]:
    """Read to the end, but never past one byte more than the document says: a file that grows is not followed."""
    left = wanted.size_bytes + 1
    with source() as opened:
        while left > 0 and (block := _read(opened, min(BLOCK_BYTES, left), wanted)):
            left -= len(block)
            progress(len(block))
            yield block


def _read(source: FileIO, size_bytes: int, wanted: Wanted) -> bytes:
    try:
        return source.read(size_bytes) or b""
    except OSError as error:
        raise CameraReadFailed(name=wanted.name) from error
