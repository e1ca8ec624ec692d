"""Walking a disk that somebody else has filled: bounded, beneath its root, and complete where it can be."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bodyworn import errors
from bodyworn.hw.drivers import disk_files
from bodyworn.hw.drivers.disk_walk import TOO_MANY, TOO_SLOW, Bounds, spelled, unspelled, walk
from disk_parts import put
from hypothesis import given, strategies as some


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    with disk_files.opened_root(tmp_path) as descriptor:
        yield descriptor


def paths(root: int) -> list[str]:
    return [file.path for file in walk(root).files]


def test_every_regular_file_is_found(tmp_path: Path, root: int) -> None:
    put(tmp_path, "a.mp4", b"12")
    put(tmp_path, "b/c/d.mp4", locked=True)
    found = walk(root).files
    assert [file.path for file in found] == ["a.mp4", "b/c/d.mp4"]
    assert [file.size_bytes for file in found] == [2, len("b/c/d.mp4")]
    assert [file.locked for file in found] == [False, True]


def test_links_are_not_followed(tmp_path: Path, root: int) -> None:
    outside = tmp_path.parent / "outside"
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(b"secret")
    (tmp_path / "folder").symlink_to(outside)
    (tmp_path / "file.mp4").symlink_to(outside / "secret.mp4")
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "up").symlink_to("..")
    walked = walk(root)
    assert walked.files == ()
    assert sorted(walked.strange) == ["file.mp4", "folder", "loop", "up"]


def test_pipes_sockets_and_devices_are_not_opened(tmp_path: Path, root: int, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(tmp_path)
        listening.bind("socket.mp4")
    if os.geteuid() == 0:
        os.mknod(tmp_path / "device.mp4", 0o600 | 0o020000, os.makedev(1, 5))
    before = time.monotonic()
    walked = walk(root)
    assert walked.files == ()
    assert {"pipe.mp4", "socket.mp4"} <= set(walked.strange)
    for name in walked.strange:
        with pytest.raises(errors.CameraFileRefused):
            disk_files.open_file(root, name)
    assert time.monotonic() - before < 2


@pytest.mark.parametrize(
    "name",
    [
        b"\xff\xfe.mp4",
        "Übung 1.mp4".encode("latin-1"),
        "撮影.mp4".encode("shift-jis"),
        "видео.mp4".encode(),
        b"100%.mp4",
        b"new\nline.mp4",
        b"\x1b[2J.mp4",
        "right\u202eto left.mp4".encode(),
        b"trailing .mp4",
        b"CON",
        b"...mp4",
        b"-rf.mp4",
        b"back\\slash.mp4",
    ],
)
def test_any_name_is_spelled_legibly_and_found_again(tmp_path: Path, root: int, name: bytes) -> None:
    put(tmp_path, name, b"content")
    (path,) = paths(root)
    assert path.isprintable()
    assert path.encode()
    descriptor = disk_files.open_file(root, path)
    assert os.read(descriptor, 100) == b"content"
    os.close(descriptor)


@given(some.binary(max_size=60))
def test_spelling_loses_nothing(name: bytes) -> None:
    text = spelled(name)
    assert unspelled(text) == name
    assert text.isprintable()


def test_case_twins_are_two_files(tmp_path: Path, root: int) -> None:
    put(tmp_path, "A.MP4")
    put(tmp_path, "a.mp4")
    assert paths(root) == ["A.MP4", "a.mp4"]


def test_a_path_too_long_for_a_row_is_named_and_left_alone(tmp_path: Path, root: int) -> None:
    put(tmp_path, "/".join(["a" * 250] * 4) + ".mp4")
    walked = walk(root)
    assert walked.files == ()
    assert len(walked.overlong) == 1


def test_five_thousand_files_are_walked_quickly(tmp_path: Path, root: int) -> None:
    for number in range(5000):
        (tmp_path / f"{number:05}.mp4").touch()
    before = time.monotonic()
    assert len(walk(root).files) == 5000
    assert time.monotonic() - before < 5


def test_too_many_entries_end_the_walk_and_the_rest_is_said_to_be_unread(tmp_path: Path, root: int) -> None:
    for number in range(30):
        put(tmp_path, f"{number:02}.mp4")
    walked = walk(root, Bounds(most_entries=20))
    assert len(walked.files) == 20
    assert walked.unread == ((".", TOO_MANY),)


def test_folders_that_are_not_reached_are_said_to_be_unread(tmp_path: Path, root: int) -> None:
    for number in range(5):
        put(tmp_path, f"{number}/a.mp4")
    walked = walk(root, Bounds(most_entries=7))
    assert len(walked.files) == 2
    assert len(walked.unread) == 3


def test_a_walk_ends_when_its_time_is_over(tmp_path: Path, root: int) -> None:
    put(tmp_path, "a.mp4")
    walked = walk(root, Bounds(seconds=-1))
    assert (walked.files, walked.unread) == ((), ((".", TOO_SLOW),))


def test_folders_that_lie_too_deep_are_said_to_be_unread(tmp_path: Path, root: int) -> None:
    put(tmp_path, "/".join("abcd") + "/x.mp4")
    walked = walk(root, Bounds(deepest=3))
    assert walked.files == ()
    assert [folder for folder, _ in walked.unread] == ["a/b/c/d"]


def test_another_filesystem_inside_the_disk_is_not_entered(tmp_path: Path, root: int) -> None:
    if os.geteuid() != 0 or os.system(f"mkdir {tmp_path}/m && mount -t tmpfs none {tmp_path}/m 2>/dev/null"):
        pytest.skip("mounting needs root")
    try:
        put(tmp_path, "m/x.mp4")
        walked = walk(root)
        assert walked.files == ()
        assert [folder for folder, _ in walked.unread] == ["m"]
    finally:
        os.system(f"umount {tmp_path}/m")
