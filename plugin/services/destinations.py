"""Content destinations: adopt one from its connection file, and write down how it is doing.

The wire is ``destination``, sending is ``hw.uploader``.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..destination.connection_file import ConnectionFile, parse
from ..destination.rehearsal import Rehearsal
from ..errors import BodywornError
from ..models import Destination, DestinationState, new_id
from . import deliveries, events, problems
from .keyring import Keyring

_PURPOSE = "connection-file"


def active(session: Session) -> Destination | None:
    """Give the destination that recordings go to, or None."""
    return session.scalars(select(Destination).where(Destination.active)).one_or_none()


def connection(destination: Destination, keyring: Keyring) -> ConnectionFile:
    """Unseal the connection file of a destination; it holds the password."""
    return parse(keyring.open(_PURPOSE, destination.sealed_file), allow_http=True)


def read_file(session: Session, keyring: Keyring, data: bytes, *, allow_http: bool = False) -> ConnectionFile:
    """Read an uploaded connection file under every rule, those against the present destination included.

    :raises ConnectionFileRefused: naming the field and what to do; nothing is changed.
    """
    present = active(session)
    previous = connection(present, keyring) if present else None
    return parse(data, previous=previous, allow_http=allow_http)


def adopt(
    session: Session,
    keyring: Keyring,
    data: bytes,
    rehearsal: Rehearsal,
    *,
    connection_id: str | None = None,
    actor: str,
) -> Destination:
    """Make a rehearsed connection file the one in force; an earlier destination's row is updated, not lost.

    The rules of :func:`read_file` are checked once more, because time has passed since.
    """
    assert rehearsal.ok, "only a destination that passed its rehearsal is adopted"
    file = read_file(session, keyring, data, allow_http=True)
    destination = active(session) or _new(session, connection_id)
    destination.site_name, destination.address = file.site_name, file.authentication_uris[0]
    destination.application = f"{file.application_name} {file.application_version}"
    destination.sealed_file = keyring.seal(_PURPOSE, data)
    destination.want_encryption, destination.public_key_id = file.want_encryption, file.public_key_id
    destination.container_type = file.container_type
    destination.can_verify = rehearsal.can_verify
    destination.capabilities = msgspec.to_builtins(rehearsal.capabilities)
    destination.clock_difference_seconds = rehearsal.clock_difference_seconds
    session.flush()
    events.record(
        session,
        "destination.connected",
        "destination",
        destination.id,
        actor=actor,
        site=file.site_name,
        encryption=file.want_encryption,
        verifies=rehearsal.can_verify,
    )
    works(session, destination)
    deliveries.retry_all(session)
    return destination


def works(session: Session, destination: Destination) -> None:
    """Write down that the destination answered as it should."""
    now = datetime.now(UTC)
    destination.last_success_at = now
    if destination.state is not DestinationState.OKAY:
        destination.state, destination.state_since = DestinationState.OKAY, now
        problems.clear(destination)
        events.record(session, "destination.okay", "destination", destination.id)


def fails(session: Session, destination: Destination, error: BodywornError) -> None:
    """Write down why the destination cannot be used; ``error.retry`` tells whether that can pass by itself."""
    state = DestinationState.WAITING if error.retry else DestinationState.STOPPED
    if destination.state is not state or destination.problem_id != error.id:
        destination.state, destination.state_since = state, datetime.now(UTC)
        events.record(session, f"destination.{state}", "destination", destination.id, result=error.id)
    problems.note(destination, error)


def _new(session: Session, connection_id: str | None) -> Destination:
    now = datetime.now(UTC)
    destination = Destination(
        id=new_id(),
        connection_id=connection_id or new_id(),
        created_at=now,
        state=DestinationState.UNTRIED,
        state_since=now,
        active=True,
    )
    session.add(destination)
    return destination
