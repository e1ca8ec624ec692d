"""Make what a server needs to be certified: a key, a certificate signed by itself, a signing request.

Pure functions of bytes; reading and judging what an authority signed is in ``certificates``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import CertificateUnreadable
from .certificates import UNREADABLE, find_extension, loaded, spki

#: Browsers refuse server certificates that are valid for longer.
LONGEST_DAYS: Final = 398

#: Clocks of browsers may be a little late.
_BACKDATED: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Values:
    """What a person enters for a certificate."""

    common_name: str
    #: Host names and addresses under which the server is reached; without any, the common name.
    names: tuple[str, ...] = ()
    organization: str = ""
    unit: str = ""
    locality: str = ""
    state: str = ""
    #: Two letters.
    country: str = ""


def generate_key() -> bytes:
    """Make a private key on P-256, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_key(key_pem: bytes) -> bytes:
    """Give the DER bytes of the public key of a private one.

    :raises CertificateUnreadable: when this is no key that was made here.
    """
    return spki(_private(key_pem).public_key())


def self_sign(key_pem: bytes, values: Values, *, valid_days: int, now: datetime) -> bytes:
    """Make a self-signed server certificate, as PEM; ``valid_days`` is cut to what browsers accept."""
    key = _private(key_pem)
    subject = _subject(values)
    begins = (now - _BACKDATED).replace(microsecond=0)
    ends = begins + timedelta(days=min(valid_days, LONGEST_DAYS))
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), begins, ends)
    for extension, critical in _extensions(values):
        builder = builder.add_extension(extension, critical)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def signing_request(key_pem: bytes, certificate_pem: bytes) -> bytes:
    """Ask for the same names as a certificate has, with the same key, as PEM."""
    certificate = loaded(certificate_pem)[0]
    builder = x509.CertificateSigningRequestBuilder().subject_name(certificate.subject)
    for kind in (x509.SubjectAlternativeName, x509.KeyUsage, x509.ExtendedKeyUsage):
        found = find_extension(certificate, kind)
        if found is not None:
            builder = builder.add_extension(found.value, found.critical)
    return builder.sign(_private(key_pem), hashes.SHA256()).public_bytes(Encoding.PEM)


def is_name(text: str) -> bool:
    """Tell whether something can stand in a certificate as a host name or an address."""
    return _address(text) is not None or _HOST_NAME.fullmatch(text) is not None


#: RFC 1123, with a wildcard at most as the first label.
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:\*\.(?=[^.]+\.))?(?:(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)*(?!-)[A-Za-z0-9-]{1,63}(?<!-)", re.ASCII
)


def _private(key_pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(key_pem, None)
    except UNREADABLE as error:
        raise CertificateUnreadable(reason="its private key on this machine is damaged") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateUnreadable(reason="its private key on this machine is of another kind")
    return key


def _subject(values: Values) -> x509.Name:
    parts = (
        (NameOID.COUNTRY_NAME, values.country.upper()),
        (NameOID.STATE_OR_PROVINCE_NAME, values.state),
        (NameOID.LOCALITY_NAME, values.locality),
        (NameOID.ORGANIZATION_NAME, values.organization),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, values.unit),
        (NameOID.COMMON_NAME, values.common_name),
    )
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts if text])


def _extensions(values: Values) -> list[tuple[x509.ExtensionType, bool]]:
    names = values.names or ((values.common_name,) if is_name(values.common_name) else ())
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
    ]
    if names:
        found.append((x509.SubjectAlternativeName([_general_name(name) for name in names]), False))
    return found


def _general_name(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
