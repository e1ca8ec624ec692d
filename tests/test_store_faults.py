"""Disks that are full, read-only, lose power, report errors or lie: on real file systems."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bodyworn.const import Step
from bodyworn.errors import RereadDiffers, StoreDamaged, StoreFull, StoreNotWritable
from bodyworn.store import Store

STEPS = [Step.PART_CREATED, Step.STREAMED, Step.SYNCED, Step.REREAD, Step.RENAMED, Step.FOLDER_SYNCED]
FS_IOC_SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING_THE_LOG = struct.pack("I", 2)


@dataclass(frozen=True)
class Disk:
    """An ext4 file system in an image file."""

    image: Path
    folder: Path

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop", self.image, self.folder], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", self.folder], check=True)

    def lose_power(self) -> None:
        """Drop everything that has not reached the disk; whatever follows fails until it is mounted again."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        fcntl.ioctl(descriptor, FS_IOC_SHUTDOWN, WITHOUT_FLUSHING_THE_LOG)
        os.close(descriptor)

    def come_back(self) -> None:
        self.unmount()
        self.mount()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() or not shutil.which("mkfs.ext4") or not Path("/dev/loop-control").exists():
        pytest.skip("needs root, mkfs.ext4 and loop devices")
    disk = Disk(tmp_path / "disk.img", tmp_path / "mounted")
    disk.folder.mkdir()
    with disk.image.open("wb") as image:
        image.truncate(24 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", disk.image], check=True)
    try:
        disk.mount()
    except subprocess.CalledProcessError:
        pytest.skip("loop devices cannot be mounted here")
    try:
        yield disk
    finally:
        disk.unmount()


@pytest.fixture
def memory_disk(tmp_path: Path) -> Iterator[Path]:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode:
        pytest.skip("a file system in memory cannot be mounted here")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_a_full_disk_leaves_nothing_and_can_be_used_again(disk: Disk) -> None:
    store = Store(disk.folder / "root")
    store.write("c", "first", [bytes(1024 * 1024)])
    free_bytes = store.free_bytes()
    with pytest.raises(StoreFull):
        store.write("c", "second", (os.urandom(1024 * 1024) for _ in range(64)))
    assert left_in(store.root) == ["first"]
    assert store.free_bytes() > free_bytes - 64 * 1024
    store.write("c", "second", [bytes(1024 * 1024)])


def test_a_full_file_system_in_memory_leaves_nothing(memory_disk: Path) -> None:
    store = Store(memory_disk / "root")
    with pytest.raises(StoreFull):
        store.write("c", "o", [bytes(3 * 1024 * 1024), bytes(3 * 1024 * 1024)])
    assert left_in(store.root) == []
    assert store.total_bytes() == 4 * 1024 * 1024


def test_metadata_that_finds_no_room_leaves_the_old(memory_disk: Path) -> None:
    store = Store(memory_disk / "root")
    store.put_metadata("c", None, {"a": "1"})
    with pytest.raises(StoreFull):
        store.put_metadata("c", None, {"a": "x" * 5 * 1024 * 1024})
    assert store.get_metadata("c", None) == {"a": "1"}
    assert left_in(store.root) == [".container"]


def test_a_read_only_disk_says_so(disk: Disk) -> None:
    store = Store(disk.folder / "root")
    store.write_bytes("c", "o", b"evidence")
    subprocess.run(["mount", "-o", "remount,ro", disk.folder], check=True)
    for attempt in (
        lambda: store.write_bytes("c", "p", b"x"),
        lambda: store.write_bytes("d", "o", b"x"),
        lambda: store.remove("c", "o"),
    ):
        with pytest.raises(StoreNotWritable):
            attempt()
    assert (store.root / "c/o").read_bytes() == b"evidence"


@pytest.mark.parametrize("step", STEPS)
def test_after_a_power_cut_at_any_step_the_next_attempt_ends_whole(disk: Disk, step: Step) -> None:
    evidence = os.urandom(3_000_000)

    def cut(at: Step) -> None:
        if at is step:
            disk.lose_power()

    Store(disk.folder / "root").put_metadata("before", None, {})
    with pytest.raises(StoreDamaged):
        Store(disk.folder / "root", hook=cut).write("c", "o", [evidence], metadata={"a": "1"})
    disk.come_back()

    store = Store(disk.folder / "root")
    with contextlib.suppress(FileNotFoundError):
        assert (store.root / "c/o").read_bytes() == evidence
    store.sweep_parts()
    store.write("c", "o", [evidence], metadata={"a": "1"})
    assert (store.root / "c/o").read_bytes() == evidence
    assert sorted(left_in(store.root)) == [".container", "o", "o"]


def test_what_was_stored_survives_a_power_cut(disk: Disk) -> None:
    evidence = os.urandom(3_000_000)
    store = Store(disk.folder / "root")
    stored = store.write("c", "o", [evidence], metadata={"a": "1"})
    disk.lose_power()
    disk.come_back()
    assert store.digest("c", "o") == stored
    assert store.get_metadata("c", "o") == {"a": "1"}
    assert sorted(left_in(store.root)) == ["o", "o"]


@pytest.mark.parametrize("metadata", [None, {"a": "1"}])
def test_what_was_removed_stays_removed_after_a_power_cut(disk: Disk, metadata: dict[str, str] | None) -> None:
    store = Store(disk.folder / "root")
    store.write_bytes("c", "o", b"evidence", metadata=metadata)
    store.remove("c", "o")
    disk.lose_power()
    disk.come_back()
    assert left_in(store.root) == []


def test_a_quarantined_claim_survives_a_power_cut(disk: Disk) -> None:
    store = Store(disk.folder / "root")
    store.write_bytes("c", "o", b"evidence")
    with contextlib.suppress(Exception):
        store.write_bytes("c", "o", b"EVIDENCE")
    disk.lose_power()
    disk.come_back()
    (claim,) = (store.root / ".quarantine/c/o").iterdir()
    assert (claim.read_bytes(), (store.root / "c/o").read_bytes()) == (b"EVIDENCE", b"evidence")


def test_a_disk_that_changed_a_bit_is_found_out_although_memory_is_right(disk: Disk) -> None:
    evidence = os.urandom(2_000_000)

    def rot(step: Step) -> None:
        if step is Step.REREAD:
            flip_in_image(disk.image, evidence[4096:8192])

    with pytest.raises(RereadDiffers):
        Store(disk.folder / "root", hook=rot).write("c", "o", [evidence])
    assert left_in(disk.folder) == []


def flip_in_image(image: Path, needle: bytes) -> None:
    with image.open("r+b") as file:
        position = file.read().index(needle)
        file.seek(position)
        file.write(bytes([needle[0] ^ 1]))


WRITER = """
import sys
from pathlib import Path
import conftest
from bodyworn.errors import StoreDamaged
from bodyworn.store import Store
try:
    Store(Path(sys.argv[1])).write("c", "o", [bytes(3000000)])
except StoreDamaged as error:
    sys.exit(str(error))
"""


def run_traced(root: Path, inject: str, log: Path) -> str:
    """Write an object while strace makes a system call fail; hand back what the writer said."""
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed")
    command = [strace, "-f", "-qq", "-y", "-o", str(log), "-e", "trace=fsync,write", "-e", f"inject={inject}"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [*command, sys.executable, "-c", WRITER, root], env=environment, capture_output=True, text=True, timeout=60
    )
    if "ptrace" in done.stderr:
        pytest.skip("tracing is not allowed here")
    return done.stderr


def test_an_fsync_that_failed_is_never_repeated(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    said = run_traced(tmp_path / "root", "fsync:error=EIO:when=1", tmp_path / "log")
    assert "Input/output error" in said
    assert len(re.findall(r"fsync\(.*\.part", (tmp_path / "log").read_text())) == 1
    assert left_in(tmp_path / "root") == []


@pytest.mark.parametrize("length", [1, 4096, 999_999])
def test_short_writes_are_continued(tmp_path: Path, length: int) -> None:
    """The kernel may take less than it is given; a signal or a nearly full disk makes it so."""
    store = Store(tmp_path / "root")
    evidence = os.urandom(2_500_000 if length > 1 else 2_500)
    with shortened_writes(length):
        store.write("c", "o", [evidence])
    assert (store.root / "c/o").read_bytes() == evidence


@contextlib.contextmanager
def shortened_writes(length: int) -> Iterator[None]:
    write: Callable[[int, bytes], int] = os.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:length]))
        yield
