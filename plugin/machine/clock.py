"""The machine's clock: its time zone, and who sets it. Kept by systemd-timedated, systemd-timesyncd and chrony.

Cameras follow the body worn system, not this: what the system wishes is a matter of services.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from ..errors import MachineError, MachineServiceMissing, TimeServerFixed, TimeServerRules
from .bus import CHANGE_SECONDS, Bus, Service, system_bus

_TIMEDATED = Service(
    "systemd-timedated", "org.freedesktop.timedate1", "/org/freedesktop/timedate1", "org.freedesktop.timedate1"
)
_TIMESYNCD = Service(
    "systemd-timesyncd",
    "org.freedesktop.timesync1",
    "/org/freedesktop/timesync1",
    "org.freedesktop.timesync1.Manager",
    start=False,  # it is off where no time server is wanted
)
_SET_ZONE: Final = "org.freedesktop.timedate1.set-timezone"
_SET_NTP: Final = "org.freedesktop.timedate1.set-ntp"
_SET_TIME: Final = "org.freedesktop.timedate1.set-time"
_SET_SERVERS: Final = "org.freedesktop.timesync1.set-runtime-servers"
_LOCALTIME = Path("/etc/localtime")
_PROCESSES = Path("/proc")
#: Names of one and the same zone.
_UTC = frozenset({"Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu", "Etc/Utc"})
#: Programs that keep clocks, by their names in the list of processes.
_KEEPERS = {"systemd-timesyn": "systemd-timesyncd", "chronyd": "chrony", "ntpd": "ntpd", "ptp4l": "ptp4l"}
#: How long a time server that was just turned on or off may need for it.
_SETTLING_SECONDS = 5.0


@dataclass(frozen=True)
class ClockFacts:
    """How the machine's clock stands; None where nothing on this machine tells."""

    time_zone: str | None
    #: Whether a time server sets the clock, and whether it has done so since the machine started.
    ntp: bool | None = None
    synchronised: bool | None = None
    #: The program that asks a time server, running now.
    keeper: str | None = None
    #: The server that was asked last, or those that would be.
    servers: tuple[str, ...] = ()
    #: True where systemd-timedated is there, so that ``timedatectl`` works for an administrator.
    managed: bool = False
    #: Why time zone, time and the use of a time server cannot be changed from here.
    obstacle: MachineError | None = None
    #: Why the time server cannot be chosen from here.
    server_obstacle: MachineError | None = None


def read() -> ClockFacts:
    """Tell how the clock stands, on any machine; takes a few milliseconds, a few seconds where a service hangs."""
    try:
        with system_bus() as bus:
            return _read(bus)
    except MachineError as error:
        return ClockFacts(_own_zone(), keeper=_keeper(), obstacle=error, server_obstacle=error)


def set_time_zone(name: str) -> None:
    """Give the machine a time zone; raises MachineError."""
    with system_bus() as bus:
        _change(bus, "SetTimezone", "sb", name, False, right=_SET_ZONE)


def set_ntp(on: bool) -> None:
    """Let a time server set the clock, or no more; raises MachineError.

    Comes back when it is so, or after a few seconds.
    """
    with system_bus() as bus:
        _change(bus, "SetNTP", "bb", on, False, right=_SET_NTP)
        until = time.monotonic() + _SETTLING_SECONDS
        while bool(bus.read(_TIMEDATED).get("NTP")) is not on and time.monotonic() < until:
            time.sleep(0.1)


def set_time(moment: datetime) -> None:
    """Set the clock to a moment.

    :raises TimeServerRules: while a time server sets it; MachineError.
    """
    with system_bus() as bus:
        if bus.read(_TIMEDATED).get("NTP"):
            raise TimeServerRules
        _change(bus, "SetTime", "xbb", round(moment.timestamp() * 1e6), False, False, right=_SET_TIME)


def set_ntp_server(server: str | None) -> None:
    """Have the time taken from one server, or from those that the machine has by itself; until timesyncd starts again.

    :raises TimeServerFixed: where another program asks for the time; MachineError.
    """
    keeper = _keeper()
    if keeper not in (None, _TIMESYNCD.name):
        raise TimeServerFixed(service=str(keeper))
    with system_bus() as bus:
        servers = [server] if server else []
        bus.call(
            _TIMESYNCD,
            "SetRuntimeNTPServers",
            "as",
            servers,
            right=_SET_SERVERS,
            timeout_seconds=CHANGE_SECONDS,
        )


def _read(bus: Bus) -> ClockFacts:
    keeper = _keeper()
    try:
        found = bus.read(_TIMEDATED)
    except MachineError as error:
        return ClockFacts(_own_zone(), keeper=keeper, obstacle=error, server_obstacle=error)
    return ClockFacts(
        time_zone=_plain(str(found.get("Timezone") or "")) or _own_zone(),
        ntp=bool(found.get("NTP")),
        synchronised=bool(found.get("NTPSynchronized")),
        keeper=keeper,
        servers=_servers(bus),
        managed=True,
        obstacle=bus.obstacle(_TIMEDATED, _SET_TIME),
        server_obstacle=_server_obstacle(bus, keeper),
    )


def _server_obstacle(bus: Bus, keeper: str | None) -> MachineError | None:
    if keeper not in (None, _TIMESYNCD.name):
        return TimeServerFixed(service=str(keeper))
    if not bus.has(_TIMESYNCD):
        return MachineServiceMissing(service=_TIMESYNCD.name)
    return bus.obstacle(_TIMESYNCD, _SET_SERVERS)


def _servers(bus: Bus) -> tuple[str, ...]:
    try:
        found = bus.read(_TIMESYNCD)
    except MachineError:  # it is off, or another program does its work
        return ()
    if found.get("ServerName"):
        return (str(found["ServerName"]),)
    for name in ("RuntimeNTPServers", "SystemNTPServers", "LinkNTPServers", "FallbackNTPServers"):
        if found.get(name):
            return tuple(str(one) for one in found[name])
    return ()


def _change(bus: Bus, method: str, signature: str, *arguments: object, right: str) -> None:
    bus.call(_TIMEDATED, method, signature, *arguments, right=right, timeout_seconds=CHANGE_SECONDS)


def _own_zone() -> str | None:
    """Read the time zone where libraries look for it."""
    try:
        _, inside, zone = os.path.realpath(_LOCALTIME).partition("/zoneinfo/")
    except OSError:
        return None
    return _plain(zone) if inside else None


def _plain(zone: str) -> str:
    return "UTC" if zone in _UTC else zone


def _keeper() -> str | None:
    """Name the program that keeps the clock; all users see the names of processes."""
    for process in _PROCESSES.glob("[0-9]*/comm"):
        try:
            name = process.read_text().strip()
        except OSError:  # it has ended
            continue
        if name in _KEEPERS:
            return _KEEPERS[name]
    return None
