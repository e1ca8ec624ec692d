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
    #: PEM files; HTTPS where both are given.
    certificate: Path | None = None
    private_key: Path | None = None
    #: Database of each plugin; a plugin that is not named gets an SQLite file in its data folder.
    plugin_databases: tuple[tuple[str, str], ...] = ()
    password_cost: PasswordCost = PasswordCost.STRONG
    testing: bool = False

    @property
    def secure(self) -> bool:
        """Tell whether the host speaks HTTPS."""
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
        if self.address == "localhost":
            return True
        try:
            return ip_address(self.address).is_loopback
        except ValueError:
            return False

    @property
    def cookie_prefix(self) -> str:
        """Give the beginning of cookie names.

        ``__Host-`` keeps other sites of a domain from planting cookies, but browsers drop such cookies on plain HTTP.
        There the port stands in the name instead, because cookies of one address are shared by all its ports.
        """
        return "__Host-harbour" if self.secure else f"harbour_{self.port}"
