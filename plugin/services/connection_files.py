"""Ways into the receiver: the connection files that are handed out, and the accounts behind them.

The key of an account is in its connection file and nowhere else; here is only its digest. Where content is to arrive
encrypted, the private key stays on this machine, sealed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..const import VERSION
from ..crypto.sealed import SealedBox
from ..destination.connection_file import ConnectionFile, ContainerType, export as write_connection_file
from ..destination.secret import Secret
from ..errors import AddressMissing, SignInRefused
from ..models import ReceiverAccount, new_id
from . import events
from .received import Peer

APPLICATION_NAME = "Body worn receiver"
_KEY_BYTES = 32
_RSA_BITS = 3072
_NOBODY_SHA256 = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a connection file says of this server."""

    name: str
    #: Where systems sign in, tried in order; absolute.
    authentication_uris: tuple[str, ...]
    #: Certificates that prove this server; empty only for plain HTTP.
    anchors_pem: tuple[bytes, ...] = ()
    container_type: ContainerType = "mkv"
    #: True to have recordings encrypted on the camera system, opened only on this machine.
    want_encryption: bool = False


@dataclass(frozen=True)
class Export:
    """A new connection file: the only time that its key is seen."""

    account_id: str
    user_name: str
    data: bytes


@dataclass(frozen=True)
class _KeyPair:
    public_pem: bytes
    public_key_id: str
    sealed_private_pem: bytes


def export(session: Session, box: SealedBox, site: Site, *, actor: str = events.SYSTEM) -> Export:
    """Make an account of its own and the connection file that leads to it.

    Takes about a second where a key pair is made. Raises AddressMissing, and
    :class:`~bodyworn.errors.ConnectionFileRefused` where the file would break a rule of the interface.
    """
    if not site.name or not site.authentication_uris:
        raise AddressMissing
    account_id, key = new_id(), secrets.token_urlsafe(_KEY_BYTES)
    pair = _new_key_pair(box, account_id) if site.want_encryption else None
    account = _new_account(account_id, key, pair)
    data = write_connection_file(_connection_file(site, account.user_name, key, pair))
    session.add(account)
    session.flush()
    events.record(
        session,
        "connection-file.exported",
        "receiver_account",
        account_id,
        actor=actor,
        user_name=account.user_name,
        site=site.name,
        encrypted=site.want_encryption,
        public_key_id=account.public_key_id,
    )
    return Export(account_id, account.user_name, data)


def sign_in(session: Session, user_name: str, key: str) -> Peer:
    """Find whose key this is; raises SignInRefused for everything else, after the same work."""
    account = session.scalars(select(ReceiverAccount).where(ReceiverAccount.user_name == user_name)).one_or_none()
    expected = account.key_sha256 if account is not None else _NOBODY_SHA256
    right = hmac.compare_digest(_key_sha256(key), expected)
    if account is None or not right or not account.active:
        raise SignInRefused
    return Peer(account.id, account.user_name)


def peer_of(session: Session, account_id: str) -> Peer:
    """Give the owner of an account that is still open; raises SignInRefused."""
    account = session.get(ReceiverAccount, account_id)
    if account is None or not account.active:
        raise SignInRefused
    return Peer(account.id, account.user_name)


def close_account(session: Session, account_id: str, *, actor: str = events.SYSTEM) -> None:
    """End a way in; what it brought stays."""
    account = session.get_one(ReceiverAccount, account_id)
    account.active = False
    events.record(
        session, "connection-file.revoked", "receiver_account", account_id, actor=actor, user_name=account.user_name
    )


def list_accounts(session: Session) -> list[ReceiverAccount]:
    """List every way in that was ever made, the latest first."""
    return list(session.scalars(select(ReceiverAccount).order_by(ReceiverAccount.created_at.desc())))


def private_key_pem(account: ReceiverAccount, box: SealedBox) -> bytes | None:
    """Unseal an account's private key; None where it has none. Raises SealBroken."""
    if account.sealed_private_key is None:
        return None
    return box.open(_purpose(account.id), account.sealed_private_key)


def _new_account(account_id: str, key: str, pair: _KeyPair | None) -> ReceiverAccount:
    return ReceiverAccount(
        id=account_id,
        user_name=f"bodyworn-{account_id[:8]}",
        key_sha256=_key_sha256(key),
        sealed_private_key=pair.sealed_private_pem if pair else None,
        public_key_id=pair.public_key_id if pair else None,
        created_at=datetime.now(UTC),
    )


def _connection_file(site: Site, user_name: str, key: str, pair: _KeyPair | None) -> ConnectionFile:
    return ConnectionFile(
        site_name=site.name,
        application_name=APPLICATION_NAME,
        application_version=VERSION,
        authentication_uris=site.authentication_uris,
        user_name=user_name,
        api_key=Secret(key),
        anchors_pem=site.anchors_pem,
        container_type=site.container_type,
        want_encryption=site.want_encryption,
        public_key_pem=pair.public_pem if pair else None,
        public_key_id=pair.public_key_id if pair else None,
    )


def _new_key_pair(box: SealedBox, account_id: str) -> _KeyPair:
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    private_pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public_key = private_key.public_key()
    public_der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _KeyPair(
        public_pem=public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public_key_id=hashlib.sha256(public_der).hexdigest()[:32],
        sealed_private_pem=box.seal(_purpose(account_id), private_pem),
    )


def _purpose(account_id: str) -> str:
    return f"receiver-private-key/{account_id}"


def _key_sha256(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
