"""Feels the pulse of a mount: one that does not answer any more is taken away, so that nobody waits for it for ever.

The kernel's own filesystems answer by themselves, with read errors if need be. A program in user space may hang.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import BodywornError

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
#: Disks with bad sectors think for a long time, and then answer.
WITHIN_SECONDS = 90.0


@contextmanager
def watched(folder: Path, take_away: Callable[[], None]) -> Iterator[None]:
    """Watch a mount for the block's time; ``take_away`` ends it under whoever still waits, and starts no process."""
    # A process that is being started closes copies of all open files, and so waits for a program that hangs. With
    # vfork, everybody here would wait with it.
    subprocess._USE_VFORK = False  # type: ignore[misc] # documented as a switch
    watch = _Watch(folder, take_away)
    thread = threading.Thread(target=watch.run, name=f"pulse-{folder.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watch.end()


class _Watch:
    def __init__(self, folder: Path, take_away: Callable[[], None]) -> None:
        self._folder, self._take_away = folder, take_away
        self._over = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            asking = threading.Thread(target=self._ask, daemon=True)
            asking.start()
            asking.join(WITHIN_SECONDS)
            if asking.is_alive():
                self._lose()
                return

    def end(self) -> None:
        """Leave the mount alone from now on: another one may be at its place soon."""
        with self._lock:
            self._over.set()

    def _ask(self) -> None:
        with suppress(OSError):  # an error is an answer
            os.statvfs(self._folder)

    def _lose(self) -> None:
        with self._lock:
            if self._over.is_set():
                return
            log.warning("%s does not answer and is taken away", self._folder)
            try:
                self._take_away()
            except BodywornError as error:
                log.warning("%s cannot be taken away: %s", self._folder, error)
