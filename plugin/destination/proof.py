"""What is known of a copy at a destination, and how much its word is worth (invariant I3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from .metadata import OBJECT_PREFIX, from_headers

_MD5: Final = re.compile(r"[0-9a-f]{32}")


class ProofKind(StrEnum):
    """Verified: the destination named the digest of what it holds. Acknowledged: it said that it stored something."""

    VERIFIED = "verified"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Proof:
    """A destination's answer about one object; only a verified one counts as a copy."""

    kind: ProofKind
    md5: str
    size_bytes: int
    at: datetime

    @property
    def verified(self) -> bool:
        """Tell whether this counts as a copy."""
        return self.kind is ProofKind.VERIFIED


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """What HEAD tells: size and digest are None where they are kept secret, metadata keys are in lower case."""

    size_bytes: int | None
    etag: str | None
    metadata: dict[str, str]


def compare(etag: str | None, md5: str, size_bytes: int) -> Proof | None:
    """Prove a copy by the digest that a destination named; None when that is another one. No digest acknowledges."""
    if etag is not None and etag != md5:
        return None
    kind = ProofKind.ACKNOWLEDGED if etag is None else ProofKind.VERIFIED
    return Proof(kind, md5, size_bytes, datetime.now(UTC))


def read_etag(headers: Mapping[str, str]) -> str | None:
    """Read the MD5 out of an Etag header, quoted or not; None when it is none and so says nothing about the bytes."""
    etag = headers.get("Etag", "").strip().strip('"').lower()
    return etag if _MD5.fullmatch(etag) else None


def read_remote_object(headers: Mapping[str, str]) -> RemoteObject:
    """Read what HEAD answered."""
    length = headers.get("Content-Length", "")
    size_bytes = int(length) if length.isascii() and length.isdecimal() else None
    return RemoteObject(size_bytes, read_etag(headers), from_headers(OBJECT_PREFIX, headers))
