"""The host's own self-signed certificate: so that there is HTTPS before anybody has installed one."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Browsers refuse server certificates that are valid for longer.
_VALID = timedelta(days=398)
#: It is made anew at a start so long before its end.
_LEAST_LEFT = timedelta(days=30)


def files(folder: Path, address: str) -> tuple[Path, Path]:
    """Give certificate and key for a server that listens on ``address``; made where there are none that last."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificate_path, key_path = folder / "own.crt.pem", folder / "own.key.pem"
    if not _lasts(certificate_path) or not key_path.exists():
        key, certificate = _make(_names(address))
        write(key_path, key)
        write(certificate_path, certificate)
        sync(folder)
    return certificate_path, key_path


def write(path: Path, data: bytes) -> None:
    """Write a file for the service's user alone, durably."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Let the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lasts(path: Path) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    return certificate.not_valid_after_utc - datetime.now(UTC) > _LEAST_LEFT


def _names(address: str) -> list[str]:
    """List what the server may be called: this machine's name, and where it listens."""
    names = [socket.gethostname(), "localhost"]
    if not _is_wildcard(address):
        names.append(address)
    return list(dict.fromkeys(names))


def _is_wildcard(address: str) -> bool:
    try:
        return ip_address(address).is_unspecified
    except ValueError:
        return False


def _make(names: list[str]) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    serial = x509.random_serial_number()
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), serial, begins, begins + _VALID)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    kept = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return kept, certificate.public_bytes(Encoding.PEM)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
