"""Which certificate new connections get: changed while the server runs, and taken back where nobody confirmed it.

A change is a fresh context, because certificates loaded into a context in use keep the old kind of key. Connections
that are open keep theirs. That a change was not confirmed in time is looked at when somebody asks (each handshake
does), so there is no timer that could be lost; what was not confirmed before a restart is not served after it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from flask import has_request_context, request

from . import own_certificate
from .problems import CertificateUnusable
from .settings import Settings
from .shapes import ServedCertificate

_LOG = logging.getLogger(__name__)

#: In the environment of each request: fingerprint of the certificate that its connection was opened with.
OVER = "harbour.certificate"
#: Set there by whoever wants the connection closed after the answer.
CLOSE = "harbour.close"
_ROUNDS = 10


@dataclass(frozen=True)
class Files:
    """A certificate with its chain, and its key, both PEM."""

    certificate: Path
    private_key: Path


@dataclass(frozen=True)
class Served:
    """What a connection is opened with."""

    files: Files
    context: ssl.SSLContext
    #: SHA-256 of the leaf, in lower-case hexadecimal digits.
    fingerprint: str
    #: True when somebody else signed it, so that browsers may insist on HTTPS.
    by_authority: bool


@dataclass(frozen=True)
class _Change:
    """A change that nobody has confirmed yet."""

    former: Served
    deadline: float
    confirm_before: datetime


class TlsServer:
    """The certificates of one server; shared by its threads."""

    def __init__(
        self,
        folder: Path,
        address: str,
        *,
        given: Files | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with what is given; or with what was served last; or with a certificate made here for ``address``.

        ``seconds`` is the clock by which changes are taken back.
        """
        self._folder = folder
        self._seconds = seconds
        self._lock = threading.Lock()
        self._change: _Change | None = None
        self._served = load(given) if given else self._remembered() or self._own(address)

    def now(self) -> Served:
        """Give what a connection is opened with at this moment."""
        with self._lock:
            self._fall_back_if_late()
            return self._served

    def waiting_until(self) -> datetime | None:
        """Tell until when a change has to be confirmed; None when there is none."""
        with self._lock:
            self._fall_back_if_late()
            return self._change.confirm_before if self._change else None

    def activate(self, files: Files, confirm_within_seconds: float | None) -> None:
        """Open connections with other files from now on; what they replace is kept until the change is confirmed.

        :raises CertificateUnusable: when nobody could connect with them; nothing has changed then.
        """
        served = load(files)
        with self._lock:
            self._fall_back_if_late()
            former = self._change.former if self._change else self._served
            change = self._changed(former, confirm_within_seconds)
            self._remember(former if change else served)
            self._served, self._change = served, change
        _LOG.info("New connections get the certificate %s", spelled(served.fingerprint))

    def confirm(self, over: str) -> bool:
        """Keep a change; ``over`` is the fingerprint of the certificate that whoever confirms it has seen."""
        with self._lock:
            self._fall_back_if_late()
            if self._change is None or over != self._served.fingerprint:
                return False
            self._remember(self._served)
            self._change = None
            return True

    def _changed(self, former: Served, within_seconds: float | None) -> _Change | None:
        if within_seconds is None:
            return None
        before = datetime.now(UTC) + timedelta(seconds=within_seconds)
        return _Change(former, self._seconds() + within_seconds, before)

    def _fall_back_if_late(self) -> None:
        if self._change is not None and self._seconds() >= self._change.deadline:
            self._served, self._change = self._change.former, None
            _LOG.warning("Nobody confirmed the new certificate; %s is back", spelled(self._served.fingerprint))

    def _own(self, address: str) -> Served:
        try:
            return load(Files(*own_certificate.files(self._folder, address)))
        except OSError as error:
            raise CertificateUnusable(f"{self._folder} cannot be used ({error.strerror})") from error

    def _remember(self, served: Served) -> None:
        """Write down what is served after a restart: never what nobody has confirmed."""
        pointer = {
            "certificate": self._relative(served.files.certificate),
            "private_key": self._relative(served.files.private_key),
        }
        part = self._folder / "active.part"
        try:
            own_certificate.write(part, json.dumps(pointer).encode())
            os.replace(part, self._folder / "active.json")
            own_certificate.sync(self._folder)
        except OSError as error:
            raise CertificateUnusable(f"{self._folder} cannot be written ({error.strerror})") from error

    def _remembered(self) -> Served | None:
        try:
            pointer = json.loads((self._folder / "active.json").read_bytes())
            files = Files(self._absolute(pointer["certificate"]), self._absolute(pointer["private_key"]))
            return load(files)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, CertificateUnusable) as error:
            _LOG.error("The certificate served last cannot be used any more: %s", error)
            return None

    def _relative(self, path: Path) -> str:
        """Let a data folder be moved with everything in it."""
        return os.path.relpath(path.absolute(), self._folder.absolute())

    def _absolute(self, path: str) -> Path:
        return Path(os.path.normpath(self._folder.absolute() / path))


class OfferedTls:
    """What a plugin gets of a server: the member ``tls`` of the contract."""

    def __init__(self, server: TlsServer) -> None:
        """Offer this server."""
        self._server = server

    def serving(self) -> ServedCertificate:
        """Tell what new connections get.

        While a change waits to be confirmed, connections opened before it are closed after their answer where they ask
        this, so that a browser comes back over the new certificate.
        """
        until, served = self._server.waiting_until(), self._server.now()
        over_it = _over() == served.fingerprint
        if until is not None and not over_it and has_request_context():
            request.environ[CLOSE] = True
        return ServedCertificate(served.files.certificate, served.fingerprint, until, over_it)

    def activate(self, certificate: Path, private_key: Path, confirm_within_seconds: float | None) -> None:
        """Serve with other files; they are tried first."""
        try:
            self._server.activate(Files(certificate, private_key), confirm_within_seconds)
        except CertificateUnusable as error:
            raise ValueError(str(error)) from error

    def confirm(self) -> bool:
        """Keep a change, if this request came over it."""
        return self._server.confirm(_over())


def server_of(settings: Settings) -> TlsServer | None:
    """Give what a host is to serve HTTPS with; None for plain HTTP, which is for this machine alone.

    :raises CertificateUnusable: when the certificate that the command line names does not work.
    """
    if not settings.secure:
        return None
    folder = settings.data_dir / "tls"
    if settings.certificate and settings.private_key:
        return TlsServer(folder, settings.address, given=Files(settings.certificate, settings.private_key))
    return TlsServer(folder, settings.address)


def load(files: Files) -> Served:
    """Build a context and shake hands over it, so that what is served has worked once.

    :raises CertificateUnusable: in words.
    """
    try:
        leaf = x509.load_pem_x509_certificates(files.certificate.read_bytes())[0]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(files.certificate, files.private_key)
        shown = _shown_by(context)
    except ssl.SSLError as error:
        raise CertificateUnusable(error.reason or "the certificate does not work with its key") from error
    except OSError as error:
        raise CertificateUnusable(f"{error.filename or files.private_key} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise CertificateUnusable(f"{files.certificate} is not a PEM certificate") from error
    return Served(files, context, hashlib.sha256(shown).hexdigest(), leaf.issuer != leaf.subject)


def spelled(fingerprint: str) -> str:
    """Write a fingerprint as browsers show it."""
    return ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)).upper()


def _shown_by(server_context: ssl.SSLContext) -> bytes:
    """Connect as a client would, in memory, and give the certificate that was shown, as DER."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(_ROUNDS):
        done = [_step(client), _step(server)]
        if all(done):
            return client.getpeercert(binary_form=True) or b""
    raise ssl.SSLError("the handshake does not end")


def _step(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _over() -> str:
    """Give the fingerprint that this request came over, or nothing."""
    return str(request.environ.get(OVER, "")) if has_request_context() else ""
