"""The controller's mounting part as a user without any rights: ``helped.py UID SOCKET FILESYSTEM=NODE ...``.

It imports everything while it still is root, for a checkout may be nobody else's to read, and is that user afterwards.
What it met without the helper and found with it, by filesystem, is printed as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import conftest  # noqa: F401 - mounts the plugin where a process begins with this module
from bodyworn.errors import BodywornError
from bodyworn.hw import mounts
from bodyworn.hw.drivers import disk_files, disk_walk
from bodyworn.models import ClipKind
from bodyworn.services.findings import FoundFile

TARGET = Path("/nowhere/bay-1/disk")


def main(uid: int, socket: str, disks: Sequence[str]) -> dict[str, object]:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    problem = mounts.problem()
    told: dict[str, object] = {"uid": os.geteuid(), "alone": problem.id if problem else None}
    os.environ[mounts.HELPER_VARIABLE] = socket
    for filesystem, _, node in (disk.partition("=") for disk in disks):
        told[filesystem] = used(Path(node), filesystem)
    return told


def used(node: Path, filesystem: str) -> dict[str, object]:
    found: dict[str, object] = {}
    try:
        found |= read(node, filesystem, TARGET)
        found |= {"left": delete(node, filesystem, TARGET)}
    except (BodywornError, OSError) as error:
        found |= {"problem": getattr(error, "id", type(error).__name__), "said": str(error)}
    return found


def read(node: Path, filesystem: str, target: Path) -> dict[str, object]:
    with mounted(node, filesystem, target, read_only=True) as folder, disk_files.opened_root(folder) as root:
        facts = folder.stat()
        return {
            "folder": str(folder),
            "owner": facts.st_uid,
            "mode": oct(facts.st_mode & 0o777),
            "read": {file.path: length(root, file.path) for file in disk_walk.walk(root).files},
        }


def length(root: int, path: str) -> int | str:
    try:
        with open(disk_files.open_file(root, path), "rb", buffering=0) as opened:
            return len(opened.read())
    except BodywornError as error:
        return str(error)


def delete(node: Path, filesystem: str, target: Path) -> list[str]:
    with mounted(node, filesystem, target, read_only=False) as folder, disk_files.opened_root(folder) as root:
        disk_files.delete(root, [found(file) for file in disk_walk.walk(root).files])
    with mounted(node, filesystem, target, read_only=True) as folder, disk_files.opened_root(folder) as root:
        return [file.path for file in disk_walk.walk(root).files]


def found(file: disk_walk.DiskFile) -> FoundFile:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    return FoundFile(
        path=file.path,
        name="20260101_000000_0001.mkv",
        kind=next(iter(ClipKind)),
        size_bytes=file.size_bytes,
        modified_ns=file.modified_ns,
        edges_sha256="0" * 64,
        start=then,
        stop=then,
    )


def mounted(node: Path, filesystem: str, target: Path, *, read_only: bool) -> AbstractContextManager[Path]:
    allowed = mounts.allowed_filesystems()
    return mounts.mounted(node, filesystem, target, read_only=read_only, allowed=allowed)


if __name__ == "__main__":
    json.dump(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]), sys.stdout)
