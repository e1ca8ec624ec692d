"""Small objects of a received recording, read whole into memory, decrypted where they arrived encrypted."""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import Session

from ..crypto.sealed import SealedBox
from ..errors import ContentDamaged, ObjectTooLargeToShow
from ..models import ReceivedObject
from ..store import Store
from .playback import Span, open_content
from .received_parts import open_key


def read_whole(session: Session, store: Store, box: SealedBox, part: ReceivedObject, limit_bytes: int) -> bytes:
    """Read an object.

    Raises:
        ObjectTooLargeToShow: it is larger than the limit.
        KeyObjectRefused: this machine cannot decrypt it.
        ContentDamaged: what comes out of the decryption is not what was encrypted.
    """
    opened = open_key(session, store, box, part)
    content = open_content(store, part.container.name, part.name, opened)
    try:
        if content.size_bytes > limit_bytes:
            raise ObjectTooLargeToShow(name=part.name, limit_bytes=limit_bytes)
        data = b"".join(content.read(Span(0, content.size_bytes)))
    finally:
        content.close()
    if opened and opened.sha256_plaintext not in (None, hashlib.sha256(data).hexdigest()):
        raise ContentDamaged
    return data
