"""A connection over TLS whose handshake is the business of the thread that serves it.

Cheroot shakes hands in the thread that accepts connections, with a deadline of a minute: one client that connects and
says nothing would keep everybody else out. Here it holds one worker for a few seconds.
"""

from __future__ import annotations

import logging
import socket

from cheroot.makefile import MakeFile
from cheroot.server import HTTPConnection

from .tls import OVER, TlsServer

_LOG = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
#: The first byte of what a client that speaks TLS sends.
_HANDSHAKE = b"\x16"


class Connection(HTTPConnection):
    """One connection. Plain HTTP on it stays what it is; such requests lack ``OVER`` in their environment."""

    tls: TlsServer
    _opened = False

    @classmethod
    def over(cls, tls: TlsServer) -> type[Connection]:
        """Make the class of a server's connections."""
        return type(cls.__name__, (cls,), {"tls": tls})

    def communicate(self) -> bool:
        """Answer what comes; the first time, shake hands before."""
        if not self._opened:
            self._opened = True
            if not self._open():
                return False
        return bool(super().communicate())  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close it; a socket that fails at that is closed all the same, and must not end the server."""
        try:
            super().close()
        except OSError as error:
            _LOG.debug("Closing the connection of %s: %s", self.remote_addr, error)

    def _open(self) -> bool:
        raw: socket.socket = self.socket
        kept_seconds = raw.gettimeout()
        raw.settimeout(HANDSHAKE_SECONDS)
        try:
            first = raw.recv(1, socket.MSG_PEEK)
            if first == _HANDSHAKE:
                self._shake_hands(raw)
        except OSError as error:
            _LOG.debug("No handshake with %s: %s", self.remote_addr, error)
            return False
        self.socket.settimeout(kept_seconds)
        return bool(first)

    def _shake_hands(self, raw: socket.socket) -> None:
        served = self.tls.now()
        # ours before the handshake: what is wrapped is gone, and a handshake that fails leaves something to close
        self.socket = served.context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        self.rfile = MakeFile(self.socket, "rb", self.rbufsize)
        self.wfile = MakeFile(self.socket, "wb", self.wbufsize)
        self.socket.do_handshake()
        self.ssl_env = {"wsgi.url_scheme": "https", "HTTPS": "on", OVER: served.fingerprint}
