"""Reading what was received: whole or in part, and decrypted on the way where this machine has the key.

What a range request means in HTTP is decided here once, for pages and for the interface; sending the answer is theirs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from ..const import BLOCK_BYTES
from ..crypto.content_reader import decrypt_range, plaintext_size_bytes
from ..crypto.key_object import OpenedKey
from ..store import Buffer, Store

_RANGE = re.compile(r"bytes=(?P<first>\d{0,19})-(?P<last>\d{0,19})", re.ASCII)


@dataclass(frozen=True)
class Span:
    """A part of something: ``size_bytes`` from byte ``first`` on."""

    first: int
    size_bytes: int


class Content(Protocol):
    """Something that can be read in parts; whoever has it closes it."""

    @property
    def size_bytes(self) -> int:
        """Size of the whole."""

    def read(self, span: Span) -> Iterator[Buffer]:
        """Read a part that lies within the size."""

    def close(self) -> None:
        """Let go of the file; once is enough, twice does no harm."""


class StoredContent:
    """The bytes as they are stored."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = os.fstat(file.fileno()).st_size

    def read(self, span: Span) -> Iterator[Buffer]:
        """Read a part."""
        self._file.seek(span.first)
        left = span.size_bytes
        while left and (block := self._file.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class DecryptedContent:
    """The plaintext of what is stored encrypted: a part is read by starting one cipher block earlier."""

    def __init__(self, file: BinaryIO, opened: OpenedKey) -> None:
        self._file = file
        self._opened = opened
        self.size_bytes = plaintext_size_bytes(file, opened)

    def read(self, span: Span) -> Iterator[Buffer]:
        """Decrypt a part."""
        return decrypt_range(self._file, self._opened, span.first, span.size_bytes)

    def close(self) -> None:
        """Let go of the file, and of the content key."""
        self._opened.content_key.wipe()
        self._file.close()


@dataclass(frozen=True)
class Answer:
    """What to send: close the content when it has been sent."""

    status: int
    headers: Mapping[str, str]
    blocks: Iterator[Buffer]


def open_content(store: Store, container: str, name: str, opened: OpenedKey | None = None) -> Content:
    """Open an object; with its key, the plaintext. Raises ContentDamaged where it cannot be what was encrypted."""
    file = store.open(container, name)
    if opened is None:
        return StoredContent(file)
    try:
        return DecryptedContent(file, opened)
    except BaseException:
        file.close()
        raise


def answer(content: Content, wanted: str | None) -> Answer:
    """Answer a GET whose ``Range`` header is ``wanted``: 200, 206, or 416 where nothing of that part is there."""
    span = parse_range(wanted or "", content.size_bytes)
    if span is None:
        return _answer(200, content, Span(0, content.size_bytes))
    if not span.size_bytes:
        return Answer(416, {"Content-Range": f"bytes */{content.size_bytes}", "Content-Length": "0"}, iter(()))
    last = span.first + span.size_bytes - 1
    return _answer(206, content, span, {"Content-Range": f"bytes {span.first}-{last}/{content.size_bytes}"})


def parse_range(wanted: str, size_bytes: int) -> Span | None:
    """Find the part that a ``Range`` header asks for, empty where it lies outside.

    None where the header is absent, unreadable or asks for several parts: then it is ignored, as the standard allows.
    """
    match = _RANGE.fullmatch(wanted.strip())
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        found = min(int(match["last"]), size_bytes)
        return Span(size_bytes - found, found)
    first, last = int(match["first"]), int(match["last"] or size_bytes)
    if last < first:
        return None if match["last"] else Span(first, 0)
    return Span(first, max(0, min(last + 1, size_bytes) - first))


def _answer(status: int, content: Content, span: Span, more: Mapping[str, str] | None = None) -> Answer:
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(span.size_bytes), **(more or {})}
    return Answer(status, headers, content.read(span))
