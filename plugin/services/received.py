"""Containers in the receiver: what a body worn system may do with them and their metadata, and what follows.

Whatever is accepted leaves its event in the same transaction. Objects are in ``received_objects``, accounts in
``connection_files``, listings in ``received_listings``, what people see in ``received_recordings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..destination.metadata import COMPLETE
from ..destination.names import DEVICES, SYSTEM, USERS, read_container_name
from ..errors import ContainerMissing, MetadataTooLarge, NameRefused, OtherAccount, RecordingClosed
from ..models import ReceivedContainer, ReceiverAccount
from ..store import Store
from ..store.folders import is_name
from . import events

#: Containers that hold no recording.
DIRECTORIES = frozenset({SYSTEM, USERS, DEVICES})
#: Keys and values of one container or object together; far above what the interface can say.
LARGEST_METADATA_BYTES = 64 * 1024

#: Bytes that are no UTF-8, and slashes that some servers leave encoded: names that could mean two things.
_MANGLED = ("\N{REPLACEMENT CHARACTER}", "%2F", "%2f")

#: Keys in lower case without their prefix, values as they came.
WireMetadata = Mapping[str, str]


@dataclass(frozen=True)
class Peer:
    """The account that a request was made for."""

    account_id: str
    user_name: str

    @property
    def actor(self) -> str:
        """Name the peer in events."""
        return f"receiver:{self.user_name}"


def store_of(root: Path, account_id: str) -> Store:
    """Open the store of one account: systems that send here do not see each other's containers."""
    return Store(root / account_id)


def sweep_parts(root: Path) -> int:
    """Remove what uploads that died with their process left in any account's store, and count it.

    Uploads under way, in whatever process, are left alone.
    """
    folders = [folder for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []
    return sum(Store(folder).sweep_parts() for folder in folders)


def get_container(session: Session, peer: Peer, name: str) -> ReceivedContainer:
    """Give a container that must exist."""
    container = find_container(session, peer, name)
    if container is None:
        raise ContainerMissing(container=name)
    return container


def put_container(
    session: Session, store: Store, peer: Peer, name: str, changes: WireMetadata
) -> tuple[ReceivedContainer, bool]:
    """Create a container, or merge metadata into it; tell whether it was created."""
    check_names(name)
    stand_in_line(session, peer)
    container = find_container(session, peer, name)
    created = container is None
    if container is None:
        container = ReceivedContainer(
            account_id=peer.account_id, name=name, wire_metadata={}, created_at=datetime.now(UTC)
        )
        session.add(container)
        session.flush()
    _merge(session, store, peer, container, changes, created=created)
    return container, created


def post_container(session: Session, store: Store, peer: Peer, name: str, changes: WireMetadata) -> ReceivedContainer:
    """Merge metadata into a container; an empty value deletes its key."""
    stand_in_line(session, peer)
    container = get_container(session, peer, name)
    _merge(session, store, peer, container, changes, created=False)
    return container


def check_names(*names: str) -> None:
    """Refuse names that the store cannot hold, and those that lost something on their way through the URL."""
    for name in names:
        if not is_name(name) or any(mark in name for mark in _MANGLED):
            raise NameRefused(name=ascii(name[:255]))


def stand_in_line(session: Session, peer: Peer) -> None:
    """Lock the account until the transaction ends, so that what is read here is still true when it is written."""
    account = session.get(ReceiverAccount, peer.account_id, with_for_update=True)
    if account is None:
        raise OtherAccount


def find_container(session: Session, peer: Peer, name: str) -> ReceivedContainer | None:
    """Find a container of an account."""
    return session.scalars(
        select(ReceivedContainer).where(ReceivedContainer.account_id == peer.account_id, ReceivedContainer.name == name)
    ).one_or_none()


def _merge(
    session: Session, store: Store, peer: Peer, container: ReceivedContainer, changes: WireMetadata, *, created: bool
) -> None:
    merged = {key: value for key, value in {**container.wire_metadata, **changes}.items() if value}
    unchanged = merged == container.wire_metadata and not created
    if not unchanged:
        _change(store, container, merged)
    completed = _complete_if_said(container)
    action = "container.created" if created else "container.changed"
    events.record(
        session,
        "container.completed" if completed else action,
        "received_container",
        container.id,
        actor=peer.actor,
        container=container.name,
        unchanged=unchanged,
        keys=sorted(changes),
    )


def _change(store: Store, container: ReceivedContainer, merged: dict[str, str]) -> None:
    if container.completed_at is not None:
        raise RecordingClosed(container=container.name)
    check_metadata_size(merged, container.name)
    container.wire_metadata = merged
    container.is_recording = _is_recording(container)
    container.started_at = _started_at(container)
    store.put_metadata(container.name, None, merged)


def _complete_if_said(container: ReceivedContainer) -> bool:
    said = container.is_recording and container.wire_metadata.get("status", "") == COMPLETE
    if not said or container.completed_at is not None:
        return False
    container.completed_at = datetime.now(UTC)
    return True


def _is_recording(container: ReceivedContainer) -> bool:
    if container.name in DIRECTORIES:
        return False
    return read_container_name(container.name) is not None or "bwcserialnumber" in container.wire_metadata


def _started_at(container: ReceivedContainer) -> datetime | None:
    metadata = container.wire_metadata
    moment = moment_of(metadata, "starttime") or moment_of(metadata, "triggerontime")
    name = read_container_name(container.name)
    return moment or (name.trigger_on if name else None)


def moment_of(metadata: Mapping[str, str], key: str) -> datetime | None:
    """Read a time that is told in seconds since 1970, and in RFC 3339 under the same key with ``iso`` behind it."""
    try:
        return datetime.fromtimestamp(float(metadata[key]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        pass
    try:
        moment = datetime.fromisoformat(metadata.get(f"{key}iso", metadata.get(key, "")))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def check_metadata_size(metadata: WireMetadata, name: str) -> None:
    """Refuse metadata without end."""
    if sum(len(key) + len(value) for key, value in metadata.items()) > LARGEST_METADATA_BYTES:
        raise MetadataTooLarge(name=name, limit_bytes=LARGEST_METADATA_BYTES)
