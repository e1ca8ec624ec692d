"""Keeps the controller process running where no service manager does: spawn, watch, restart, stop.

What the controller does is its own; this room knows a command line, an environment and a log file. The thread exists
only in the process that called :meth:`ControllerProcess.start`.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LOG = logging.getLogger(__name__)

#: Where the controller finds the address of its database; it may hold a password, so it is never an argument.
DATABASE_VARIABLE: Final = "BODYWORN_DATABASE"

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
#: A controller that ran this long was well; the next pause is short again.
_WELL_SECONDS = 60.0
_LARGEST_LOG_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Command:
    """What to run, and where its output goes."""

    arguments: tuple[str, ...]
    database_url: str
    log: Path

    @classmethod
    def controller(cls, data_dir: Path, database_url: str) -> Command:
        """Describe the controller of a data folder."""
        launch = Path(__file__).with_name("launch.py")
        arguments = (sys.executable, "-P", str(launch), "controller", "--data-dir", str(data_dir))
        return cls(arguments, database_url, data_dir / "controller.log")

    def __repr__(self) -> str:
        return f"Command({' '.join(self.arguments)})"


class ControllerProcess:
    """One controller process, and the thread that watches it. Thread-safe."""

    def __init__(self, command: Command, first_pause_seconds: float = _FIRST_PAUSE_SECONDS) -> None:
        """Remember what to run; nothing runs yet."""
        self._command = command
        self._first_pause_seconds = first_pause_seconds
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Give the process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Spawn the controller and watch it; a second call does nothing.

        Raises:
            OSError: it cannot be spawned.
        """
        with self._lock:
            if self._watcher is not None and self._watcher.is_alive() and not self._stopping.is_set():
                return
            self._stopping = threading.Event()
            self._process = self._spawn()
            self._watcher = threading.Thread(
                target=self._watch, args=(self._process, self._stopping), name="bodyworn-controller", daemon=True
            )
            self._watcher.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Ask the controller to end and wait; tell whether it did in time. A second call does nothing."""
        with self._lock:
            self._stopping.set()
            process, watcher = self._process, self._watcher
            if process is not None and process.poll() is None:
                process.terminate()
        if watcher is not None:
            watcher.join(timeout_seconds)
        return process is None or process.poll() is not None

    def _watch(self, process: subprocess.Popen[bytes], stopping: threading.Event) -> None:
        pause_seconds = self._first_pause_seconds
        while True:
            began = time.monotonic()
            code = _reap(process)
            if stopping.is_set():
                return
            if time.monotonic() - began > _WELL_SECONDS:
                pause_seconds = self._first_pause_seconds
            _LOG.warning("The controller ended with %d; it is started again in %.0f s", code, pause_seconds)
            if stopping.wait(pause_seconds):
                return
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
            again = self._spawn_unless(stopping)
            if again is None:
                return
            process = again

    def _spawn_unless(self, stopping: threading.Event) -> subprocess.Popen[bytes] | None:
        """Spawn again under the lock, so that a stop either comes first or sees the new process."""
        with self._lock:
            if stopping.is_set():
                return None
            self._process = self._spawn()
            return self._process

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, DATABASE_VARIABLE: self._command.database_url}
        with _opened(self._command.log) as log:
            return subprocess.Popen(  # noqa: S603 - our own interpreter and file; no shell
                self._command.arguments,
                # held open as long as this process lives: its end is how the controller learns of ours
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )


def _reap(process: subprocess.Popen[bytes]) -> int:
    code = process.wait()
    if process.stdin is not None:
        process.stdin.close()
    return code


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a log to append to; it is begun anew (one old one is kept) when it has grown large."""
    if path.exists() and path.stat().st_size > _LARGEST_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
