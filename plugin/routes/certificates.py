"""Settings, Certificates: what there is and what is served; creating, having signed, installing, activating."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from .. import pages, tls
from ..access import needs
from ..crypto.certificates import LIMIT_BYTES
from ..errors import BodywornError, CertificateMissing, CertificateNameTaken, CertificateTooLarge
from ..forms.certificates import CreateCertificateForm
from ..runtime import current
from ..services import certificates
from ..services.certificate_store import Stored
from ..services.certificate_view import line, warnings
from ..services.own_names import own_names
from ..services.sentence import marked, problem_of

#: Of the request that carries a certificate, with what a browser adds.
_REQUEST_LIMIT_BYTES = 256 * 1024
#: So many connections a browser keeps open to one host, and a few more.
_MOST_TRIES = 10
_LIST = "bodyworn/certificates.html"
_SYSTEM = "bodyworn.system"


def add(blueprint: Blueprint) -> None:
    """Register the pages and what is done on them."""
    route = blueprint.add_url_rule
    one = "/settings/certificates/<certificate_id>"
    route("/settings/certificates", "certificates", show_certificates)
    route("/settings/certificates/create", "ask_create_certificate", ask_create_certificate)
    route("/settings/certificates/create", "create_certificate", create_certificate, methods=["POST"])
    route("/settings/certificates/install", "ask_install_certificate", ask_install_certificate)
    route("/settings/certificates/install", "install_certificate", install_certificate, methods=["POST"])
    route("/settings/certificates/confirm", "confirm_certificate", confirm_certificate, methods=["POST"])
    route(f"{one}/signing-request", "ask_signing_request", ask_signing_request)
    route(f"{one}/signing-request", "create_signing_request", create_signing_request, methods=["POST"])
    route(f"{one}/signing-request.csr", "download_signing_request", download_signing_request)
    route(f"{one}/certificate.crt", "download_certificate", download_certificate)
    route(f"{one}/activate", "ask_activate_certificate", ask_activate_certificate)
    route(f"{one}/activate", "activate_certificate", activate_certificate, methods=["POST"])
    route(f"{one}/delete", "ask_delete_certificate", ask_delete_certificate)
    route(f"{one}/delete", "delete_certificate", delete_certificate, methods=["POST"])


@needs(_SYSTEM)
def show_certificates() -> ResponseReturnValue:
    """Show what there is, and whether a change waits to be confirmed.

    A browser may come over a connection from before the change. The host closes that one after its answer, so the
    browser is sent here again until it comes over a new one.
    """
    runtime = current()
    tls.settle(runtime)
    served = tls.serving(runtime)
    tries = request.args.get("again", 0, type=int)
    if served is not None and served.confirm_before and not served.over_it and 0 <= tries < _MOST_TRIES:
        return redirect(url_for(".certificates", again=tries + 1), 303)
    return pages.still(_LIST, _content)


@needs(_SYSTEM)
def ask_create_certificate() -> ResponseReturnValue:
    """Ask for the values of a self-signed certificate, with what this machine knows of itself."""
    names = own_names()
    form = CreateCertificateForm(common_name=names[0], names="\n".join([*names, *_named_now(names)]))
    return _drawn("bodyworn/certificate_create.html", form=form)


@needs(_SYSTEM)
def create_certificate() -> ResponseReturnValue:
    """Make a self-signed certificate."""
    form = CreateCertificateForm(request.form)
    if form.validate():
        runtime = current()
        try:
            with runtime.database.write() as session:
                days, now = form.days.data or 1, datetime.now(UTC)
                name, kept = form.name.data or "", tls.store(runtime)
                certificates.create(session, kept, name, form.values, days=days, now=now, actor=pages.actor())
            return pages.done(".certificates", "certificate-created")
        except CertificateNameTaken:
            form.name.errors = [marked("Another certificate has this name already.")]
    return _drawn("bodyworn/certificate_create.html", 422, form=form)


@needs(_SYSTEM, confirmed=True)
def ask_install_certificate() -> ResponseReturnValue:
    """Ask for the file."""
    return _drawn("bodyworn/certificate_install.html", refused=None)


@needs(_SYSTEM, confirmed=True)
def install_certificate() -> ResponseReturnValue:
    """Install what an authority signed; nothing is kept where it is refused."""
    runtime = current()
    try:
        name, data = _uploaded()
        with runtime.database.write() as session:
            now, kept = datetime.now(UTC), tls.store(runtime)
            certificates.install(session, kept, name, data, now=now, actor=pages.actor())
    except BodywornError as error:
        return _drawn("bodyworn/certificate_install.html", 422, refused=problem_of(error))
    return pages.done(".certificates", "certificate-installed")


@needs(_SYSTEM)
def ask_signing_request(certificate_id: str) -> ResponseReturnValue:
    """Say what a signing request is made of."""
    return _drawn("bodyworn/certificate_request.html", stored=_usable(certificate_id), text=None)


@needs(_SYSTEM)
def create_signing_request(certificate_id: str) -> ResponseReturnValue:
    """Show a signing request, to be copied."""
    runtime, stored = current(), _usable(certificate_id)
    text = tls.store(runtime).signing_request(stored.id).decode("ascii")
    with runtime.database.write() as session:
        certificates.requested(session, stored, actor=pages.actor())
    return _drawn("bodyworn/certificate_request.html", stored=stored, text=text)


@needs(_SYSTEM)
def download_signing_request(certificate_id: str) -> ResponseReturnValue:
    """Give a signing request as a file; the same as on the page but for its signature."""
    stored = _usable(certificate_id)
    return _file(tls.store(current()).signing_request(stored.id), f"{_file_name(stored)}.csr", "application/pkcs10")


@needs(_SYSTEM)
def download_certificate(certificate_id: str) -> ResponseReturnValue:
    """Give the certificate with its chain, which is public, for those who are to trust it."""
    stored = _usable(certificate_id)
    return _file(stored.certificate.read_bytes(), f"{_file_name(stored)}.crt", "application/x-pem-file")


@needs(_SYSTEM, confirmed=True)
def ask_activate_certificate(certificate_id: str) -> ResponseReturnValue:
    """Say what happens when it is activated."""
    stored = _usable(certificate_id)
    served = tls.serving(current())
    former = served.stored.facts if served and served.stored else None
    return _drawn(
        "bodyworn/certificate_activate.html",
        stored=stored,
        served=served,
        warnings=warnings(stored, former, host=_host(), now=datetime.now(UTC)),
        seconds=tls.CONFIRM_WITHIN_SECONDS,
    )


@needs(_SYSTEM, confirmed=True)
def activate_certificate(certificate_id: str) -> ResponseReturnValue:
    """Serve with it; somebody has to come back over it."""
    tls.activate(current(), certificate_id, actor=pages.actor())
    return pages.back(".certificates")


@needs(_SYSTEM)
def confirm_certificate() -> ResponseReturnValue:
    """Keep what was activated."""
    kept = tls.confirm(current(), actor=pages.actor())
    return pages.done(".certificates", "certificate-confirmed" if kept else "certificate-not-confirmed")


@needs(_SYSTEM, confirmed=True)
def ask_delete_certificate(certificate_id: str) -> ResponseReturnValue:
    """Say what is lost."""
    stored = tls.store(current()).one(certificate_id)
    return _drawn("bodyworn/certificate_delete.html", stored=stored, served=tls.serving(current()))


@needs(_SYSTEM, confirmed=True)
def delete_certificate(certificate_id: str) -> ResponseReturnValue:
    """Delete it with its key."""
    tls.delete(current(), certificate_id, actor=pages.actor())
    return pages.done(".certificates", "certificate-deleted")


def _content(_session: Session, now: datetime) -> Mapping[str, Any]:
    runtime = current()
    served = tls.serving(runtime)
    waits = served is not None and served.confirm_before is not None
    return {
        "lines": [
            line(stored, is_served=served is not None and served.is_of(stored), waits=waits, now=now)
            for stored in tls.store(runtime).all()
        ],
        "served": served,
        "is_https": request.is_secure,
        "waiting": tls.store(runtime).on_probation() if served and served.confirm_before else None,
    }


def _drawn(template: str, status_code: int = 200, **context: Any) -> ResponseReturnValue:
    nothing: Callable[[Session, datetime], Mapping[str, Any]] = lambda _session, _now: {}  # noqa: E731
    return pages.still(template, nothing, status_code, **context)


def _host() -> str:
    """Give the name or address by which the browser came."""
    return urlsplit(f"//{request.host}").hostname or ""


def _named_now(names: list[str]) -> list[str]:
    """Add what the browser calls this machine, unless it is known or means whoever says it."""
    here = _host()
    return [here] if here and here not in [*names, "localhost", "127.0.0.1", "::1"] else []


def _usable(certificate_id: str) -> Stored:
    """Give a certificate that can be used.

    :raises BodywornError: its problem, where it is damaged.
    """
    stored = tls.store(current()).one(certificate_id)
    if stored.problem is not None:
        raise stored.problem
    return stored


def _uploaded() -> tuple[str, bytes]:
    """Read name and content of the file; bounded before anything looks at it."""
    request.max_content_length = _REQUEST_LIMIT_BYTES
    try:
        file: FileStorage | None = request.files.get("file")
    except RequestEntityTooLarge as error:
        raise CertificateTooLarge(limit_bytes=LIMIT_BYTES) from error
    data = file.stream.read(LIMIT_BYTES + 1) if file is not None else b""
    if file is None or not data:
        raise CertificateMissing
    return file.filename or "", data


def _file(data: bytes, name: str, mimetype: str) -> Response:
    return Response(data, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _file_name(stored: Stored) -> str:
    return "default-self-signed" if stored.is_default else stored.name
