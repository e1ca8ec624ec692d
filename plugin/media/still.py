"""A still of a clip, made by a child process that may fail in any way; see ``child`` and ``worker``."""

from __future__ import annotations

import binascii
from base64 import b64decode
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import Final

import msgspec

from ..errors import NoStill, StillsMissing
from . import child
from .child import Read
from .worker import LIBRARY_MISSING

#: Clips that have pictures, and what FFmpeg calls their containers.
FORMATS: Final = {
    ".mkv": "matroska",
    ".mp4": "mov",
    ".m4v": "mov",
    ".mov": "mov",
    ".avi": "avi",
    ".ts": "mpegts",
}
LARGEST_STILL_BYTES: Final = 256 * 1024
_WORKER: Final = child.WORKER
_DEADLINE_SECONDS: Final = 20.0
#: What a child may ask for altogether: a few pictures, and the index at either end.
_MOST_READ_BYTES: Final = 64 * 1024 * 1024
_LONGEST_LINE: Final = 2 * LARGEST_STILL_BYTES
_JPEG: Final = b"\xff\xd8\xff"


class _Answer(msgspec.Struct, frozen=True):
    jpeg: str = ""
    problem: str = ""


#: Made here: two threads that are the first to need one would end the process (msgspec 0.22).
_ANSWERS: Final = msgspec.json.Decoder(_Answer)


def is_pictured(name: str) -> bool:
    """Tell whether a clip of this name may have pictures."""
    return PurePosixPath(name).suffix.lower() in FORMATS


def can_make_stills() -> bool:
    """Tell whether the optional library is installed; it is not loaded here."""
    return find_spec("av") is not None


def make_still(name: str, size_bytes: int, read: Read, *, deadline_seconds: float = _DEADLINE_SECONDS) -> bytes:
    """Make a small JPEG of a clip; takes up to the deadline, in a child that ``read`` serves in this thread.

    Raises:
        StillsMissing: the library is not installed.
        NoStill: the clip is broken, has no picture, or asks for more than it may have. Errors of ``read`` pass through.
    """
    suffix = PurePosixPath(name).suffix.lower()
    maker = child.start(_WORKER, str(size_bytes), FORMATS[suffix])
    try:
        with child.killed_after(maker, deadline_seconds):
            said = child.serve(maker, size_bytes, read, most_read_bytes=_MOST_READ_BYTES, longest_line=_LONGEST_LINE)
    finally:
        child.end(maker)
    return _picture(said, name)


def _picture(said: bytes, name: str) -> bytes:
    try:
        answer = _ANSWERS.decode(said)
        jpeg = b64decode(answer.jpeg, validate=True)
    except (msgspec.MsgspecError, binascii.Error, UnicodeDecodeError) as error:
        raise NoStill(name=name) from error
    if answer.problem == LIBRARY_MISSING:
        raise StillsMissing
    if not jpeg.startswith(_JPEG) or len(jpeg) > LARGEST_STILL_BYTES:
        raise NoStill(name=name)
    return jpeg
