"""Proxies for tests: tinyproxy, a real one, and one that does as it is told."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bodyworn.destination.proxy import Proxy
from bodyworn.destination.secret import Secret

USER, PASSWORD = "bwc", "canary-at-the-proxy"
PATIENCE_SECONDS = 10.0


@dataclass
class TinyProxy:
    """The proxy of Debian's package ``tinyproxy-bin``, on a port that it keeps when it is started again."""

    folder: Path
    password: str = PASSWORD
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        self.port = self.port or _free_port()
        config = self.folder / "tinyproxy.conf"
        config.write_text(
            f"Port {self.port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 20\nMaxClients 20\nLogLevel Connect\n"
            f'LogFile "{self.log}"\nBasicAuth {USER} {self.password}\n'
        )
        self.process = subprocess.Popen(["tinyproxy", "-d", "-c", str(config)], stdout=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE_SECONDS
        while not _listens(self.port):
            assert time.monotonic() < end, "tinyproxy does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it with every connection through it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def log(self) -> Path:
        """Where it writes down for whom it made connections."""
        return self.folder / "tinyproxy.log"

    def led_to(self) -> list[str]:
        """List the places to which it was asked to lead."""
        return re.findall(r"CONNECT (\S+) HTTP", self.log.read_text())

    def proxy(self, password: str = PASSWORD) -> Proxy:
        """Describe it as an administrator would."""
        return Proxy("127.0.0.1", self.port, Secret(f"{USER}:{password}"))


#: What is done with a connection, after its request was read.
Behaviour = Callable[[socket.socket], None]


@dataclass
class StrangeProxy:
    """A proxy of a few lines: each connection is treated by ``behave``; ``heads`` are the requests as they came."""

    behave: Behaviour
    port: int = 0
    heads: list[bytes] = field(default_factory=list)

    def proxy(self) -> Proxy:
        """Describe it; nobody signs in."""
        return Proxy("127.0.0.1", self.port, None)


@contextmanager
def strange_proxy(behave: Behaviour, port: int = 0) -> Iterator[StrangeProxy]:
    """Run one for the block's time."""
    listening = socket.create_server(("127.0.0.1", port))
    strange = StrangeProxy(behave, listening.getsockname()[1])
    connections: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connected = listening.accept()[0]
                connections.append(connected)
                threading.Thread(target=_treat, args=(strange, connected), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield strange
    finally:
        for one in (listening, *connections):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def says(data: bytes) -> Behaviour:
    """Say something, whatever was asked, and hang up."""
    return lambda connected: connected.sendall(data)


def silent(connected: socket.socket) -> None:
    """Say nothing until the other side gives up."""
    connected.recv(1)


def endless(connected: socket.socket) -> None:
    """Begin an answer whose head never ends."""
    connected.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        connected.sendall(b"X-More-%d: yes\r\n" % number)


def leads_to(port: int) -> Behaviour:
    """Answer that all is well, and lead to another place of this machine than was asked for."""

    def lead(connected: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as there:
            connected.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pour, args=(there, connected), daemon=True)
            back.start()
            _pour(connected, there)
            back.join()

    return lead


def _treat(strange: StrangeProxy, connected: socket.socket) -> None:
    with contextlib.suppress(OSError), connected:
        head = b""
        while b"\r\n\r\n" not in head:
            more = connected.recv(4096)
            if not more:
                return
            head += more
        strange.heads.append(head)
        strange.behave(connected)


def _pour(source: socket.socket, drain: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            drain.sendall(data)
        drain.shutdown(socket.SHUT_WR)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
