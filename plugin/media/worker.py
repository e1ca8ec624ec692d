"""The child that looks into media: run by path in a process of its own, with the standard library and PyAV alone.

It takes limits upon itself before a foreign byte is read. Lines on its standard output are requests, ``read OFFSET
SIZE``, answered with just so many bytes on its standard input, and at the end one JSON object: what was asked for, or
the problem. Asked for a still it does one file and ends; asked for lengths it does one file after another, each named
by a line of size and format. See ``child`` for the parent.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import sys
from fractions import Fraction
from typing import Any, BinaryIO

LIBRARY_MISSING = "library-missing"
NO_PICTURE = "no-picture"
NO_LENGTH = "no-length"

MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 10
#: Requests of FFmpeg are small; more bytes at a time save turns.
_AHEAD_BYTES = 256 * 1024
#: An 8K picture; what claims to be larger is not decoded.
_MOST_PIXELS = 7680 * 4320
_WIDTH = 320
_MOST_HEIGHT = 640
_COLOURS = "yuvj420p"
_SEEK_SECONDS = 2
#: How far FFmpeg looks for streams that no header tells of, and no index is read: only the length is wanted.
_SHORT_LOOK = {"probesize": "1000000", "analyzeduration": "1000000", "fflags": "+ignidx"}


class Asked:
    """The media, as a file that is read by asking for parts of it."""

    def __init__(self, size_bytes: int, answers: BinaryIO, requests: BinaryIO) -> None:
        """Begin at the start; ``size_bytes`` is the size of the whole."""
        self._size_bytes = size_bytes
        self._answers = answers
        self._requests = requests
        self._position = 0
        self._held_from = 0
        self._held = b""

    def read(self, size: int = -1) -> bytes:
        """Read, as files do."""
        wanted = self._size_bytes - self._position if size < 0 else min(size, self._size_bytes - self._position)
        pieces = []
        while wanted > 0:
            if not self._held_from <= self._position < self._held_from + len(self._held):
                self._fetch()
            skip = self._position - self._held_from
            piece = self._held[skip : skip + wanted]
            pieces.append(piece)
            self._position += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, as files do."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size_bytes}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Say where."""
        return self._position

    def _fetch(self) -> None:
        size = min(_AHEAD_BYTES, self._size_bytes - self._position)
        self._requests.write(f"read {self._position} {size}\n".encode())
        self._requests.flush()
        data = self._answers.read(size)
        if len(data) != size:
            raise EOFError("the parent has gone")
        self._held_from, self._held = self._position, data


def limit() -> None:
    """Take away what is not needed: memory, time, files to write, core dumps that would hold pictures."""
    limits = {
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))


def still(av: Any, file: Asked, container_format: str) -> dict[str, object]:
    """Decode a picture from the beginning of the media and make a small JPEG of it."""
    # the format is given: what only claims to be a clip may not be a playlist that leads elsewhere
    with av.open(file, format=container_format, metadata_errors="ignore") as media:
        if not media.streams.video:
            return {"problem": NO_PICTURE}
        stream = media.streams.video[0]
        if not 0 < stream.codec_context.width * stream.codec_context.height <= _MOST_PIXELS:
            return {"problem": NO_PICTURE}
        stream.codec_context.thread_count = 1
        stream.codec_context.skip_frame = "NONKEY"
        frame = _frame(av, media, stream)
        return {"jpeg": base64.b64encode(_jpeg(av, frame)).decode("ascii")} if frame else {"problem": NO_PICTURE}


def _frame(av: Any, media: Any, stream: Any) -> Any:
    """Take a picture of a little later than the beginning, where there is one."""
    if (media.duration or 0) > _SEEK_SECONDS * av.time_base:
        media.seek(_SEEK_SECONDS * av.time_base)
    return next(media.decode(stream), None)


def _jpeg(av: Any, frame: Any) -> bytes:
    height = min(_MOST_HEIGHT, max(2, round(frame.height * _WIDTH / frame.width / 2) * 2))
    small = frame.reformat(width=_WIDTH, height=height, format=_COLOURS)
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = _WIDTH, height, _COLOURS, Fraction(1, 25)
    return b"".join(bytes(packet) for packet in (*encoder.encode(small), *encoder.encode(None)))


def length(av: Any, file: Asked, container_format: str) -> dict[str, object]:
    """Tell what the container says of its length in seconds, and of when it was made."""
    with av.open(file, format=container_format, metadata_errors="ignore", options=_SHORT_LOOK) as media:
        seconds = media.duration / av.time_base if media.duration else None
        return {"seconds": seconds, "created": media.metadata.get("creation_time", "")[:40]}


def answer(task: Any, problem: str, size_bytes: int, container_format: str) -> dict[str, object]:
    """Give what a task finds out, or why it cannot."""
    try:
        import av
    except ImportError:
        return {"problem": LIBRARY_MISSING}
    asked = Asked(size_bytes, sys.stdin.buffer, sys.stdout.buffer)
    try:
        found: dict[str, object] = task(av, asked, container_format)
    except (av.FFmpegError, ValueError, MemoryError, EOFError):
        return {"problem": problem}
    return found


def say(answered: dict[str, object]) -> None:
    """Hand over what was found out."""
    sys.stdout.write(f"{json.dumps(answered)}\n")
    sys.stdout.flush()


def main(*still_of: str) -> None:
    """Make a still of media of a size, in a format by FFmpeg's name; without them, tell lengths until nobody asks."""
    limit()
    if still_of:
        size, container_format = still_of
        say(answer(still, NO_PICTURE, int(size), container_format))
        return
    while words := sys.stdin.buffer.readline().decode("ascii").split():
        say(answer(length, NO_LENGTH, int(words[0]), words[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
