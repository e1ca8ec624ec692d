"""What other processes do to a database, as a script: ``database_writers.py raise-version|record-events URL TIMES``."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import conftest  # noqa: F401 - mounts the plugin where this runs as a script
from bodyworn.models import Database, Profile
from bodyworn.services import events
from sqlalchemy import select


def raise_version(database: Database, times: int) -> None:
    """Read, think, write: what loses updates where writers do not stand in line."""
    for _ in range(times):
        with database.write() as session:
            profile = session.scalars(select(Profile).where(Profile.name == "Patrol")).one()
            seen = profile.version
            time.sleep(0.001)
            profile.version = seen + 1


def record_events(database: Database, times: int) -> None:
    """Append to the chain."""
    for number in range(times):
        with database.write() as session:
            events.record(session, "test.done", "test", str(number), number=number)


def start(work: str, url: str, times: int) -> subprocess.Popen[bytes]:
    """Start a process that does one of these."""
    return subprocess.Popen([sys.executable, str(Path(__file__)), work, url, str(times)])


def main(work: str, url: str, times: str) -> None:
    """Do what the arguments name."""
    database = Database.at(url)
    {"raise-version": raise_version, "record-events": record_events}[work](database, int(times))
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
