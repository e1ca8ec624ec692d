"""Reading here what was encrypted for a destination: with the system's recovery key, which the passphrase opens.

Nothing of it is kept: the passphrase opens the key for one reading (decision 24). Who may ask is decided by pages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..crypto.key_object import LARGEST_KEY_OBJECT_BYTES, OpenedKey, open_for_recovery
from ..crypto.master_key import unwrap
from ..errors import ContentDamaged, NoRecoveryKey, UnknownRecording
from ..models import Clip
from ..store import Buffer, Store
from . import events, recording_list, systems
from .playback import DecryptedContent, Span
from .recording_list import HeldClip


@dataclass(frozen=True)
class LockedClip:
    """An encrypted object that lies here, and all that is needed to read it except the passphrase."""

    held: HeldClip
    #: As the camera recorded it.
    sha256: str
    key: HeldClip
    master_key_file: bytes


def locked_clip(session: Session, recording_id: str, clip_id: str) -> LockedClip:
    """Find an encrypted object and its key on this controller.

    :raises UnknownRecording: when both are not here; NoRecoveryKey when this system has no master key.
    """
    held = recording_list.held_clip(session, recording_id, clip_id)
    clip = session.get_one(Clip, clip_id)
    key = session.scalars(select(Clip).where(Clip.unlocks_id == clip_id)).first()
    if key is None or clip.sha256 is None:
        raise UnknownRecording
    file = systems.current(session).master_key_file
    if file is None:
        raise NoRecoveryKey
    return LockedClip(held, clip.sha256, recording_list.held_clip(session, recording_id, key.id), file)


def open_locked(locked: LockedClip, store: Store, passphrase: str) -> RecoveredContent:
    """Open it for reading, once; takes about a second.

    :raises WrongPassphrase: and KeyObjectRefused where it was encrypted strictly end to end.
    """
    secret = unwrap(locked.master_key_file, passphrase)
    try:
        with store.open(locked.key.container_name, locked.key.spool_name) as file:
            opened = open_for_recovery(file.read(LARGEST_KEY_OBJECT_BYTES + 1), secret.recovery_encryption_key())
    finally:
        secret.wipe()
    return RecoveredContent(store.open(locked.held.container_name, locked.held.spool_name), opened, locked.sha256)


def opened(session: Session, recording_id: str, name: str, *, actor: str, result: str = "done") -> None:
    """Write down who read an encrypted object, or tried to."""
    action = "clip.opened" if result == "done" else "clip.open-refused"
    events.record(session, action, "recording", recording_id, actor=actor, result=result, clip=name)


class RecoveredContent(DecryptedContent):
    """Plaintext whose end is held back until the whole is proved to be what the camera recorded."""

    def __init__(self, file: BinaryIO, key: OpenedKey, sha256: str) -> None:
        try:
            super().__init__(file, key)
        except BaseException:
            file.close()
            raise
        self._sha256 = sha256

    def read(self, span: Span) -> Iterator[Buffer]:
        """Decrypt it; a part of it proves nothing, the whole raises ContentDamaged before its last block."""
        digest, held = hashlib.sha256(), None
        for block in super().read(span):
            digest.update(block)
            if held is not None:
                yield held
            held = block
        if span.size_bytes == self.size_bytes and digest.hexdigest() != self._sha256:
            raise ContentDamaged
        if held is not None:
            yield held
