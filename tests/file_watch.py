"""Tells whether anybody opened what is beneath a folder, by asking the kernel (inotify)."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

_LIBRARY = ctypes.CDLL(None, use_errno=True)
_IN_OPEN = 0x20
_IN_ACCESS = 0x01
_NONBLOCK = 0x800
_HEADER = struct.Struct("iIII")


class Watch:
    """Watches a folder and every folder beneath it, as they are when it begins."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = _LIBRARY.inotify_init1(_NONBLOCK)
        assert self._descriptor >= 0, os.strerror(ctypes.get_errno())
        self._names: dict[int, Path] = {}
        for path in [folder, *(one for one in folder.rglob("*") if one.is_dir())]:
            number = _LIBRARY.inotify_add_watch(self._descriptor, os.fsencode(path), _IN_OPEN | _IN_ACCESS)
            assert number >= 0, os.strerror(ctypes.get_errno())
            self._names[number] = path

    def __enter__(self) -> Watch:
        self.opened()  # rglob above has opened folders itself
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def opened(self) -> list[Path]:
        """List what was opened or read since the last call."""
        found = []
        while data := self._read():
            while data:
                number, _, _, length = _HEADER.unpack_from(data)
                name = data[_HEADER.size : _HEADER.size + length].rstrip(b"\0")
                found.append(self._names[number] / os.fsdecode(name))
                data = data[_HEADER.size + length :]
        return found

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, 65536)
        except BlockingIOError:
            return b""
