"""Reading from the device: past the system's cache where that can be, and the same bytes in any case."""

from __future__ import annotations

import errno
import os
import random
import time
from pathlib import Path

import pytest
from bodyworn.const import BLOCK_BYTES
from bodyworn.errors import StoreDamaged
from bodyworn.store import device
from bodyworn.store.device import device_blocks
from bodyworn.store.pipeline import DEPTH, Rooms, fan_out

CONTENT = random.Random(7).randbytes(3 * BLOCK_BYTES + 4096 + 17)
PARTS = [
    (0, None),
    (0, len(CONTENT)),
    (1, None),
    (4095, BLOCK_BYTES + 1),
    (BLOCK_BYTES - 1, 2 * BLOCK_BYTES + 1),
    (3 * BLOCK_BYTES, len(CONTENT)),
    (len(CONTENT) - 1, None),
    (5, 5),
    (len(CONTENT), None),
]
SCARCE = [0, 1, 4095, 4096, 4097, BLOCK_BYTES]


@pytest.fixture
def written(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    yield descriptor
    os.close(descriptor)


def content_of(descriptor: int, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(bytes(block) for block in device_blocks(descriptor, "it", start, end))


@pytest.mark.parametrize(("start", "end"), PARTS)
def test_any_part_of_a_file_is_read_as_it_is(written: int, start: int, end: int | None) -> None:
    assert content_of(written, start, end) == CONTENT[start:end]


@pytest.mark.parametrize("size_bytes", SCARCE)
def test_a_file_of_any_size_ends_where_it_ends(tmp_path: Path, size_bytes: int) -> None:
    (tmp_path / "file").write_bytes(CONTENT[:size_bytes])
    with (tmp_path / "file").open("rb") as file:
        os.fsync(file.fileno())
        assert content_of(file.fileno()) == CONTENT[:size_bytes]


def test_a_file_is_read_past_the_cache_where_its_file_system_can(written: int, monkeypatch) -> None:
    with device._past_the_cache(written) as direct:
        if direct is None:
            pytest.skip("this file system reads through the cache alone")
    monkeypatch.delattr(os, "pread")
    assert content_of(written) == CONTENT


@pytest.mark.parametrize("refused", ["open", "preadv"])
def test_where_it_cannot_the_cache_is_dropped_and_read_through(written: int, monkeypatch, refused: str) -> None:
    real, dropped = getattr(os, refused), []

    def refuse(*arguments: object, **named: object) -> object:
        if refused == "preadv" or str(arguments[0]).startswith("/proc/self/fd/"):
            raise OSError(errno.EINVAL, "no")
        return real(*arguments, **named)

    monkeypatch.setattr(os, refused, refuse)
    monkeypatch.setattr(device, "forget", lambda *window: dropped.append(window))
    assert content_of(written, 10) == CONTENT[10:]
    assert dropped[0] == (written, 10, 0)


def test_an_error_of_the_disk_is_not_read_around(written: int, monkeypatch) -> None:
    def broken(*arguments: object) -> int:
        raise OSError(errno.EIO, "no")

    with device._past_the_cache(written) as direct:
        if direct is None:
            pytest.skip("this file system reads through the cache alone")
    monkeypatch.setattr(os, "preadv", broken)
    with pytest.raises(StoreDamaged):
        content_of(written)


def test_a_descriptor_is_not_left_open(written: int) -> None:
    before = len(os.listdir("/proc/self/fd"))
    content_of(written)
    blocks = device_blocks(written, "it")
    next(blocks)
    del blocks
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_room_is_never_used_again_while_somebody_looks_at_it() -> None:
    """Each block says its number from front to back; consumers look twice, the slow ones with a pause between."""
    rooms, count, wrong = Rooms(), 8 * DEPTH, []

    def blocks():
        for number in range(count):
            room = rooms.next()[:4096]
            room[:] = bytes([number]) * 4096
            yield room

    def look(pause_seconds: float, every: int):
        seen = iter(range(count))

        def consume(block: memoryview) -> None:
            number = next(seen)
            if number % every == 0:
                time.sleep(pause_seconds)
            if bytes(block) != bytes([number]) * 4096:
                wrong.append(number)

        return consume

    fan_out(blocks(), look(0, 1), look(0.002, 1), look(0.02, 16))
    assert wrong == []
