"""What a host is started with. Reading it from a command line is the caller's; the host reads no environment."""

from __future__ import annotations

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
        return self.external_url.rstrip("/") or f"{scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Give address and port as they stand in a URL."""
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{shown}:{self.port}"

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


def is_loopback(address: str) -> bool:
    """Tell whether a name or address means this machine alone."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
