"""Connect to a content destination: read its file, rehearse, recognise, adopt; and rehearse again at any time.

Nothing here holds the database while a destination is asked. What follows from a new destination is decided in
``destinations``; what is tried, in ``destination.rehearsal``.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from ..destination.client import Client
from ..destination.connection_file import ConnectionFile
from ..destination.proxy import Proxy, parse_proxy
from ..destination.rehearsal import Rehearsal, rehearse
from ..errors import BodywornError, ProxyAddressRefused, StorageHostUnconfirmed
from ..models import Destination
from ..models.database import Database
from . import connection_files, destinations, own_certificate, systems
from .connection_files import Site
from .keyring import Keyring


@dataclass(frozen=True)
class Connected:
    """The destination is in force."""

    destination_id: str
    rehearsal: Rehearsal
    #: What an operator should hear about the file all the same.
    warnings: tuple[BodywornError, ...] = ()


@dataclass(frozen=True)
class Refused:
    """Nothing was changed: either the file broke a rule, or its destination did not pass the rehearsal."""

    problem: BodywornError
    rehearsal: Rehearsal | None = None

    @property
    def storage_host(self) -> str | None:
        """Name the machine that an administrator has to confirm, where that is what stands in the way."""
        unconfirmed = isinstance(self.problem, StorageHostUnconfirmed)
        return str(self.problem.values["storage_host"]) if unconfirmed else None


def connect(
    database: Database,
    keyring: Keyring,
    data: bytes,
    *,
    allow_http: bool = False,
    confirmed_storage_host: str | None = None,
    proxy: Proxy | None = None,
    actor: str,
) -> Connected | Refused:
    """Make the destination of a connection file the one in force, when it passes its rehearsal.

    Works before there is a system as well. Takes as long as the destination does.
    """
    confirmed = {confirmed_storage_host} if confirmed_storage_host else set()
    try:
        with database.read() as session:
            file, system_id = _read(session, keyring, data, allow_http)
        rehearsal = rehearse(file, confirmed_storage_hosts=confirmed, proxy=proxy)
        if rehearsal.problem is not None:
            return Refused(rehearsal.problem, rehearsal)
        recognised = _recognise(Client(file, confirmed_storage_hosts=confirmed, proxy=proxy), system_id)
        with database.write() as session:
            adopted = destinations.adopt(
                session,
                keyring,
                data,
                rehearsal,
                recognised=recognised,
                confirmed_storage_host=rehearsal.storage_place if rehearsal.storage_place in confirmed else None,
                proxy=proxy,
                actor=actor,
            )
            return Connected(adopted.id, rehearsal, file.warnings)
    except BodywornError as error:
        return Refused(error)


def choose_proxy(session: Session, keyring: Keyring, address: str, user_name: str, password: str) -> Proxy | None:
    """Read what was entered for a proxy; None without an address. Raises ProxyAddressRefused.

    Without a password, the known one is kept for the very address and name that it belongs to, and for no other.
    """
    if not address:
        if user_name or password:
            raise ProxyAddressRefused(reason="its name and password were entered without its address")
        return None
    chosen, present = parse_proxy(address, user_name, password), destinations.active(session)
    known = destinations.proxy(present, keyring) if present else None
    is_known = known is not None and (known.place, known.user_name) == (chosen.place, chosen.user_name)
    return known if is_known and not password else chosen


def keep_here(database: Database, keyring: Keyring, *, address: str, name: str, actor: str) -> Connected | Refused:
    """Connect to this very host as its own destination: a connection file is made, and nobody has to handle it.

    ``address`` is where the host's receiver signs in, as its pages are reached; ``name`` is what the site is called.
    """
    try:
        anchors = own_certificate.shown_at(address)
        with database.write() as session:
            site = Site(
                name=name,
                authentication_uris=(address,),
                anchors_pem=anchors,
                want_encryption=_wants_encryption(session, address),
            )
            export = connection_files.export(session, keyring.box, site, actor=actor)
    except BodywornError as error:
        return Refused(error)
    outcome = connect(database, keyring, export.data, actor=actor)
    if isinstance(outcome, Refused):
        with database.write() as session:
            connection_files.close_account(session, export.account_id, actor=actor)
    return outcome


def recognise_again(database: Database, keyring: Keyring, *, actor: str) -> None:
    """Ask the destination in force whether it remembers this system, which has got its identity back since.

    Raises what keeps the destination from being asked; nothing is changed then.
    """
    with database.read() as session:
        destination, system_id = destinations.active(session), _system_id(session)
        client = destinations.client(destination, keyring) if destination else None
    if client is None:
        return
    recognised = _recognise(client, system_id)
    if recognised is not None:
        with database.write() as session:
            destinations.recognised(session, recognised, actor=actor)


def rehearse_again(database: Database, keyring: Keyring, *, actor: str) -> Rehearsal | None:
    """Rehearse with the destination in force and write down what came of it; None when there is none."""
    with database.read() as session:
        destination = destinations.active(session)
        if destination is None:
            return None
        file, proxy = destinations.connection(destination, keyring), destinations.proxy(destination, keyring)
        confirmed = destinations.confirmed_storage_hosts(destination)
    rehearsal = rehearse(file, confirmed_storage_hosts=confirmed, proxy=proxy)
    with database.write() as session:
        destinations.rehearsed(session, session.get_one(Destination, destination.id), rehearsal, actor=actor)
    return rehearsal


def set_proxy(database: Database, keyring: Keyring, proxy: Proxy | None, *, actor: str) -> Connected | Refused | None:
    """Reach the destination in force through a proxy, or directly, once it was reached that way; None without one."""
    with database.read() as session:
        destination = destinations.active(session)
        if destination is None:
            return None
        file = destinations.connection(destination, keyring)
        confirmed = destinations.confirmed_storage_hosts(destination)
    rehearsal = rehearse(file, confirmed_storage_hosts=confirmed, proxy=proxy)
    if rehearsal.problem is not None and not rehearsal.reached:
        return Refused(rehearsal.problem, rehearsal)
    with database.write() as session:
        changed = session.get_one(Destination, destination.id)
        destinations.set_proxy(session, keyring, changed, proxy, actor=actor)
        destinations.rehearsed(session, changed, rehearsal, actor=actor)
    return Connected(destination.id, rehearsal)


def _read(session: Session, keyring: Keyring, data: bytes, allow_http: bool) -> tuple[ConnectionFile, str | None]:
    return destinations.read_file(session, keyring, data, allow_http=allow_http), _system_id(session)


def _system_id(session: Session) -> str | None:
    system = systems.find(session) or systems.draft(session)
    return system.id if system else None


def _recognise(client: Client, system_id: str | None) -> str | None:
    """Ask a destination whether it remembers this system: then it is one that was connected before."""
    try:
        return destinations.recognise(client, system_id) if system_id else None
    finally:
        client.close()


def _wants_encryption(session: Session, address: str) -> bool:
    """Keep encryption on where this host is the destination already and was asked for it: it is never turned off."""
    present = destinations.active(session)
    return present is not None and present.want_encryption and destinations.stands_at(present, address)
