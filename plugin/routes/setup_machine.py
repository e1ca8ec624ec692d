"""The wizard's steps about this machine: network, date and time. Settings change the same things later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from .. import pages
from ..forms.settings import DateAndTimeForm, NetworkForm
from ..machine import clock, network
from ..runtime import current
from ..services import clock_settings, network_settings, setup
from ..services.clock_settings import ClockView, WantedClock
from ..services.network_settings import NetworkView
from ..services.sentence import Problem
from ..services.setup import Step
from . import setup_frame as frame
from .settings import Move, move_by

_NETWORK = "bodyworn/setup_network.html"
_CLOCK = "bodyworn/setup_date_and_time.html"


def add(blueprint: Blueprint) -> None:
    """Register the two steps."""
    frame.add_step(blueprint, Step.NETWORK, show_network, pass_network)
    frame.add_step(blueprint, Step.DATE_AND_TIME, show_date_and_time, pass_date_and_time)
    keep = frame.in_wizard(Step.NETWORK, keep_addresses)
    blueprint.add_url_rule("/setup/network/keep", "keep_addresses_during_setup", keep, methods=["POST"])


def show_network() -> ResponseReturnValue:
    """Show names and addresses of this machine."""
    shown = _network()
    return _network_page(shown, NetworkForm.of(shown))


def pass_network() -> ResponseReturnValue:
    """Change what was entered otherwise; pages may move, so that is asked for once more."""
    form, shown = NetworkForm(request.form), _network()
    if not form.validate():
        return _network_page(shown, form, 422)
    wanted = form.wanted()
    move = move_by(wanted)
    if move is not None and not form.confirmed.data:
        return _network_page(shown, form, 422, move=move)
    outcome = network_settings.save(current().database, wanted, actor=pages.actor())
    if outcome.refused:
        return _network_page(_network(), form, 422, refused=outcome.refused)
    if outcome.trial_until is not None:
        return _network_page(_network(), form, moved=move)
    return frame.onward(Step.NETWORK)


def keep_addresses() -> ResponseReturnValue:
    """Keep the addresses that are on trial; whoever sends this has reached the pages there."""
    kept = network_settings.keep(current().database, actor=pages.actor())
    return frame.onward(Step.NETWORK) if kept else redirect(frame.address(Step.NETWORK), 303)


def show_date_and_time() -> ResponseReturnValue:
    """Show date, time and who sets the clock."""
    shown = _clock()
    return _clock_page(shown, DateAndTimeForm.of(shown))


def pass_date_and_time() -> ResponseReturnValue:
    """Keep the time zone for the system, and set this machine's clock as far as it lets itself be set."""
    form, shown = DateAndTimeForm(request.form), _clock()
    if not form.validate():
        return _clock_page(shown, form, 422)
    wanted = form.wanted(shown.destination_host)
    refused = clock_settings.apply(wanted) if shown.obstacle is None else ()
    _keep(wanted)
    if refused and "anyway" not in request.form:
        return _clock_page(_clock(), form, 422, refused=refused)
    return frame.onward(Step.DATE_AND_TIME)


def _keep(wanted: WantedClock) -> None:
    with current().database.write() as session:
        found = setup.present(session)
        found.time_zone, found.ntp_server = wanted.time_zone, wanted.ntp_server


def _network() -> NetworkView:
    return network_settings.view(network.read(), request.values.get("interface"))


def _clock() -> ClockView:
    facts = clock.read()
    with current().database.read() as session:
        shown, found = clock_settings.view(session, facts), setup.present(session)
        if Step.DATE_AND_TIME not in found.passed:
            return shown
        return replace(shown, time_zone=found.time_zone, ntp_server=found.ntp_server)


def _network_page(
    shown: NetworkView,
    form: NetworkForm,
    status_code: int = 200,
    *,
    move: Move | None = None,
    moved: Move | None = None,
    refused: Sequence[Problem] = (),
) -> ResponseReturnValue:
    told = {"move": move, "moved": moved, "refused": refused}
    return frame.show(_NETWORK, Step.NETWORK, status_code, network=shown, form=form, **told)


def _clock_page(
    shown: ClockView, form: DateAndTimeForm, status_code: int = 200, *, refused: Sequence[Problem] = ()
) -> ResponseReturnValue:
    return frame.show(_CLOCK, Step.DATE_AND_TIME, status_code, clock=shown, form=form, refused=refused)
