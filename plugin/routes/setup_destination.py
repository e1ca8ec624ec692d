"""The wizard's content destination: connected by its file, or this very server. Nothing works before there is one."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from ..models import Destination
from ..runtime import current
from ..services import destinations
from ..services.connecting import Refused
from ..services.destination_card import LARGEST_CLOCK_DIFFERENCE_SECONDS
from ..services.sentence import Problem, problem_of
from ..services.setup import Step
from . import connection_upload as upload, setup_frame as frame
from .connection_upload import ConnectView

_TEMPLATE = "bodyworn/setup_destination.html"


@dataclass(frozen=True)
class ConnectedView:
    """The destination that is connected by now."""

    site_name: str
    address: str
    #: Whether it is this server itself, so that nobody has a file to delete.
    here: bool
    clock_difference_seconds: float | None
    clock_differs: bool


def add(blueprint: Blueprint) -> None:
    """Register the step, and the two ways to connect."""
    frame.add_step(blueprint, Step.DESTINATION, show, go_on)
    for path, name, view in (
        ("/setup/destination/connect", "connect_during_setup", connect),
        ("/setup/destination/keep-here", "keep_here_during_setup", keep_here),
    ):
        blueprint.add_url_rule(path, name, frame.in_wizard(Step.DESTINATION, view), methods=["POST"])


def show() -> ResponseReturnValue:
    """Ask for a connection file; or show what is connected."""
    connected = None if "again" in request.args else _connected()
    return _page(connected=connected)


def go_on() -> ResponseReturnValue:
    """Go on with what is connected."""
    return frame.onward(Step.DESTINATION) if _connected() else redirect(frame.address(Step.DESTINATION), 303)


def connect() -> ResponseReturnValue:
    """Rehearse with a connection file, and connect when all went well."""
    outcome = upload.submit()
    if isinstance(outcome, Refused):
        return _page(422, connect=upload.refused(outcome))
    return redirect(frame.address(Step.DESTINATION), 303)


def keep_here() -> ResponseReturnValue:
    """Make this server its own destination."""
    outcome = upload.keep_here()
    if isinstance(outcome, Refused):
        return _page(422, kept_refused=problem_of(outcome.problem))
    return redirect(frame.address(Step.DESTINATION), 303)


def _page(
    status_code: int = 200,
    *,
    connected: ConnectedView | None = None,
    connect: ConnectView | None = None,
    kept_refused: Problem | None = None,
) -> ResponseReturnValue:
    with current().database.read() as session:
        form = connect or upload.shown(session)
    return frame.show(
        _TEMPLATE,
        Step.DESTINATION,
        status_code,
        connected=connected,
        connect=form,
        kept_refused=kept_refused,
        can_keep_here=upload.can_keep_here(),
    )


def _connected() -> ConnectedView | None:
    with current().database.read() as session:
        active = destinations.active(session)
        if active is None:
            return None
        difference = active.clock_difference_seconds
        return ConnectedView(
            site_name=active.site_name,
            address=active.address,
            here=is_here(active),
            clock_difference_seconds=difference,
            clock_differs=difference is not None and abs(difference) > LARGEST_CLOCK_DIFFERENCE_SECONDS,
        )


def is_here(active: Destination) -> bool:
    """Tell whether a destination is this very server."""
    address = current().host.external_url(upload.RECEIVER_SIGN_IN) if upload.can_keep_here() else None
    return address is not None and destinations.stands_at(active, address)
