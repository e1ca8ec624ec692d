"""Decoding of JSON that strangers wrote: it becomes the expected structure, or is refused."""

from __future__ import annotations

import threading
from functools import cache
from typing import Final, TypeVar

import msgspec

from ..errors import BodywornError

Document = TypeVar("Document", bound=msgspec.Struct)

_FIRST: Final = threading.Lock()


def decode(data: bytes, kind: type[Document], refusal: type[BodywornError]) -> Document:
    """Read a document; whatever is wrong with it raises ``refusal``. The size is for the caller to limit before."""
    try:
        return _decoder(kind).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal from error


def _decoder(kind: type[Document]) -> msgspec.json.Decoder[Document]:
    """Give the decoder of a kind. Two threads that are the first to need one would end the process in msgspec 0.22."""
    with _FIRST:
        return _made(kind)


@cache
def _made(kind: type[Document]) -> msgspec.json.Decoder[Document]:
    return msgspec.json.Decoder(kind)
