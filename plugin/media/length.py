"""How long clips are, by their containers: asked of one child for many files, each of which may fail in any way.

A file that makes FFmpeg hang, or eat memory, or read without end costs that file its length and the child its life; the
next file gets another child.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from types import TracebackType
from typing import Final, Self

import msgspec

from . import child
from .child import Read

#: What FFmpeg calls the containers of clips and audio, by their extension.
FORMATS: Final = {
    **dict.fromkeys(("mp4", "m4v", "mov", "3gp", "m4a"), "mov"),
    **dict.fromkeys(("ts", "m2ts", "mts"), "mpegts"),
    **dict.fromkeys(("mpg", "mpeg"), "mpeg"),
    **dict.fromkeys(("asf", "wmv", "wma"), "asf"),
    **{name: name for name in ("avi", "flv", "wav", "mp3", "ogg", "aac", "amr")},
    "mkv": "matroska",
}
_DEADLINE_SECONDS: Final = 5.0
#: A header, and the index at either end.
_MOST_READ_BYTES: Final = 16 * 1024 * 1024
_LONGEST_LINE: Final = 1024
#: A child lives no longer than this, because its processor time is limited for its whole life.
_FILES_OF_A_CHILD: Final = 100
_LONGEST_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True)
class Length:
    """What a container says of itself."""

    seconds: float
    #: When it was made, as if what is written there were UTC; None where it does not say.
    created: datetime | None


class _Answer(msgspec.Struct, frozen=True):
    seconds: float | None = None
    created: str = ""


#: Made here: two threads that are the first to need one would end the process (msgspec 0.22).
_ANSWERS: Final = msgspec.json.Decoder(_Answer)


class Lengths:
    """Measures one file after the other. Used as a context, because a child belongs to it."""

    def __init__(self, *, deadline_seconds: float = _DEADLINE_SECONDS) -> None:
        """``deadline_seconds`` is for each file."""
        self._deadline_seconds = deadline_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._left = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def of(self, name: str, size_bytes: int, read: Read) -> Length | None:
        """Measure one file, served by ``read`` in this thread; None where it does not tell. ``read`` may raise."""
        container = FORMATS.get(PurePosixPath(name).suffix.lower().removeprefix("."))
        if container is None:
            return None
        answer = None
        try:
            answer = self._asked(container, size_bytes, read)
        finally:
            if answer is None:
                self._end()  # whatever state it is in
        return _length(answer) if answer is not None else None

    def _asked(self, container: str, size_bytes: int, read: Read) -> _Answer | None:
        asked = self._ready()
        assert asked.stdin is not None
        with child.killed_after(asked, self._deadline_seconds):
            try:
                asked.stdin.write(f"{size_bytes} {container}\n".encode())
                asked.stdin.flush()
            except BrokenPipeError:
                return None
            said = child.serve(asked, size_bytes, read, most_read_bytes=_MOST_READ_BYTES, longest_line=_LONGEST_LINE)
        try:
            return _ANSWERS.decode(said)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._left == 0:
            self._end()
        if self._child is None:
            self._child, self._left = child.start(child.WORKER), _FILES_OF_A_CHILD
        self._left -= 1
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            child.end(self._child)
        self._child, self._left = None, 0


def _length(answer: _Answer) -> Length | None:
    if answer.seconds is None or not 0 < answer.seconds <= _LONGEST_SECONDS:
        return None
    return Length(answer.seconds, _moment(answer.created))


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
