"""Sealed secrets: for this machine, for one purpose, unaltered; and a key file that nobody else reads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bodyworn.crypto.sealed import SealedBox
from bodyworn.errors import SealBroken, SealKeyUnsafe

_SECRET = b"api-key-of-a-destination"


def test_a_secret_comes_back_for_its_purpose(tmp_path: Path) -> None:
    box = SealedBox(tmp_path / "key")
    assert box.open("destination", box.seal("destination", _SECRET)) == _SECRET
    assert box.open("destination", box.seal("destination", b"")) == b""


def test_a_secret_survives_a_restart(tmp_path: Path) -> None:
    sealed = SealedBox(tmp_path / "key").seal("destination", _SECRET)
    assert SealedBox(tmp_path / "key").open("destination", sealed) == _SECRET


def test_another_purpose_is_refused(tmp_path: Path) -> None:
    box = SealedBox(tmp_path / "key")
    with pytest.raises(SealBroken):
        box.open("controller-key", box.seal("destination", _SECRET))


def test_another_machine_is_refused(tmp_path: Path) -> None:
    sealed = SealedBox(tmp_path / "key").seal("destination", _SECRET)
    with pytest.raises(SealBroken):
        SealedBox(tmp_path / "other").open("destination", sealed)


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    box = SealedBox(tmp_path / "key")
    sealed = box.seal("destination", _SECRET)
    for bit in range(len(sealed) * 8):
        damaged = bytearray(sealed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            box.open("destination", bytes(damaged))


@pytest.mark.parametrize("length", [0, 1, 12, 13, 28, 29])
def test_a_truncated_secret_is_refused(tmp_path: Path, length: int) -> None:
    box = SealedBox(tmp_path / "key")
    with pytest.raises(SealBroken):
        box.open("destination", box.seal("destination", _SECRET)[:length])


def test_sealing_twice_shows_no_pattern(tmp_path: Path) -> None:
    box = SealedBox(tmp_path / "key")
    first, second = box.seal("destination", _SECRET), box.seal("destination", _SECRET)
    assert first != second
    assert _SECRET not in first


def test_the_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    SealedBox(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        boxes = list(pool.map(lambda _: SealedBox(tmp_path / "key"), range(8)))
    sealed = boxes[0].seal("destination", _SECRET)
    assert {box.open("destination", sealed) for box in boxes} == {_SECRET}
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_a_key_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    SealedBox(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(SealKeyUnsafe):
        SealedBox(tmp_path / "key")


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_damaged_key_file_is_refused_and_left_alone(tmp_path: Path, key: bytes) -> None:
    (tmp_path / "key").touch(0o600)
    (tmp_path / "key").write_bytes(key)
    with pytest.raises(SealKeyUnsafe):
        SealedBox(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == key


def test_a_key_file_that_is_no_file_is_refused(tmp_path: Path) -> None:
    SealedBox(tmp_path / "key")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir(0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "dangling", "folder", "pipe"):
        with pytest.raises(SealKeyUnsafe):
            SealedBox(tmp_path / name)
    assert not (tmp_path / "nowhere").exists()


def test_a_box_does_not_show_its_key(tmp_path: Path) -> None:
    box = SealedBox(tmp_path / "key")
    key = (tmp_path / "key").read_bytes()
    assert repr(key)[2:-1] not in f"{box!r} {vars(box)!r}"
