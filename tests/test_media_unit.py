"""The media unit: whatever a camera's folder holds, nothing outside it is opened and work stays bounded."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from uuid import uuid4

import pytest
from bodyworn.camera_volume import beneath
from bodyworn.camera_volume.media import MediaUnit
from bodyworn.errors import (
    CameraFileMissing,
    CameraFileRefused,
    CameraListingTooLong,
    CameraNameRefused,
    CameraVolumeError,
    KernelTooOld,
)

CLIP = "20260304_050607_7CF7.mkv"
ID = "2f0a2f3e-1111-4222-8333-444455556666"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    folder = tmp_path / "media" / "recordings" / ID
    folder.mkdir(parents=True)
    (folder / "recording.dsse.json").write_bytes(b"envelope")
    (folder / CLIP).write_bytes(b"evidence")
    (tmp_path / "secret").write_bytes(b"secret")
    return tmp_path / "media"


def test_recordings_are_listed_and_read(unit: Path) -> None:
    with MediaUnit(unit) as media:
        assert media.list_recordings().recordings == (ID,)
        assert media.read_document(ID) == b"envelope"
        with media.open_clip(ID, CLIP) as clip:
            assert clip.readall() == b"evidence"


def test_an_empty_unit_lists_nothing(tmp_path: Path) -> None:
    with MediaUnit(tmp_path) as media:
        assert media.list_recordings().recordings == ()


def test_unfinished_and_strange_entries_are_told_apart_and_what_is_refused_is_listed(unit: Path) -> None:
    unfinished, linked = str(uuid4()), str(uuid4())
    (unit / "recordings" / unfinished).mkdir()
    (unit / "recordings" / "DCIM").mkdir()
    (unit / "recordings" / "readme.txt").touch()
    (unit / "recordings" / linked).symlink_to(unit / "recordings" / ID)
    with MediaUnit(unit) as media:
        listing = media.list_recordings()
        with pytest.raises(CameraFileRefused):
            media.read_document(linked)
    assert listing.recordings == tuple(sorted((ID, linked)))
    assert listing.unfinished == (unfinished,)
    assert listing.strange == ("DCIM", "readme.txt")


def test_too_many_entries_are_refused(unit: Path) -> None:
    for _ in range(3):
        (unit / "recordings" / str(uuid4())).mkdir()
    with MediaUnit(unit) as media, pytest.raises(CameraListingTooLong):
        media.list_recordings(limit=3)


def test_a_vanished_clip_is_missing(unit: Path) -> None:
    (unit / "recordings" / ID / CLIP).unlink()
    with MediaUnit(unit) as media, pytest.raises(CameraFileMissing):
        media.open_clip(ID, CLIP)


def test_a_document_without_end_is_not_read(unit: Path) -> None:
    with (unit / "recordings" / ID / "recording.dsse.json").open("wb") as file:
        file.truncate(1024**4)
    with MediaUnit(unit) as media, pytest.raises(CameraListingTooLong):
        media.read_document(ID)


@pytest.mark.parametrize(
    ("recording_id", "name"),
    [
        (ID, "../../../secret"),
        (ID, "/etc/passwd"),
        (ID, ""),
        (ID, "."),
        (ID, f"{CLIP}\0"),
        (ID, f"{CLIP}/"),
        (ID, "20260304_050607_7CF7.mkv\n"),
        ("..", CLIP),
        ("../../secret", CLIP),
        (ID + "/", CLIP),
        (ID.upper(), CLIP),
    ],
)
def test_names_that_are_none_are_refused(unit: Path, recording_id: str, name: str) -> None:
    with MediaUnit(unit) as media, pytest.raises(CameraNameRefused):
        media.open_clip(recording_id, name)


def _fifo(path: Path, outside: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path, outside: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


def _folder(path: Path, outside: Path) -> None:
    path.mkdir()


def _link(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def _relative_link(path: Path, outside: Path) -> None:
    path.symlink_to("../../../secret")


def _link_inside(path: Path, outside: Path) -> None:
    path.symlink_to("recording.dsse.json")


def _loop(path: Path, outside: Path) -> None:
    path.symlink_to(path.name)


def _magic_link(path: Path, outside: Path) -> None:
    path.symlink_to("/proc/self/root/etc/passwd")


def _device(path: Path, outside: Path) -> None:
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("making a device node needs root")


@pytest.mark.parametrize(
    "make", [_fifo, _socket, _folder, _link, _relative_link, _link_inside, _loop, _magic_link, _device]
)
def test_only_regular_files_of_the_unit_are_opened(unit: Path, tmp_path: Path, make: object) -> None:
    clip = unit / "recordings" / ID / CLIP
    clip.unlink()
    make(clip, tmp_path / "secret")
    with MediaUnit(unit) as media, pytest.raises(CameraFileRefused):
        media.open_clip(ID, CLIP)


@pytest.mark.parametrize("level", ["recordings", f"recordings/{ID}"])
def test_a_folder_that_is_a_link_is_not_followed(unit: Path, tmp_path: Path, level: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (unit / level).rename(elsewhere)
    (unit / level).symlink_to(elsewhere)
    with MediaUnit(unit) as media, pytest.raises(CameraFileRefused):
        media.open_clip(ID, CLIP)


def test_a_unit_that_vanishes_while_it_is_read_gives_an_error_of_ours(unit: Path) -> None:
    with MediaUnit(unit) as media:
        unit.rename(unit.with_name("gone"))
        (unit.with_name("gone") / "recordings").rename(unit.with_name("away"))
        with pytest.raises(CameraVolumeError):
            media.read_document(ID)


def test_a_kernel_without_openat2_is_said_so(unit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beneath, "_SYS_OPENAT2", 100_000)  # a number that no kernel knows
    with MediaUnit(unit) as media, pytest.raises(KernelTooOld):
        media.read_document(ID)
