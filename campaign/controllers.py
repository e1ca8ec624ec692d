"""A controller in a process of its own, which can be made to go wrong at a step or at a system call.

Processes are forked from one that has imported everything: most of a short life would be spent on imports otherwise.
Waits that are meant for people are short here, so that a controller that survives an error shows that it goes on.
"""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
if str(TESTS) not in sys.path:
    sys.path.append(str(TESTS))

import conftest  # noqa: E402, F401 - mounts the plugin where a process begins with this module
import loops  # noqa: E402
from bodyworn.const import Step  # noqa: E402
from bodyworn.errors import BodywornError, CameraReadFailed, DestinationUnreachable, StoreDamaged, StoreFull  # noqa: E402
from bodyworn.hw import controller, docking, housekeeping  # noqa: E402
from bodyworn.hw.controller import Controller  # noqa: E402
from bodyworn.models import Database  # noqa: E402
from sqlalchemy.exc import OperationalError  # noqa: E402
from sqlalchemy.orm import configure_mappers  # noqa: E402
from supervised import be_supervised  # noqa: E402

ENDS_SECONDS = 30.0
LOG = "controller.log"
_POLL_SECONDS = 0.05

# Done once, before the first process is forked, instead of in each of them.
configure_mappers()
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Trouble:
    """What is to go wrong in a controller: at the ``count``-th time it comes to a step it dies, or gets an error."""

    step: Step | None = None
    count: int = 1
    #: A name in ``ERRORS``; nothing for SIGKILL.
    error: str = ""
    #: Address of a supervisor that decides about system calls; see :mod:`supervised`.
    supervisor: bytes = b""
    #: Give up what is safe elsewhere without waiting a day.
    purge: bool = False
    #: A file to which each step is appended that it comes to.
    journal: Path | None = None
    #: A file to make instead of dying; somebody makes things go wrong while it is there.
    touched: Path | None = None
    #: A folder whose file system loses its power in the moment in which the controller dies.
    cut: Path | None = None
    #: What is to stay free on the spool's disk.
    reserve_bytes: int = 0


NO_TROUBLE = Trouble()

#: Errors as the step would meet them: of the disk, of the camera, of the network, of the database.
ERRORS: dict[str, BodywornError | OperationalError] = {
    "EIO": StoreDamaged(name="campaign", reason=os.strerror(errno.EIO)),
    "ENOSPC": StoreFull(name="campaign"),
    "camera": CameraReadFailed(name="campaign"),
    "network": DestinationUnreachable(addresses="campaign"),
    "database": OperationalError("COMMIT", {}, Exception("database or disk is full")),
}


class ControllerProcess:
    """One controller on a data folder; what it prints is appended to ``controller.log`` there, or where asked."""

    def __init__(self, home: Path, trouble: Trouble = NO_TROUBLE, log: Path | None = None) -> None:
        self._process: ForkServerProcess = _FORKS.Process(target=_run, args=(home, trouble, log or home / LOG))

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, the number of the signal below zero; None while it runs."""
        return self._process.exitcode

    def start(self) -> None:
        """Start it; returns at once."""
        self._process.start()

    def wait_end(self, seconds: float = ENDS_SECONDS) -> bool:
        """Wait until it has ended; tells whether it has."""
        self._process.join(seconds)
        return self._process.exitcode is not None

    def wait_end_unless(self, done: Callable[[], bool], seconds: float = ENDS_SECONDS) -> bool:
        """Wait until it has ended, or need not end any more; tells whether it has."""
        end = time.monotonic() + seconds
        while not self.wait_end(_POLL_SECONDS) and not done() and time.monotonic() < end:
            pass
        return self.exit_code is not None

    def kill(self) -> None:
        """End it as a power cut would end it, if it still runs."""
        if self._process.exitcode is None:
            os.kill(self.pid, signal.SIGKILL)
            self._process.join(ENDS_SECONDS)

    def end(self) -> None:
        """Ask it to end."""
        self._process.terminate()
        self._process.join(ENDS_SECONDS)


def _run(home: Path, trouble: Trouble, log: Path) -> None:
    """Be a controller; the target of the processes above."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    _be_impatient(trouble)
    if trouble.supervisor:
        be_supervised(trouble.supervisor)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    database = Database.at(f"sqlite:///{home / 'bodyworn.db'}")
    Controller(database, home, hook=_Hook(trouble), reserve_bytes=trouble.reserve_bytes).run(stop)


def _be_impatient(trouble: Trouble) -> None:
    docking._RETRY_SECONDS = 1.0
    if trouble.purge:
        controller._HOUSEKEEPING_SECONDS = 0.2
        housekeeping.clear = partial(housekeeping.clear, grace_seconds=0.0)


class _Hook:
    """Counts the steps that threads come to, writes them down, and makes one of them go wrong."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._left = trouble.count
        self._lock = threading.Lock()
        how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._journal = os.open(trouble.journal, how, 0o600) if trouble.journal else None

    def __call__(self, step: Step) -> None:
        if self._journal is not None:
            os.write(self._journal, f"{step}\n".encode())
        if step is self._trouble.step and self._is_its_turn():
            if self._trouble.touched is not None:
                return self._trouble.touched.touch()
            if self._trouble.cut is not None:
                loops.cut_power(self._trouble.cut)
            if not self._trouble.error:
                os.kill(os.getpid(), signal.SIGKILL)
            raise ERRORS[self._trouble.error]

    def _is_its_turn(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left == 0
