"""Name and addresses of this machine (SET-4): what is changed, where its pages move to, and the trial until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from ..errors import MachineError
from ..machine import network
from ..machine.network import Addresses, Interface, Method, NetworkFacts
from ..models import Database
from . import events
from .sentence import Problem, problem_of

#: What changes of the machine are told of; there may be no system yet.
_KIND = "machine"


@dataclass(frozen=True)
class WantedNetwork:
    """What was entered; None for what stays as it is."""

    host_name: str | None = None
    interface: str | None = None
    addresses: Addresses | None = None


@dataclass(frozen=True)
class InterfaceView:
    """One interface as pages show it."""

    facts: Interface
    obstacle: Problem | None


@dataclass(frozen=True)
class NetworkView:
    """The network as pages show it."""

    facts: NetworkFacts
    name_obstacle: Problem | None
    interfaces: Sequence[InterfaceView]
    #: The one that is changed on this page; None where none can be.
    chosen: InterfaceView | None


@dataclass(frozen=True)
class Outcome:
    """What came of saving."""

    refused: Sequence[Problem]
    #: Until when the new addresses are on trial; None where they did not change.
    trial_until: datetime | None = None


def view(facts: NetworkFacts, chosen: str | None = None) -> NetworkView:
    """Tell how the network stands; ``chosen`` is the interface to change, otherwise the one that leads outside."""
    shown = [InterfaceView(one, problem_of(one.obstacle) if one.obstacle else None) for one in facts.interfaces]
    open_ones = [one for one in shown if one.obstacle is None]
    named = [one for one in open_ones if one.facts.name == chosen]
    outside = [one for one in open_ones if one.facts.gateway is not None]
    return NetworkView(
        facts=facts,
        name_obstacle=problem_of(facts.name_obstacle) if facts.name_obstacle else None,
        interfaces=shown,
        chosen=next(iter([*named, *outside, *open_ones]), None),
    )


def changed_addresses(facts: NetworkFacts, wanted: WantedNetwork) -> Addresses | None:
    """Give the addresses that were entered if they are others than now; pages move with them."""
    now = next((one for one in facts.interfaces if one.name == wanted.interface), None)
    if now is None or wanted.addresses is None or _has(now, wanted.addresses):
        return None
    return wanted.addresses


def save(database: Database, wanted: WantedNetwork, *, actor: str) -> Outcome:
    """Change the machine's name and addresses, each if it is another than now.

    New addresses are in force a moment later, and on trial: they are taken back unless :func:`keep` is called.
    """
    facts, refused, trial_until = network.read(), list[Problem](), None
    addresses = changed_addresses(facts, wanted)
    if wanted.host_name and wanted.host_name != facts.host_name:
        try:
            network.set_host_name(wanted.host_name)
            _tell(database, "machine.renamed", actor, before=facts.host_name, after=wanted.host_name)
        except MachineError as error:
            refused.append(problem_of(error))
    if addresses is not None and wanted.interface is not None:
        try:
            trial_until = network.set_addresses(wanted.interface, addresses)
            _tell(database, "machine.addresses-changed", actor, **_words(wanted.interface, addresses))
        except MachineError as error:
            refused.append(problem_of(error))
    return Outcome(refused, trial_until)


def keep(database: Database, *, actor: str) -> bool:
    """Keep the addresses that are on trial; False where none are (any more). Raises MachineError."""
    kept = network.keep()
    if kept:
        _tell(database, "machine.addresses-kept", actor)
    return kept


def _has(now: Interface, wanted: Addresses) -> bool:
    if wanted.address is None:
        return now.method is Method.DHCP
    return (
        now.method is Method.STATIC
        and wanted.address in now.addresses
        and wanted.gateway == now.gateway
        and set(map(str, wanted.dns)) == set(now.dns)
    )


def _words(interface: str, addresses: Addresses) -> dict[str, str]:
    return {
        "interface": interface,
        "address": str(addresses.address or "DHCP"),
        "gateway": str(addresses.gateway or ""),
        "dns": " ".join(map(str, addresses.dns)),
    }


def _tell(database: Database, action: str, actor: str, **detail: str) -> None:
    with database.write() as session:
        _record(session, action, actor, detail)


def _record(session: Session, action: str, actor: str, detail: dict[str, str]) -> None:
    events.record(session, action, _KIND, network.read().host_name, actor=actor, **detail)
