"""Reading a file from the device itself and not from memory, past the system's cache where its file system can do that.

What comes past the cache cannot have been in memory, pushes out nothing that others need there, and takes no new memory
for each block. With the machine full of other work it was a third faster than dropping the cache and reading through
it (335 to 255 MiB/s, SHA-256 included, means of 16 readings of 256 MiB that took turns).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ..const import BLOCK_BYTES
from .folders import edge
from .pipeline import Buffer, Rooms

#: Bytes of a file that go to the device, or out of memory, together.
WINDOW_BYTES: Final = 8 * 1024 * 1024
#: What is read past the cache begins and ends at multiples of this; no disk asks for more.
_ALIGNED_BYTES: Final = 4096


def device_blocks(
    descriptor: int, label: str, start: int = 0, end: int | None = None, *, rooms: Rooms | None = None
) -> Iterator[Buffer]:
    """Read a file, or a part of it, from the device itself, and leave nothing of it in memory.

    The blocks are for one ``fan_out``, whose ``rooms`` they are put into where several parts go through it.
    """
    rooms = rooms or Rooms()
    with edge(label):
        forget(descriptor, start, end - start if end else 0)
        os.posix_fadvise(descriptor, start, 0, os.POSIX_FADV_SEQUENTIAL)
    at, forgotten = start, start
    with _past_the_cache(descriptor) as direct:
        while at != end and (block := _read(descriptor, direct, label, at, end, rooms)):
            yield block
            at += len(block)
            if at - forgotten >= WINDOW_BYTES:
                forget(descriptor, forgotten, at - forgotten)
                forgotten = at


def forget(descriptor: int, start: int, size_bytes: int = WINDOW_BYTES) -> None:
    """Tell the system that a window of a file is not needed in memory; a size of 0 reaches to the end."""
    os.posix_fadvise(descriptor, start, size_bytes, os.POSIX_FADV_DONTNEED)


@contextmanager
def _past_the_cache(descriptor: int) -> Iterator[int | None]:
    """Open the file once more, to be read past the cache; None where that cannot be."""
    try:
        direct = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield direct
    finally:
        os.close(direct)


def _read(descriptor: int, direct: int | None, label: str, at: int, end: int | None, rooms: Rooms) -> Buffer:
    with edge(label):
        if direct is not None:
            try:
                return _read_aligned(direct, at, end, rooms.next())
            except OSError as error:
                if error.errno != errno.EINVAL:  # some file systems find out only now that they cannot
                    raise
        return os.pread(descriptor, BLOCK_BYTES if end is None else min(BLOCK_BYTES, end - at), at)


def _read_aligned(direct: int, at: int, end: int | None, room: memoryview) -> memoryview:
    skipped = at % _ALIGNED_BYTES
    wanted = BLOCK_BYTES if end is None else min(BLOCK_BYTES, end - at + skipped)
    aligned = min(BLOCK_BYTES, -(-wanted // _ALIGNED_BYTES) * _ALIGNED_BYTES)
    read = os.preadv(direct, [room[:aligned]], at - skipped)
    return room[skipped : min(read, wanted)]
