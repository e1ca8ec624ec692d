"""A receiver for one headless transfer: the reference host in a process of its own, and a connection file for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..const import DOMAIN
from ..crypto.sealed import SealedBox
from ..errors import ReceiverNotStarted
from ..migrations.run import upgrade
from ..models import Database
from ..services import connection_files
from ..services.connection_files import Site
from ..supervise import DATABASE_VARIABLE

_START_SECONDS = 30.0
_LAUNCH = Path(__file__).resolve().parent.parent / "launch.py"


@contextmanager
def running(data_dir: Path, *, encrypt: bool) -> Iterator[bytes]:
    """Serve for the block's time; gives the connection file that leads there.

    :raises ReceiverNotStarted: with the last line that it printed.
    """
    folder = data_dir.absolute() / "plugins" / DOMAIN
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    url = f"sqlite:///{folder / 'bodyworn.db'}"
    port = _free_port()
    file = _export(url, folder, port, encrypt=encrypt)
    log = data_dir / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", str(_LAUNCH), "serve", "--data-dir", str(data_dir), "--port", str(port)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, DATABASE_VARIABLE: url},
        )
    try:
        _wait(process, port, log)
        yield file
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _export(url: str, folder: Path, port: int, *, encrypt: bool) -> bytes:
    database = Database.at(url)
    upgrade(database.engine)
    keys = folder / "keys"
    keys.mkdir(exist_ok=True, mode=0o700)
    site = Site(
        name="Transfer receiver",
        authentication_uris=(f"http://127.0.0.1:{port}/{DOMAIN}/receiver/auth/v1.0",),
        want_encryption=encrypt,
    )
    with database.write() as session:
        data = connection_files.export(session, SealedBox(keys / "machine.key"), site).data
    database.close()
    return data


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    lines = log.read_text(errors="replace").splitlines()
    raise ReceiverNotStarted(reason=lines[-1] if lines else "it printed nothing")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
