"""Decoding of JSON that strangers wrote: it becomes the expected structure, or is refused."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from ..errors import BodywornError

Document = TypeVar("Document", bound=msgspec.Struct)


def decode(data: bytes, kind: type[Document], refusal: type[BodywornError]) -> Document:
    """Read a document; whatever is wrong with it raises ``refusal``. The size is for the caller to limit before."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal from error
