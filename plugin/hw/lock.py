"""The file that makes one controller process the only one of its machine (decision 9)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ControllerRunning


@contextmanager
def only_controller(data_dir: Path) -> Iterator[None]:
    """Hold the lock for the block's time; the kernel lets go of it however the process ends.

    :raises ControllerRunning: when another process holds it.
    """
    descriptor = os.open(data_dir / "controller.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ControllerRunning(folder=str(data_dir)) from error
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
