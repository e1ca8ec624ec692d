"""Room on the disk beneath a store, and which disk it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from bodyworn.store import Store


def test_room_is_what_df_says(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")
    told = subprocess.check_output(["df", "-B1", "--output=size,avail", store.root], text=True).split()[-2:]
    assert store.total_bytes() == int(told[0])
    assert abs(store.free_bytes() - int(told[1])) < 1024**3


def test_two_stores_on_one_disk_are_one_failure_domain(tmp_path: Path) -> None:
    first, second = Store(tmp_path / "one"), Store(tmp_path / "two")
    assert first.failure_domain() == second.failure_domain() != ""


def test_a_disk_and_memory_are_two_failure_domains(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no file system in memory beside the scratch folder")
    assert Store(tmp_path / "root").failure_domain() != Store(memory).failure_domain()


def test_an_image_on_a_disk_is_lost_with_that_disk(tmp_path: Path) -> None:
    image, folder = tmp_path / "disk.img", tmp_path / "mounted"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(8 * 1024 * 1024)
    made = subprocess.run(["sh", "-c", f"mkfs.ext4 -q {image} && mount -o loop {image} {folder}"], capture_output=True)
    if made.returncode:
        pytest.skip("needs root, mkfs.ext4 and loop devices")
    try:
        assert Store(folder / "root").failure_domain() == Store(tmp_path / "root").failure_domain()
    finally:
        subprocess.run(["umount", folder], check=True)
