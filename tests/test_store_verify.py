"""A store compared with what should be in it: every kind of fault is found, and nothing is changed."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
from bodyworn.errors import NotAnObject
from bodyworn.store import Store
from bodyworn.store.verify import Expected, Fault, Finding, verify


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "root")


@pytest.fixture
def expected(store: Store) -> list[Expected]:
    return [put(store, container, name) for container in ("a", "b") for name in ("1", "2", "3")]


def put(store: Store, container: str, name: str) -> Expected:
    written = store.write_bytes(container, name, os.urandom(1000), metadata={})
    return Expected(container, name, written.size_bytes, written.sha256)


def test_a_whole_store_has_no_findings(store: Store, expected: list[Expected]) -> None:
    looked_at: list[Expected] = []
    report = verify(store, expected, looked_at=looked_at.append)
    assert report.is_whole
    assert (report.objects, report.size_bytes, looked_at) == (6, 6000, expected)


def test_every_kind_of_fault_is_found_and_named(store: Store, expected: list[Expected]) -> None:
    store.remove("a", "1")
    (store.root / "a/2").write_bytes(bytes(1000))
    (store.root / "b/1").unlink()
    (store.root / "b/1").symlink_to("2")
    put(store, "b", "4")
    findings = verify(store, [*expected, replace(expected[0], container="gone")]).findings
    assert [(found.container, found.name, found.fault) for found in findings] == [
        ("a", "1", Fault.MISSING),
        ("a", "2", Fault.DIFFERS),
        ("b", "1", Fault.UNREADABLE),
        ("gone", "1", Fault.MISSING),
        ("b", "4", Fault.UNEXPECTED),
    ]
    assert isinstance(findings[2].problem, NotAnObject)


@pytest.mark.parametrize("seed", range(20))
def test_any_single_bit_is_found(store: Store, expected: list[Expected], seed: int) -> None:
    chance = random.Random(seed)
    item = chance.choice(expected)
    path = store.root / item.container / item.name
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    assert verify(store, expected).findings == (Finding(item.container, item.name, Fault.DIFFERS),)


@pytest.mark.parametrize("size", [0, 999, 1001])
def test_another_size_is_found(store: Store, expected: list[Expected], size: int) -> None:
    os.truncate(store.root / "a/1", size)
    assert verify(store, expected).findings == (Finding("a", "1", Fault.DIFFERS),)
