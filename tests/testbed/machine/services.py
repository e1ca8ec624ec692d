"""Services of a machine that cannot run in a namespace, with as much behaviour as others ask of them.

systemd starts and stops one unit, systemd-timesyncd, which exists on the bus while it runs and remembers its servers;
polkit permits what a file lists; a clock notes in that file to what it would be set. Which of them are here is said by
the names that stand in the command.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

UNIT = "/org/freedesktop/systemd1/unit/systemd_2dtimesyncd_2eservice"
MANAGER = "org.freedesktop.systemd1.Manager"
PROPERTIES = "org.freedesktop.DBus.Properties"
TIMESYNC = "org.freedesktop.timesync1"


class Machine:
    """What runs, and who may."""

    def __init__(self, permitted: Path, names: Sequence[str]) -> None:
        self.connection = open_dbus_connection("SYSTEM")
        self.permitted = permitted
        self.running = False
        self.servers: list[str] = []
        self.methods: dict[str, Callable[[Message], tuple[Any, ...]]] = {
            "LoadUnit": self.load_unit,
            "GetAll": self.get_all,
            "StartUnit": self.start_unit,
            "StopUnit": self.stop_unit,
            "EnableUnitFiles": self.enable_unit_files,
            "DisableUnitFiles": self.disable_unit_files,
            "Reload": self.reload,
            "Subscribe": self.subscribe,
            "SetRuntimeNTPServers": self.set_servers,
            "SetTime": self.set_time,
            "CheckAuthorization": self.check_authorization,
        }
        for name in names:
            self.connection.send_and_get_reply(message_bus.RequestName(name))

    def serve(self) -> None:
        """Answer for ever."""
        while True:
            message = self.connection.receive()
            if message.header.message_type is MessageType.method_call:
                self.connection.send(self._answer(message))

    def _answer(self, message: Message) -> Message:
        fields = message.header.fields
        handler = self.methods.get(fields[HeaderFields.member])
        if handler is None:
            return new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "s", ("not here",))
        signature, *body = handler(message)
        return new_method_return(message, signature, tuple(body))

    def load_unit(self, _: Message) -> tuple[Any, ...]:
        return "o", UNIT

    def get_all(self, message: Message) -> tuple[Any, ...]:
        if message.header.fields[HeaderFields.path].startswith("/org/freedesktop/timesync1"):
            return "a{sv}", {"RuntimeNTPServers": ("as", self.servers), "FallbackNTPServers": ("as", ["0.pool.test"])}
        if message.header.fields[HeaderFields.path].startswith("/org/freedesktop/timedate1"):
            return "a{sv}", {"Timezone": ("s", "UTC"), "NTP": ("b", self.running), "NTPSynchronized": ("b", False)}
        return "a{sv}", self._state()

    def start_unit(self, _: Message) -> tuple[Any, ...]:
        return self._turn(on=True)

    def stop_unit(self, _: Message) -> tuple[Any, ...]:
        return self._turn(on=False)

    def enable_unit_files(self, _: Message) -> tuple[Any, ...]:
        return "ba(sss)", False, []

    def disable_unit_files(self, _: Message) -> tuple[Any, ...]:
        return "a(sss)", []

    def reload(self, _: Message) -> tuple[Any, ...]:
        return ("",)

    def subscribe(self, _: Message) -> tuple[Any, ...]:
        return ("",)

    def set_servers(self, message: Message) -> tuple[Any, ...]:
        (self.servers,) = message.body
        return ("",)

    def check_authorization(self, message: Message) -> tuple[Any, ...]:
        return "(bba{ss})", (message.body[1] in self.permitted.read_text().split(), False, {})

    def set_time(self, message: Message) -> tuple[Any, ...]:
        """Only note what a clock would be set to."""
        self.permitted.write_text(str(message.body[0]))
        return ("",)

    def _state(self) -> dict[str, tuple[str, str]]:
        return {
            "LoadState": ("s", "loaded"),
            "ActiveState": ("s", "active" if self.running else "inactive"),
            "UnitFileState": ("s", "enabled" if self.running else "disabled"),
        }

    def _turn(self, *, on: bool) -> tuple[Any, ...]:
        self.running = on
        change = message_bus.RequestName(TIMESYNC) if on else message_bus.ReleaseName(TIMESYNC)
        self.connection.send_and_get_reply(change)
        if not on:
            self.servers = []
        unit = DBusAddress(UNIT, interface=PROPERTIES)
        body = ("org.freedesktop.systemd1.Unit", self._state(), [])
        self.connection.send(new_signal(unit, "PropertiesChanged", "sa{sv}as", body))
        job = "/org/freedesktop/systemd1/job/1"
        manager = DBusAddress("/org/freedesktop/systemd1", interface=MANAGER)
        self.connection.send(new_signal(manager, "JobRemoved", "uoss", (1, job, "systemd-timesyncd.service", "done")))
        return "o", job


if __name__ == "__main__":
    Machine(Path(sys.argv[1]), sys.argv[2:]).serve()
