"""Blocks on their way through threads that overlap. Knows nothing of files, names or hashes.

Memory stays bounded whatever the size of the stream: a pipe holds a few blocks, and a fast thread waits for a slow one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from mmap import mmap
from queue import SimpleQueue
from threading import Semaphore
from typing import Final

from ..const import BLOCK_BYTES

Buffer = bytes | memoryview

#: Blocks that may wait between two threads.
DEPTH: Final = 8


def ahead(blocks: Iterable[Buffer], depth: int = 4) -> Generator[Buffer, None, None]:
    """Take blocks from an iterator in a thread of its own, ``depth`` blocks before they are asked for.

    An error of the iterator is raised after the blocks that came before it. Closing stops the thread and waits for the
    block that it is fetching.
    """
    pipe = _Pipe(depth)
    with ThreadPoolExecutor(1, "ahead") as pool:
        fetching = pool.submit(_pour, blocks, pipe)
        try:
            yield from pipe
        finally:
            pipe.abandon()
    fetching.result()


def fan_out(blocks: Iterable[Buffer], *consumers: Callable[[Buffer], object]) -> None:
    """Give every block to every consumer, in order, each consumer in a thread of its own.

    The iterator runs in the calling thread. Blocks must not change after they have been handed over, except as
    :class:`Rooms` do. Returns when all consumers have had everything; the first error of the iterator or of a consumer
    ends it and is raised.
    """
    pipes = [_Pipe(DEPTH) for _ in consumers]
    with ThreadPoolExecutor(len(consumers), "store") as pool:
        work = [pool.submit(_drink, pipe, consumer) for pipe, consumer in zip(pipes, consumers, strict=True)]
        try:
            for block in blocks:
                if not all(pipe.put(block) for pipe in pipes):
                    break
        finally:
            for pipe in pipes:
                pipe.end()
    for done in work:
        done.result()


def counted(blocks: Iterable[Buffer], progress: Callable[[int], object]) -> Iterator[Buffer]:
    """Pass blocks on and report, after each, how many bytes there have been."""
    passed_bytes = 0
    for block in blocks:
        yield block
        passed_bytes += len(block)
        progress(passed_bytes)


class Rooms:
    """Memory for the blocks of one :func:`fan_out`, aligned to pages, and used again and again.

    New memory costs more than what is done with it: the system has to find and clear each page. When a block is asked
    for, no consumer holds more than the ``DEPTH`` before it, so the one before those is free. For consumers that keep
    nothing of a block.
    """

    def __init__(self) -> None:
        self._rooms: list[memoryview] = []
        self._taken = 0

    def next(self) -> memoryview:
        """Give the room for the next block, of ``BLOCK_BYTES``."""
        if len(self._rooms) < DEPTH + 2:
            self._rooms.append(memoryview(mmap(-1, BLOCK_BYTES)))
        self._taken += 1
        return self._rooms[(self._taken - 1) % (DEPTH + 2)]


class _Pipe:
    """A bounded queue between two threads, which either end may leave without the other waiting for ever."""

    def __init__(self, depth: int) -> None:
        self._blocks: SimpleQueue[Buffer | None] = SimpleQueue()
        self._room = Semaphore(depth)
        self._abandoned = False

    def put(self, block: Buffer) -> bool:
        """Wait for room and hand over a block; False when nobody takes blocks any more."""
        self._room.acquire()
        if self._abandoned:
            self._room.release()
            return False
        self._blocks.put(block)
        return True

    def end(self) -> None:
        self._blocks.put(None)

    def abandon(self) -> None:
        self._abandoned = True
        self._room.release()

    def __iter__(self) -> Iterator[Buffer]:
        while (block := self._blocks.get()) is not None:
            yield block
            self._room.release()


def _pour(blocks: Iterable[Buffer], pipe: _Pipe) -> None:
    try:
        for block in blocks:
            if not pipe.put(block):
                break
    finally:
        pipe.end()


def _drink(pipe: _Pipe, consumer: Callable[[Buffer], object]) -> None:
    try:
        for block in pipe:
            consumer(block)
    finally:
        pipe.abandon()
