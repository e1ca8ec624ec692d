"""One attempt at a file: a hidden ``.part`` beside its goal, written, synced and read back before it gets its name.

Whoever sends a file with its MD5 says what the device must give back; otherwise what was read back must have the
SHA-256 of what was written.

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
from .device import WINDOW_BYTES, device_blocks, forget
from .folders import closing, edge, sync
from .pipeline import Buffer, counted, fan_out
from .rereading import Rereading

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
        self._sha256, self._sha256_again = hashlib.sha256(), hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._declared_md5: str | None = None
        self._verifier: Verifier | None = None
        self._rereading = Rereading(descriptor, label)

    def fill(self, blocks: Iterable[Buffer], verifier: Verifier | None = None, md5: str | None = None) -> None:
        """Write a stream while hashing it and reading it again, in threads that overlap.

        ``md5`` is what the sender says. Errors of ``blocks`` pass through as they are.
        """
        self._verifier, self._declared_md5 = verifier, md5
        inline = (self._sha256.update,) if md5 else (self._md5.update, self._sha256.update)
        again = (self._md5.update,) if md5 else (self._sha256_again.update,)
        self._rereading = Rereading(self._descriptor, self._label, *again, *((verifier.update,) if verifier else ()))
        fan_out(blocks, *inline, self._write)

    def sync(self) -> None:
        """Wait until the device has everything; the attempt is void when it fails."""
        sync(self._label, self._descriptor)

    def proved(self) -> Digests:
        """Read from the device what has not been read again yet, and raise unless it is what was written."""
        self._rereading.finish(self._size_bytes)
        if not self._is_as_written():
            raise RereadDiffers(name=self._label)
        if self._verifier:
            self._verifier.finish()
        return Digests(self._size_bytes, self._sha256.hexdigest(), self._md5.hexdigest())

    def _is_as_written(self) -> bool:
        """Compare; where the sender's MD5 is another, find out whether the device or the sender is to blame."""
        if self._declared_md5 is None:
            return self._sha256_again.digest() == self._sha256.digest()
        same = self._declared_md5 == self._md5.hexdigest()
        return same or sha256_of(self._descriptor, self._label) == self._sha256.hexdigest()

    def give_up(self) -> None:
        """Stop reading again, whatever became of the attempt."""
        self._rereading.give_up()

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
        """Have what was written read again, and keep the device busy while the stream goes on.

        So little is left for fsync, and little stays in memory.

        Linux begins to write what it is told nobody needs, and drops it once it is written; hence twice for each
        window. Errors of such writing are kept by the system until fsync asks for them.
        """
        before = self._size_bytes // WINDOW_BYTES
        self._size_bytes += written_bytes
        for window in range(before, self._size_bytes // WINDOW_BYTES):
            forget(self._descriptor, window * WINDOW_BYTES)
            if window >= WINDOWS_BEHIND:
                forget(self._descriptor, (window - WINDOWS_BEHIND) * WINDOW_BYTES)
        self._rereading.reach(self._size_bytes)


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
        finally:
            part.give_up()


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
