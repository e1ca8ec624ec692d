"""Disks of hostile and broken cameras: bounded, beneath their root, left as they are, and every file explained."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from bodyworn.hw.drivers.plugged import Surroundings
from bodyworn.hw.order_book import OrderBook
from bodyworn.store import Store
from disk_parts import FolderDisk, put
from hostile_trees import INGREDIENTS, TREES, make_wide, plan
from hostile_visit import Visitor, visit_tree
from rig_parts import Depot

pytest_plugins = ["fixtures_database"]

#: The campaign (tier "volumes") visits all of them.
SAMPLE = 10


@pytest.fixture
def visitor(sqlite_database, keyring, tmp_path: Path) -> Visitor:
    Depot.found(sqlite_database, keyring)
    surroundings = Surroundings.of(sqlite_database, OrderBook(sqlite_database, keyring))
    return Visitor(surroundings, Store(tmp_path / "spool"))


def test_hostile_disks_are_seen_through(visitor: Visitor, tmp_path: Path) -> None:
    seed = int(os.environ.get("BODYWORN_SEED", "0"))
    chosen = Random(seed).sample(range(TREES), SAMPLE)
    print(f"BODYWORN_SEED={seed}: trees {chosen}")
    assert [fault for tree in chosen for fault in visit_tree(visitor, tmp_path, tree, wide=300)] == []


def test_a_folder_of_a_hundred_thousand_files_ends_the_look_and_says_so(visitor: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    put(folder, "a.mp4")
    make_wide(folder, 100_000, suffix="txt")
    visit = visitor.visit(FolderDisk(folder).plugged())
    assert visit.faults == []
    assert [file.path for one in visit.findings for file in one.clips] == ["a.mp4"]
    assert [one.problem.id for one in visit.listed if one.problem and not one.harmless] == ["camera-folder-unread"]
    assert visit.offloaded == 1


def test_every_ingredient_is_in_some_tree() -> None:
    used = {one for seed in range(TREES) for one in plan(Random(f"tree {seed}"))[1]}
    assert used == set(INGREDIENTS)
