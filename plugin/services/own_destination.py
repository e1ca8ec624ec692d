"""This host as its own destination: whether it is, and how it stays so when the host shows another certificate.

Becoming it is in ``connecting``.
"""

from __future__ import annotations

from typing import Final

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..destination.connection_file import ConnectionFile, export
from ..errors import SealBroken
from ..models import Destination, ReceiverAccount
from . import destinations, events
from .keyring import Keyring

#: The new certificate, and those before it, to which the host may fall back.
_MOST_CERTIFICATES: Final = 3


def is_here(session: Session, keyring: Keyring) -> bool:
    """Tell whether recordings are kept on this very host: the destination in force signs in with an account of it.

    False as well where its file was sealed by another machine: it has to be connected again.
    """
    try:
        return _found(session, keyring) is not None
    except SealBroken:
        return False


def trust_certificate(session: Session, keyring: Keyring, chain_pem: bytes, *, actor: str) -> None:
    """Let the host's next certificate be trusted as well, before it is shown, where this host is its own destination.

    ``chain_pem`` begins with the server's own, which is the one that counts. No other destination is changed.
    """
    found = _found(session, keyring)
    if found is None:
        return
    destination, file = found
    certificate_pem = load_pem_x509_certificates(chain_pem)[0].public_bytes(Encoding.PEM)
    if not file.anchors_pem or certificate_pem in file.anchors_pem:
        return
    anchors = (certificate_pem, *file.anchors_pem)[:_MOST_CERTIFICATES]
    destinations.replace_file(session, keyring, destination, export(msgspec.structs.replace(file, anchors_pem=anchors)))
    events.record(session, "destination.own-certificate", "destination", destination.id, actor=actor)


def _found(session: Session, keyring: Keyring) -> tuple[Destination, ConnectionFile] | None:
    destination = destinations.active(session)
    if destination is None:
        return None
    file = destinations.connection(destination, keyring)
    account = select(ReceiverAccount.id).where(ReceiverAccount.user_name == file.user_name, ReceiverAccount.active)
    return (destination, file) if session.scalars(account).first() is not None else None
