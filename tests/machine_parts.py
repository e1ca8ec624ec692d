"""A machine of its own for tests of clock and network: services of systemd and NetworkManager, on a bus of their own.

They run in namespaces, for users above all: there the kernel lets nobody, root included, set the clock of the machine
that the tests run on (``inside.py`` makes sure before it starts anything). What it tells comes back as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

INSIDE = Path(__file__).resolve().parent / "testbed" / "machine" / "inside.py"
_TIMEDATED = Path("/lib/systemd/systemd-timedated")
_SECONDS = 120.0
#: As many users and groups as there are, each as itself.
_SAME_USERS = "0 0 65536"
_START = 'read go && exec unshare --net --mount --uts --pid --fork --kill-child --mount-proc "$@"'


def missing() -> str | None:
    """Say what this machine lacks for it; None when everything is here."""
    if os.geteuid() != 0:
        return "only root can map users into a namespace"
    for tool in ("unshare", "dbus-daemon", "NetworkManager", "ip"):
        if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            return f"{tool} is not installed"
    return None if _TIMEDATED.exists() else "systemd-timedated is not installed"


def run(scratch: Path) -> dict[str, Any]:
    """Run the whole play in there and give what it told."""
    command = ["unshare", "--user", "sh", "-c", _START, "sh", sys.executable, str(INSIDE), str(scratch)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        _map_users(process.pid)
        try:
            told, said = process.communicate(b"go\n", timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0, said.decode()[-4000:]
    found: dict[str, Any] = json.loads(told.decode().splitlines()[-1])
    return found


def _map_users(pid: int) -> None:
    """Give the namespace its users, as soon as the process is in it."""
    until = time.monotonic() + 10
    while os.readlink(f"/proc/{pid}/ns/user") == os.readlink("/proc/self/ns/user"):
        assert time.monotonic() < until, "the namespace was not made"
        time.sleep(0.01)
    for kind in ("uid_map", "gid_map"):
        Path(f"/proc/{pid}/{kind}").write_text(_SAME_USERS)
