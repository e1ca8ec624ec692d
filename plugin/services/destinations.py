"""Content destinations: adopt one from its connection file, and write down how it is doing.

The wire is ``destination``, sending is ``hw.uploader``.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..destination.addresses import parse_address
from ..destination.client import Client
from ..destination.connection_file import ConnectionFile, parse
from ..destination.names import SYSTEM
from ..destination.rehearsal import Rehearsal
from ..destination.wire import Pace
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


def client(destination: Destination, keyring: Keyring, pace: Pace | None = None) -> Client:
    """Make a client of a destination; nothing is asked yet."""
    confirmed = {destination.confirmed_storage_host} if destination.confirmed_storage_host else set()
    return Client(connection(destination, keyring), confirmed_storage_hosts=confirmed, pace=pace)


def read_file(session: Session, keyring: Keyring, data: bytes, *, allow_http: bool = False) -> ConnectionFile:
    """Read an uploaded connection file; one for the present destination also under the rules for changes.

    :raises ConnectionFileRefused: naming the field and what to do; nothing is changed.
    """
    file = parse(data, allow_http=allow_http)
    present = active(session)
    if present is not None and _is_same(present, file, None):
        return parse(data, previous=connection(present, keyring), allow_http=allow_http)
    return file


def recognise(client: Client, system_id: str) -> str | None:
    """Ask a destination which connection of this system it remembers; None where it knows none or keeps none."""
    known = client.head_object(SYSTEM, system_id) if client.capabilities().system_id else None
    return known.metadata.get("connectionid") if known else None


def adopt(
    session: Session,
    keyring: Keyring,
    data: bytes,
    rehearsal: Rehearsal,
    *,
    recognised: str | None = None,
    confirmed_storage_host: str | None = None,
    actor: str,
) -> Destination:
    """Make a rehearsed connection file the one in force.

    For the same destination (it remembers our connection, or it stands at the same address) its row is updated under
    the rules for changes; another destination gets a row of its own, and what was delivered before keeps pointing to
    the old one. A destination that remembers a connection of this system keeps it: that is set once.
    """
    assert rehearsal.ok, "only a destination that passed its rehearsal is adopted"
    file, present = parse(data, allow_http=True), active(session)
    known = _known(session, present, file, recognised)
    if known is not None:
        parse(data, previous=connection(known, keyring), allow_http=True)
    if present is not None and present is not known:
        present.active = False
        session.flush()
    destination = known or _new(session, present, recognised)
    destination.active = True
    _take_over(destination, file, rehearsal)
    destination.sealed_file = keyring.seal(_PURPOSE, data)
    destination.confirmed_storage_host = confirmed_storage_host
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
        confirmed_storage_host=confirmed_storage_host,
    )
    works(session, destination)
    _wake(session, destination)
    return destination


def try_again(session: Session, *, actor: str) -> None:
    """Have the destination in force tried at once, because somebody thinks that it works again."""
    destination = active(session)
    if destination is not None:
        _wake(session, destination)
        events.record(session, "destination.tried-again", "destination", destination.id, actor=actor)


def _wake(session: Session, destination: Destination) -> None:
    destination.attempts_wanted += 1
    deliveries.retry_all(session)


def _take_over(destination: Destination, file: ConnectionFile, rehearsal: Rehearsal) -> None:
    destination.site_name, destination.address = file.site_name, file.authentication_uris[0]
    destination.application = f"{file.application_name} {file.application_version}"
    destination.want_encryption, destination.public_key_id = file.want_encryption, file.public_key_id
    destination.container_type = file.container_type
    destination.can_verify = rehearsal.can_verify
    destination.capabilities = msgspec.to_builtins(rehearsal.capabilities)
    destination.clock_difference_seconds = rehearsal.clock_difference_seconds
    destination.categories_read_at = None


def _is_same(present: Destination, file: ConnectionFile, recognised: str | None) -> bool:
    if recognised is not None:
        return recognised == present.connection_id
    return parse_address(present.address).place in {parse_address(uri).place for uri in file.authentication_uris}


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


def _known(
    session: Session, present: Destination | None, file: ConnectionFile, recognised: str | None
) -> Destination | None:
    """Find the row of a destination: the present one, or one from before that remembers our connection."""
    if present is not None and _is_same(present, file, recognised):
        return present
    rows = select(Destination).where(Destination.connection_id == recognised)
    return session.scalars(rows).first() if recognised is not None else None


def _new(session: Session, present: Destination | None, recognised: str | None) -> Destination:
    """Make a row; how much of the line uploads may take is a matter of the line, and stays."""
    now = datetime.now(UTC)
    destination = Destination(
        id=new_id(),
        connection_id=recognised or new_id(),
        created_at=now,
        state=DestinationState.UNTRIED,
        state_since=now,
        attempts_wanted=0,
    )
    if present is not None:
        destination.limit_bits_per_second = present.limit_bits_per_second
        destination.limit_from_minute = present.limit_from_minute
        destination.limit_until_minute = present.limit_until_minute
    session.add(destination)
    return destination
