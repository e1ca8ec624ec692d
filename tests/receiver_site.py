"""A host that has the receiver, served on loopback; in a process of its own it can be made to die while committing."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import seed
from bodyworn.contract import ArrivedRecording
from bodyworn.destination.client import Client
from bodyworn.destination.connection_file import ConnectionFile, parse
from bodyworn.migrations.run import upgrade
from bodyworn.models import Database
from bodyworn.mount import mount
from bodyworn.runtime import Runtime
from bodyworn.services import connection_files, systems
from bodyworn.services.connection_files import Site
from bodyworn_host.server import Server, free_port
from bodyworn_host.settings import Settings
from flask import Flask, url_for
from jinja2 import DictLoader
from sqlalchemy import Connection, event
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

PREFIX = "/bodyworn/receiver"
LAYOUT = """<!doctype html><html lang="en"><head><title>{% block title %}{% endblock %}</title>
{% block head %}{% endblock %}</head><body><main>{% block content %}{% endblock %}</main>
{% block scripts %}{% endblock %}</body></html>"""


@dataclass
class Operator:
    """Who is signed in to the host."""

    id: str = "operator-1"
    name: str = "Olga"


@dataclass
class LoopbackHost:
    """The least host there can be; everybody is an operator."""

    database: Database
    data_dir: Path
    arrived: list[ArrivedRecording] = field(default_factory=list)
    permissions: set[str] = field(default_factory=lambda: {"bodyworn.recordings", "bodyworn.destination"})
    layout: str = "layout.html"

    @property
    def engine(self) -> object:
        return self.database.engine

    def user(self) -> Operator:
        return Operator()

    def can(self, permission: str) -> bool:
        return permission in self.permissions

    def challenge(self) -> Response:
        return Response(status=401)

    def csp_nonce(self) -> str:
        return ""

    def csrf_token(self) -> str:
        return ""

    def external_url(self, endpoint: str, **values: str) -> str:
        return url_for(endpoint, _external=True, **values)

    def locale(self) -> str:
        return "en"

    def supports(self, feature: str) -> bool:
        return feature == "recordings"

    def recording_arrived(self, recording: ArrivedRecording) -> None:
        self.arrived.append(recording)


@dataclass
class ReceiverSite:
    """The receiver while it runs."""

    url: str
    app: Flask
    host: LoopbackHost
    runtime: Runtime

    @property
    def database(self) -> Database:
        return self.runtime.database

    def connection(self, *, want_encryption: bool = False) -> ConnectionFile:
        """Export a connection file with an account of its own."""
        site = Site(
            name="North", authentication_uris=(f"{self.url}{PREFIX}/auth/v1.0",), want_encryption=want_encryption
        )
        with self.database.write() as session:
            return parse(connection_files.export(session, self.runtime.secrets, site).data)

    @contextmanager
    def client(self, connection: ConnectionFile | None = None) -> Iterator[Client]:
        """Open our own client, signed in with an account of its own unless one is given."""
        client = Client(connection or self.connection(), timeout_seconds=10)
        try:
            yield client
        finally:
            client.close()


def build(data_dir: Path, parallel_uploads: int = 8) -> tuple[Flask, LoopbackHost, Runtime]:
    """Put an app together on a data folder, as a host does."""
    database = Database.at(f"sqlite:///{data_dir / 'bodyworn.db'}")
    upgrade(database.engine)
    host = LoopbackHost(database, data_dir)
    app = Flask("receiver_site")
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False, BODYWORN_PARALLEL_UPLOADS=parallel_uploads)
    app.jinja_loader = DictLoader({"layout.html": LAYOUT})
    for blueprint in mount(host).blueprints:
        app.register_blueprint(blueprint)
    return app, host, app.extensions["bodyworn"]


@contextmanager
def serving(app: Flask, server: str = "cheroot") -> Iterator[str]:
    """Serve an app on loopback, with the reference host's server or with the developers' one."""
    with (_cheroot if server == "cheroot" else _werkzeug)(app) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(data_dir: Path, server: str = "cheroot", parallel_uploads: int = 8) -> Iterator[ReceiverSite]:
    """Run the receiver until the block ends; the system is set up, or its pages would lead to the wizard."""
    app, host, runtime = build(data_dir, parallel_uploads)
    with runtime.database.write() as session:
        if systems.find(session) is None:
            seed.found_system(session, datetime.now(UTC), time_zone="UTC")
    try:
        with serving(app, server) as url:
            yield ReceiverSite(url, app, host, runtime)
    finally:
        runtime.database.close()


@contextmanager
def _cheroot(app: Flask) -> Iterator[int]:
    port = free_port("127.0.0.1")
    server = Server(app, Settings(Path(), port=port))
    server.start()
    try:
        yield port
    finally:
        server.stop()


@contextmanager
def _werkzeug(app: Flask) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _die_before_commit(connection: Connection) -> None:
    """End this process as a power cut would, once the bytes of a clip are durable and their row is not."""
    data_dir = Path(sys.argv[1])
    if any(data_dir.glob("received/*/*/clip.mkv")):
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Serve a data folder and print the address; with ``dies`` as second argument, until the first clip is stored."""
    app, _, runtime = build(Path(sys.argv[1]))
    if sys.argv[2:] == ["dies"]:
        event.listen(runtime.database.engine, "commit", _die_before_commit)
    with serving(app) as url:
        print(url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
