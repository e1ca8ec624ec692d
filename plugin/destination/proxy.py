"""The proxy between this system and a destination: it carries protected connections and learns nothing but where to.

Only tunnels (CONNECT) are asked for, so a destination's certificate is checked through the proxy exactly as without it.
The proxy itself is spoken to in plain HTTP, as proxies are; its name and password are seen on the way to it.
"""

from __future__ import annotations

import base64
import http.client
import re
import socket
from dataclasses import dataclass
from typing import Final, cast

from ..errors import ProxyAddressRefused, ProxyNonsense, ProxyRefuses, ProxySignInRefused, ProxyUnreachable
from .addresses import Address, MalformedAddress, parse_address
from .patient_socket import AnsweredEarly, PatientSocket
from .secret import Secret

LONGEST_NAME: Final = 255
DEFAULT_PORT: Final = 8080

#: 407 is the right one; tinyproxy says 401 to a wrong password.
_SIGN_IN_WANTED: Final = frozenset({407, 401})
_TOO_SLOW: Final = "no answer in time"
_HUNG_UP: Final = "it closed the connection"
_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f]*")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, and what it is told about who asks: a secret ``name:password``, or None."""

    host: str
    port: int
    sign_in: Secret | None = None

    @property
    def place(self) -> str:
        """Name host and port as people write them."""
        return Address("http", self.host, self.port, "").place

    @property
    def address(self) -> str:
        """Write the address down, without name and password."""
        return f"http://{self.place}"

    @property
    def user_name(self) -> str:
        """Give the name that is told to the proxy; empty where it asks for none."""
        return self.sign_in.reveal().partition(":")[0] if self.sign_in else ""


def parse_proxy(address: str, user_name: str = "", password: str = "") -> Proxy:
    """Read what was entered: ``host``, ``host:port`` or ``http://host:port``; raises ProxyAddressRefused."""
    text = address.strip()
    try:
        parsed = parse_address(text if "://" in text else f"http://{text}")
    except MalformedAddress as error:
        raise ProxyAddressRefused(reason=str(error)) from error
    if parsed.secure:
        raise ProxyAddressRefused(reason="a proxy is spoken to in plain HTTP; destinations stay protected through it")
    if parsed.path not in ("", "/"):
        raise ProxyAddressRefused(reason="it has a path")
    has_port = re.search(r":[0-9]+/?\Z", text) is not None
    return Proxy(parsed.host, parsed.port if has_port else DEFAULT_PORT, _sign_in(user_name, password))


def open_tunnel(proxy: Proxy, target: Address, timeout_seconds: float) -> socket.socket:
    """Connect to a place through the proxy; nothing has been said there yet. Raises errors that name the proxy."""
    try:
        connected = socket.create_connection((proxy.host, proxy.port), timeout_seconds)
    except OSError as error:
        raise ProxyUnreachable(proxy=proxy.place, reason=error.strerror or _TOO_SLOW) from error
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        status = _ask(connected, proxy, target)
        _judge(status, proxy, target)
        connected.settimeout(timeout_seconds)
    except BaseException:
        connected.close()
        raise
    return connected


def _ask(connected: socket.socket, proxy: Proxy, target: Address) -> int:
    """Ask for the tunnel and read the head of the answer, with the patience of every exchange."""
    patient = PatientSocket(connected)
    try:
        patient.sendall(_request(proxy, target))
    except AnsweredEarly as error:
        if patient.take_early():
            raise ProxyNonsense(proxy=proxy.place) from error
        raise ProxyUnreachable(proxy=proxy.place, reason=_HUNG_UP) from error
    return _read_status(patient, proxy)


def _read_status(patient: PatientSocket, proxy: Proxy) -> int:
    try:
        answer = http.client.HTTPResponse(cast(socket.socket, patient), method="CONNECT")
        answer.begin()
        answer.close()
    except TimeoutError as error:
        raise ProxyUnreachable(proxy=proxy.place, reason=_TOO_SLOW) from error
    except OSError as error:
        raise ProxyUnreachable(proxy=proxy.place, reason=_HUNG_UP) from error
    except http.client.HTTPException as error:
        raise ProxyNonsense(proxy=proxy.place) from error
    return answer.status


def _request(proxy: Proxy, target: Address) -> bytes:
    lines = [f"CONNECT {target.place} HTTP/1.1", f"Host: {target.place}"]
    if proxy.sign_in is not None:
        told = base64.b64encode(proxy.sign_in.reveal().encode()).decode("ascii")
        lines.append(f"Proxy-Authorization: Basic {told}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _judge(status: int, proxy: Proxy, target: Address) -> None:
    if status in _SIGN_IN_WANTED:
        raise ProxySignInRefused(proxy=proxy.place)
    if status != http.client.OK:
        raise ProxyRefuses(proxy=proxy.place, host=target.place, status=status)


def _sign_in(user_name: str, password: str) -> Secret | None:
    if not user_name and not password:
        return None
    if not user_name:
        raise ProxyAddressRefused(reason="there is a password without a name")
    if ":" in user_name:
        raise ProxyAddressRefused(reason="a name for a proxy cannot contain a colon")
    if max(len(user_name), len(password)) > LONGEST_NAME:
        raise ProxyAddressRefused(reason=f"name and password have at most {LONGEST_NAME} characters")
    if not _PRINTABLE.fullmatch(user_name + password):
        raise ProxyAddressRefused(reason="name or password contain control characters")
    return Secret(f"{user_name}:{password}")
