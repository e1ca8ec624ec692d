"""Objects in the receiver's containers: what may be stored, what is refused, and what each leaves behind.

The rules of containers are in ``received``; the bytes are in the store, durable before anything here accepts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..const import LARGEST_OBJECT_BYTES
from ..destination.names import CAPABILITIES_OBJECT, CATEGORIES_OBJECT, SYSTEM
from ..errors import ObjectExists, ObjectMissing, OverwriteRefused, RecordingClosed, UploadDiffers, UploadTooLarge
from ..models import ReceivedContainer, ReceivedObject
from ..store import Digests, Store
from . import events, problems
from .received import Peer, WireMetadata, check_metadata_size, check_names, find_container, get_container, stand_in_line

#: Objects that the receiver itself speaks through; nobody can put them.
OWN_OBJECTS = frozenset({(SYSTEM, CAPABILITIES_OBJECT), (SYSTEM, CATEGORIES_OBJECT)})


@dataclass(frozen=True)
class Offer:
    """What a system says of an object before its bytes are read."""

    container: str
    name: str
    content_type: str
    metadata: WireMetadata
    #: None for a body in chunks.
    size_bytes: int | None = None
    #: Lower-case hex; None where the sender told none.
    md5: str | None = None
    #: True for ``If-None-Match: *``.
    only_new: bool = False


def get_object(session: Session, peer: Peer, container: str, name: str) -> ReceivedObject:
    """Give an object that must exist, in a container that must exist."""
    found = _find_object(session, get_container(session, peer, container), name)
    if found is None or found.problem_id is not None:
        raise ObjectMissing(name=name)  # what is damaged here is not there: it may be sent again
    return found


def consider(session: Session, peer: Peer, offer: Offer) -> str | None:
    """Refuse what can be refused before its bytes are read; give the SHA-256 that they must have, if there is one."""
    check_names(offer.container, offer.name)
    check_metadata_size(offer.metadata, offer.name)
    if (offer.container, offer.name) in OWN_OBJECTS:
        raise OverwriteRefused(name=offer.name)
    if offer.size_bytes is not None:
        check_object_size(offer.name, offer.size_bytes)
    container = get_container(session, peer, offer.container)
    existing = _find_object(session, container, offer.name)
    if existing is None:
        if container.completed_at is not None:
            raise RecordingClosed(container=container.name)
        return None
    if offer.only_new and existing.problem_id is None:
        raise ObjectExists(name=offer.name)
    if offer.md5 not in (None, existing.md5):
        raise OverwriteRefused(name=offer.name)
    return existing.sha256


def check_object_size(name: str, size_bytes: int) -> None:
    """Refuse what a stock Swift would refuse."""
    if size_bytes > LARGEST_OBJECT_BYTES:
        raise UploadTooLarge(name=name, limit_bytes=LARGEST_OBJECT_BYTES)


def inspect(offer: Offer, known_sha256: str | None, digests: Digests) -> None:
    """Refuse bytes that arrived damaged, or other than those kept under the name; the store then forgets them."""
    if offer.md5 not in (None, digests.md5):
        raise UploadDiffers(name=offer.name)
    if known_sha256 not in (None, digests.sha256):
        raise OverwriteRefused(name=offer.name)


def put_object(session: Session, store: Store, peer: Peer, offer: Offer, digests: Digests) -> ReceivedObject:
    """Take an object in whose bytes are durable in the store; the same object again replaces its metadata."""
    stand_in_line(session, peer)
    container = get_container(session, peer, offer.container)
    existing = _find_object(session, container, offer.name)
    if existing is None:
        return _add_object(session, store, peer, container, offer, digests)
    if existing.sha256 != digests.sha256:
        raise OverwriteRefused(name=offer.name)
    _replace_metadata(session, store, peer, existing, offer.metadata, offer.content_type)
    existing.checked_at = datetime.now(UTC)
    problems.clear(existing)
    return existing


def post_object(
    session: Session, store: Store, peer: Peer, container: str, name: str, metadata: WireMetadata
) -> ReceivedObject:
    """Replace all metadata of an object."""
    check_metadata_size(metadata, name)
    stand_in_line(session, peer)
    existing = get_object(session, peer, container, name)
    _replace_metadata(session, store, peer, existing, metadata, existing.content_type)
    return existing


def note_refusal(session: Session, peer: Peer, offer: Offer) -> None:
    """Write down that somebody tried to overwrite what is kept."""
    container = find_container(session, peer, offer.container)
    events.record(
        session,
        "object.overwrite-refused",
        "received_container",
        container.id if container else "",
        actor=peer.actor,
        result=OverwriteRefused.id,
        container=offer.container,
        name=offer.name,
    )


def _find_object(session: Session, container: ReceivedContainer, name: str) -> ReceivedObject | None:
    return session.scalars(
        select(ReceivedObject).where(ReceivedObject.container_id == container.id, ReceivedObject.name == name)
    ).one_or_none()


def _add_object(
    session: Session, store: Store, peer: Peer, container: ReceivedContainer, offer: Offer, digests: Digests
) -> ReceivedObject:
    if container.completed_at is not None:
        store.remove(container.name, offer.name)  # nobody was told that these bytes are kept
        raise RecordingClosed(container=container.name)
    now = datetime.now(UTC)
    added = ReceivedObject(
        container_id=container.id,
        name=offer.name,
        size_bytes=digests.size_bytes,
        sha256=digests.sha256,
        md5=digests.md5,
        content_type=offer.content_type,
        wire_metadata=dict(offer.metadata),
        received_at=now,
        checked_at=now,
    )
    session.add(added)
    _write_sidecar(store, container.name, added)
    _record_object(session, peer, container, added, "object.stored", unchanged=False)
    return added


def _replace_metadata(
    session: Session, store: Store, peer: Peer, existing: ReceivedObject, metadata: WireMetadata, content_type: str
) -> None:
    container = existing.container
    kept = {key: value for key, value in metadata.items() if value}
    unchanged = kept == existing.wire_metadata and content_type == existing.content_type
    if not unchanged and container.completed_at is not None:
        raise RecordingClosed(container=container.name)
    existing.wire_metadata, existing.content_type = kept, content_type
    _write_sidecar(store, container.name, existing)
    _record_object(session, peer, container, existing, "object.changed", unchanged=unchanged)


def _write_sidecar(store: Store, container: str, stored: ReceivedObject) -> None:
    if store.get_metadata(container, stored.name) != stored.wire_metadata:
        store.put_metadata(container, stored.name, stored.wire_metadata)


def _record_object(
    session: Session, peer: Peer, container: ReceivedContainer, stored: ReceivedObject, action: str, *, unchanged: bool
) -> None:
    session.flush()
    events.record(
        session,
        action,
        "received_object",
        stored.id,
        actor=peer.actor,
        container=container.name,
        name=stored.name,
        bytes=stored.size_bytes,
        sha256=stored.sha256,
        md5=stored.md5,
        unchanged=unchanged,
    )
