"""Memory: what a process needs at most to offload a small and a large clip, and what an idle controller holds."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bodyworn.cli import rig
from bodyworn.hw.offload import Lockbox, Wanted, offload
from bodyworn.models import Database
from bodyworn.store import Store
from bodyworn.supervise import Command, ControllerProcess
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from measure import MIB, Goal, Plan, Row

SMALL_BYTES = 64 * MIB
_SETTLE_SECONDS = 8.0

_PEAK_NOTE = (
    "Highest resident size (VmHWM) of a process that offloads one file with encryption; interpreter and libraries "
    "included. The file is sparse, which changes nothing but the time that it takes to make it."
)
_IDLE_NOTE = f"Resident size of `bodyworn controller` {_SETTLE_SECONDS:.0f} s after its start, no camera docked."


def rows(plan: Plan) -> Iterator[Row]:
    """Measure both."""
    small, large = _peak_mib(plan.folder, SMALL_BYTES), _peak_mib(plan.folder, plan.large_bytes)
    yield Row(
        what=f"Peak memory, offload of {plan.large_bytes / MIB:.0f} MiB",
        ours=f"{large:.0f} MiB",
        peer_name=f"offload of {SMALL_BYTES / MIB:.0f} MiB",
        peer=f"{small:.0f} MiB",
        figure=large - small,
        goal=Goal(32, at_most=True, unit="MiB apart"),
        notes=(_PEAK_NOTE,),
    )
    idle = _idle_controller_mib(plan.folder)
    yield Row(
        what="Memory of an idle controller",
        ours=f"{idle:.0f} MiB",
        peer_name="",
        peer="",
        figure=idle,
        goal=Goal(100, at_most=True, unit="MiB"),
        notes=(_IDLE_NOTE,),
    )


def _peak_mib(folder: Path, size_bytes: int) -> float:
    command = [sys.executable, __file__, str(folder), str(size_bytes)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def _idle_controller_mib(folder: Path) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        url = f"sqlite:///{scratch}/bodyworn.db"
        database = Database.at(url)
        rig.build(database, Path(scratch), name="Bench", passphrase="a" * 20, bays=4, demonstration=True)
        database.close()
        controller = ControllerProcess(Command.controller(Path(scratch), url))
        controller.start()
        try:
            time.sleep(_SETTLE_SECONDS)
            assert controller.pid is not None
            return _status_kib(str(controller.pid), "VmRSS") / 1024
        finally:
            controller.stop(10)


def _status_kib(process: str, field: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def _offload_and_tell(folder: Path, size_bytes: int) -> None:
    """Offload a file of a size with encryption and print the most memory, in KiB, that this process ever had."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072).public_key()
    lockbox = Lockbox(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "bench", None)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        source = Path(scratch) / "source"
        with source.open("wb") as file:
            file.truncate(size_bytes)
        wanted = Wanted("clip", "container", "clip.mkv", size_bytes, None, {})
        offload(lambda: source.open("rb", buffering=0), wanted, Store(Path(scratch) / "spool"), lockbox, lambda _: None)
    print(_status_kib("self", "VmHWM"))


if __name__ == "__main__":
    _offload_and_tell(Path(sys.argv[1]), int(sys.argv[2]))
