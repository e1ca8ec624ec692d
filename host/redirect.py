"""Leading browsers from plain HTTP to HTTPS: on a port of its own, and where somebody forgot the "s"."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cheroot.wsgi import Server as CherootServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HTTPS_PORT = 443
_THREADS = 2
_IDLE_SECONDS = 10
#: Name and port as browsers send them.
_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_SAFE = ("GET", "HEAD")


def redirecting(port: int) -> WSGIApplication:
    """Make an app that leads every page to the same one over HTTPS at ``port``.

    What is sent with a form was readable on its way already, so it is refused instead of sent once more.
    """

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        target = location(str(environ.get("HTTP_HOST", "")), port, str(environ.get("REQUEST_URI", "/")))
        if target is None or environ["REQUEST_METHOD"] not in _SAFE:
            return _answer(start_response, "400 Bad Request", "This server speaks HTTPS only.\n")
        headers = [("Location", target), ("Cache-Control", "no-store")]
        return _answer(start_response, "307 Temporary Redirect", f"This server speaks HTTPS only: {target}\n", headers)

    return app


def location(host: str, port: int, path: str) -> str | None:
    """Give the address over HTTPS of what was asked for; None where the request does not say."""
    found = _HOST.fullmatch(host)
    if found is None or not path.startswith("/") or not path.isprintable():
        return None
    shown = "" if port == HTTPS_PORT else f":{port}"
    return f"https://{found['name']}{shown}{path}"


class RedirectServer:
    """The server on the port of plain HTTP."""

    def __init__(self, address: str, port: int, https_port: int) -> None:
        """Listen.

        :raises OSError: when that is not possible.
        """
        self._server = CherootServer(
            (address, port), redirecting(https_port), numthreads=_THREADS, max=_THREADS, timeout=_IDLE_SECONDS
        )
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        # tried by hand first: where it fails, cheroot forgets to close its socket
        socket.create_server((address, port), family=family).close()
        self._server.prepare()

    def start(self) -> None:
        """Answer, in other threads than the caller's."""
        self._thread = threading.Thread(target=self._server.serve, name="harbour-redirect", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.stop()
        self._thread.join()


def _answer(
    start_response: StartResponse, status: str, text: str, headers: Iterable[tuple[str, str]] = ()
) -> Iterable[bytes]:
    body = text.encode()
    start_response(
        status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), *headers]
    )
    return [body]
