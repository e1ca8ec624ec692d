"""Running the host as a program: make the first accounts, start the plugins, serve."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import first_accounts, state
from .app import create_app
from .first_accounts import AtStart
from .problems import AlreadyServed, HostProblem
from .redirect import RedirectServer
from .server import Server, free_port
from .settings import Settings
from .tls import spelled

__all__ = ["AtStart", "HostProblem", "run", "settings"]

Announce = Callable[[str], None]


def settings(*, port: int, address: str, **values: object) -> Settings:
    """Take what the command line says; port 0 becomes a free one, so that absolute addresses can name it."""
    return Settings(address=address, port=port or free_port(address), **values)  # type: ignore[arg-type]


def run(settings: Settings, chosen: AtStart, announce: Announce) -> None:
    """Serve until SIGTERM or SIGINT.

    :raises HostProblem: before anything is started, in words.
    """
    with _alone(settings.data_dir):
        app = create_app(settings)
        tls = state.of(app).tls
        server = Server(app, settings, tls)
        loader = state.of(app).loader
        try:
            loader.migrate()
            first_accounts.prepare(app, chosen, announce)
            loader.start()
            first_accounts.invite(app, announce)
            announce(f"Harbour VMS is at {settings.base_url}/ (end it with Ctrl-C)")
            if tls is not None:
                announce(f"Its certificate has the SHA-256 fingerprint {spelled(tls.now().fingerprint)}")
            with _redirecting(settings, announce):
                _serve(server)
        finally:
            server.stop()
            for sentence in loader.stop():
                announce(sentence)


def _serve(server: Server) -> None:
    """Let the server work in threads of its own; this one waits for a signal."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server.start()
    ended.wait()


@contextmanager
def _redirecting(settings: Settings, announce: Announce) -> Iterator[None]:
    """Lead plain HTTP to HTTPS within the block; a port that is taken is no reason not to serve."""
    if settings.redirect_port is None or not settings.secure:
        yield
        return
    try:
        server = RedirectServer(settings.address, settings.redirect_port, settings.port)
    except OSError as error:
        announce(f"Port {settings.redirect_port} does not lead browsers to HTTPS: {error.strerror}")
        yield
        return
    server.start()
    try:
        yield
    finally:
        server.stop()


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(data_dir / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise AlreadyServed(f"{data_dir} is served by another process already.") from error
    try:
        yield
    finally:
        os.close(descriptor)
