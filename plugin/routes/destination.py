"""Content destination: how it does, connecting to one by its file, and files that make this host one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from .. import pages
from ..access import needs
from ..destination.client import Client
from ..destination.connection_file import parse
from ..destination.rehearsal import Rehearsal, RehearsalStepName, rehearse
from ..errors import BodywornError, ConnectionFileMissing, ConnectionFileTooLarge, StorageHostUnconfirmed
from ..forms.destination import ConnectionFileForm, ExportForm, LimitForm
from ..runtime import current
from ..services import (
    connection_files,
    destination_view,
    destinations,
    own_certificate,
    parcels,
    systems,
    uplink_limit,
)
from ..services.connection_files import Site
from ..services.keyring import Keyring
from ..services.sentence import Problem, marked, problem_of
from ..services.uplink_limit import UplinkLimit

#: Of a connection file (API, section 1).
_LIMIT_BYTES = 64 * 1024
#: Of the request that carries it, with what a browser adds.
_REQUEST_LIMIT_BYTES = 256 * 1024
_RECEIVER_SIGN_IN = "bodyworn_receiver.sign_in"
_TEMPLATE = "bodyworn/destination.html"
_STEPS = {
    RehearsalStepName.CONNECTION: marked("Reach the destination"),
    RehearsalStepName.CERTIFICATE: marked("Recognise its certificate"),
    RehearsalStepName.SIGN_IN: marked("Sign in"),
    RehearsalStepName.STORAGE_ADDRESS: marked("Learn where it stores"),
    RehearsalStepName.CAPABILITIES: marked("Read what it can do"),
    RehearsalStepName.STORE: marked("Store something and have it proved"),
    RehearsalStepName.CLOCK: marked("Compare clocks"),
}


@dataclass(frozen=True)
class StepView:
    """One thing that was tried with a destination, as the page shows it."""

    name: str
    ok: bool
    detail: str
    problem: Problem | None


def add(blueprint: Blueprint) -> None:
    """Register the page, its live part, and what is done on it."""
    blueprint.add_url_rule("/destination", "destination", destination)
    blueprint.add_url_rule("/fragments/destination", "destination_fragment", destination_fragment)
    blueprint.add_url_rule("/destination/connect", "connect_destination", connect_destination, methods=["POST"])
    blueprint.add_url_rule("/destination/try-again", "try_destination_again", try_destination_again, methods=["POST"])
    blueprint.add_url_rule("/destination/push", "push_again", push_again, methods=["POST"])
    blueprint.add_url_rule("/destination/limit", "limit_uploads", limit_uploads, methods=["POST"])
    blueprint.add_url_rule("/destination/export", "export_connection_file", export_connection_file, methods=["POST"])


@needs("bodyworn.view")
def destination() -> ResponseReturnValue:
    """Show the page."""
    return pages.page(_TEMPLATE, _content)


@needs("bodyworn.view")
def destination_fragment() -> ResponseReturnValue:
    """Show its live part."""
    return pages.fragment(_TEMPLATE, _content)


@needs("bodyworn.destination")
def connect_destination() -> ResponseReturnValue:
    """Rehearse with a connection file, and adopt it when every step went well; nothing is changed otherwise."""
    try:
        form, data = _uploaded()
        rehearsal = _rehearse(form, data)
        recognised = _recognised(form, data) if rehearsal.ok else None
    except BodywornError as error:
        return pages.still(_TEMPLATE, _content, 422, refused=problem_of(error))
    if not rehearsal.ok:
        return pages.still(_TEMPLATE, _content, 422, rehearsal=_steps(rehearsal), ask_host=_unconfirmed(rehearsal))
    with current().database.write() as session:
        destinations.adopt(
            session,
            _keyring(),
            data,
            rehearsal,
            recognised=recognised,
            confirmed_storage_host=form.storage_host.data or None,
            actor=pages.actor(),
        )
    return pages.done(".destination", "destination-connected")


@needs("bodyworn.destination")
def try_destination_again() -> ResponseReturnValue:
    """Have the destination tried at once, because somebody mended it."""
    with current().database.write() as session:
        destinations.try_again(session, actor=pages.actor())
    return pages.done(".destination", "destination-tried-again")


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


def _uploaded() -> tuple[ConnectionFileForm, bytes]:
    """Read the form and the file; the file is bounded before anything looks at it."""
    request.max_content_length = _REQUEST_LIMIT_BYTES
    try:
        form = ConnectionFileForm(request.form.copy())
        file: FileStorage | None = request.files.get("file")
    except RequestEntityTooLarge as error:
        raise ConnectionFileTooLarge(limit_bytes=_LIMIT_BYTES) from error
    data = file.stream.read(_LIMIT_BYTES + 1) if file is not None else b""
    if not data:
        raise ConnectionFileMissing
    if len(data) > _LIMIT_BYTES:
        raise ConnectionFileTooLarge(limit_bytes=_LIMIT_BYTES)
    return form, data


def _recognised(form: ConnectionFileForm, data: bytes) -> str | None:
    """Ask the destination whether it remembers this system: then it is the one that is connected already."""
    with current().database.read() as session:
        system = systems.find(session)
    if system is None:
        return None
    confirmed = {form.storage_host.data} if form.storage_host.data else set()
    client = Client(parse(data, allow_http=True), confirmed_storage_hosts=confirmed)
    try:
        return destinations.recognise(client, system.id)
    finally:
        client.close()


def _rehearse(form: ConnectionFileForm, data: bytes) -> Rehearsal:
    with current().database.read() as session:
        file = destinations.read_file(session, _keyring(), data, allow_http=bool(form.allow_http.data))
    confirmed = [form.storage_host.data] if form.storage_host.data else []
    return rehearse(file, confirmed_storage_hosts=confirmed)


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
        "refused": None,
        "rehearsal": None,
        "ask_host": None,
        "export_refused": None,
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
    if _RECEIVER_SIGN_IN not in current_app.view_functions:
        return None
    system = systems.find(session)
    name = system.name if system else ""
    return ExportForm(site_name=name, address=current().host.external_url(_RECEIVER_SIGN_IN))


def _steps(rehearsal: Rehearsal) -> list[StepView]:
    return [
        StepView(_STEPS[step.name], step.ok, step.detail, problem_of(step.problem) if step.problem else None)
        for step in rehearsal.steps
    ]


def _unconfirmed(rehearsal: Rehearsal) -> str | None:
    """Name the machine that an administrator has to confirm, where that is what stands in the way."""
    for step in rehearsal.steps:
        if isinstance(step.problem, StorageHostUnconfirmed):
            return str(step.problem.values.get("storage_host", ""))
    return None


def _keyring() -> Keyring:
    return Keyring(current().data_dir / "keys")
