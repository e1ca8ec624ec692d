"""What may be done with certificates: make, ask to have signed, install, delete; each with its event.

Keys are made here and never leave. Where they lie is in ``certificate_store``; which certificate is served is the
host's business (``tls`` of the web modules).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from ..crypto import certificate_making, certificates
from ..crypto.certificate_making import LONGEST_DAYS, Values
from ..errors import CertificateInstalledAlready, CertificateNameRefused
from . import events
from .certificate_store import DEFAULT_NAME, CertificateStore, Stored, bytes_of

#: Actor of what happens by itself.
SYSTEM = events.SYSTEM

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_SUFFIX = re.compile(r"\.(crt|cer|pem|der)\Z", re.ASCII | re.IGNORECASE)


def create(
    session: Session, store: CertificateStore, name: str, values: Values, *, days: int, now: datetime, actor: str
) -> Stored:
    """Make a self-signed certificate with a key of its own."""
    if name != DEFAULT_NAME and not _NAME.fullmatch(name):
        raise CertificateNameRefused(name=_shown(name))
    key = certificate_making.generate_key()
    pem = certificate_making.self_sign(key, values, valid_days=days, now=now)
    stored = store.add(name, "self-signed", key, pem, now)
    _record(session, "certificate.created", stored, actor)
    return stored


def install(
    session: Session, store: CertificateStore, file_name: str, data: bytes, *, now: datetime, actor: str
) -> Stored:
    """Install what an authority made of a signing request; its name is the file's, without the suffix.

    :raises ServerCertificateRefused: saying why not; nothing is kept then.
    """
    name = name_of_file(file_name)
    accepted = certificates.accept(data, store.public_keys(), now=now)
    fingerprint = certificates.facts(accepted.pem).fingerprint_sha256
    for present in store.all():
        if present.facts is not None and present.facts.fingerprint_sha256 == fingerprint:
            raise CertificateInstalledAlready(name=present.name)
    stored = store.add(name, "installed", store.key_for(accepted.public_key), accepted.pem, now)
    _record(session, "certificate.installed", stored, actor)
    return stored


def delete(session: Session, store: CertificateStore, certificate_id: str, *, actor: str) -> None:
    """Delete a certificate that is not in use, with its key."""
    stored = store.one(certificate_id)
    _record(session, "certificate.deleted", stored, actor)
    store.remove(certificate_id)


def requested(session: Session, stored: Stored, *, actor: str) -> None:
    """Write down that a signing request was made."""
    _record(session, "certificate.requested", stored, actor)


def activated(session: Session, stored: Stored, *, actor: str) -> None:
    """Write down that a certificate is served from now on."""
    _record(session, "certificate.activated", stored, actor)


def confirmed(session: Session, stored: Stored, *, actor: str) -> None:
    """Write down that somebody came back over a certificate, so that it stays."""
    _record(session, "certificate.confirmed", stored, actor)


def fell_back(session: Session, name: str, certificate_id: str) -> None:
    """Write down that nobody confirmed a certificate, so that the former one is back."""
    events.record(session, "certificate.fell-back", "certificate", certificate_id, name=name)


def make_default(session: Session, store: CertificateStore, names: Sequence[str], now: datetime) -> Stored:
    """Give the certificate that is there from the first start; made where it is missing, renewed before it ends."""
    values = Values(common_name=names[0], names=tuple(names))
    found = next((stored for stored in store.all() if stored.is_default), None)
    if found is None:
        return create(session, store, DEFAULT_NAME, values, days=LONGEST_DAYS, now=now, actor=events.SYSTEM)
    if found.problem is None and not found.ends_soon(now):
        return found
    return _renewed(session, store, found, values, now)


def name_of_file(file_name: str) -> str:
    """Give a certificate's name by the name of its file.

    :raises CertificateNameRefused: for paths, other suffixes, other characters.
    """
    name, found = _SUFFIX.subn("", file_name)
    if not found or not _NAME.fullmatch(name):
        raise CertificateNameRefused(name=_shown(file_name))
    return name


def _renewed(session: Session, store: CertificateStore, found: Stored, values: Values, now: datetime) -> Stored:
    """Sign anew with the same key, unless that key is damaged."""
    if found.problem is not None:
        delete(session, store, found.id, actor=events.SYSTEM)
        return create(session, store, DEFAULT_NAME, values, days=LONGEST_DAYS, now=now, actor=events.SYSTEM)
    key = bytes_of(found.private_key)
    store.replace_certificate(found, certificate_making.self_sign(key, values, valid_days=LONGEST_DAYS, now=now))
    stored = store.one(found.id)
    _record(session, "certificate.renewed", stored, events.SYSTEM)
    return stored


def _record(session: Session, action: str, stored: Stored, actor: str) -> None:
    fingerprint = stored.facts.fingerprint_sha256 if stored.facts else ""
    events.record(session, action, "certificate", stored.id, actor=actor, name=stored.name, fingerprint=fingerprint)


def _shown(name: str) -> str:
    return "".join(character for character in name if character.isprintable())[:100] or "–"
