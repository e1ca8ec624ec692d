"""The controller in a process of its own, which can be made to die at a step.

Processes are forked from one that has imported everything, because most of a short life would be spent on imports;
that the installed command works as well is shown elsewhere.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import conftest  # noqa: F401 - mounts the plugin where a process begins with this module
from bodyworn.cli import controller
from bodyworn.const import Step
from bodyworn.hw.faults import crash_hook
from bodyworn.supervise import DATABASE_VARIABLE

ENDS_SECONDS = 60.0

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


@contextmanager
def controller_process(data_dir: Path, crash_at: str = "", database_url: str = "") -> Iterator[ForkServerProcess]:
    """Run a controller for the block's time; what it prints is appended to ``controller.log`` of its folder."""
    url = database_url or f"sqlite:///{data_dir / 'bodyworn.db'}"
    process = _FORKS.Process(target=run, args=(data_dir, url, crash_at))
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(ENDS_SECONDS)


def crash(data_dir: Path, step: Step, count: int = 1) -> None:
    """Run a controller until it dies at a step; raises when it does not."""
    with controller_process(data_dir, f"{step}:{count}") as process:
        process.join(ENDS_SECONDS)
        assert process.exitcode == -signal.SIGKILL, f"{step}: it ended with {process.exitcode}"


def run(data_dir: Path, database_url: str, crash_at: str) -> None:
    """Be the controller; the target of the processes above."""
    with (data_dir / "controller.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ[DATABASE_VARIABLE] = database_url
    if crash_at:
        os.environ["BODYWORN_CRASH_AT"] = crash_at
    controller.command.main(["--data-dir", str(data_dir)], standalone_mode=False)


def exit_code_after(wish: str, steps: Sequence[Step]) -> int | None:
    """Walk through steps with the crash hook of a wish, in a process of its own, and give how that ended."""
    process = _FORKS.Process(target=walk, args=(wish, steps))
    process.start()
    process.join(ENDS_SECONDS)
    return process.exitcode


def walk(wish: str, steps: Sequence[Step]) -> None:
    """Come to steps one after the other; the target of the process above."""
    hook = crash_hook(wish)
    for step in steps:
        hook(step)
