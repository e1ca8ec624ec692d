"""The connection file: what a content destination says about itself, read under every rule, and written for others.

Reading is all or nothing: the first broken rule raises its own error, which names the field. Nothing is contacted here;
whether the destination keeps its promises is the rehearsal's business.
"""

from __future__ import annotations

import base64
from typing import Final, Literal, TypeGuard, get_args

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from ..errors import (
    BodywornError,
    ConnectionAddressRefused,
    ConnectionCertificateMissing,
    ConnectionCertificateUnreadable,
    ConnectionFieldNotAChoice,
    ConnectionFileVersionUnknown,
    ConnectionKeyMissing,
    ConnectionKeyTooShort,
    ConnectionKeyUnreadable,
    ConnectionKeyWeak,
    ConnectionMixesHttp,
    ConnectionUnprotected,
    ContainerTypeChanged,
    EncryptionTurnedOff,
    FullStoreTurnedOff,
)
from .addresses import Address, MalformedAddress, parse_address
from .anchors import read_certificates
from .connection_fields import Fields
from .secret import Secret

ContainerType = Literal["mkv", "mp4"]

FILE_VERSION: Final = "1.0"
BLOB_API: Final = "Swift 1.0"
LARGEST_CERTIFICATE: Final = 16 * 1024
LARGEST_ADDRESS: Final = 512
LARGEST_PUBLIC_KEY: Final = 2048
MOST_ENTRIES: Final = 10
LEAST_KEY_BITS: Final = 2048
ADVISED_KEY_BITS: Final = 3072


class ConnectionFile(msgspec.Struct, frozen=True, kw_only=True):
    """A connection file that kept every rule: no anchors means plain HTTP, no public key means no encryption."""

    site_name: str
    application_name: str
    application_version: str
    authentication_uris: tuple[str, ...]
    user_name: str
    api_key: Secret
    anchors_pem: tuple[bytes, ...] = ()
    container_type: ContainerType = "mkv"
    full_store_and_read: bool = False
    want_encryption: bool = False
    public_key_pem: bytes | None = None
    public_key_id: str | None = None
    ntp_server: bool = False

    @property
    def warnings(self) -> tuple[BodywornError, ...]:
        """List what an operator should hear about a file that is accepted all the same."""
        bits = _load_rsa(self.public_key_pem).key_size if self.public_key_pem else ADVISED_KEY_BITS
        return (ConnectionKeyWeak(bits=bits, advised_bits=ADVISED_KEY_BITS),) if bits < ADVISED_KEY_BITS else ()


def parse(data: bytes, *, previous: ConnectionFile | None = None, allow_http: bool = False) -> ConnectionFile:
    """Read a connection file under every rule of the interface.

    ``previous`` is the file now in force for the same destination: container type, full store and encryption then
    follow the rules for changes. Plain HTTP is accepted to this very machine; to another one only with ``allow_http``,
    which is for development. Raises a :class:`~bodyworn.errors.ConnectionFileRefused`.
    """
    fields = Fields.decode(data)
    _require_version(fields)
    encrypts = fields.flag("WantEncryption")
    connection = ConnectionFile(
        site_name=fields.text("SiteName", 64),
        application_name=fields.text("ApplicationName", 256),
        application_version=fields.text("ApplicationVersion", 128),
        authentication_uris=_addresses(fields, allow_http=allow_http),
        user_name=fields.text("BlobAPIUserName", 64),
        api_key=Secret(fields.text("BlobAPIKey", 64)),
        anchors_pem=_anchors(fields),
        container_type=_container_type(fields),
        full_store_and_read=fields.flag("FullStoreAndReadSupport"),
        want_encryption=encrypts,
        public_key_pem=_public_key(fields) if encrypts else None,
        public_key_id=_public_key_id(fields) if encrypts else None,
        ntp_server=fields.flag("ContentDestinationAsNTPServer"),
    )
    if previous is not None:
        _require_lawful_change(previous, connection)
    return connection


def export(connection: ConnectionFile) -> bytes:
    """Write the connection file that a destination hands out: JSON with one member a line, the API key in clear.

    The result has passed :func:`parse`, so nothing is handed out that this system would refuse itself.
    """
    members: dict[str, object] = {
        "ConnectionFileVersion": FILE_VERSION,
        "SiteName": connection.site_name,
        "ApplicationName": connection.application_name,
        "ApplicationVersion": connection.application_version,
        "ContentDestinationAsNTPServer": connection.ntp_server,
        "AuthenticationTokenURI": connection.authentication_uris,
        "BlobAPI": BLOB_API,
        "BlobAPIUserName": connection.user_name,
        "BlobAPIKey": connection.api_key.reveal(),
        "ContainerType": connection.container_type,
        "FullStoreAndReadSupport": connection.full_store_and_read,
        "WantEncryption": connection.want_encryption,
    }
    if connection.anchors_pem:
        members["HTTPSCertificate"] = [base64.b64encode(pem).decode("ascii") for pem in connection.anchors_pem]
    if connection.want_encryption:
        members["PublicKey"] = base64.b64encode(connection.public_key_pem or b"").decode("ascii")
        members["PublicKeyId"] = connection.public_key_id or ""
    data = msgspec.json.format(msgspec.json.encode(members), indent=2)
    parse(data, allow_http=True)
    return data


def _require_version(fields: Fields) -> None:
    version = fields.text("ConnectionFileVersion", 16)
    if version != FILE_VERSION:
        raise ConnectionFileVersionUnknown(version=version, known=FILE_VERSION)
    if fields.optional_text("BlobAPI", 64) not in (None, BLOB_API):
        raise ConnectionFieldNotAChoice(field="BlobAPI", choices=BLOB_API)


def _addresses(fields: Fields, *, allow_http: bool) -> tuple[str, ...]:
    uris = fields.texts("AuthenticationTokenURI", MOST_ENTRIES, LARGEST_ADDRESS)
    pinned = fields.has("HTTPSCertificate")
    for number, uri in enumerate(uris, start=1):
        field = f"AuthenticationTokenURI {number}"
        _require_protection(_address(uri, field), field, pinned=pinned, allow_http=allow_http)
    return uris


def _address(uri: str, field: str) -> Address:
    try:
        return parse_address(uri)
    except MalformedAddress as error:
        raise ConnectionAddressRefused(field=field, reason=str(error)) from error


def _require_protection(address: Address, field: str, *, pinned: bool, allow_http: bool) -> None:
    if address.secure and not pinned:
        raise ConnectionCertificateMissing(field=field)
    if not address.secure and pinned:
        raise ConnectionMixesHttp(field=field)
    if not (address.secure or address.loopback or allow_http):
        raise ConnectionUnprotected(field=field)


def _anchors(fields: Fields) -> tuple[bytes, ...]:
    certificates = fields.base64s("HTTPSCertificate", MOST_ENTRIES, LARGEST_CERTIFICATE)
    return tuple(_anchor(data, f"HTTPSCertificate {number}") for number, data in enumerate(certificates, start=1))


def _anchor(data: bytes, field: str) -> bytes:
    try:
        return read_certificates(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConnectionCertificateUnreadable(field=field) from error


def _container_type(fields: Fields) -> ContainerType:
    text = fields.optional_text("ContainerType", 16) or "mkv"
    if not _is_container_type(text):
        raise ConnectionFieldNotAChoice(field="ContainerType", choices=", ".join(get_args(ContainerType)))
    return text


def _is_container_type(text: str) -> TypeGuard[ContainerType]:
    return text in get_args(ContainerType)


def _public_key(fields: Fields) -> bytes:
    pem = fields.base64("PublicKey", LARGEST_PUBLIC_KEY)
    if not pem:
        raise ConnectionKeyMissing(field="PublicKey")
    try:
        key = _load_rsa(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConnectionKeyUnreadable from error
    if key.key_size < LEAST_KEY_BITS:
        raise ConnectionKeyTooShort(bits=key.key_size, least_bits=LEAST_KEY_BITS)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _public_key_id(fields: Fields) -> str:
    key_id = fields.optional_text("PublicKeyId", 128)
    if not key_id:
        raise ConnectionKeyMissing(field="PublicKeyId")
    return key_id


def _load_rsa(pem: bytes) -> RSAPublicKey:
    key = load_pem_public_key(pem)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def _require_lawful_change(previous: ConnectionFile, new: ConnectionFile) -> None:
    if previous.want_encryption and not new.want_encryption:
        raise EncryptionTurnedOff
    if previous.full_store_and_read and not new.full_store_and_read:
        raise FullStoreTurnedOff
    if previous.container_type != new.container_type:
        raise ContainerTypeChanged(before=previous.container_type, after=new.container_type)
