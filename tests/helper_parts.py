"""What tests of the mounting helper share: disks in images, a folder that only root can change, and a helper in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from bodyworn.errors import HelperRefused, HelperUnreachable
from bodyworn.hw import mounts
from bodyworn.hw.helper.client import Helper
from bodyworn.hw.helper.server import serve
from bodyworn.hw.helper.verbs import Remit

ROOT = Path(__file__).resolve().parent.parent
NOBODY = 65534
TOOLS = ("losetup", "mkfs.exfat", "mkfs.ext4", "mkfs.vfat", "mount.exfat-fuse", "fusefat")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
needs_mounts = pytest.mark.skipif(
    os.geteuid() != 0 or bool(MISSING) or not Path("/dev/loop-control").exists(),
    reason=f"mounting needs root, loop devices and tools (missing: {', '.join(MISSING) or 'none'})",
)


@contextmanager
def trusted() -> Iterator[Path]:
    """Make a folder that only root can change, and everybody can reach."""
    folder = Path(tempfile.mkdtemp(prefix="bodyworn-test-", dir="/run"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        assert mounts.OwnHands().unmount_beneath(folder) == 0
        shutil.rmtree(folder)


def image(folder: Path, filesystem: str, files: Mapping[str, bytes]) -> Path:
    """Make a disk image with files on it."""
    made = folder / f"{filesystem}.img"
    with made.open("wb") as file:
        file.truncate(8 * 2**20)
    subprocess.run([f"mkfs.{filesystem}", str(made)], check=True, capture_output=True)
    with mounts.image_mounted(made, filesystem, folder / "filling", read_only=False) as disk:
        for name, content in files.items():
            (disk / name).write_bytes(content)
    return made


@contextmanager
def looped(path: Path) -> Iterator[Path]:
    """Attach an image; gives the node."""
    done = subprocess.run(["losetup", "--find", "--show", str(path)], check=True, capture_output=True, text=True)
    node = Path(done.stdout.strip())
    try:
        yield node
    finally:
        subprocess.run(["losetup", "--detach", str(node)], check=True)


@contextmanager
def serving(remit: Remit, socket: Path) -> Iterator[Helper]:
    """Serve in a thread of this process."""
    stop = os.eventfd(0)
    thread = threading.Thread(target=serve, args=(socket, remit, stop))
    thread.start()
    try:
        helper = Helper(socket)
        wait_for(socket)
        yield helper
    finally:
        os.eventfd_write(stop, 1)
        thread.join()
        os.close(stop)


@contextmanager
def helper_process(folder: Path, images: Path, uid: int, filesystems: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Run the command in a process of its own; its log is ``helper.log``, its socket ``socket``."""
    launch = [sys.executable, "-P", str(ROOT / "plugin" / "launch.py"), "helper"]
    options = ["--socket", str(folder / "socket"), "--uid", str(uid), "--images", str(images)]
    environment = os.environ | {"BODYWORN_FILESYSTEMS": filesystems}
    with (folder / "helper.log").open("wb") as log:
        process = subprocess.Popen([*launch, *options], stdin=subprocess.PIPE, stderr=log, env=environment)
    try:
        wait_for(folder / "socket")
        yield process
    finally:
        process.communicate(timeout=10)


def wait_for(socket: Path) -> None:
    """Wait until a helper listens."""
    end = time.monotonic() + 20
    while True:
        try:
            Helper(socket).check()
        except HelperUnreachable:
            assert time.monotonic() < end
            time.sleep(0.01)
        except HelperRefused:  # this user; so it is there
            return
        else:
            return
