"""Addresses that come from outside: taken apart strictly, before anything connects to them.

Used for the connection file's ``AuthenticationTokenURI`` and for the ``X-Storage-Url`` that a destination answers.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ALLOWED: Final = re.compile(r"[A-Za-z0-9\-._~:/\[\]!$&'()*+,;=%@?#]+")
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)


class MalformedAddress(ValueError):
    """Says in a few words what is wrong with an address; callers turn it into an error of their own."""


@dataclass(frozen=True, slots=True)
class Address:
    """An http or https address without user, query or fragment; ``host`` is lower case, IPv6 without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def secure(self) -> bool:
        """Tell whether TLS protects what goes there."""
        return self.scheme == "https"

    @property
    def loopback(self) -> bool:
        """Tell whether this is certainly the same machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def place(self) -> str:
        """Name host and port as people write them, for messages and confirmations."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Take an address apart; raise :class:`MalformedAddress` for everything that is not plainly http(s)://host[:port]/path."""
    if not _ALLOWED.fullmatch(text):
        raise MalformedAddress("it contains characters that an address cannot have")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise MalformedAddress("its host or port cannot be understood") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise MalformedAddress("it begins with neither http:// nor https://")
    _refuse_decorations(parts, text)
    _refuse_dot_segments(parts.path)
    if port == 0:
        raise MalformedAddress("its port is 0")
    return Address(parts.scheme, _host(parts), port or _DEFAULT_PORTS[parts.scheme], parts.path)


def _refuse_decorations(parts: SplitResult, text: str) -> None:
    if "@" in parts.netloc:
        raise MalformedAddress("it contains a user name or password")
    if "?" in text or "#" in text:
        raise MalformedAddress("it contains a query or a fragment")


def _refuse_dot_segments(path: str) -> None:
    if any(unquote(segment) in (".", "..") for segment in path.split("/")):
        raise MalformedAddress("its path contains dots that lead elsewhere")


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "%" in host:
        raise MalformedAddress("its host names a network interface or is encoded")
    if parts.netloc.startswith("["):
        try:
            return ipaddress.IPv6Address(host).compressed
        except ValueError as error:
            raise MalformedAddress("its IPv6 address cannot be understood") from error
    if not _NAME.fullmatch(host):
        raise MalformedAddress("its host is missing or misspelt")
    return host
