"""The parent's side of a child that looks into media: it serves the child's requests, within bounds, and ends it.

What the child is asked is for ``still`` and ``length``; the child itself is ``worker``.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

Buffer = bytes | memoryview
#: Gives so many bytes from an offset on.
Read = Callable[[int, int], Iterable[Buffer]]

WORKER: Final = Path(__file__).with_name("worker.py")


def start(worker: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a child that has nothing of this process: no environment, no files, no path to write to."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", str(worker), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
    )


def serve(
    child: subprocess.Popen[bytes], size_bytes: int, read: Read, *, most_read_bytes: int, longest_line: int
) -> bytes:
    """Answer requests until the child says something else, or nothing more; empty when it asks for too much."""
    assert child.stdin is not None
    assert child.stdout is not None
    left_bytes = most_read_bytes
    while (line := child.stdout.readline(longest_line)).startswith(b"read "):
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


@contextmanager
def killed_after(child: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    """Kill a child that is not done with the block in time."""
    alarm = threading.Timer(seconds, child.kill)
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


def end(child: subprocess.Popen[bytes]) -> None:
    """Leave no child behind, whatever it is doing."""
    child.kill()
    child.communicate()


def _span(line: bytes, size_bytes: int) -> tuple[int, int] | None:
    """Read a request; the child may have been taken over by what it looked into."""
    words = line.split()
    if len(words) != 3 or not all(word.isdigit() and len(word) < 20 for word in words[1:]):
        return None
    offset, size = int(words[1]), int(words[2])
    return (offset, size) if offset + size <= size_bytes else None
