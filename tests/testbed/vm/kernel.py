"""The kernel that the tests' machine boots: Debian's own package, unpacked into a cache outside the repository.

It starts with an initramfs of busybox and the modules that are needed until the real root is there.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bodyworn-tests"
TOOLS = ("qemu-system-x86_64", "busybox", "modprobe", "depmod", "cpio", "mkfs.vfat", "mkfs.exfat", "losetup")
_META = "linux-image-amd64"
_EARLY = ("9pnet_virtio", "9p", "virtio_pci", "overlay")
_FETCH_SECONDS = 300


class Missing(Exception):
    """Raised where the machine cannot be had; the text says why."""


@dataclass(frozen=True)
class Kernel:
    """A kernel to boot, and where its modules are."""

    root: Path
    release: str

    @property
    def image(self) -> Path:
        return self.root / f"boot/vmlinuz-{self.release}"

    @property
    def modules(self) -> Path:
        return self.root / "lib/modules"

    def pack(self, initramfs: Path) -> None:
        """Write what the kernel starts with."""
        with TemporaryDirectory(dir=initramfs.parent) as name:
            early = Path(name)
            for inside in ("bin", "proc", "sys", "dev", "ro", "rw", "root", "modules"):
                (early / inside).mkdir()
            shutil.copy(shutil.which("busybox") or "", early / "bin/busybox")
            shutil.copy(HERE / "init.sh", early / "init")
            (early / "init").chmod(0o755)
            for number, module in enumerate(_modules(self.root, self.release)):
                shutil.copy(module, early / "modules" / f"{number:02}-{module.name}")
            names = "\n".join(str(path.relative_to(early)) for path in sorted(early.rglob("*")))
            with initramfs.open("wb") as file:
                command = ["cpio", "--create", "--format=newc", "--quiet"]
                subprocess.run(command, input=names.encode(), stdout=file, cwd=early, check=True)


def kernel() -> Kernel:
    """Give the kernel, fetched when there is none in the cache yet; raises Missing."""
    for tool in TOOLS:
        if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            raise Missing(f"{tool} is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    with _alone():
        root = (_cached() or _fetched()) / "root"
    return Kernel(root, next((root / "lib/modules").iterdir()).name)


@contextmanager
def _alone() -> Iterator[None]:
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cached() -> Path | None:
    return next((path.parent for path in sorted(CACHE.glob("linux-image-*/complete"), reverse=True)), None)


def _fetched() -> Path:
    """Ask the package manager for the current version, wherever it gets it from."""
    try:
        depends = _run("apt-cache", "depends", _META)
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(f"no kernel is cached, and there is no apt to ask: {error}") from error
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if found is None:
        raise Missing(f"no kernel is cached, and apt knows no {_META}")
    with TemporaryDirectory(dir=CACHE) as folder:
        try:
            _run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", found[1], within=Path(folder))
        except subprocess.SubprocessError as error:
            raise Missing(f"no kernel is cached, and {found[1]} could not be fetched") from error
        package = next(Path(folder).glob("*.deb"))
        return _unpacked(package, CACHE / found[1])


def _unpacked(package: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / "root"
    root.mkdir(parents=True)
    _run("dpkg", "-x", str(package), str(root))
    release = next((root / "lib/modules").iterdir()).name
    _run("depmod", "-b", str(root), release)
    (folder / "complete").touch()
    return folder


def _modules(root: Path, release: str) -> list[Path]:
    """List what must be loaded, in this order."""
    found: list[Path] = []
    for name in _EARLY:
        for line in _run("modprobe", "-d", str(root), "-S", release, "--show-depends", name).splitlines():
            word, _, path = line.strip().partition(" ")
            if word == "insmod" and Path(path.split()[0]) not in found:
                found.append(Path(path.split()[0]))
    return found


def _run(*command: str, within: Path | None = None) -> str:
    path = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    done = subprocess.run(
        command,
        cwd=within,
        env={**os.environ, **path},
        check=True,
        capture_output=True,
        text=True,
        timeout=_FETCH_SECONDS,
    )
    return done.stdout
