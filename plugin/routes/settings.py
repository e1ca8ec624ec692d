"""Settings: what there is to set, date and time, and the network of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, current_app, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..contract import AccountsHost
from ..forms.settings import DateAndTimeForm, NetworkForm
from ..machine import clock, network as machine_network
from ..machine.network import TRIAL_SECONDS
from ..runtime import current
from ..services import clock_settings, network_settings
from ..services.network_settings import WantedNetwork
from ..services.sentence import marked

_CLOCK = "bodyworn/date_and_time.html"
_NETWORK = "bodyworn/network.html"


@dataclass(frozen=True)
class SettingsCard:
    """One thing that can be set."""

    id: str
    title: str
    text: str
    address: str


@dataclass(frozen=True)
class Move:
    """Where these pages are after a change of addresses; without an address, only a DHCP server knows."""

    address: str | None
    hardware_address: str
    trial_minutes: int = TRIAL_SECONDS // 60


#: Id, title, what it is for, endpoint, permission.
_CARDS = (
    (
        "date-and-time",
        marked("Date and time"),
        marked("Time zone of the system and its cameras, and where the time comes from."),
        "date_and_time",
        "bodyworn.view",
    ),
    (
        "network",
        marked("Network"),
        marked("Name and addresses of this machine."),
        "network",
        "bodyworn.view",
    ),
    (
        "certificates",
        marked("Certificates"),
        marked("By which browsers recognise this server."),
        "certificates",
        "bodyworn.system",
    ),
    (
        "destination",
        marked("Content destination"),
        marked("Where recordings go, its connection file, and how much of the line they may take."),
        "destination",
        "bodyworn.view",
    ),
    (
        "docks",
        marked("Docks and bays"),
        marked("Adding docks, learning and naming their bays, and how many transfers there may be at a time."),
        "docks",
        "bodyworn.view",
    ),
)


def add(blueprint: Blueprint) -> None:
    """Register the pages, and what is done on them."""
    route = blueprint.add_url_rule
    route("/settings", "settings", settings)
    route("/fragments/settings", "settings_fragment", settings_fragment)
    route("/settings/date-and-time", "date_and_time", date_and_time)
    route("/settings/date-and-time", "save_date_and_time", save_date_and_time, methods=["POST"])
    route("/settings/network", "network", network)
    route("/settings/network", "save_network", save_network, methods=["POST"])
    route("/settings/network/keep", "keep_addresses", keep_addresses, methods=["POST"])


@needs("bodyworn.view")
def settings() -> ResponseReturnValue:
    """Show what can be set."""
    return pages.page("bodyworn/settings.html", _index)


@needs("bodyworn.view")
def settings_fragment() -> ResponseReturnValue:
    """Show the live part."""
    return pages.fragment("bodyworn/settings.html", _index)


@needs("bodyworn.view")
def date_and_time() -> ResponseReturnValue:
    """Show how date and time stand."""
    return pages.still(_CLOCK, _clock)


@needs("bodyworn.system")
def save_date_and_time() -> ResponseReturnValue:
    """Set them, for the system, its cameras and this machine."""
    form = DateAndTimeForm(request.form)
    if not form.validate():
        return pages.still(_CLOCK, _clock, 422, form=form)
    with current().database.read() as session:
        host = clock_settings.view(session, clock.read()).destination_host
    refused = clock_settings.save(current().database, form.wanted(host), actor=pages.actor())
    if refused:
        return pages.still(_CLOCK, _clock, refused=refused)
    return pages.done(".date_and_time", "clock-saved")


@needs("bodyworn.view")
def network() -> ResponseReturnValue:
    """Show how the network stands."""
    return pages.still(_NETWORK, _network)


@needs("bodyworn.system")
def save_network() -> ResponseReturnValue:
    """Change name and addresses; where pages move to another address, only after that was said."""
    form = NetworkForm(request.form)
    if not form.validate():
        return pages.still(_NETWORK, _network, 422, form=form)
    wanted = form.wanted()
    move = move_by(wanted)
    if move and not form.confirmed.data:
        return pages.still(_NETWORK, _network, 422, form=form, move=move)
    outcome = network_settings.save(current().database, wanted, actor=pages.actor())
    if outcome.refused:
        return pages.still(_NETWORK, _network, 422, form=form, refused=outcome.refused)
    if outcome.trial_until:
        return pages.still(_NETWORK, _network, moved=move)
    return pages.done(".network", "network-saved")


@needs("bodyworn.system")
def keep_addresses() -> ResponseReturnValue:
    """Keep the addresses that are on trial."""
    kept = network_settings.keep(current().database, actor=pages.actor())
    return pages.done(".network", "addresses-kept" if kept else "trial-over")


def move_by(wanted: WantedNetwork) -> Move | None:
    """Tell where these pages are after a change; None where no address changes."""
    facts = machine_network.read()
    addresses = network_settings.changed_addresses(facts, wanted)
    if addresses is None:
        return None
    hardware = next((one.hardware_address for one in facts.interfaces if one.name == wanted.interface), "")
    if addresses.address is None:
        return Move(None, hardware)
    _, colon, port = request.host.rpartition(":")
    host = f"{addresses.address.ip}{colon}{port}" if colon and port.isdigit() else str(addresses.address.ip)
    return Move(f"{request.scheme}://{host}{request.path}", hardware)


def _index(session: Session, now: datetime) -> Mapping[str, Any]:
    host, views = current().host, current_app.view_functions
    cards = [
        SettingsCard(id_, title, text, url_for(f".{endpoint}"))
        for id_, title, text, endpoint, permission in _CARDS
        if host.can(permission) and f"{request.blueprint}.{endpoint}" in views
    ]
    if host.supports("accounts"):
        text = marked("Your password; for administrators, everybody's accounts.")
        address = cast(AccountsHost, host).account_address()
        cards.append(SettingsCard("accounts", marked("Password and accounts"), text, address))
    return {"cards": cards}


def _clock(session: Session, now: datetime) -> Mapping[str, Any]:
    shown = clock_settings.view(session, clock.read())
    return {"clock": shown, "form": DateAndTimeForm.of(shown), "refused": ()}


def _network(session: Session, now: datetime) -> Mapping[str, Any]:
    shown = network_settings.view(machine_network.read(), request.values.get("interface"))
    return {"network": shown, "form": NetworkForm.of(shown), "refused": (), "move": None, "moved": None}
