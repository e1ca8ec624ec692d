"""X.509 certificates for the host's own server: read what was uploaded, judge it, and say what is in it.

Pure functions of bytes. Making them is in ``certificate_making``; which ones there are, and which one is served, is
known elsewhere. What browsers would refuse is refused here (and a little more), each with its own reason.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import (
    CertificateChainBroken,
    CertificateChainTooLong,
    CertificateExpired,
    CertificateHoldsPrivateKey,
    CertificateKeyWeak,
    CertificateMissing,
    CertificateNotForServers,
    CertificateNotYetValid,
    CertificateOfAuthority,
    CertificateOfOtherKey,
    CertificateSignatureWeak,
    CertificateTooLarge,
    CertificateUnreadable,
)

#: Of an uploaded file.
LIMIT_BYTES: Final = 64 * 1024
MOST_CERTIFICATES: Final = 10
LEAST_RSA_BITS: Final = 2048

#: A clock that says an earlier time was never set; then nothing can be not yet valid.
_CLOCK_SET: Final = datetime(2025, 1, 1, tzinfo=UTC)
_SHOWN_CHARACTERS: Final = 200
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_CURVE_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_HASHES = frozenset({"sha256", "sha384", "sha512"})
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----")
#: Keys as DER (PKCS #8, SEC 1, PKCS #1) and PKCS #12 are a sequence that begins with a version number.
_DER_KEY = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..)\x02\x01[\x00\x01\x03]", re.DOTALL)

Kind = TypeVar("Kind", bound=x509.ExtensionType)

#: What the library raises for bytes that lie about what they are.
UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, OverflowError)


@dataclass(frozen=True)
class Facts:
    """What a certificate says of itself, as pages show it."""

    subject: str
    issuer: str
    #: Host names and addresses that browsers accept it for.
    names: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    #: Of the DER bytes, in lower-case hexadecimal digits.
    fingerprint_sha256: str
    key: str
    signature: str
    serial_number: str
    is_self_signed: bool
    #: Subjects of the certificates above it that are sent along.
    chain: tuple[str, ...]

    @property
    def fingerprint_shown(self) -> str:
        """Write the fingerprint as browsers show it."""
        digits = self.fingerprint_sha256.upper()
        return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


@dataclass(frozen=True)
class Accepted:
    """An uploaded certificate that may be served."""

    #: The leaf first, then its chain, upwards.
    pem: bytes
    #: DER bytes of the leaf's public key, to find the private one by.
    public_key: bytes


def accept(data: bytes, public_keys: Collection[bytes], *, now: datetime) -> Accepted:
    """Judge an uploaded file: PEM or DER, with or without the chain, in any order.

    ``public_keys`` are those whose private halves are here.

    :raises ServerCertificateRefused: saying what is wrong with it.
    """
    certificates = _certificates(data)
    try:
        return _accept(certificates, public_keys, now)
    except UNREADABLE as error:
        raise CertificateUnreadable(reason="it is damaged or breaks the rules for certificates") from error


def facts(pem: bytes) -> Facts:
    """Read a certificate that was accepted or made here.

    :raises CertificateUnreadable: when it was damaged since.
    """
    leaf, *chain = loaded(pem)
    try:
        return Facts(
            subject=_shown(leaf.subject),
            issuer=_shown(leaf.issuer),
            names=_names(leaf),
            valid_from=leaf.not_valid_before_utc,
            valid_until=leaf.not_valid_after_utc,
            fingerprint_sha256=leaf.fingerprint(hashes.SHA256()).hex(),
            key=_key_name(leaf),
            signature=_signature_name(leaf),
            serial_number=f"{leaf.serial_number:x}",
            is_self_signed=leaf.subject == leaf.issuer and _is_signed_by(leaf, leaf),
            chain=tuple(_shown(certificate.subject) for certificate in chain),
        )
    except UNREADABLE as error:
        raise CertificateUnreadable(reason="it is damaged or breaks the rules for certificates") from error


def public_key_of(pem: bytes) -> bytes:
    """Give the DER bytes of the public key of a certificate, the first of a file.

    :raises CertificateUnreadable: when it is damaged.
    """
    return _public_bytes(loaded(pem)[0])


def _certificates(data: bytes) -> list[x509.Certificate]:
    if not data:
        raise CertificateMissing
    if len(data) > LIMIT_BYTES:
        raise CertificateTooLarge(limit_bytes=LIMIT_BYTES)
    labels = _PEM.findall(data)
    if any(b"PRIVATE KEY" in label for label in labels) or _DER_KEY.match(data):
        raise CertificateHoldsPrivateKey
    if b"CERTIFICATE REQUEST" in labels or b"NEW CERTIFICATE REQUEST" in labels:
        raise CertificateUnreadable(reason="it is a signing request, which an authority has to sign first")
    if len(labels) > MOST_CERTIFICATES:
        raise CertificateChainTooLong(count=len(labels), limit=MOST_CERTIFICATES)
    return loaded(data)


def loaded(data: bytes) -> list[x509.Certificate]:
    """Read the certificates of a file, without judging them.

    :raises CertificateUnreadable: when it is neither PEM nor DER, or damaged.
    """
    try:
        if b"-----BEGIN " in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except UNREADABLE as error:
        raise CertificateUnreadable(reason="it is neither PEM nor DER, or it is damaged") from error


def _accept(certificates: Sequence[x509.Certificate], public_keys: Collection[bytes], now: datetime) -> Accepted:
    leaf = _leaf(certificates, public_keys)
    chain = _chain(leaf, certificates)
    if leaf.serial_number <= 0:
        raise CertificateUnreadable(reason="its serial number is not a positive one")
    _refuse_authority(leaf)
    for certificate in (leaf, *chain):
        _refuse_weak_key(certificate)
        if certificate.subject != certificate.issuer or certificate is leaf:
            # what signs itself is believed for other reasons than its signature
            _refuse_weak_signature(certificate)
        _refuse_wrong_time(certificate, now)
    _refuse_other_purpose(leaf)
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in (leaf, *chain))
    return Accepted(pem, spki(leaf.public_key()))


def _leaf(certificates: Sequence[x509.Certificate], public_keys: Collection[bytes]) -> x509.Certificate:
    """Find the certificate of one of our keys, wherever in the file it stands."""
    for certificate in certificates:
        if _public_bytes(certificate) in public_keys:
            return certificate
    raise CertificateOfOtherKey(subject=_shown(certificates[0].subject))


def _chain(leaf: x509.Certificate, certificates: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Put the others into their order, from the leaf's signer upwards."""
    left = [certificate for certificate in dict.fromkeys(certificates) if certificate != leaf]
    chain: list[x509.Certificate] = []
    below = leaf
    while left:
        above = next(
            (candidate for candidate in left if _may_sign(candidate) and _is_signed_by(below, candidate)), None
        )
        if above is None:
            raise CertificateChainBroken(subject=_shown(left[0].subject))
        left.remove(above)
        chain.append(above)
        below = above
    return chain


def _may_sign(signer: x509.Certificate) -> bool:
    constraints = find_extension(signer, x509.BasicConstraints)
    return constraints is not None and constraints.value.ca


def _is_signed_by(certificate: x509.Certificate, signer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(signer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _refuse_authority(leaf: x509.Certificate) -> None:
    constraints = find_extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.value.ca:
        raise CertificateOfAuthority


def _refuse_weak_key(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    strong_rsa = isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS
    strong_curve = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
    if not strong_rsa and not strong_curve:
        raise CertificateKeyWeak(subject=_shown(certificate.subject), key=_key_name(certificate))


def _refuse_weak_signature(certificate: x509.Certificate) -> None:
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name not in _HASHES:
        raise CertificateSignatureWeak(subject=_shown(certificate.subject), algorithm=_signature_name(certificate))


def _refuse_wrong_time(certificate: x509.Certificate, now: datetime) -> None:
    if now < _CLOCK_SET:
        return
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > ends:
        raise CertificateExpired(subject=_shown(certificate.subject), day=f"{ends:%Y-%m-%d}")
    if now < begins:
        raise CertificateNotYetValid(subject=_shown(certificate.subject), moment=f"{begins:%Y-%m-%d %H:%M}")


def _refuse_other_purpose(leaf: x509.Certificate) -> None:
    usage = find_extension(leaf, x509.KeyUsage)
    extended = find_extension(leaf, x509.ExtendedKeyUsage)
    purposes = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    signs = usage is None or usage.value.digital_signature
    serves = extended is None or bool(purposes & set(extended.value))
    if not signs or not serves:
        raise CertificateNotForServers


def spki(key: object) -> bytes:
    """Give the DER bytes of a public key."""
    data: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return data


def _public_bytes(certificate: x509.Certificate) -> bytes:
    """Give a public key's bytes; nothing for one of a kind that is not known, which is none of ours."""
    try:
        return spki(certificate.public_key())
    except UNREADABLE:
        return b""


def find_extension(certificate: x509.Certificate, kind: type[Kind]) -> x509.Extension[Kind] | None:
    """Find an extension, or None."""
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    found = find_extension(certificate, x509.SubjectAlternativeName)
    if found is None:
        return ()
    hosts = found.value.get_values_for_type(x509.DNSName)
    addresses = found.value.get_values_for_type(x509.IPAddress)
    return tuple(_printable(str(name)) for name in (*hosts, *addresses))


def _shown(name: x509.Name) -> str:
    """Give the part of a name that people know it by."""
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME):
        found = name.get_attributes_for_oid(kind)
        if found and _printable(str(found[0].value)):
            return _printable(str(found[0].value))
    return _printable(name.rfc4514_string()) or "?"


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:_SHOWN_CHARACTERS].strip()


def _key_name(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except UNREADABLE:
        return "?"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVE_NAMES.get(key.curve.name, key.curve.name)
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")


def _signature_name(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return certificate.signature_algorithm_oid.dotted_string
    name = algorithm.name if algorithm is not None else certificate.signature_algorithm_oid._name
    return {"sha1": "SHA-1", "md5": "MD5"}.get(name, name.upper().replace("SHA", "SHA-"))
