"""The system's D-Bus: one call at a time, with a deadline, and what goes wrong told in our own errors."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from jeepney import DBusAddress, MessageFlag, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import HeaderFields

from ..errors import MachineError, MachineNotPermitted, MachineRefused, MachineServiceMissing

#: A page waits no longer than this for what is read, nor longer than that for what is changed.
READ_SECONDS: Final = 2.0
CHANGE_SECONDS: Final = 15.0

_PROPERTIES = "org.freedesktop.DBus.Properties"
#: Polkit is not to ask anybody at a screen.
_ASKING_NOBODY = 0
#: Names of errors, by their last part, of services that are not there, and of those that know us and refuse us.
_MISSING = frozenset(
    {"ServiceUnknown", "NameHasNoOwner", "NoReply", "Timeout", "TimedOut", "Disconnected", "NoServer"}
    | {"UnknownObject", "UnknownInterface", "UnknownMethod", "NoSuchUnit", "NotSupported", "FileNotFound"}
)
_REFUSING = frozenset({"AccessDenied", "AuthFailed", "InteractiveAuthorizationRequired", "PermissionDenied"})


@dataclass(frozen=True)
class Service:
    """One object of a service, and the interface of it that is used."""

    #: As people know it.
    name: str
    bus_name: str
    path: str
    interface: str
    #: Whether asking may start it; never where being off is a state of its own.
    start: bool = True

    def at(self, path: str, interface: str) -> Service:
        """Name another object of the same service."""
        return Service(self.name, self.bus_name, path, interface, self.start)


_DBUS = Service("D-Bus", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
_POLKIT = Service(
    "polkit",
    "org.freedesktop.PolicyKit1",
    "/org/freedesktop/PolicyKit1/Authority",
    "org.freedesktop.PolicyKit1.Authority",
)


class Bus:
    """A connection to the system bus, of one thread, for a moment."""

    def __init__(self, connection: DBusConnection) -> None:
        """Take an open connection."""
        self._connection = connection

    def read(self, service: Service) -> Mapping[str, Any]:
        """Read all properties of an interface.

        :raises MachineServiceMissing: and the other errors of :meth:`call`.
        """
        asked = Service(service.name, service.bus_name, service.path, _PROPERTIES, service.start)
        (found,) = self.call(asked, "GetAll", "s", service.interface)
        return {name: value for name, (_, value) in found.items()}

    def call(
        self,
        service: Service,
        method: str,
        signature: str = "",
        *arguments: Any,
        right: str = "",
        timeout_seconds: float = READ_SECONDS,
    ) -> tuple[Any, ...]:
        """Call a method; ``right`` is the action of polkit that it needs.

        :raises MachineServiceMissing: MachineNotPermitted, or MachineRefused with the service's own reason.
        """
        address = DBusAddress(service.path, bus_name=service.bus_name, interface=service.interface)
        message = new_method_call(address, method, signature or None, arguments)
        if not service.start:
            message.header.flags |= MessageFlag.no_auto_start
        try:
            reply = self._connection.send_and_get_reply(message, timeout=timeout_seconds)
        except (OSError, TimeoutError) as error:
            raise MachineServiceMissing(service=service.name) from error
        if reply.header.message_type is MessageType.error:
            name = str(reply.header.fields.get(HeaderFields.error_name, ""))
            raise _translated(name, reply.body, service, right)
        return tuple(reply.body)

    def has(self, service: Service) -> bool:
        """Tell whether a service runs, or would be started by asking it."""
        (running,) = self.call(_DBUS, "ListNames")
        (known,) = self.call(_DBUS, "ListActivatableNames")
        return service.bus_name in running or service.bus_name in known

    def obstacle(self, service: Service, *rights: str) -> MachineError | None:
        """Tell why we may not do what needs some rights of polkit, without trying it; None where we may.

        Services ask nobody about root, and let in nobody else where polkit is missing.
        """
        lacking = [right for right in rights if os.geteuid() != 0 and not self._is_permitted(right)]
        return MachineNotPermitted(service=service.name, user=user_name(), right=lacking[0]) if lacking else None

    def _is_permitted(self, right: str) -> bool:
        ourselves = ("system-bus-name", {"name": ("s", self._connection.unique_name)})
        try:
            ((permitted, *_),) = self.call(
                _POLKIT, "CheckAuthorization", "(sa{sv})sa{ss}us", ourselves, right, {}, _ASKING_NOBODY, ""
            )
        except MachineError:
            return False
        return bool(permitted)


@contextmanager
def system_bus() -> Iterator[Bus]:
    """Connect to the system bus for a moment.

    :raises MachineServiceMissing: on a machine without one.
    """
    try:
        connection = open_dbus_connection("SYSTEM")
    except (OSError, RuntimeError, ValueError, StopIteration) as error:  # what jeepney raises without a bus
        raise MachineServiceMissing(service="D-Bus") from error
    try:
        yield Bus(connection)
    finally:
        connection.close()


def user_name() -> str:
    """Name the user that this runs as."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a number without a name
        return str(os.geteuid())


def _translated(name: str, body: tuple[Any, ...], service: Service, right: str) -> MachineError:
    last = name.rpartition(".")[2]
    if last in _REFUSING:
        return MachineNotPermitted(service=service.name, user=user_name(), right=right or service.interface)
    if last in _MISSING or name.startswith("org.freedesktop.DBus.Error.Spawn"):
        return MachineServiceMissing(service=service.name)
    reason = body[0] if body and isinstance(body[0], str) else last
    return MachineRefused(service=service.name, reason=reason[:300].strip().rstrip("."))
