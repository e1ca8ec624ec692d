"""A still of a clip, made by a child process that may fail in any way; see ``still_worker`` for the child."""

from __future__ import annotations

import binascii
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from ..errors import NoStill, StillsMissing
from .still_worker import LIBRARY_MISSING

Buffer = bytes | memoryview
#: Gives so many bytes from an offset on.
Read = Callable[[int, int], Iterable[Buffer]]

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
_WORKER: Final = Path(__file__).with_name("still_worker.py")
_DEADLINE_SECONDS: Final = 20.0
#: What a child may ask for altogether: a few pictures, and the index at either end.
_MOST_READ_BYTES: Final = 64 * 1024 * 1024
_LONGEST_LINE: Final = 2 * LARGEST_STILL_BYTES
_JPEG: Final = b"\xff\xd8\xff"


class _Answer(msgspec.Struct, frozen=True):
    jpeg: str = ""
    problem: str = ""


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
    child = subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", str(_WORKER), str(size_bytes), FORMATS[suffix]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
    )
    alarm = threading.Timer(deadline_seconds, child.kill)
    alarm.start()
    try:
        said = _serve(child, size_bytes, read)
    finally:
        alarm.cancel()
        _end(child)
    return _picture(said, name)


def _serve(child: subprocess.Popen[bytes], size_bytes: int, read: Read) -> bytes:
    """Answer requests until the child says something else, or nothing more."""
    assert child.stdin is not None
    assert child.stdout is not None
    left_bytes = _MOST_READ_BYTES
    while (line := child.stdout.readline(_LONGEST_LINE)).startswith(b"read "):
        span = _span(line, size_bytes)
        if span is None or span[1] > left_bytes:
            return b""
        left_bytes -= span[1]
        blocks = read(*span)
        try:
            child.stdin.writelines(blocks)
            child.stdin.flush()
        except BrokenPipeError:
            return b""
    return line


def _span(line: bytes, size_bytes: int) -> tuple[int, int] | None:
    """Read a request; the child may have been taken over by what it looked into."""
    words = line.split()
    if len(words) != 3 or not all(word.isdigit() and len(word) < 20 for word in words[1:]):
        return None
    offset, size = int(words[1]), int(words[2])
    return (offset, size) if offset + size <= size_bytes else None


def _picture(said: bytes, name: str) -> bytes:
    try:
        answer = msgspec.json.decode(said, type=_Answer)
        jpeg = b64decode(answer.jpeg, validate=True)
    except (msgspec.MsgspecError, binascii.Error, UnicodeDecodeError) as error:
        raise NoStill(name=name) from error
    if answer.problem == LIBRARY_MISSING:
        raise StillsMissing
    if not jpeg.startswith(_JPEG) or len(jpeg) > LARGEST_STILL_BYTES:
        raise NoStill(name=name)
    return jpeg


def _end(child: subprocess.Popen[bytes]) -> None:
    """Leave no child behind, whatever it is doing."""
    child.kill()
    child.communicate()
