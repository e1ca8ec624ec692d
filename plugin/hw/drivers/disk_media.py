"""How long clips on a plain disk are, where neither name nor last change tells: their containers say, read in a child.

Without the optional library, or past the bounds, nothing is said; which files need it is for ``segments``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ...errors import BodywornError
from ...media.length import Length, Lengths
from ...media.still import can_make_stills
from . import disk_files
from .disk_walk import DiskFile

#: The docking waits for it, so it is not for ever.
_MOST_FILES: Final = 2000
_MOST_SECONDS: Final = 20.0
#: FFmpeg asks in small pieces; a camera gives this much in one.
_BLOCK_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class Measured:
    """Lengths by path, and the files that were asked and do not tell."""

    lengths: dict[str, Length]
    untold: tuple[str, ...]


def measure(root: int, files: Iterable[DiskFile], lengths: Callable[[], Lengths] = Lengths) -> Measured:
    """Measure files, as many as the bounds allow."""
    wanted = list(files)[:_MOST_FILES]
    if not wanted or not can_make_stills():
        return Measured({}, ())
    end = time.monotonic() + _MOST_SECONDS
    known: dict[str, Length] = {}
    untold: list[str] = []
    with lengths() as measuring:
        for file in wanted:
            if time.monotonic() > end:
                break
            length = _length(root, file, measuring)
            if length is None:
                untold.append(file.path)
            else:
                known[file.path] = length
    return Measured(known, tuple(untold))


def _length(root: int, file: DiskFile, lengths: Lengths) -> Length | None:
    try:
        descriptor = disk_files.open_file(root, file.path)
    except BodywornError:
        return None  # offloading it says why
    try:
        return lengths.of(file.path, file.size_bytes, lambda first, size: _blocks(descriptor, first, size))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _blocks(descriptor: int, first: int, size: int) -> Iterator[bytes]:
    """Read a part of a file; one that has become shorter gives less, and its child waits in vain until it is ended."""
    while size > 0 and (block := os.pread(descriptor, min(size, _BLOCK_BYTES), first)):
        first, size = first + len(block), size - len(block)
        yield block
    if size > 0:
        raise OSError("the file ends early")
