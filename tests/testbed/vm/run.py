"""One run of the machine, from the preparation of its disks to its end; tests and the campaign judge what it tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from testbed.vm import depot
from testbed.vm.kernel import Kernel
from testbed.vm.machine import machine

#: A minute where nobody else wants the processor; how much longer it takes, others decide.
_PATIENCE_SECONDS, _PATIENCE_FOR_EACH_PULL_SECONDS = 900.0, 120.0
_END_SECONDS = 120.0


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder whose path is short enough for sockets."""
    with TemporaryDirectory(prefix="bodyworn-vm-") as name:
        yield Path(name)


def steps(
    kernel: Kernel, folder: Path, tables: Path, moments: Sequence[float], only: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Give what the guest tells of each step; ``moments`` are parts of the file at which the plug is pulled."""
    share, scratch = folder / "share", folder / "scratch"
    for path in (share, scratch):
        path.mkdir()
    port = depot.prepare(share, tables)
    (share / "plan.json").write_text(json.dumps({"port": port, "moments": list(moments), "only": list(only)}))
    patience = _PATIENCE_SECONDS + _PATIENCE_FOR_EACH_PULL_SECONDS * len(moments)
    with machine(kernel, share, scratch) as running:
        for said in running.told(patience):
            yield said
            if said["step"] == "end":
                break
        running.wait(_END_SECONDS)


def console(folder: Path) -> str:
    """Give what the machine's console and QEMU said."""
    logs = [folder / "scratch" / name for name in ("console.log", "qemu.log")]
    return "\n".join(path.read_text(errors="replace") for path in logs if path.exists())
