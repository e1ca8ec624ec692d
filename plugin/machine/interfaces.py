"""The machine's network interfaces as the kernel has them: names, addresses, gateways; nothing is changed here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface
from pathlib import Path
from typing import TypeVar

import msgspec

_SECONDS = 3.0
#: Where the tool is; services often look in fewer places.
_TOOLS = "/usr/sbin:/sbin:/usr/bin:/bin"
_SYSTEM = Path("/sys/class/net")
_RESOLVER = Path("/etc/resolv.conf")

Address = IPv4Interface | IPv6Interface
Host = IPv4Address | IPv6Address


@dataclass(frozen=True)
class KernelInterface:
    """One interface, a loopback never."""

    name: str
    hardware_address: str
    up: bool
    #: Those that other machines can reach; addresses that only this link knows are left out.
    addresses: tuple[Address, ...]
    gateway: Host | None


class _AddressInfo(msgspec.Struct, frozen=True):
    local: str = ""
    prefixlen: int = 0
    scope: str = ""


class _Link(msgspec.Struct, frozen=True):
    ifname: str
    flags: list[str] = []
    address: str = ""
    addr_info: list[_AddressInfo] = []


class _Route(msgspec.Struct, frozen=True):
    dev: str = ""
    gateway: str = ""


Asked = TypeVar("Asked")


def read(also: Collection[str] = ()) -> tuple[KernelInterface, ...]:
    """List the interfaces that are real, have an address, or are named; empty where the machine does not tell."""
    gateways = _gateways()
    return tuple(
        KernelInterface(
            name=link.ifname,
            hardware_address=link.address,
            up="LOWER_UP" in link.flags,
            addresses=tuple(_addresses(link)),
            gateway=gateways.get(link.ifname),
        )
        for link in _ask(list[_Link], "address") or ()
        if "LOOPBACK" not in link.flags and (link.ifname in also or _addresses(link) or _is_real(link.ifname))
    )


def name_servers() -> tuple[str, ...]:
    """List the name servers that programs on this machine ask."""
    try:
        lines = _RESOLVER.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    return tuple(line.split()[1] for line in lines if line.startswith("nameserver") and len(line.split()) > 1)


def _is_real(name: str) -> bool:
    return (_SYSTEM / name / "device").exists()


def _addresses(link: _Link) -> list[Address]:
    return [ip_interface(f"{one.local}/{one.prefixlen}") for one in link.addr_info if one.scope == "global"]


def _gateways() -> Mapping[str, Host]:
    routes = [*(_ask(list[_Route], "-6", "route", "show", "default") or ())]
    routes += _ask(list[_Route], "-4", "route", "show", "default") or ()  # the last one counts
    return {route.dev: ip_address(route.gateway) for route in routes if route.gateway}


def _ask(shape: type[Asked], *arguments: str) -> Asked | None:
    """Ask ``ip`` of iproute2; None where it is missing or says what cannot be read."""
    command = [shutil.which("ip", path=_TOOLS) or "ip", "-json", *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True, stdin=subprocess.DEVNULL)  # noqa: S603
        return msgspec.json.decode(answer.stdout or b"[]", type=shape)
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError):
        return None
