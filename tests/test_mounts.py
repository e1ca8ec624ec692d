"""Mounts of cameras' disks: allowed filesystems, of the type that is said, with few rights, and gone afterwards."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path

import pytest
from bodyworn.errors import FilesystemNotAllowed, MountFailed
from bodyworn.hw import mount_pulse, mounts
from bodyworn.hw.helper import mounting, tools

TOOLS = ("losetup", "mkfs.exfat", "mkfs.ext4", "mkfs.vfat", "mount.exfat-fuse", "fusefat")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
needs_loops = pytest.mark.skipif(
    os.geteuid() != 0 or bool(MISSING) or not Path("/dev/loop-control").exists(),
    reason=f"mounting needs root, loop devices and tools (missing: {', '.join(MISSING) or 'none'})",
)
Disk = Callable[[str], Path]
BLOCK = 64 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Make disks with a filesystem on them; give their device nodes."""
    with ExitStack() as stack:

        def make(filesystem: str) -> Path:
            image = tmp_path / f"{filesystem}.img"
            with image.open("wb") as file:
                file.truncate(8 * 2**20)
            subprocess.run([f"mkfs.{filesystem}", str(image)], check=True, capture_output=True)
            with mounts.image_mounted(image, filesystem, tmp_path / "made", read_only=False) as folder:
                (folder / "clip.mkv").write_bytes(bytes(4 * 2**20))
            done = subprocess.run(
                ["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True
            )
            node = done.stdout.strip()
            stack.callback(subprocess.run, ["losetup", "--detach", node], check=True)
            return Path(node)

        yield make


def options(target: Path) -> set[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if line.split()[4] == str(target):
            return set(line.split()[5].split(","))
    return set()


@needs_loops
@pytest.mark.parametrize("filesystem", ["exfat", "vfat", "ext4"])
def test_a_disk_is_read_with_as_few_rights_as_can_be(disk: Disk, tmp_path: Path, filesystem: str) -> None:
    node, target, allowed = disk(filesystem), tmp_path / "mount", {filesystem}
    with mounts.mounted(node, filesystem, target, read_only=False, allowed=allowed) as folder:
        assert (folder / "clip.mkv").stat().st_size == 4 * 2**20
        (folder / "other.mkv").write_bytes(b"evidence")
        assert options(target) >= {"rw", "nosuid", "nodev", "noexec"}
    with mounts.mounted(node, filesystem, target, read_only=True, allowed=allowed) as folder:
        assert (folder / "other.mkv").read_bytes() == b"evidence"
        assert options(target) >= {"ro", "nosuid", "nodev", "noexec"}
        with pytest.raises(OSError, match="Read-only") as caught:
            (folder / "more").touch()
        assert caught.value.errno == errno.EROFS
    assert options(target) == set()
    assert list(target.iterdir()) == []


@needs_loops
@pytest.mark.parametrize(("said", "found"), [("exfat", "ext4"), ("vfat", "exfat"), ("exfat", "vfat")])
def test_what_is_on_the_disk_is_never_guessed(disk: Disk, tmp_path: Path, said: str, found: str) -> None:
    with pytest.raises(MountFailed), mounts.mounted(disk(found), said, tmp_path / "mount", read_only=True):
        pytest.fail("it was mounted")
    assert options(tmp_path / "mount") == set()


@needs_loops
def test_a_damaged_filesystem_is_told(disk: Disk, tmp_path: Path) -> None:
    node = disk("exfat")
    node.write_bytes(b"\0" * 2**20)
    with pytest.raises(MountFailed), mounts.mounted(node, "exfat", tmp_path / "mount", read_only=True):
        pytest.fail("it was mounted")


@needs_loops
def test_a_disk_that_is_in_use_for_a_moment_is_unmounted_then(disk: Disk, tmp_path: Path) -> None:
    """Another thread that starts a process holds every open file until that process runs."""
    with mounts.mounted(disk("exfat"), "exfat", tmp_path / "mount", read_only=False) as folder:
        held = (folder / "open").open("wb")
        timer = threading.Timer(0.2, held.close)
        timer.start()
    assert options(tmp_path / "mount") == set()
    timer.join()


@needs_loops
def test_a_disk_that_is_in_use_is_not_said_to_be_unmounted(disk: Disk, tmp_path: Path, monkeypatch) -> None:
    """It must not be ejected then; and nothing is left of the mount, whoever still holds a file of it."""
    monkeypatch.setattr(mounting, "_BUSY_SECONDS", 0.2)
    node, target = disk("exfat"), tmp_path / "mount"
    with pytest.raises(MountFailed, match="busy"), mounts.mounted(node, "exfat", target, read_only=False) as folder:
        held = os.open(folder / "open", os.O_CREAT | os.O_WRONLY)
    assert options(target) == set()
    with suppress(OSError):
        os.close(held)


@needs_loops
def test_what_an_earlier_run_left_mounted_is_cleared_away(disk: Disk, tmp_path: Path) -> None:
    scratch = tmp_path / "mounts with spaces"
    left = mounts.mounted(disk("exfat"), "exfat", scratch / "bay" / "media", read_only=True)
    left.__enter__()
    assert mounts.unmount_leftovers(scratch) == 1
    assert "mounts\\040with\\040spaces" not in Path("/proc/self/mountinfo").read_text()
    with pytest.raises(MountFailed):
        left.__exit__(None, None, None)


@pytest.mark.parametrize("filesystem", ["ext4", "btrfs", "ntfs", "", "auto", "exfat,vfat", "../vfat"])
def test_other_filesystems_are_not_touched(tmp_path: Path, filesystem: str) -> None:
    target = tmp_path / "mount"
    with pytest.raises(FilesystemNotAllowed), mounts.mounted(tmp_path, filesystem, target, read_only=True):
        pytest.fail("it was mounted")
    assert not target.exists()


def test_more_filesystems_are_allowed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mounts.allowed_filesystems() == {"vfat", "exfat"}
    monkeypatch.setenv(mounts.VARIABLE, "ext4, xfs,-o evil,")
    assert mounts.allowed_filesystems() == {"vfat", "exfat", "ext4", "xfs"}


def test_a_tool_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tools.ENVIRONMENT, "PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MountFailed, match="mount"), mounts.mounted(tmp_path, "vfat", tmp_path / "m", read_only=True):
        pytest.fail("it was mounted")


def read_all(clip: FileIO) -> None:
    while clip.read(BLOCK):
        pass


@needs_loops
@pytest.mark.parametrize("filesystem", ["exfat", "vfat"])
@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP])
def test_nobody_waits_for_a_program_that_died_or_hangs(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filesystem: str, harm: signal.Signals
) -> None:
    """In the middle of a read: the reader gets an error within bounds, and nothing stays mounted."""
    monkeypatch.setattr(mount_pulse, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(mount_pulse, "WITHIN_SECONDS", 0.4)
    monkeypatch.setattr(mounting, "_BUSY_SECONDS", 0.1)
    node, target = disk(filesystem), tmp_path / "mount"

    def read_while_it_ends() -> None:
        with (
            mounts.mounted(node, filesystem, target, read_only=True) as folder,
            (folder / "clip.mkv").open("rb", buffering=0) as clip,
        ):
            program = next(mounting._programs_of(target))
            assert clip.read(BLOCK)
            signal.pidfd_send_signal(program, harm)
            os.close(program)
            read_all(clip)

    begin = time.monotonic()
    with pytest.raises((OSError, MountFailed)) as ended:
        read_while_it_ends()
    failed = ended.value if isinstance(ended.value, OSError) else ended.value.__context__
    assert isinstance(failed, OSError)
    assert failed.errno in {errno.ENOTCONN, errno.ECONNABORTED, errno.EIO}
    assert time.monotonic() - begin < 8
    assert options(target) == set()


def made_in_user_space(target: Path, program: str) -> bool:
    mounted = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f" {target} " in line]
    return any(f"fuse.{program}" in line for line in mounted)


@needs_loops
@pytest.mark.parametrize("filesystem", ["exfat", "vfat", "ext4"])
def test_a_medium_that_is_cut_off_in_the_middle_of_a_read_is_a_read_error(
    disk: Disk, tmp_path: Path, filesystem: str
) -> None:
    """The kernel's own error about a device that has become too short; unmounting and mounting go on as ever."""
    node, target, allowed = disk(filesystem), tmp_path / "mount", {filesystem}
    with (
        mounts.mounted(node, filesystem, target, read_only=True, allowed=allowed) as folder,
        (folder / "clip.mkv").open("rb", buffering=0) as clip,
    ):
        assert clip.read(BLOCK)
        os.truncate(tmp_path / f"{filesystem}.img", 2 * 2**20)
        with pytest.raises(OSError, match="Errno") as caught:
            read_all(clip)
        # fusefat calls every error that
        assert caught.value.errno == (errno.EPERM if made_in_user_space(target, "fusefat") else errno.EIO)
    assert options(target) == set()
