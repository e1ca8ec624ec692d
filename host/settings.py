"""What a host is started with. Reading it from a command line is the caller's; the host reads no environment."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from pathlib import Path


class PasswordCost(Enum):
    """Argon2id cost of a password: memory in KiB, passes, lanes."""

    #: The second recommended option of RFC 9106.
    STRONG = (65536, 3, 4)
    #: For tests that sign in hundreds of times; never for people.
    QUICK = (1024, 1, 1)


@dataclass(frozen=True)
class Settings:
    """Everything that differs between two installations of the reference host."""

    data_dir: Path
    #: Folders that hold a ``manifest.json``.
    plugins: tuple[Path, ...] = ()
    address: str = "127.0.0.1"
    port: int = 8088
    #: Address under which other machines reach the host; empty means the one it listens on.
    external_url: str = ""
    #: PEM files to serve with, which no plugin changes then.
    certificate: Path | None = None
    private_key: Path | None = None
    #: Database of each plugin; a plugin that is not named gets an SQLite file in its data folder.
    plugin_databases: tuple[tuple[str, str], ...] = ()
    password_cost: PasswordCost = PasswordCost.STRONG
    testing: bool = False
    #: Port at which plain HTTP is led to HTTPS; None for none.
    redirect_port: int | None = None
    #: Whom people turn to when help did not help, as plugins show it; empty where nobody is named.
    support_contact: str = ""

    @property
    def secure(self) -> bool:
        """Tell whether the host speaks HTTPS: with a certificate that was given, and on every address but loopback."""
        return self.has_given_certificate or not self.is_loopback

    @property
    def has_given_certificate(self) -> bool:
        """Tell whether the command line names the certificate."""
        return self.certificate is not None and self.private_key is not None

    @property
    def base_url(self) -> str:
        """Give scheme and authority of every absolute address, without a slash at the end."""
        scheme = "https" if self.secure else "http"
        return self.external_url.rstrip("/") or f"{scheme}://{_authority(reachable(self.address), self.port)}"

    @property
    def authority(self) -> str:
        """Give the address and port that are listened on, as they stand in a URL."""
        return _authority(self.address, self.port)

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach the host."""
        return is_loopback(self.address)

    @property
    def cookie_prefix(self) -> str:
        """Give the beginning of cookie names.

        ``__Host-`` keeps other sites of a domain from planting cookies, but browsers drop such cookies on plain HTTP.
        There the port stands in the name instead, because cookies of one address are shared by all its ports.
        """
        return "__Host-harbour" if self.secure else f"harbour_{self.port}"


def reachable(address: str) -> str:
    """Give an address that other machines can use where ``address`` means all of this machine; else give it as it is.

    It is the one from which the kernel would send to other networks; nothing is sent to find out.
    """
    if address not in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not listened on
        return address
    family, elsewhere = (socket.AF_INET6, "2001:db8::1") if ":" in address else (socket.AF_INET, "192.0.2.1")
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found: str = probe.getsockname()[0]
            return found
    except OSError:
        return socket.gethostname()


def _authority(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def is_loopback(address: str) -> bool:
    """Tell whether a name or address means this machine alone."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
