"""Programs of the system that need root: run without a shell, in a clean environment, for a bounded time."""

from __future__ import annotations

import subprocess
import threading
from typing import Final

from ...errors import MountFailed

TIMEOUT_SECONDS: Final = 30.0
#: Tools get nothing of our environment: no secrets, no preloaded libraries, no translated messages.
#: Cameras write local time without a zone; programs in user space take it for the zone that they are told here.
ENVIRONMENT: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def run(*command: str, timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """Run a program and give what it says.

    :raises MountFailed: with the tool's words, its signal, or that it did not end in time.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - a fixed program, arguments as they are, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            env=ENVIRONMENT,
            cwd="/",
        )
    except OSError as error:
        raise MountFailed(tool=command[0], reason=str(error)[:200]) from error
    try:
        said, complaint = process.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired as error:
        process.kill()
        # who waits for a dead disk cannot even be killed; it is not waited for, only taken note of when it ends
        threading.Thread(target=process.communicate, name="reaper", daemon=True).start()
        raise MountFailed(tool=command[0], reason=f"no answer within {timeout_seconds:.0f} s") from error
    if process.returncode:
        raise MountFailed(tool=command[0], reason=complaint.strip()[:200] or _end(process.returncode))
    return said


def _end(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with {code}"
