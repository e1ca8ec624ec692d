"""Forms of Settings: date and time, network. The wizard has the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Interface
from zoneinfo import ZoneInfo

from wtforms import BooleanField, Form, StringField
from wtforms.validators import AnyOf, DataRequired, Length, ValidationError

from ..machine import zones
from ..machine.network import Addresses, Method
from ..services.clock_settings import ClockView, TimeSource, WantedClock
from ..services.network_settings import InterfaceView, NetworkView, WantedNetwork
from ..services.sentence import marked
from . import addresses

_LOCAL = "%Y-%m-%d %H:%M:%S"
_MOST_NAME_SERVERS = 3
_NO_CHOICE = marked("Not a valid choice.")


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class DateAndTimeForm(Form):
    """Time zone of the system, and who sets the clock of this machine."""

    time_zone = StringField(filters=[_stripped], validators=[DataRequired(marked("Choose a time zone."))])
    source = StringField(
        default=TimeSource.MACHINE.value, validators=[AnyOf([one.value for one in TimeSource], message=_NO_CHOICE)]
    )
    ntp_server = StringField(filters=[_stripped])
    #: Of the time zone that is chosen.
    date = StringField(filters=[_stripped])
    time = StringField(filters=[_stripped])

    @classmethod
    def of(cls, shown: ClockView) -> DateAndTimeForm:
        """Fill the form with how it is."""
        server = shown.ntp_server if shown.source is TimeSource.SERVER else ""
        return cls(None, time_zone=shown.time_zone, source=shown.source.value, ntp_server=server or "")

    @staticmethod
    def regions() -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
        """List the time zones to choose from, by region, each with its city and how far it is from UTC now."""
        return _regions(datetime.now(UTC).replace(minute=0, second=0, microsecond=0))

    def wanted(self, destination_host: str | None) -> WantedClock:
        """Give what was chosen, after it was validated."""
        source = TimeSource(str(self.source.data))
        if source is TimeSource.DESTINATION and destination_host is None:
            source = TimeSource.MACHINE
        servers = {TimeSource.SERVER: self.ntp_server.data or None, TimeSource.DESTINATION: destination_host}
        moment = self._moment() if source is TimeSource.HAND else None
        return WantedClock(str(self.time_zone.data), source, servers.get(source), moment)

    def validate_time_zone(self, field: StringField) -> None:
        """One that this machine can reckon with."""
        if not zones.is_zone(field.data or ""):
            raise ValidationError(marked("Choose a time zone of the list."))

    def validate_ntp_server(self, field: StringField) -> None:
        """A name or an address; only where one is asked for."""
        if self.source.data != TimeSource.SERVER:
            return
        if not field.data:
            raise ValidationError(marked("Enter the name or the address of the time server."))
        if not addresses.is_server(field.data):
            raise ValidationError(marked("This is no name and no address of a server."))

    def validate_date(self, field: StringField) -> None:
        """Both date and time, or neither; and only by hand."""
        if not field.data and not self.time.data:
            return
        if self.source.data != TimeSource.HAND:
            raise ValidationError(
                marked("The time cannot be set by hand while a time server sets it. Choose to set it by hand first.")
            )
        if zones.is_zone(self.time_zone.data or "") and self._moment() is None:
            raise ValidationError(
                marked("Enter both date and time, of a moment that there is in this time zone, or leave both empty.")
            )

    def _moment(self) -> datetime | None:
        text = f"{self.date.data} {self.time.data}{':00' if str(self.time.data).count(':') == 1 else ''}"
        try:
            local = datetime.strptime(text, _LOCAL).replace(tzinfo=ZoneInfo(str(self.time_zone.data)))
            back = datetime.fromtimestamp(local.timestamp(), local.tzinfo)
        except (ValueError, OverflowError, OSError):
            return None
        return local if back.replace(tzinfo=None) == local.replace(tzinfo=None) and local.year >= 2020 else None


class NetworkForm(Form):
    """Name of the machine, and the IPv4 addresses of one of its interfaces; what is left out stays as it is."""

    host_name = StringField(filters=[_stripped])
    interface = StringField(filters=[_stripped], validators=[Length(max=15)])
    method = StringField(filters=[_stripped])
    address = StringField(filters=[_stripped])
    gateway = StringField(filters=[_stripped])
    dns = StringField(filters=[_stripped])
    #: Whoever sends this has read where the pages move to.
    confirmed = BooleanField()

    @classmethod
    def of(cls, shown: NetworkView) -> NetworkForm:
        """Fill the form with how it is."""
        values = _of_interface(shown.chosen) if shown.chosen else {}
        return cls(None, data={"host_name": shown.facts.host_name, **values})

    def wanted(self) -> WantedNetwork:
        """Give what was entered, after it was validated."""
        return WantedNetwork(self.host_name.data or None, self.interface.data or None, self._addresses())

    def validate_host_name(self, field: StringField) -> None:
        """One label, as the network knows machines."""
        if field.data and not addresses.is_label(field.data):
            raise ValidationError(marked("Use 1 to 63 letters, digits and hyphens, with no hyphen at either end."))

    def validate_method(self, field: StringField) -> None:
        """DHCP or static; nothing where addresses are not to be changed."""
        if field.data not in ("", Method.DHCP, Method.STATIC):
            raise ValidationError(marked("Choose how this interface gets its address."))

    def validate_address(self, field: StringField) -> None:
        """An address that a machine can have in its network."""
        if self.method.data == Method.STATIC:
            _refuse(addresses.wrong_interface(addresses.interface(field.data)))

    def validate_gateway(self, field: StringField) -> None:
        """Another machine of the same network, or none."""
        own = addresses.interface(self.address.data)
        if self.method.data == Method.STATIC and field.data and own is not None:
            _refuse(addresses.wrong_gateway(addresses.host(field.data), own))

    def validate_dns(self, field: StringField) -> None:
        """A few addresses of name servers, or none."""
        if self.method.data == Method.STATIC:
            found = [addresses.host(one) for one in _split(field.data)]
            _refuse(addresses.wrong_name_servers(found, _MOST_NAME_SERVERS))

    def _addresses(self) -> Addresses | None:
        if not self.interface.data or not self.method.data:
            return None
        if self.method.data == Method.DHCP:
            return Addresses()
        servers = [addresses.host(one) for one in _split(self.dns.data)]
        return Addresses(
            addresses.interface(self.address.data),
            addresses.host(self.gateway.data),
            tuple(one for one in servers if one is not None),
        )


def _of_interface(shown: InterfaceView) -> dict[str, str]:
    facts = shown.facts
    ours = [one for one in facts.addresses if isinstance(one, IPv4Interface)]
    return {
        "interface": facts.name,
        "method": facts.method.value if facts.method is not Method.UNKNOWN else Method.DHCP.value,
        "address": str(ours[0]) if ours else "",
        "gateway": str(facts.gateway) if isinstance(facts.gateway, IPv4Address) else "",
        "dns": " ".join(one for one in facts.dns if addresses.host(one)),
    }


@lru_cache(maxsize=1)
def _regions(now: datetime) -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    return [
        (region, [(name, f"{zones.city(name)} ({zones.offset(name, now)})") for name in names])
        for region, names in zones.by_region().items()
    ]


def _refuse(why: str | None) -> None:
    if why is not None:
        raise ValidationError(why)


def _split(text: str | None) -> list[str]:
    return (text or "").replace(",", " ").split()
