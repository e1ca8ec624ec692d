"""Bringing a Matroska or MP4 file to an exact size, with what its container calls empty."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, Final

#: The smallest padding that either container can hold.
LEAST_BYTES: Final = 16


def pad(path: Path, size_bytes: int) -> None:
    """Fill a file up to an exact size with what its container calls empty, so that it stays valid."""
    missing = size_bytes - path.stat().st_size
    assert missing >= LEAST_BYTES, "packets are chosen so that they leave room for the padding"
    with path.open("r+b") as file:
        if path.suffix == ".mkv":
            _grow_segment(file, missing)
            header = b"\xec" + _vint(missing - 9)
        else:
            header = struct.pack(">I4s", missing, b"free")
        file.seek(0, os.SEEK_END)
        file.write(header)
        file.truncate(size_bytes)


def _grow_segment(file: BinaryIO, more: int) -> None:
    """Let Matroska's segment, which comes second and has its size in eight bytes, end after the padding."""
    head = file.read(4096)
    at = head.index(b"\x18\x53\x80\x67") + 4
    size = int.from_bytes(head[at + 1 : at + 8], "big")
    file.seek(at)
    file.write(_vint(size + more))


def _vint(value: int) -> bytes:
    return b"\x01" + value.to_bytes(7, "big")
