"""How this machine may be called: its name and its addresses, for certificates that it makes for itself."""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

_SIOCGIFADDR = 0x8915
_INTERFACES_IPV6 = Path("/proc/net/if_inet6")
#: The scope that the kernel writes for addresses that other machines can use.
_GLOBAL = "00"
#: Interface names as the kernel takes them, and what it puts behind them.
_REQUEST = struct.Struct("16s24x")


def own_names() -> list[str]:
    """List the host name first, then every address that other machines may use."""
    names = [socket.gethostname(), *sorted(_ipv4_addresses()), *sorted(_ipv6_addresses())]
    return list(dict.fromkeys(names))


def _ipv4_addresses() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, _REQUEST.pack(name.encode()[:15]))
            except OSError:
                continue  # it has none
            address = IPv4Address(answer[20:24])
            if not address.is_loopback:
                yield str(address)


def _ipv6_addresses() -> Iterator[str]:
    try:
        lines = _INTERFACES_IPV6.read_text("ascii").splitlines()
    except OSError:
        return  # the kernel has no IPv6
    for line in lines:
        digits, _, _, scope, *_ = line.split()
        if scope == _GLOBAL:
            yield str(IPv6Address(bytes.fromhex(digits)))
