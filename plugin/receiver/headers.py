"""Headers of the interface: metadata as it comes and goes. Values are kept as they came; pages decode them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from flask import request

CONTAINER_PREFIX = "X-Container-Meta-"
OBJECT_PREFIX = "X-Object-Meta-"

#: Everything that a header can carry as it is.
_PLAIN = "".join(map(chr, range(0x20, 0x7F)))


def read_metadata(prefix: str) -> dict[str, str]:
    """Read metadata out of the request; keys are in lower case, because the wire does not keep their case."""
    lowered = prefix.lower()
    return {
        name.lower().removeprefix(lowered): _text(value.strip())
        for name, value in request.headers.items()
        if name.lower().startswith(lowered)
    }


def write_metadata(prefix: str, metadata: Mapping[str, str]) -> dict[str, str]:
    """Spell metadata as headers; what is not plain ASCII travels percent-encoded."""
    return {f"{prefix}{_capitalized(key)}": quote(value, safe=_PLAIN) for key, value in metadata.items()}


def last_modified(moment: datetime) -> dict[str, str]:
    """Say since when something is as it is: as HTTP does, and as a Swift does, whose clients look for both."""
    return {"Last-Modified": format_datetime(moment, usegmt=True), "X-Timestamp": f"{moment.timestamp():.5f}"}


def _text(value: str) -> str:
    """Undo what WSGI does to bytes beyond ASCII: they are UTF-8 if they can be."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _capitalized(key: str) -> str:
    return "-".join(part.capitalize() for part in key.split("-"))
