"""Stills of clips: made when somebody wants to see them, one at a time, and kept.

They are kept sealed with this machine's key, because a still of an encrypted clip is a part of it. Whatever is in the
folder can be deleted at any time; it is made again.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from ..crypto.sealed import SealedBox
from ..errors import NoStill, SealBroken, StillsBusy
from ..media.still import make_still
from .playback import Content, Span

_PURPOSE = "still"
#: Kept in each of 256 folders, by the first digits of the clip's digest.
_MOST_IN_FOLDER = 64
_WAIT_SECONDS = 10.0
#: After this a clip without a picture is tried again; the library may be another one by then.
_TRIED_FOR_SECONDS = 24 * 3600


class StillState(StrEnum):
    """What is known of a clip's still without making one."""

    KEPT = "kept"
    #: It was tried, and the clip has no picture that can be shown.
    IMPOSSIBLE = "impossible"
    UNKNOWN = "unknown"


class Stills:
    """The stills that one machine keeps; threads and processes may share the folder."""

    def __init__(self, folder: Path, box: SealedBox) -> None:
        """Take a folder, which is made when it is needed."""
        self._folder = folder
        self._box = box
        self._making = threading.Lock()

    def state(self, sha256: str) -> StillState:
        """Tell what is known of the clip whose stored bytes have this digest."""
        kept = self._kept(sha256)
        if kept is None:
            return StillState.UNKNOWN
        return StillState.KEPT if kept else StillState.IMPOSSIBLE

    def still(self, sha256: str, name: str, content: Content) -> bytes:
        """Give the JPEG of a clip, made from its content if it has to be.

        Raises:
            NoStill: there is no picture in it that can be shown; this is remembered.
            StillsMissing: the optional library is not installed.
            StillsBusy: others are being made.
        """
        kept = self._kept(sha256)
        if kept is not None:
            return _shown(kept, name)
        with self._turn():
            kept = self._kept(sha256)  # somebody else may have wanted the same
            return self._made(sha256, name, content) if kept is None else _shown(kept, name)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._making.acquire(timeout=_WAIT_SECONDS):
            raise StillsBusy
        try:
            yield
        finally:
            self._making.release()

    def _made(self, sha256: str, name: str, content: Content) -> bytes:
        try:
            jpeg = make_still(name, content.size_bytes, lambda first, size: content.read(Span(first, size)))
        except NoStill:
            self._keep(sha256, b"")
            raise
        self._keep(sha256, jpeg)
        return jpeg

    def _kept(self, sha256: str) -> bytes | None:
        """Read what is kept; empty where no still is possible, None where nothing is known any more."""
        path = self._path(sha256)
        try:
            kept = self._box.open(f"{_PURPOSE}/{sha256}", path.read_bytes())
            return kept if kept or time.time() - path.stat().st_mtime < _TRIED_FOR_SECONDS else None
        except (FileNotFoundError, SealBroken):
            return None

    def _keep(self, sha256: str, jpeg: bytes) -> None:
        path = self._path(sha256)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{secrets.token_hex(8)}")
        draft.write_bytes(self._box.seal(f"{_PURPOSE}/{sha256}", jpeg))
        draft.replace(path)
        _forget_oldest(path.parent)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256


def _shown(kept: bytes, name: str) -> bytes:
    if not kept:
        raise NoStill(name=name)
    return kept


def _forget_oldest(folder: Path) -> None:
    with os.scandir(folder) as entries:
        by_age = sorted(((entry.stat().st_mtime_ns, entry.path) for entry in entries), reverse=True)
    for _, path in by_age[_MOST_IN_FOLDER:]:
        Path(path).unlink(missing_ok=True)
