"""Lengths of clips, read from containers in a child: right where a clip tells them, and bounded where it does not."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from bodyworn.hw.drivers import disk_files, disk_media, segments
from bodyworn.hw.drivers.disk_walk import DiskFile, walk
from bodyworn.media import child
from bodyworn.media.length import FORMATS, Length, Lengths
from bodyworn.models import ClipKind
from camera_families import media
from disk_parts import MINUTE, START, put

UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture(autouse=True)
def _library() -> None:
    pytest.importorskip("av", reason="PyAV is not installed")


def measured(lengths: Lengths, name: str, data: bytes) -> Length | None:
    return lengths.of(name, len(data), lambda first, size: [data[first : first + size]])


def test_every_container_tells_its_length() -> None:
    with Lengths() as lengths:
        for suffix, tolerance in (("mp4", 1), ("mov", 1), ("avi", 1), ("ts", 2), ("mkv", 1), ("wav", 0.1), ("mp3", 1)):
            found = measured(lengths, f"a.{suffix.upper()}", media(suffix, 60))
            assert found is not None, suffix
            assert found.seconds == pytest.approx(60, abs=tolerance), suffix


def test_only_the_ends_of_a_long_clip_are_read() -> None:
    data, read = media("mp4", 60), []
    padded = data + b"\0\0\0\x01mdat" + (2**33).to_bytes(8, "big")

    def give(first: int, size: int) -> list[bytes]:
        read.append(size)
        return [padded[first : first + size].ljust(size, b"\0")]

    with Lengths() as lengths:
        assert lengths.of("a.mp4", len(data) + 2**33, give) is not None
    assert sum(read) < 4 * 2**20


@pytest.mark.parametrize(
    "data",
    [b"", b"x", os.urandom(50_000), b"#EXTM3U\nfile:///etc/passwd\n", b"\0\0\0\x18ftypmp42" + b"\xff" * 10_000],
)
def test_what_is_no_clip_tells_nothing_and_the_next_one_does(data: bytes) -> None:
    with Lengths() as lengths:
        assert measured(lengths, "a.mp4", data) is None
        assert measured(lengths, "b.mp4", media("mp4", 5)) is not None


@pytest.mark.parametrize(
    "worker",
    [
        "import time\ntime.sleep(600)\n",
        "while True: print('read 0 1000', flush=True)\n",
        "import sys\nwhile True:\n print('read 0 1000', flush=True)\n sys.stdin.buffer.read(1000)\n",
        "print('[' * 100000)\n",
        "import sys\nsys.exit(1)\n",
        "print('read 999999999999 1')\n",
    ],
)
def test_a_child_that_hangs_or_raves_costs_a_file_its_length(
    worker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(worker)
    good = child.WORKER
    data = media("mp4", 5)
    monkeypatch.setattr(child, "WORKER", bad)
    with Lengths(deadline_seconds=1) as lengths:
        assert measured(lengths, "a.mp4", data) is None
        monkeypatch.setattr(child, "WORKER", good)
        lengths._deadline_seconds = 20
        assert measured(lengths, "b.mp4", data) is not None


def test_a_file_that_ends_early_costs_it_its_length(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", media("mp4", 5))
    with disk_files.opened_root(tmp_path) as root:
        (file,) = walk(root).files
        longer = DiskFile(file.path, file.size_bytes + 10**6, file.modified_ns, False)
        before = time.monotonic()
        found = disk_media.measure(root, [longer, file])
    assert found.untold == ("a.mp4",)
    assert set(found.lengths) == {"a.mp4"}
    assert time.monotonic() - before < 60


def test_without_the_library_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.mp4", media("mp4", 5))
    monkeypatch.setattr(disk_media, "can_make_stills", lambda: False)
    with disk_files.opened_root(tmp_path) as root:
        assert disk_media.measure(root, walk(root).files) == disk_media.Measured({}, ())


def test_every_format_is_one_that_the_library_knows() -> None:
    import av

    assert set(FORMATS.values()) <= av.formats_available


# what lengths are good for


def dated(name: str, changed: datetime, length: Length | None) -> tuple[datetime, datetime]:
    file = DiskFile(name, 1, int(changed.timestamp()) * 10**9, False)
    found = segments.segment(file, ClipKind.CLIP, UTC_ZONE, length)
    return found.start, found.stop


MINUTE_LONG = Length(60.0, None)
AT = START.replace(tzinfo=UTC)


def test_a_length_gives_the_end_where_the_last_change_does_not() -> None:
    assert dated("20260304_060607.mp4", AT, MINUTE_LONG) == (AT, AT + MINUTE)


def test_a_length_gives_the_beginning_where_the_name_does_not() -> None:
    assert dated("MOV_0001.mp4", AT, MINUTE_LONG) == (AT - MINUTE, AT)


def test_the_containers_own_time_is_the_last_resort() -> None:
    never = datetime(1980, 1, 1, tzinfo=UTC)
    assert dated("MOV_0001.mp4", never, Length(60.0, AT)) == (AT, AT + MINUTE)
    assert dated("MOV_0001.mp4", AT, Length(60.0, AT - timedelta(days=9))) == (AT - MINUTE, AT)
    assert dated("MOV_0001.mp4", never, Length(60.0, datetime(1904, 1, 1, tzinfo=UTC))) == (never - MINUTE, never)


def test_only_clips_that_leave_an_end_open_are_asked() -> None:
    def asked(name: str, changed: datetime, kind: ClipKind = ClipKind.CLIP) -> bool:
        return segments.needs_length(DiskFile(name, 1, int(changed.timestamp()) * 10**9, False), kind, UTC_ZONE)

    assert not asked("20260304_060607.mp4", AT + MINUTE)
    assert asked("20260304_060607.mp4", AT)
    assert asked("20260304_060607.mp4", AT + timedelta(days=3))
    assert asked("MOV_0001.mp4", AT)
    assert not asked("MOV_0001.jpg", AT, ClipKind.ATTACHMENT)
