"""Blocks travel through threads in order, errors come out at the end, and memory stays bounded."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from bodyworn.store import ahead
from bodyworn.store.pipeline import fan_out
from hypothesis import given, strategies as some

MIB = 1024 * 1024


def threads_of_the_store() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("ahead", "store"))]


@given(blocks=some.lists(some.binary(max_size=3), max_size=50), depth=some.integers(1, 9))
def test_blocks_come_ahead_in_order(blocks: list[bytes], depth: int) -> None:
    assert list(ahead(blocks, depth)) == blocks


@given(blocks=some.lists(some.binary(max_size=3), max_size=50))
def test_every_consumer_gets_every_block_in_order(blocks: list[bytes]) -> None:
    seen: tuple[list[object], list[object]] = ([], [])
    fan_out(blocks, seen[0].append, seen[1].append)
    assert seen == (blocks, blocks)


def test_an_error_comes_after_the_blocks_before_it() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"a"
        raise LookupError

    coming = ahead(blocks())
    assert next(coming) == b"a"
    with pytest.raises(LookupError):
        next(coming)
    assert threads_of_the_store() == []


def test_no_more_than_the_depth_is_fetched_ahead() -> None:
    fetched: list[int] = []
    enough = threading.Event()

    def blocks() -> Iterator[bytes]:
        for number in range(100):
            fetched.append(number)
            if number == 4:
                enough.set()
            yield b"x"

    coming = ahead(blocks(), depth=3)
    next(coming)
    next(coming)
    assert enough.wait(10)
    assert len(fetched) <= 6
    coming.close()  # type: ignore[attr-defined]
    assert threads_of_the_store() == []


def test_an_endless_source_ends_when_its_reader_closes() -> None:
    coming = ahead(iter(lambda: b"x", b""))
    assert next(coming) == b"x"
    coming.close()  # type: ignore[attr-defined]
    assert threads_of_the_store() == []


@pytest.mark.parametrize("failing", [0, 1])
def test_a_failing_consumer_ends_an_endless_source(failing: int) -> None:
    def fail(block: object) -> None:
        raise LookupError

    consumers = [bytearray().extend, bytearray().extend]
    consumers[failing] = fail
    with pytest.raises(LookupError):
        fan_out(iter(lambda: b"x", b""), *consumers)
    assert threads_of_the_store() == []


WRITER = """
import sys
from pathlib import Path
import conftest
from bodyworn.store import Store
root, blocks = Path(sys.argv[1]), int(sys.argv[2])
Store(root).write("c", "o", (bytes(1048576) for _ in range(blocks)))
status = Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0])
"""


def peak_kib(root: Path, blocks: int) -> int:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    told = subprocess.check_output([sys.executable, "-c", WRITER, root, str(blocks)], env=environment, timeout=120)
    (root / "c/o").unlink()
    return int(told)


def test_memory_does_not_grow_with_the_object(tmp_path: Path) -> None:
    small, large = peak_kib(tmp_path, 80), peak_kib(tmp_path, 512)
    assert large - small < 8 * 1024
