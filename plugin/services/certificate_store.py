"""Certificates and their private keys on disk. Who may add and delete which is in ``certificates``.

Each is a folder of its own, ``<id>/{key.pem,cert.pem,meta.json}``, that comes into being whole or not at all.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec

from ..crypto import certificate_making, certificates
from ..crypto.certificates import Facts
from ..errors import (
    BodywornError,
    CertificateNameTaken,
    CertificateStoreFull,
    CertificatesUnusable,
    CertificateUnreadable,
    UnknownCertificate,
)
from . import durable

#: The certificate that is there from the first start.
DEFAULT_NAME: Final = "Default (self-signed)"
MOST: Final = 50
#: So long before its end, people are told, and the default one is made anew at a start.
ENDS_SOON: Final = timedelta(days=30)

_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_STAGED = ".new-"
_DELETED = ".old-"
#: No file in a certificate's folder is larger.
_LARGEST_BYTES = 4 * certificates.LIMIT_BYTES


#: Where a certificate comes from.
Kind = Literal["self-signed", "installed"]


class Meta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a certificate beside itself; ``meta.json``."""

    name: str
    kind: Kind
    created_at: datetime


class Probation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate that is served and that nobody has confirmed yet; ``probation.json``."""

    id: str
    name: str
    #: What is served if nobody does; empty for a certificate of the host's own.
    former: str


@dataclass(frozen=True)
class Stored:
    """One certificate with its key."""

    id: str
    name: str
    created_at: datetime | None
    certificate: Path
    private_key: Path
    #: None where the files are damaged; then ``problem`` says so.
    facts: Facts | None
    problem: BodywornError | None = None

    @property
    def is_default(self) -> bool:
        """Tell whether this is the one that is there from the first start."""
        return self.name == DEFAULT_NAME

    def ends_soon(self, now: datetime) -> bool:
        """Tell whether it has ended, or will within a month."""
        return self.facts is not None and self.facts.valid_until - now < ENDS_SOON


class CertificateStore:
    """The folder of all certificates, for the service's user alone.

    Whoever changes something holds a writing transaction of the database: that is where processes and threads stand in
    line, and where the event is written.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made at first use."""
        self._folder = folder

    def all(self) -> list[Stored]:
        """List all, the default one first, then by name."""
        with _translated():
            ids = sorted(entry.name for entry in os.scandir(self._made()) if _ID.fullmatch(entry.name))
        return sorted(map(self._read, ids), key=lambda stored: (not stored.is_default, stored.name.casefold()))

    def one(self, certificate_id: str) -> Stored:
        """Give one.

        :raises UnknownCertificate: when it is not there.
        """
        if not _ID.fullmatch(certificate_id) or not (self._folder / certificate_id).is_dir():
            raise UnknownCertificate
        return self._read(certificate_id)

    def of_file(self, certificate: Path) -> Stored | None:
        """Find whose PEM file this is; None for a file that is not of this store."""
        found = certificate.parent
        if found.parent != self._folder.absolute() or not _ID.fullmatch(found.name) or not found.is_dir():
            return None
        return self._read(found.name)

    def signing_request(self, certificate_id: str) -> bytes:
        """Ask an authority to sign: the same names and key as a certificate has, as PEM."""
        stored = self.one(certificate_id)
        return certificate_making.signing_request(bytes_of(stored.private_key), bytes_of(stored.certificate))

    def sweep(self) -> None:
        """Remove what an earlier run did not live to finish."""
        with _translated():
            for entry in list(os.scandir(self._made())):
                if entry.name.startswith((_STAGED, _DELETED)):
                    shutil.rmtree(entry.path)

    def add(self, name: str, kind: Kind, key: bytes, pem: bytes, now: datetime) -> Stored:
        """Keep a certificate with its key, durably.

        :raises CertificateNameTaken: names are unique, whatever their case.
        """
        present = self.all()
        if len(present) >= MOST:
            raise CertificateStoreFull(limit=MOST)
        if any(stored.name.casefold() == name.casefold() for stored in present):
            raise CertificateNameTaken(name=name)
        certificate_id = secrets.token_hex(8)
        meta = msgspec.json.encode(Meta(name, kind, now))
        self._publish(certificate_id, {"key.pem": key, "cert.pem": pem, "meta.json": meta})
        return self._read(certificate_id)

    def replace_certificate(self, stored: Stored, pem: bytes) -> None:
        """Give a certificate's key a new certificate under the same name."""
        part = stored.certificate.with_suffix(".part")
        with _translated():
            durable.write(part, pem)
            part.rename(stored.certificate)
            durable.sync(stored.certificate.parent)

    def remove(self, certificate_id: str) -> None:
        """Delete a certificate with its key."""
        gone = self._folder / f"{_DELETED}{certificate_id}"
        with _translated():
            (self._folder / certificate_id).rename(gone)
            durable.sync(self._folder)
            shutil.rmtree(gone)

    def on_probation(self) -> Probation | None:
        """Tell which certificate was activated and not confirmed, as far as it is known here."""
        path = self._folder / "probation.json"
        try:
            return msgspec.json.decode(bytes_of(path), type=Probation) if path.exists() else None
        except msgspec.DecodeError:
            self.end_probation()
            return None

    @contextmanager
    def probation(self, change: Probation) -> Iterator[None]:
        """Note a change before it is made; one that fails leaves what was noted before it."""
        before = self.on_probation()
        self._note(change)
        try:
            yield
        except BaseException:
            self._note(before) if before else self.end_probation()
            raise

    def end_probation(self) -> None:
        """Forget the change: it was confirmed, lost or never made."""
        with _translated():
            (self._folder / "probation.json").unlink(missing_ok=True)

    def key_for(self, public_key: bytes) -> bytes:
        """Find the private key of a public one that :meth:`public_keys` gave."""
        return self._keys()[public_key]

    def public_keys(self) -> Sequence[bytes]:
        """List the public halves of all private keys here."""
        return list(self._keys())

    def _note(self, change: Probation) -> None:
        with _translated():
            durable.write(self._folder / "probation.json", msgspec.json.encode(change))
            durable.sync(self._folder)

    def _keys(self) -> dict[bytes, bytes]:
        keys = (bytes_of(stored.private_key) for stored in self.all() if stored.problem is None)
        return {certificate_making.public_key(key): key for key in keys}

    def _read(self, certificate_id: str) -> Stored:
        folder = self._folder.absolute() / certificate_id
        paths = (folder / "cert.pem", folder / "key.pem")
        try:
            meta = msgspec.json.decode(bytes_of(folder / "meta.json"), type=Meta)
            facts = certificates.facts(bytes_of(paths[0]))
            key = certificate_making.public_key(bytes_of(paths[1]))
            if key != certificates.public_key_of(bytes_of(paths[0])):
                raise CertificateUnreadable(reason="its private key on this machine is another one")
        except msgspec.DecodeError:
            return Stored(certificate_id, certificate_id, None, *paths, None, CertificatesUnusable(reason="meta.json"))
        except BodywornError as error:
            return Stored(certificate_id, _name_of(folder), None, *paths, None, error)
        return Stored(certificate_id, meta.name, meta.created_at, *paths, facts)

    def _publish(self, certificate_id: str, files: dict[str, bytes]) -> None:
        staged = self._made() / f"{_STAGED}{certificate_id}"
        try:
            with _translated():
                staged.mkdir(mode=0o700)
                for name, data in files.items():
                    durable.write(staged / name, data)
                durable.sync(staged)
                staged.rename(self._folder / certificate_id)
                durable.sync(self._folder)
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def _made(self) -> Path:
        with _translated():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chmod(self._folder, 0o700)
        return self._folder


def _name_of(folder: Path) -> str:
    """Give the name of a damaged certificate, or its id."""
    try:
        return msgspec.json.decode(bytes_of(folder / "meta.json"), type=Meta).name
    except (msgspec.DecodeError, BodywornError):
        return folder.name


def bytes_of(path: Path) -> bytes:
    """Read a file of the store; no more of it than one can be long."""
    with _translated(), path.open("rb") as file:
        return file.read(_LARGEST_BYTES)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CertificatesUnusable(reason=error.strerror or type(error).__name__) from error
