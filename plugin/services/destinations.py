"""Content destinations: adopt one from its connection file, and write down how it is doing.

The wire is ``destination``, sending is ``hw.uploader``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..destination.addresses import parse_address
from ..destination.client import Client
from ..destination.connection_file import ConnectionFile, parse
from ..destination.names import SYSTEM
from ..destination.proxy import Proxy, parse_proxy
from ..destination.rehearsal import Rehearsal
from ..destination.wire import Pace
from ..errors import BodywornError
from ..models import Destination, DestinationState, new_id
from . import deliveries, events, problems, rehearsals
from .keyring import Keyring

_PURPOSE = "connection-file"
_PROXY_PURPOSE = "proxy-sign-in"


def active(session: Session) -> Destination | None:
    """Give the destination that recordings go to, or None."""
    return session.scalars(select(Destination).where(Destination.active)).one_or_none()


def connection(destination: Destination, keyring: Keyring) -> ConnectionFile:
    """Unseal the connection file of a destination; it holds the password."""
    return parse(keyring.open(_PURPOSE, destination.sealed_file), allow_http=True)


def proxy(destination: Destination, keyring: Keyring) -> Proxy | None:
    """Give the proxy through which a destination is reached; it holds the proxy's password."""
    if destination.proxy_address is None:
        return None
    sealed = destination.sealed_proxy_sign_in
    name, _, password = keyring.open(_PROXY_PURPOSE, sealed).decode().partition(":") if sealed else ("", "", "")
    return parse_proxy(destination.proxy_address, name, password)


def confirmed_storage_hosts(destination: Destination) -> frozenset[str]:
    """Give the ``host:port`` of storage addresses elsewhere that an administrator confirmed."""
    confirmed = destination.confirmed_storage_host
    return frozenset([confirmed] if confirmed else [])


def client(destination: Destination, keyring: Keyring, pace: Pace | None = None) -> Client:
    """Make a client of a destination; nothing is asked yet."""
    return Client(
        connection(destination, keyring),
        confirmed_storage_hosts=confirmed_storage_hosts(destination),
        proxy=proxy(destination, keyring),
        pace=pace,
    )


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
    proxy: Proxy | None = None,
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
    _take_over(destination, file)
    _note(destination, rehearsal)
    destination.sealed_file = keyring.seal(_PURPOSE, data)
    _take_over_proxy(destination, keyring, proxy)
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
        proxy=destination.proxy_address,
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


def set_proxy(session: Session, keyring: Keyring, destination: Destination, proxy: Proxy | None, *, actor: str) -> None:
    """Have a destination reached through a proxy from now on, or directly."""
    _take_over_proxy(destination, keyring, proxy)
    # sealed anew, so that whoever holds a connection notices that it is another one
    destination.sealed_file = keyring.seal(_PURPOSE, keyring.open(_PURPOSE, destination.sealed_file))
    if proxy is None:
        events.record(session, "destination.proxy-removed", "destination", destination.id, actor=actor)
    else:
        events.record(
            session,
            "destination.proxy-set",
            "destination",
            destination.id,
            actor=actor,
            proxy=proxy.place,
            signs_in=proxy.sign_in is not None,
        )
    _wake(session, destination)


def replace_file(session: Session, keyring: Keyring, destination: Destination, data: bytes) -> None:
    """Let another file lead to the same destination, which needs no rehearsal; whoever waits tries again."""
    destination.sealed_file = keyring.seal(_PURPOSE, data)
    _wake(session, destination)


def rehearsed(session: Session, destination: Destination, rehearsal: Rehearsal, *, actor: str) -> None:
    """Write down what came of a rehearsal with the destination in force, and what follows for its state."""
    problem, was_okay = rehearsal.problem, destination.state is DestinationState.OKAY
    values: dict[str, Any] = dict(problem.values) if problem else {}
    events.record(
        session,
        "destination.rehearsed",
        "destination",
        destination.id,
        actor=actor,
        result=problem.id if problem else "done",
        **values,
    )
    if problem is not None:
        destination.rehearsal, destination.rehearsed_at = rehearsals.records(rehearsal), datetime.now(UTC)
        fails(session, destination, problem)
        return
    _note(destination, rehearsal)
    works(session, destination)
    if not was_okay:
        _wake(session, destination)


def recognised(session: Session, connection_id: str, *, actor: str) -> None:
    """Let the destination in force be the one that remembers this connection: a restored system comes back to it."""
    destination = active(session)
    if destination is not None and destination.connection_id != connection_id:
        destination.connection_id = connection_id
        events.record(session, "destination.recognised", "destination", destination.id, actor=actor)


def stands_at(destination: Destination, address: str) -> bool:
    """Tell whether a destination is reached at the host and port of an address."""
    return parse_address(destination.address).place == parse_address(address).place


def _wake(session: Session, destination: Destination) -> None:
    destination.attempts_wanted += 1
    deliveries.retry_all(session)


def _take_over_proxy(destination: Destination, keyring: Keyring, proxy: Proxy | None) -> None:
    sign_in = proxy.sign_in if proxy else None
    destination.proxy_address = proxy.address if proxy else None
    destination.sealed_proxy_sign_in = keyring.seal(_PROXY_PURPOSE, sign_in.reveal().encode()) if sign_in else None


def _take_over(destination: Destination, file: ConnectionFile) -> None:
    destination.site_name, destination.address = file.site_name, file.authentication_uris[0]
    destination.application = f"{file.application_name} {file.application_version}"
    destination.want_encryption, destination.public_key_id = file.want_encryption, file.public_key_id
    destination.container_type = file.container_type
    destination.categories_read_at = None


def _note(destination: Destination, rehearsal: Rehearsal) -> None:
    """Take over what a rehearsal that went well showed."""
    destination.can_verify = rehearsal.can_verify
    destination.capabilities = msgspec.to_builtins(rehearsal.capabilities)
    destination.clock_difference_seconds = rehearsal.clock_difference_seconds
    destination.rehearsal, destination.rehearsed_at = rehearsals.records(rehearsal), datetime.now(UTC)


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
        values: dict[str, Any] = dict(error.values)
        events.record(session, f"destination.{state}", "destination", destination.id, result=error.id, **values)
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
