"""Between our certificates and the host's TLS server: which one is served, changing it, keeping or losing the change.

A change is on probation: unless somebody comes back over the new certificate and says so, the host returns to the
former one by itself. What became of a change is written down when it is seen.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

from sqlalchemy.orm import Session

from .contract import Tls, TlsHost
from .errors import CertificateInUse, CertificateNotServed
from .runtime import Runtime
from .services import certificates, own_destination
from .services.certificate_store import CertificateStore, Probation, Stored
from .services.keyring import Keyring
from .services.own_names import own_names

_LOG = logging.getLogger(__name__)

#: How long somebody has to come back over a new certificate (D8).
CONFIRM_WITHIN_SECONDS: Final = 60


@dataclass(frozen=True)
class Serving:
    """What the host serves with at this moment."""

    #: Ours; None for a certificate of the host's own.
    stored: Stored | None
    certificate: Path
    fingerprint_sha256: str
    #: A change waits until then to be confirmed.
    confirm_before: datetime | None
    #: Whether this request came over it.
    over_it: bool

    def is_of(self, stored: Stored) -> bool:
        """Tell whether this certificate is served."""
        return self.stored is not None and self.stored.id == stored.id


def store(runtime: Runtime) -> CertificateStore:
    """Give the certificates of this machine."""
    return CertificateStore(runtime.data_dir / "certs")


def serving(runtime: Runtime) -> Serving | None:
    """Tell what is served; None where the host does not let us know."""
    server = _server(runtime)
    if server is None:
        return None
    found = server.serving()
    stored = store(runtime).of_file(found.certificate)
    return Serving(stored, found.certificate, found.fingerprint_sha256, found.confirm_before, found.over_it)


def start(runtime: Runtime) -> None:
    """See to it that there is a certificate, and that the host serves with one of ours; called without a request."""
    kept = store(runtime)
    kept.sweep()
    settle(runtime)
    with runtime.database.write() as session:
        default = certificates.make_default(session, kept, own_names(), datetime.now(UTC))
    server = _server(runtime)
    if server is not None:
        _serve_ours(runtime, server, default)


def activate(runtime: Runtime, certificate_id: str, *, actor: str) -> None:
    """Serve with another certificate, on probation.

    :raises CertificateNotServed: when the host cannot; it goes on with the former one.
    """
    settle(runtime)
    stored, before = store(runtime).one(certificate_id), serving(runtime)
    server = _server(runtime)
    if server is None or before is None:
        raise CertificateNotServed(reason="its certificate is not changed here")
    if stored.problem is not None:
        raise stored.problem
    if before.is_of(stored) and before.confirm_before is None:
        return
    waiting = store(runtime).on_probation()
    former = waiting.former if waiting else before.stored.id if before.stored else ""
    with runtime.database.write() as session:
        certificates.activated(session, stored, actor=actor)
        own_destination.trust_certificate(
            session, Keyring(runtime.data_dir / "keys"), stored.certificate.read_bytes(), actor=actor
        )
        with store(runtime).probation(Probation(stored.id, stored.name, former)):
            _activate(server, stored, CONFIRM_WITHIN_SECONDS)


def confirm(runtime: Runtime, *, actor: str) -> bool:
    """Keep what was activated; False when this request did not come over it, or too late."""
    server, kept = _server(runtime), store(runtime)
    found = serving(runtime)
    if server is None or found is None or found.stored is None or not server.confirm():
        settle(runtime)
        return False
    with runtime.database.write() as session:
        certificates.confirmed(session, found.stored, actor=actor)
        kept.end_probation()
    return True


def settle(runtime: Runtime) -> None:
    """Write down that a change was lost, if one was since somebody looked last."""
    kept = store(runtime)
    if kept.on_probation() is None or _is_waiting(runtime):
        return
    with runtime.database.write() as session:
        _settle(session, kept)


def delete(runtime: Runtime, certificate_id: str, *, actor: str) -> None:
    """Delete a certificate with its key.

    :raises CertificateInUse: when it is served, or would be if a change is not confirmed.
    """
    settle(runtime)
    kept = store(runtime)
    stored, found, waiting = kept.one(certificate_id), serving(runtime), kept.on_probation()
    if (found is not None and found.is_of(stored)) or (waiting is not None and waiting.former == stored.id):
        raise CertificateInUse(name=stored.name)
    with runtime.database.write() as session:
        certificates.delete(session, kept, certificate_id, actor=actor)


def _server(runtime: Runtime) -> Tls | None:
    return cast(TlsHost, runtime.host).tls() if runtime.host.supports("tls") else None


def _serve_ours(runtime: Runtime, server: Tls, default: Stored) -> None:
    """Take the default certificate where none of ours was chosen; take what was renewed."""
    found = serving(runtime)
    assert found is not None, "there is a server"
    chosen = found.stored or default
    if chosen.facts is None or chosen.facts.fingerprint_sha256 == found.fingerprint_sha256:
        return
    _activate(server, chosen, None)
    with runtime.database.write() as session:
        certificates.activated(session, chosen, actor=certificates.SYSTEM)


def _activate(server: Tls, stored: Stored, confirm_within_seconds: int | None) -> None:
    try:
        server.activate(stored.certificate, stored.private_key, confirm_within_seconds)
    except ValueError as error:
        _LOG.warning("The host cannot serve with %s: %s", stored.name, error)
        raise CertificateNotServed(reason=str(error)) from error


def _is_waiting(runtime: Runtime) -> bool:
    server = _server(runtime)
    return server is not None and server.serving().confirm_before is not None


def _settle(session: Session, kept: CertificateStore) -> None:
    lost = kept.on_probation()
    if lost is not None:
        certificates.fell_back(session, lost.name, lost.id)
        kept.end_probation()
