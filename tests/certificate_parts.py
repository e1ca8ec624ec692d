"""Certificates of every kind for tests of what may be served: authorities, leaves, weak and wrong ones."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bodyworn.crypto import certificate_making
from bodyworn.crypto.certificate_making import Values
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PEM, DER = Encoding.PEM, Encoding.DER


@dataclass(frozen=True)
class Made:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(DER)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def key(kind: str) -> Any:
    """Make a private key of a kind, once for all tests."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    if kind == "dsa":
        return dsa.generate_private_key(2048)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    curves = {"p192": ec.SECP192R1, "p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}
    return ec.generate_private_key(curves.get(kind.partition("-")[0], ec.SECP256R1)())


#: The key that the machine of these tests has.
@cache
def own_key() -> bytes:
    return certificate_making.generate_key()


def own() -> Any:
    """Give our key as an object."""
    return load_pem_private_key(own_key(), None)


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def certificate(
    subject: str,
    subject_key: Any,
    issuer: Made | None = None,
    *,
    ca: bool | None = False,
    days: tuple[int, int] = (-10, 80),
    digest: hashes.HashAlgorithm | None = None,
    names: Sequence[str] = ("depot.example.org",),
    purposes: Sequence[x509.ObjectIdentifier] | None = (ExtendedKeyUsageOID.SERVER_AUTH,),
    usage: bool | None = None,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    now: datetime = NOW,
) -> Made:
    """Sign a certificate; by itself where nobody else is named."""
    signer = issuer.key if issuer else subject_key
    issuer_name = issuer.certificate.subject if issuer else name(subject)
    begins, ends = (now + timedelta(days=number) for number in days)
    serial = x509.random_serial_number()
    builder = x509.CertificateBuilder(issuer_name, name(subject), subject_key.public_key(), serial, begins, ends)
    found = list(extra)
    if ca is not None:
        found.append((x509.BasicConstraints(ca=ca, path_length=None), True))
    if names and not ca:
        found.append((x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False))
    if purposes and not ca:
        found.append((x509.ExtendedKeyUsage(purposes), False))
    if usage is not None:
        found.append((key_usage(usage), True))
    for extension, critical in found:
        builder = builder.add_extension(extension, critical)
    return Made(builder.sign(signer, _digest(signer, digest)), subject_key)


def key_usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(signs, False, True, False, False, False, False, False, False)


@cache
def root() -> Made:
    """An authority that signs itself."""
    return certificate("Example Root CA", key("rsa2048"), ca=True, days=(-900, 3000))


@cache
def intermediate() -> Made:
    """An authority between the root and servers."""
    return certificate("Example Issuing CA", key("p384"), root(), ca=True, days=(-300, 900))


def leaf(**changes: Any) -> Made:
    """What an authority made of our signing request."""
    return certificate("depot.example.org", own(), changes.pop("issuer", None) or intermediate(), **changes)


def self_signed(names: Sequence[str] = ("depot.example.org",), now: datetime = NOW) -> bytes:
    """What the machine makes for itself, with its one key."""
    return certificate_making.self_sign(own_key(), Values(names[0], tuple(names)), valid_days=398, now=now)


@cache
def signed_with_sha1(subject: str, issuer: Made | None, *, ca: bool) -> Made:
    """Have openssl sign what nothing else signs any more; with our key, or for an authority with one of its own."""
    subject_key = key("p384") if ca else own()
    with tempfile.TemporaryDirectory() as folder:
        made = certificate(subject, subject_key, ca=ca, days=(-10, 400))
        for file, data in (("key", made.key_pem), ("old", made.pem), ("ca-key", (issuer or made).key_pem)):
            Path(folder, file).write_bytes(data)
        Path(folder, "ca").write_bytes((issuer or made).pem)
        by = ["-signkey", "key"] if issuer is None else ["-CA", "ca", "-CAkey", "ca-key", "-set_serial", "1"]
        command = ["openssl", "x509", "-in", "old", *by, "-sha1", "-preserve_dates", "-out", "new"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return Made(x509.load_pem_x509_certificate(Path(folder, "new").read_bytes()), subject_key)


def _digest(signer: Any, digest: hashes.HashAlgorithm | None) -> hashes.HashAlgorithm | None:
    return None if isinstance(signer, ed25519.Ed25519PrivateKey) else digest or hashes.SHA256()
