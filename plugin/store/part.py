"""One attempt at a file: a hidden ``.part`` beside its goal, written, synced and read back before it gets its name.

An attempt is void after any error: its bytes are thrown away and the next attempt begins with a new file. An fsync that
failed is never repeated, because the second one reports success for data that are lost.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import uuid4

from ..errors import RereadDiffers, StoreError
from .folders import WINDOW_BYTES, closing, device_blocks, edge, forget, sync
from .pipeline import Buffer, counted, fan_out

SUFFIX: Final = ".part"

#: Windows after which what was written is taken to have reached the device.
WINDOWS_BEHIND: Final = 4


@dataclass(frozen=True)
class Digests:
    """What identifies the bytes of an object; the digests are lower-case hex."""

    size_bytes: int
    sha256: str
    md5: str


class Verifier(Protocol):
    """Looks at the bytes as they come back from the device, for instance to decrypt them and compare the plaintext."""

    def update(self, block: Buffer, /) -> object:
        """Take the next block, in a thread that is not the caller's."""

    def finish(self) -> object:
        """Raise when what was seen is not what was meant; called once, after the last block."""


class Part:
    """A ``.part`` file that belongs to the writer holding its lock; see :func:`open_part`."""

    def __init__(self, parent: int, name: str, descriptor: int, label: str) -> None:
        self._parent = parent
        self._name = name
        self._descriptor = descriptor
        self._label = label
        self._size_bytes = 0

    def fill(self, blocks: Iterable[Buffer]) -> Digests:
        """Write a stream while hashing it, in threads that overlap. Errors of ``blocks`` pass through as they are."""
        sha256 = hashlib.sha256()
        md5 = hashlib.md5(usedforsecurity=False)
        fan_out(blocks, md5.update, sha256.update, self._write)
        return Digests(self._size_bytes, sha256.hexdigest(), md5.hexdigest())

    def sync(self) -> None:
        """Wait until the device has everything; the attempt is void when it fails."""
        sync(self._label, self._descriptor)

    def read_back(self, expected: Digests, verifier: Verifier | None) -> None:
        """Read from the device what was written, let the verifier see it, and raise unless it is what was expected."""
        consumers = (verifier.update,) if verifier else ()
        if sha256_of(self._descriptor, self._label, *consumers) != expected.sha256:
            raise RereadDiffers(name=self._label)
        if verifier:
            verifier.finish()

    def link(self, parent: int, name: str) -> bool:
        """Give the file its name without overwriting; False when the name is taken."""
        with edge(self._label):
            try:
                os.link(self._name, name, src_dir_fd=self._parent, dst_dir_fd=parent, follow_symlinks=False)
            except FileExistsError:
                return False
            return True

    def replace(self, name: str) -> None:
        """Give the file its name in the same folder, in place of what had it before."""
        with edge(self._label):
            os.replace(self._name, name, src_dir_fd=self._parent, dst_dir_fd=self._parent)
        self._name = ""

    def drop(self) -> None:
        """Take the ``.part`` name away; the file lives on under the name that it was given, or not at all."""
        if self._name:
            with edge(self._label):
                os.unlink(self._name, dir_fd=self._parent)
            self._name = ""

    def _write(self, block: Buffer) -> None:
        remaining = memoryview(block)
        while remaining:
            with edge(self._label):
                written = os.write(self._descriptor, remaining)
            remaining = remaining[written:]
            self._advance(written)

    def _advance(self, written_bytes: int) -> None:
        """Keep the device busy while the stream goes on, so that little is left for fsync and little stays in memory.

        Linux begins to write what it is told nobody needs, and drops it once it is written; hence twice for each
        window. Errors of such writing are kept by the system until fsync asks for them.
        """
        before = self._size_bytes // WINDOW_BYTES
        self._size_bytes += written_bytes
        for window in range(before, self._size_bytes // WINDOW_BYTES):
            forget(self._descriptor, window * WINDOW_BYTES)
            if window >= WINDOWS_BEHIND:
                forget(self._descriptor, (window - WINDOWS_BEHIND) * WINDOW_BYTES)


@contextmanager
def open_part(parent: int, label: str) -> Iterator[Part]:
    """Create a new ``.part`` in a folder; whichever way the block is left, that name is gone afterwards."""
    name, descriptor = _create_locked(parent, label)
    part = Part(parent, name, descriptor, label)
    with closing(descriptor):
        try:
            yield part
            part.drop()
        except BaseException:
            with suppress(StoreError):  # what made the attempt void counts; sweep() takes what is left
                part.drop()
            raise


def sweep(parent: int, label: str) -> int:
    """Remove the parts of attempts that died, and count them; those of living writers are locked and stay."""
    with edge(label):
        with os.scandir(parent) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(".") and entry.name.endswith(SUFFIX)]
        return sum(_remove_if_dead(parent, name) for name in names)


def sha256_of(
    descriptor: int,
    label: str,
    *consumers: Callable[[Buffer], object],
    progress: Callable[[int], object] | None = None,
) -> str:
    """Compute the SHA-256 of what the device holds of a file, while others see the same blocks."""
    sha256 = hashlib.sha256()
    blocks: Iterable[Buffer] = device_blocks(descriptor, label)
    fan_out(counted(blocks, progress) if progress else blocks, sha256.update, *consumers)
    return sha256.hexdigest()


def _create_locked(parent: int, label: str) -> tuple[str, int]:
    """Create and lock; once more when a sweep came between the two."""
    while True:
        name = f".{uuid4().hex}{SUFFIX}"
        with edge(label):
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=parent)
            if _locked(descriptor):
                return name, descriptor


def _locked(descriptor: int) -> bool:
    """Lock a new part; False, and closed, when it was swept before it was locked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        os.close(descriptor)
        raise
    if os.fstat(descriptor).st_nlink:
        return True
    os.close(descriptor)
    return False


def _remove_if_dead(parent: int, name: str) -> bool:
    try:
        with closing(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=parent)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True
