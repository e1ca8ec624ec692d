"""Running the host as a program: refuse what is unsafe, make the first accounts, start the plugins, serve."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from . import accounts, passwords, state
from .app import create_app
from .problems import AlreadyServed, Exposed, HostProblem
from .server import Server, free_port
from .settings import Settings

__all__ = ["HostProblem", "run", "settings"]

Announce = Callable[[str], None]


def settings(*, port: int, address: str, **values: object) -> Settings:
    """Take what the command line says; port 0 becomes a free one, so that absolute addresses can name it."""
    return Settings(address=address, port=port or free_port(address), **values)  # type: ignore[arg-type]


def run(settings: Settings, *, admin_password: str, demo_accounts: bool, announce: Announce) -> None:
    """Serve until SIGTERM or SIGINT.

    :raises HostProblem: before anything is started, in words.
    """
    refuse_exposed(settings)
    with _alone(settings.data_dir):
        app = create_app(settings)
        server = Server(app, settings)
        loader = state.of(app).loader
        _make_first_accounts(app, admin_password, demo_accounts, announce)
        try:
            loader.migrate()
            loader.start()
            announce(f"Harbour VMS is at {settings.base_url}/ (end it with Ctrl-C)")
            _serve(server)
        finally:
            server.stop()
            for sentence in loader.stop():
                announce(sentence)


def refuse_exposed(settings: Settings) -> None:
    """Refuse plain HTTP where other machines could listen.

    :raises Exposed: naming both ways out.
    """
    if not settings.is_loopback and not settings.secure:
        raise Exposed(
            f"{settings.address} can be reached by other machines, and without TLS passwords and recordings would "
            "travel readable. Give --certificate and --private-key, or listen on 127.0.0.1."
        )


def _serve(server: Server) -> None:
    """Let the server work in threads of its own; this one waits for a signal."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server.start()
    ended.wait()


def _make_first_accounts(app: Flask, admin_password: str, demo_accounts: bool, announce: Announce) -> None:
    hasher = state.of(app).passwords
    with app.app_context():
        first = accounts.create_first(hasher, admin_password)
        if first is None:
            return
        announce("Accounts were made. Their passwords are shown this once:")
        announce(f"  admin (administrator): {first if not admin_password else 'as in the file'}")
        for role in ("operator", "viewer") if demo_accounts else ():
            password = passwords.generate()
            accounts.create(hasher, role, role, password)
            announce(f"  {role} ({role}): {password}")


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
