"""Addresses as people enter them: read, and what is wrong with them in words."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, ip_address

from ..services.sentence import marked

_PART = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_PART}(\.{_PART})*")
_LABEL = re.compile(_PART)
#: "This network", which is nobody's.
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_OF_ALL = marked("This is an address of the whole network, not of a machine in it.")
_LEAST_PREFIX, _MOST_PREFIX = 8, 31


def is_label(text: str) -> bool:
    """Tell whether a text can name one machine in its network."""
    return bool(_LABEL.fullmatch(text))


def is_server(text: str) -> bool:
    """Tell whether a text is the name of a machine, or its address."""
    try:
        ip_address(text)
    except ValueError:  # what looks like an address and is none is no name either
        return bool(_NAME.fullmatch(text)) and not text.replace(".", "").isdigit()
    return True


def interface(text: str | None) -> IPv4Interface | None:
    """Read an address with its prefix."""
    try:
        return IPv4Interface(text) if text and "/" in text else None
    except ValueError:
        return None


def host(text: str | None) -> IPv4Address | None:
    """Read an address."""
    try:
        return IPv4Address(text) if text else None
    except ValueError:
        return None


def wrong_interface(found: IPv4Interface | None) -> str | None:
    """Say why a machine cannot have an address; None where it can."""
    if found is None:
        return marked("Enter an IPv4 address with its prefix, as in 192.0.2.10/24.")
    if not _can_be_had(found.ip):
        return marked("No machine can have this address.")
    if not _LEAST_PREFIX <= found.network.prefixlen <= _MOST_PREFIX:
        return marked("Use a prefix from 8 to 31.")
    return _OF_ALL if _is_end(found.ip, found) else None


def wrong_gateway(found: IPv4Address | None, own: IPv4Interface) -> str | None:
    """Say why a gateway cannot be that of an address; None where it can."""
    if found is None:
        return marked("Enter an IPv4 address, as in 192.0.2.1, or leave it empty.")
    if found not in own.network:
        return marked("The gateway must be in the network of the address.")
    if found == own.ip:
        return marked("The gateway must be another machine than this one.")
    return _OF_ALL if _is_end(found, own) else None


def wrong_name_servers(found: list[IPv4Address | None], most: int) -> str | None:
    """Say why these cannot be asked for names; None where they can."""
    if None in found or len(found) > most:
        return marked("Enter at most three IPv4 addresses, with spaces between them.")
    if not all(one is not None and (_can_be_had(one) or one.is_loopback) for one in found):
        return marked("No machine can have this address.")
    return None


def _can_be_had(address: IPv4Address) -> bool:
    return not (
        address.is_loopback
        or address.is_multicast
        or address.is_unspecified
        or address.is_link_local
        or address.is_reserved
        or address in _THIS_NETWORK
    )


def _is_end(address: IPv4Address, own: IPv4Interface) -> bool:
    """Tell whether an address is the first or the last one of a network, where these are no machine's."""
    network = own.network
    return network.prefixlen < 31 and address in (network.network_address, network.broadcast_address)
