"""The hook at each step of a recording's way, and the crash that tests ask for. Does nothing unless asked.

``BODYWORN_CRASH_AT=P9`` kills the process at the first P9 it comes to, ``P9:3`` at the third.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from ..const import Step

Hook = Callable[[Step], None]


def no_fault(step: Step) -> None:
    """Let every step pass."""


def crash_hook(wish: str) -> Hook:
    """Make a hook that kills this process, as a power cut would, at the step and count named by ``wish``."""
    name, _, count = wish.partition(":")
    return _Crash(Step(name), int(count or 1))


def hook_from_environment() -> Hook:
    """Make the hook that the environment asks for."""
    wish = os.environ.get("BODYWORN_CRASH_AT")
    return crash_hook(wish) if wish else no_fault


class _Crash:
    """Counts down at one step; threads may come to it together."""

    def __init__(self, step: Step, count: int) -> None:
        self._step = step
        self._left = count
        self._lock = threading.Lock()

    def __call__(self, step: Step) -> None:
        if step is not self._step:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
