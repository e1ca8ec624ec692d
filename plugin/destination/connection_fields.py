"""Members of a connection file read one by one: present, of the right type, short enough, free of control characters.

What a member means is decided in :mod:`.connection_file`; here every refusal names the field and nothing of its value.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final

import msgspec

from ..errors import (
    ConnectionFieldHasControlCharacters,
    ConnectionFieldMissing,
    ConnectionFieldNotBase64,
    ConnectionFieldOfWrongType,
    ConnectionFieldTooLong,
    ConnectionFileNotJson,
    ConnectionFileTooLarge,
    ConnectionListTooLong,
)
from .legible import is_legible

LARGEST_FILE_BYTES: Final = 64 * 1024


class Fields:
    """The members of one connection file by name; null counts as absent, unknown members are never looked at."""

    def __init__(self, members: dict[str, object]) -> None:
        self._members = members

    @classmethod
    def decode(cls, data: bytes) -> Fields:
        """Decode a bounded JSON object; a byte order mark from a text editor is tolerated."""
        if len(data) > LARGEST_FILE_BYTES:
            raise ConnectionFileTooLarge(limit_bytes=LARGEST_FILE_BYTES)
        try:
            return cls(msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=dict[str, object]))
        except msgspec.ValidationError as error:
            raise ConnectionFileNotJson(reason="it is not made of named members") from error
        except msgspec.DecodeError as error:
            # the decoder's own message gives a position and never a value
            raise ConnectionFileNotJson(reason=str(error)) from error
        except (RecursionError, UnicodeDecodeError) as error:
            raise ConnectionFileNotJson(reason="it cannot be read as text, or is nested without end") from error

    def has(self, field: str) -> bool:
        """Tell whether a member is there and says something: not null, no empty list or text."""
        return self._members.get(field) not in (None, "", [])

    def text(self, field: str, limit: int) -> str:
        """Return a mandatory text of 1 to ``limit`` characters."""
        text = self.optional_text(field, limit)
        if not text:
            raise ConnectionFieldMissing(field=field)
        return text

    def optional_text(self, field: str, limit: int) -> str | None:
        """Return a text of at most ``limit`` characters, or None when it is absent; it may be empty."""
        value = self._members.get(field)
        return None if value is None else _text(value, field, limit)

    def texts(self, field: str, most: int, limit: int) -> tuple[str, ...]:
        """Return a mandatory list of at most ``most`` texts of 1 to ``limit`` characters each."""
        return tuple(_text(value, where, limit) for where, value in self._entries(field, most))

    def base64(self, field: str, limit: int) -> bytes | None:
        """Return what an optional base64 text of at most ``limit`` characters stands for; empty counts as absent."""
        return _unbase64(self._members[field], field, limit) if self.has(field) else None

    def base64s(self, field: str, most: int, limit: int) -> tuple[bytes, ...]:
        """Return what each text of an optional list of base64 texts stands for."""
        return (
            tuple(_unbase64(value, where, limit) for where, value in self._entries(field, most))
            if self.has(field)
            else ()
        )

    def flag(self, field: str) -> bool:
        """Return true or false; absent is false."""
        value = self._members.get(field)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise ConnectionFieldOfWrongType(field=field, expected="true or false")
        return value

    def _entries(self, field: str, most: int) -> list[tuple[str, object]]:
        """List the entries of a list, each with the name that an error about it has."""
        values = self._members.get(field)
        if values in (None, []):
            raise ConnectionFieldMissing(field=field)
        if not isinstance(values, list):
            raise ConnectionFieldOfWrongType(field=field, expected="a list of texts")
        if len(values) > most:
            raise ConnectionListTooLong(field=field, limit=most)
        entries = [(f"{field} {number}", value) for number, value in enumerate(values, start=1)]
        for where, value in entries:
            if value in (None, ""):
                raise ConnectionFieldMissing(field=where)
        return entries


def _text(value: object, field: str, limit: int) -> str:
    text = _bounded(value, field, limit)
    if not is_legible(text):
        raise ConnectionFieldHasControlCharacters(field=field)
    return text


def _unbase64(value: object, field: str, limit: int) -> bytes:
    try:
        # some encoders break their lines
        return b64decode("".join(_bounded(value, field, limit).split()), validate=True)
    except ValueError as error:
        raise ConnectionFieldNotBase64(field=field) from error


def _bounded(value: object, field: str, limit: int) -> str:
    if not isinstance(value, str):
        raise ConnectionFieldOfWrongType(field=field, expected="a text")
    if len(value) > limit:
        raise ConnectionFieldTooLong(field=field, limit=limit)
    return value
