"""Runs a tier in a process with mounts and processes of its own, so that nothing of it is left however it ends.

``python campaign/alone.py TIER PLAN`` is that process; it prints its outcomes, one a line.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import loops
import msgspec
from outcome import Outcome, Plan

_HERE = Path(__file__).resolve().parent
#: Forked controllers begin with what the fork server imported, which finds nothing without this.
_PATHS = (str(_HERE), str(_HERE.parent / "tests"))


def outcomes(tier: str, plan: Plan) -> Iterator[Outcome]:
    """Let a tier's ``tried(plan)`` run by itself, and give what it finds as it finds it."""
    command = loops.alone([sys.executable, str(_HERE / "alone.py"), tier, _encode(plan)])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_PATHS)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None, "it was asked for"
        try:
            for line in process.stdout:
                yield msgspec.json.decode(line, type=Outcome)
            process.wait()
        finally:
            process.kill()
    if process.returncode:
        raise RuntimeError(f"the tier {tier} ended with {process.returncode}")


def in_lanes(lanes: int, work: Sequence[Callable[[], Iterator[Outcome]]]) -> Iterator[Outcome]:
    """Do several things of which each gives outcomes, some at the same time; gives outcomes as they come."""
    found: SimpleQueue[Outcome | None] = SimpleQueue()

    def do(one: Callable[[], Iterator[Outcome]]) -> None:
        try:
            for outcome in one():
                found.put(outcome)
        finally:
            found.put(None)

    with ThreadPoolExecutor(lanes) as pool:
        doing = [pool.submit(do, one) for one in work]
        ended = 0
        while ended < len(work):
            if (outcome := found.get()) is None:
                ended += 1
            else:
                yield outcome
    for done in doing:
        done.result()


def _encode(plan: Plan) -> str:
    return msgspec.json.encode(plan, enc_hook=str).decode()


def _decode(text: str) -> Plan:
    return msgspec.json.decode(text, type=Plan, dec_hook=lambda kind, value: kind(value))


def _end_with_whoever_asked() -> None:
    """End at once, and with it everything that was started here, when nobody is there any more to hear of it."""
    os.read(0, 1)  # not by way of sys.stdin, whose lock would be held when this process ends
    os._exit(1)


def main() -> None:
    """Be that process."""
    tier, plan = sys.argv[1:]
    threading.Thread(target=_end_with_whoever_asked, daemon=True).start()
    outcomes_as_lines = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever else prints is for people
    for outcome in importlib.import_module(tier).tried(_decode(plan)):
        outcomes_as_lines.write(msgspec.json.encode(outcome) + b"\n")


if __name__ == "__main__":
    main()
