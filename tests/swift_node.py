"""A real OpenStack Swift for tests: one node from PyPI in its own virtual environment, with memcached for its tokens.

The environment is installed once into ``.cache/swift`` of the checkout (or the folder in ``BODYWORN_SWIFT_CACHE``);
every run has fresh data there. The servers die with the process that started them, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bodyworn.destination.connection_file import ConnectionFile
from bodyworn.destination.secret import Secret

TESTS = Path(__file__).resolve().parent
PROCESS = TESTS / "testbed" / "swift_process.py"
REQUIREMENT = "swift>=2.38,<3"
USER_NAME = "bwc:cam"
API_KEY = "s3cret"
START_SECONDS = 60.0


class SwiftUnavailable(Exception):
    """Why there can be no Swift here."""


@dataclass(frozen=True)
class Swift:
    """A running Swift, empty at first."""

    port: int
    memcached_port: int
    folder: Path

    @property
    def auth_uri(self) -> str:
        """Return where to sign in."""
        return f"http://127.0.0.1:{self.port}/auth/v1.0"

    def connection(self) -> ConnectionFile:
        """Make the connection file of this Swift."""
        return ConnectionFile(
            site_name="Test site",
            application_name="OpenStack Swift",
            application_version="2",
            authentication_uris=(self.auth_uri,),
            user_name=USER_NAME,
            api_key=Secret(API_KEY),
            full_store_and_read=True,
        )

    def end_tokens(self) -> None:
        """Let every token end: memcached forgets."""
        with socket.create_connection(("127.0.0.1", self.memcached_port), timeout=5) as connected:
            connected.sendall(b"flush_all\r\n")
            assert connected.recv(16) == b"OK\r\n"


@contextmanager
def running_swift() -> Iterator[Swift]:
    """Install if needed, start, wait until it listens, and stop at the end. Raises SwiftUnavailable."""
    cache = Path(os.environ.get("BODYWORN_SWIFT_CACHE") or TESTS.parent / ".cache" / "swift")
    python = _installed(cache)
    ports = _free_ports(5)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"run-{os.getpid()}-", dir=cache)))
        _configure(folder, ports)
        _run(python, folder, "rings", *map(str, ports[:3]))
        commands = [
            [str(python), str(PROCESS), str(folder), kind] for kind in ("account", "container", "object", "proxy")
        ]
        commands.append(_memcached(ports[4]))
        servers = [
            stack.enter_context(_server(folder / f"{port}.log", *command))
            for port, command in zip(ports, commands, strict=True)
        ]
        for port, server in zip(ports, servers, strict=True):
            _wait_until_listening(port, server, folder / f"{port}.log")
        yield Swift(ports[3], ports[4], folder)


def _installed(cache: Path) -> Path:
    """Return the interpreter that has Swift, after making its environment where there is none yet."""
    for tool in ("memcached", "setpriv"):
        if shutil.which(tool) is None:
            raise SwiftUnavailable(f"{tool} is not installed")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        python = cache / "venv" / "bin" / "python"
        done = cache / "venv" / "installed"
        if not done.exists() or done.read_text() != REQUIREMENT:
            _install(cache / "venv", python)
            done.write_text(REQUIREMENT)
        _require_attributes(cache)
        _sweep(cache)
        return python


def _install(venv: Path, python: Path) -> None:
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True, capture_output=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", REQUIREMENT], check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        raise SwiftUnavailable(f"Swift cannot be installed: {error.stderr.decode()[-300:]}") from error


def _sweep(cache: Path) -> None:
    """Remove the data of runs that were killed."""
    for folder in cache.glob("run-*"):
        if not Path("/proc", folder.name.split("-")[1]).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _require_attributes(cache: Path) -> None:
    """Make sure that the file system keeps extended attributes: Swift's metadata lives there."""
    probe = cache / "probe"
    probe.touch()
    try:
        os.setxattr(probe, "user.swift.probe", b"1")
    except OSError as error:
        raise SwiftUnavailable(f"{cache} keeps no extended attributes: {error}") from error


def _configure(folder: Path, ports: list[int]) -> None:
    (folder / "devices" / "d1").mkdir(parents=True)
    (folder / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = test\nswift_hash_path_prefix = test\n"
        "[storage-policy:0]\nname = default\ndefault = yes\n"
    )
    for kind, port in zip(("account", "container", "object"), ports, strict=False):
        (folder / f"{kind}-server.conf").write_text(STORAGE.format(folder=folder, kind=kind, port=port))
    (folder / "proxy-server.conf").write_text(
        PROXY.format(folder=folder, port=ports[3], memcached=ports[4], user=USER_NAME.replace(":", "_"), key=API_KEY)
    )


STORAGE = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
log_level = WARNING
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
recon_cache_path = {folder}
"""

PROXY = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
log_level = WARNING
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {key} .admin
storage_url_scheme = http
"""


def _memcached(port: int) -> list[str]:
    user = ["-u", "root"] if os.geteuid() == 0 else []
    return ["memcached", *user, "-l", "127.0.0.1", "-p", str(port), "-m", "16"]


def _run(python: Path, *arguments: str | Path) -> None:
    try:
        subprocess.run([python, PROCESS, *arguments], check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        raise SwiftUnavailable(f"Swift's rings cannot be made: {error.stderr.decode()[-300:]}") from error


@contextmanager
def _server(log_file: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server that the kernel kills when this process dies, and that is stopped at the end."""
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _wait_until_listening(port: int, server: subprocess.Popen[bytes], log_file: Path) -> None:
    """Wait for a server; every one is there before the proxy is used, which shuns one that refused it once."""
    deadline = time.monotonic() + START_SECONDS
    while not _is_listening(port):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"a server of Swift did not come up:\n{log_file.read_text()[-2000:]}")
        time.sleep(0.05)


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    """Find ports that are free together."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in found]
