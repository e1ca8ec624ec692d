"""Content destination: how it does, and what can be done about that. How one gets connected is in its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..errors import BodywornError
from ..forms.destination import ExportForm, LimitForm
from ..runtime import current
from ..services import (
    connecting,
    connection_files,
    destination_view,
    destinations,
    own_certificate,
    parcels,
    systems,
    uplink_limit,
)
from ..services.connection_files import Site
from ..services.sentence import problem_of
from ..services.uplink_limit import UplinkLimit
from .connection_upload import RECEIVER_SIGN_IN, can_keep_here, keyring

_TEMPLATE = "bodyworn/destination.html"


def add(blueprint: Blueprint) -> None:
    """Register the page, its live part, and what is done on it."""
    route = blueprint.add_url_rule
    route("/destination", "destination", destination)
    route("/fragments/destination", "destination_fragment", destination_fragment)
    route("/destination/try-again", "try_destination_again", try_destination_again, methods=["POST"])
    route("/destination/rehearse", "rehearse_destination", rehearse_destination, methods=["POST"])
    route("/destination/push", "push_again", push_again, methods=["POST"])
    route("/destination/limit", "limit_uploads", limit_uploads, methods=["POST"])
    route("/destination/export", "export_connection_file", export_connection_file, methods=["POST"])


@needs("bodyworn.view")
def destination() -> ResponseReturnValue:
    """Show the page."""
    return pages.page(_TEMPLATE, _content)


@needs("bodyworn.view")
def destination_fragment() -> ResponseReturnValue:
    """Show its live part."""
    return pages.fragment(_TEMPLATE, _content)


@needs("bodyworn.destination")
def try_destination_again() -> ResponseReturnValue:
    """Have the destination tried at once, because somebody mended it."""
    with current().database.write() as session:
        destinations.try_again(session, actor=pages.actor())
    return pages.done(".destination", "destination-tried-again")


@needs("bodyworn.destination")
def rehearse_destination() -> ResponseReturnValue:
    """Rehearse with the destination in force, at any time (DST-7); what came of it stays on the page."""
    rehearsal = connecting.rehearse_again(current().database, keyring(), actor=pages.actor())
    passed = rehearsal is not None and rehearsal.ok
    return pages.done(".destination", "destination-rehearsed" if passed else "destination-failed-rehearsal")


@needs("bodyworn.destination")
def push_again() -> ResponseReturnValue:
    """Have the destination told of all users and cameras again (DST-7)."""
    with current().database.write() as session:
        active = destinations.active(session)
        if active is not None:
            parcels.tell_all_again(session, active, actor=pages.actor())
    return pages.done(".destination", "destination-pushed")


@needs("bodyworn.destination")
def limit_uploads() -> ResponseReturnValue:
    """Limit what uploads may take of the line, or lift the limit."""
    form = LimitForm(request.form)
    if not form.validate():
        return pages.still(_TEMPLATE, _content, 422, limit=form)
    bits = form.bits_per_second
    with current().database.write() as session:
        uplink_limit.set_limit(session, UplinkLimit(bits, *form.minutes) if bits else None, actor=pages.actor())
    return pages.done(".destination", "uploads-limited")


@needs("bodyworn.destination")
def export_connection_file() -> ResponseReturnValue:
    """Hand out a connection file with a key of its own, as a download that is never kept here."""
    form = ExportForm(request.form)
    if not form.validate():
        return pages.still(_TEMPLATE, _content, 422, export=form)
    try:
        data = _export(form)
    except BodywornError as error:
        return pages.still(_TEMPLATE, _content, 422, export=form, export_refused=problem_of(error))
    headers = {"Content-Disposition": 'attachment; filename="connection-file.json"'}
    return Response(data, mimetype="application/json", headers=headers)


def _export(form: ExportForm) -> bytes:
    runtime = current()
    address = form.address.data or ""
    site = Site(
        name=form.site_name.data or "",
        authentication_uris=(address,),
        anchors_pem=own_certificate.shown_at(address),
        want_encryption=bool(form.want_encryption.data),
    )
    with runtime.database.write() as session:
        return connection_files.export(session, runtime.secrets, site, actor=pages.actor()).data


def _content(session: Session, now: datetime) -> Mapping[str, Any]:
    return {
        "destination": (shown := destination_view.destination(session, now)),
        "limit": _limit_form(shown.limit if shown else None),
        "exported": destination_view.exported_files(session),
        "export": _export_form(session),
        "export_refused": None,
        "can_keep_here": can_keep_here(),
    }


def _limit_form(limit: UplinkLimit | None) -> LimitForm:
    if limit is None:
        return LimitForm()
    return LimitForm(
        megabits=f"{limit.bits_per_second / 1e6:g}",
        from_time=_time_of_day(limit.from_minute),
        until_time=_time_of_day(limit.until_minute),
    )


def _time_of_day(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def _export_form(session: Session) -> ExportForm | None:
    """Prepare the form with what this host knows; None where it has no receiver."""
    if not can_keep_here():
        return None
    system = systems.find(session)
    name = system.name if system else ""
    return ExportForm(site_name=name, address=current().host.external_url(RECEIVER_SIGN_IN))
