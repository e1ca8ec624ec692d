"""Host name and addresses: read on any machine, changed where NetworkManager and systemd-hostnamed keep them.

A change of addresses is on trial: NetworkManager itself takes it back unless somebody keeps it in time. So an address
that nobody can reach mends itself, also when this program has ended meanwhile. IPv4 alone is set here.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any, Final

from ..errors import AddressesNotOurs, MachineError
from . import interfaces
from .bus import CHANGE_SECONDS, Bus, Service, system_bus
from .interfaces import Address, Host

#: How long a new address is on trial.
TRIAL_SECONDS: Final = 120

_MANAGER = Service(
    "NetworkManager",
    "org.freedesktop.NetworkManager",
    "/org/freedesktop/NetworkManager",
    "org.freedesktop.NetworkManager",
)
_DEVICE: Final = "org.freedesktop.NetworkManager.Device"
_ACTIVE: Final = "org.freedesktop.NetworkManager.Connection.Active"
_CONNECTION: Final = "org.freedesktop.NetworkManager.Settings.Connection"
_CHECKPOINT: Final = "org.freedesktop.NetworkManager.Checkpoint"
_HOSTNAMED = Service(
    "systemd-hostnamed", "org.freedesktop.hostname1", "/org/freedesktop/hostname1", "org.freedesktop.hostname1"
)
_MODIFY: Final = "org.freedesktop.NetworkManager.settings.modify.system"
_CONTROL: Final = "org.freedesktop.NetworkManager.network-control"
_ROLL_BACK: Final = "org.freedesktop.NetworkManager.checkpoint-rollback"
_SET_NAME: Final = "org.freedesktop.hostname1.set-static-hostname"
_IP4: Final = "org.freedesktop.NetworkManager.IP4Config"
_NONE = "/"
#: One trial at a time: a new one ends those before it (a flag of NetworkManager's).
_DESTROY_ALL = 1
#: Somebody else made the connection, and NetworkManager only looks on (a flag of its).
_EXTERNAL = 0x80
#: What keeps addresses where NetworkManager does not, by what it leaves on the disk; the first that is there counts.
_KEEPERS = (
    ("netplan", "/etc/netplan", "*.yaml"),
    ("systemd-networkd", "/etc/systemd/network", "*.network"),
    ("dhcpcd", "/etc", "dhcpcd.conf"),
    ("ifupdown", "/etc/network", "interfaces"),
)


class Method(StrEnum):
    """Where an interface has its IPv4 address from."""

    DHCP = "dhcp"
    STATIC = "static"
    #: Nothing on this machine tells, or neither of the two.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Interface:
    """One network interface."""

    name: str
    hardware_address: str
    up: bool
    addresses: tuple[Address, ...]
    gateway: Host | None
    dns: tuple[str, ...]
    method: Method = Method.UNKNOWN
    #: Why its addresses cannot be changed from here.
    obstacle: MachineError | None = None


@dataclass(frozen=True)
class NetworkFacts:
    """The machine's name, and its interfaces."""

    host_name: str
    interfaces: tuple[Interface, ...]
    #: What keeps the addresses, as far as it can be told.
    keeper: str | None
    #: Why the host name cannot be changed from here.
    name_obstacle: MachineError | None = None
    #: Until when an address is on trial.
    trial_until: datetime | None = None


@dataclass(frozen=True)
class Addresses:
    """What an interface is to be given: nothing but ``dhcp``, or all of it."""

    address: IPv4Interface | None = None
    gateway: IPv4Address | None = None
    dns: tuple[IPv4Address, ...] = ()


def read() -> NetworkFacts:
    """Tell how the network stands, on any machine; takes some milliseconds, a few seconds where a service hangs."""
    try:
        with system_bus() as bus:
            return _read(bus)
    except MachineError as error:
        return NetworkFacts(socket.gethostname(), _unmanaged(error), _keeper(), error)


def set_host_name(name: str) -> None:
    """Rename the machine, for good; raises MachineError."""
    with system_bus() as bus:
        for method in ("SetStaticHostname", "SetHostname"):
            bus.call(_HOSTNAMED, method, "sb", name, False, right=_SET_NAME, timeout_seconds=CHANGE_SECONDS)


def set_addresses(interface: str, wanted: Addresses, *, trial_seconds: int = TRIAL_SECONDS) -> datetime:
    """Give an interface its IPv4 addresses; comes back before they are in force.

    :return: until when they are on trial; then the former ones come back, unless :func:`keep` was called.
    :raises AddressesNotOurs: where NetworkManager does not keep them; MachineError.
    """
    with system_bus() as bus:
        path, device = _device(bus, interface)
        profile = _profile_of(bus, device)
        if profile is None:
            raise AddressesNotOurs(interface=interface)
        (settings,) = bus.call(profile, "GetSettings")
        _change(bus, _MANAGER, "CheckpointCreate", "aouu", [path], trial_seconds, _DESTROY_ALL, right=_ROLL_BACK)
        try:
            _change(bus, profile, "Update", "a{sa{sv}}", _with_addresses(settings, wanted), right=_MODIFY)
            _change(bus, _MANAGER, "ActivateConnection", "ooo", profile.path, path, _NONE, right=_CONTROL)
        except MachineError:
            _end_trials(bus, "CheckpointRollback")
            raise
    return datetime.now(UTC) + timedelta(seconds=trial_seconds)


def keep() -> bool:
    """Keep the addresses that are on trial; False where none are (any more). Raises MachineError."""
    with system_bus() as bus:
        return _end_trials(bus, "CheckpointDestroy")


def _end_trials(bus: Bus, how: str) -> bool:
    trials = [path for path, _ in _trials(bus)]
    for path in trials:
        _change(bus, _MANAGER, how, "o", path, right=_ROLL_BACK)
    return bool(trials)


def _trials(bus: Bus) -> list[tuple[str, datetime]]:
    """List the states that NetworkManager would go back to by itself, and when."""
    found = []
    for path in bus.read(_MANAGER).get("Checkpoints", ()):
        checkpoint = bus.read(_MANAGER.at(path, _CHECKPOINT))
        if checkpoint.get("RollbackTimeout"):
            age = time.clock_gettime(time.CLOCK_BOOTTIME) - checkpoint["Created"] / 1000
            left = timedelta(seconds=checkpoint["RollbackTimeout"] - age)
            found.append((str(path), datetime.now(UTC) + left))
    return found


def _change(bus: Bus, service: Service, method: str, signature: str, *arguments: Any, right: str) -> None:
    bus.call(service, method, signature, *arguments, right=right, timeout_seconds=CHANGE_SECONDS)


def _read(bus: Bus) -> NetworkFacts:
    name_obstacle = _name_obstacle(bus)
    try:
        trials = _trials(bus)
        devices = {device["Interface"]: device for _, device in _devices(bus)}
    except MachineError as error:
        return NetworkFacts(socket.gethostname(), _unmanaged(error), _keeper(), name_obstacle)
    obstacle = bus.obstacle(_MANAGER, _MODIFY, _CONTROL, _ROLL_BACK)
    kept = {name for name, device in devices.items() if _profile_of(bus, device)}
    return NetworkFacts(
        host_name=socket.gethostname(),
        interfaces=tuple(_interface(bus, one, devices.get(one.name), obstacle) for one in interfaces.read(kept)),
        keeper=_MANAGER.name,
        name_obstacle=name_obstacle,
        trial_until=max((until for _, until in trials), default=None),
    )


def _name_obstacle(bus: Bus) -> MachineError | None:
    try:
        bus.read(_HOSTNAMED)
    except MachineError as error:
        return error
    return bus.obstacle(_HOSTNAMED, _SET_NAME)


def _interface(
    bus: Bus, seen: interfaces.KernelInterface, device: Mapping[str, Any] | None, obstacle: MachineError | None
) -> Interface:
    profile = _profile_of(bus, device) if device else None
    dns = _name_servers(bus, device) if device and profile else None
    method = _method(bus, profile) if profile else Method.UNKNOWN
    return Interface(
        name=seen.name,
        hardware_address=seen.hardware_address,
        up=seen.up,
        addresses=seen.addresses,
        gateway=seen.gateway,
        dns=dns if dns is not None else interfaces.name_servers() if seen.gateway else (),
        method=method,
        obstacle=obstacle if profile else AddressesNotOurs(interface=seen.name),
    )


def _unmanaged(obstacle: MachineError) -> tuple[Interface, ...]:
    return tuple(
        Interface(
            one.name,
            one.hardware_address,
            one.up,
            one.addresses,
            one.gateway,
            interfaces.name_servers() if one.gateway else (),
            obstacle=obstacle,
        )
        for one in interfaces.read()
    )


def _devices(bus: Bus) -> list[tuple[str, Mapping[str, Any]]]:
    (paths,) = bus.call(_MANAGER, "GetDevices")
    return [(path, bus.read(_MANAGER.at(path, _DEVICE))) for path in paths]


def _device(bus: Bus, interface: str) -> tuple[str, Mapping[str, Any]]:
    for path, device in _devices(bus):
        if device["Interface"] == interface:
            return path, device
    raise AddressesNotOurs(interface=interface)


def _profile_of(bus: Bus, device: Mapping[str, Any]) -> Service | None:
    """Find the profile that is in force on a device; None where there is none."""
    active = device.get("ActiveConnection", _NONE)
    if active == _NONE or not device.get("Managed"):
        return None
    found = bus.read(_MANAGER.at(active, _ACTIVE))
    if found.get("StateFlags", 0) & _EXTERNAL:
        return None
    return _MANAGER.at(str(found["Connection"]), _CONNECTION)


def _name_servers(bus: Bus, device: Mapping[str, Any]) -> tuple[str, ...]:
    path = device.get("Ip4Config", _NONE)
    if path == _NONE:
        return ()
    listed = bus.read(_MANAGER.at(path, _IP4)).get("NameserverData", ())
    return tuple(str(one["address"][1]) for one in listed)


def _method(bus: Bus, profile: Service) -> Method:
    (settings,) = bus.call(profile, "GetSettings")
    _, method = settings.get("ipv4", {}).get("method", ("s", ""))
    return {"auto": Method.DHCP, "manual": Method.STATIC}.get(method, Method.UNKNOWN)


def _with_addresses(settings: Mapping[str, Any], wanted: Addresses) -> dict[str, Any]:
    """Put other IPv4 addresses into a profile; everything else stays as it is."""
    former = {"addresses", "address-data", "gateway", "dns", "dns-data", "method"}
    ipv4 = {key: value for key, value in settings.get("ipv4", {}).items() if key not in former}
    if wanted.address is None:
        ipv4["method"] = ("s", "auto")
    else:
        data = {"address": ("s", str(wanted.address.ip)), "prefix": ("u", wanted.address.network.prefixlen)}
        ipv4["method"] = ("s", "manual")
        ipv4["address-data"] = ("aa{sv}", [data])
        # as the kernel holds them: the first byte comes first in memory
        ipv4["dns"] = ("au", [int.from_bytes(one.packed, "little") for one in wanted.dns])
        if wanted.gateway is not None:
            ipv4["gateway"] = ("s", str(wanted.gateway))
    return {**settings, "ipv4": ipv4}


def _keeper() -> str | None:
    for name, folder, pattern in _KEEPERS:
        if any(Path(folder).glob(pattern)):
            return name
    return None
