"""The Settings pages in the reference host: what they show and refuse, and what follows from a wish."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Interface
from types import SimpleNamespace

import pytest
import seed
from bodyworn.errors import MachineError, TimeServerFixed
from bodyworn.forms.settings import DateAndTimeForm, NetworkForm
from bodyworn.machine import clock, network
from bodyworn.machine.clock import ClockFacts
from bodyworn.machine.network import Interface, Method, NetworkFacts
from bodyworn.models import Belonging, Camera, Destination, Event
from bodyworn.services import clock_settings, destination_clock, systems
from hosting import SAME_ORIGIN, host_app, signed_in, token_of
from hypothesis import given, settings, strategies as some
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

CLOCK, NETWORK = "/bodyworn/settings/date-and-time", "/bodyworn/settings/network"
#: Of a machine that lets everything be changed; what is done to it is tried in test_machine.
WILLING = ClockFacts("Europe/Vienna", True, True, "systemd-timesyncd", ("192.0.2.123",), True)
STATIC = {"interface": "eth0", "method": "static", "address": "192.0.2.10/24"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    app = host_app(tmp_path_factory.mktemp("site"))
    database = app.extensions["bodyworn"].database
    seed.seed(database)
    browsers = {role: signed_in(app, role) for role in ("viewer", "operator", "administrator")}
    yield SimpleNamespace(database=database, **browsers)
    database.close()


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """Stand on a machine without any service."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")


def post(browser, path, **values):
    return browser.post(path, data={"csrf_token": token_of(browser), **values}, headers=SAME_ORIGIN)


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\N{NO-BREAK SPACE}", " ").split())


def wrong(form, **values):
    """Give the errors of a form, by field."""
    found = form(MultiDict(values))
    found.validate()
    return {name: list(errors) for name, errors in found.errors.items()}


def wanted_settings(session):
    return {row.id: row.wanted_settings for row in session.execute(select(Camera.id, Camera.wanted_settings))}


def last_event(site, action):
    with site.database.read() as session:
        return session.scalars(select(Event).where(Event.action == action).order_by(Event.sequence.desc())).first()


def test_settings_lists_what_each_person_may_see(site):
    shown = text_of(site.administrator.get("/bodyworn/settings"))
    for title in ("Date and time", "Network", "Certificates", "Content destination", "Password and accounts"):
        assert title in shown
    assert "Certificates" not in text_of(site.viewer.get("/bodyworn/settings"))
    assert "Change date and time" not in text_of(site.operator.get(CLOCK))
    assert "Change the network" not in text_of(site.operator.get(NETWORK))


@pytest.mark.feature("SYS-6")
def test_cameras_follow_another_time_zone_wherever_the_machine_stays(site, bare):
    with site.database.read() as session:
        before = wanted_settings(session)
        added = set(session.scalars(select(Camera.id).where(Camera.belonging == Belonging.ADDED)))
    answer = post(site.administrator, CLOCK, time_zone="America/Lima", source="machine")
    assert "Saved for the system and its cameras. " in text_of(answer)
    assert "D-Bus is not running on this machine" in text_of(answer)
    with site.database.read() as session:
        assert systems.current(session).time_zone == "America/Lima"
        after = wanted_settings(session)
    assert {one for one in after if after[one] > before[one]} == added
    told = last_event(site, "system.clock-changed")
    assert (told.actor, told.detail["time_zone"]) == ("administrator", "America/Lima")
    assert told.detail["refused"] == ["machine-service-missing"]
    post(site.administrator, CLOCK, time_zone="America/Lima", source="machine")
    with site.database.read() as session:
        again = wanted_settings(session)
    assert again == after, "the same zone is no reason to bother cameras"


@pytest.mark.feature("SET-5")
def test_what_a_machine_does_not_let_change_comes_with_how_to_do_it_by_hand(site, bare):
    shown = text_of(site.administrator.get(CLOCK))
    assert "ln -sf /usr/share/zoneinfo/" in shown
    assert "Who sets this machine&#39;s clock" not in shown, "choices that lead nowhere are not offered"
    shown = text_of(site.administrator.get(NETWORK))
    assert "Only on the machine" in shown
    assert "/etc/hostname" in shown
    assert "Save" not in shown.partition("Change the network")[2]


@pytest.mark.feature("SET-5")
def test_a_server_of_chrony_is_changed_in_its_own_file(site, monkeypatch):
    facts = ClockFacts("UTC", True, True, "chrony", (), True, server_obstacle=TimeServerFixed(service="chrony"))
    monkeypatch.setattr(clock, "read", lambda: facts)
    shown = text_of(site.administrator.get(CLOCK))
    assert "chrony asks for the time here" in shown
    assert "/etc/chrony/sources.d/bodyworn.sources" in shown
    assert "Another time server" not in shown


@pytest.mark.feature("SET-5")
def test_past_two_seconds_a_warning_stands_on_both_pages_until_clocks_agree(site, monkeypatch):
    monkeypatch.setattr(clock, "read", lambda: WILLING)
    measure(site, 3.4)
    assert "The destination's clock differs by 3 seconds" in text_of(site.viewer.get("/bodyworn/")).replace(
        "&#39;", "'"
    )
    assert "3.4 s ahead" in text_of(site.viewer.get(CLOCK))
    assert "times of recordings are doubtful" in text_of(site.viewer.get(CLOCK))
    assert last_event(site, "destination.clock-differs").detail["seconds"] == 3.4
    measure(site, -0.4)
    assert "clock differs" not in text_of(site.viewer.get("/bodyworn/"))
    assert "0.4 s behind" in text_of(site.viewer.get(CLOCK))
    assert last_event(site, "destination.clock-agrees") is not None


def test_a_clock_that_hardly_moves_is_not_written_down_again(site):
    measure(site, 1.5)
    before = site.database.change_counter()
    with site.database.read() as session:
        known = session.scalars(select(Destination).where(Destination.active)).one()
        for seconds in (1.0, None, 1.9):
            destination_clock.measured(session, known, seconds)
            assert known.clock_difference_seconds == 1.5
    assert site.database.change_counter() == before


def measure(site, seconds):
    with site.database.write() as session:
        known = session.scalars(select(Destination).where(Destination.active)).one()
        destination_clock.measured(session, known, seconds)


@pytest.mark.feature("SET-5")
def test_the_destination_can_be_the_time_server(site, monkeypatch):
    asked = []
    monkeypatch.setattr(clock, "read", lambda: WILLING)
    monkeypatch.setattr(clock, "set_ntp_server", asked.append)
    monkeypatch.setattr(clock, "set_time_zone", asked.append)
    answer = post(site.administrator, CLOCK, time_zone="Europe/Vienna", source="destination")
    assert answer.status_code == 303
    assert asked == ["evidence.example"]
    assert re.search(r'value="destination" checked', site.administrator.get(CLOCK).text)
    clock_settings.reapply(site.database)
    assert asked == ["evidence.example"] * 2, "after a start the machine has forgotten it"


@pytest.mark.feature("SET-5")
@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"source": "machine", "date": "2026-01-31", "time": "12:00"}, "date", "while a time server sets it"),
        ({"source": "hand", "date": "2026-01-31", "time": ""}, "date", "Enter both date and time"),
        ({"source": "hand", "date": "2026-03-29", "time": "02:30"}, "date", "of a moment that there is"),
        ({"source": "hand", "date": "1999-01-01", "time": "12:00"}, "date", "Enter both date and time"),
        ({"source": "server", "ntp_server": ""}, "ntp_server", "Enter the name or the address"),
        ({"source": "server", "ntp_server": "no server!"}, "ntp_server", "no name and no address"),
        ({"source": "server", "ntp_server": "192.0.2.300"}, "ntp_server", "no name and no address"),
        ({"source": "nonsense"}, "source", "Not a valid choice."),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "Choose a time zone"),
    ],
)
def test_date_and_time_say_which_field_is_wrong_and_why(values, field, said):
    errors = wrong(DateAndTimeForm, **{"time_zone": "Europe/Vienna", "source": "machine", **values})
    assert list(errors) == [field]
    assert said in errors[field][0]


def test_a_time_by_hand_is_of_the_zone_that_is_chosen():
    values = {"time_zone": "Europe/Vienna", "source": "hand", "date": "2026-01-31", "time": "13:00"}
    form = DateAndTimeForm(MultiDict(values))
    assert form.validate()
    assert form.wanted(None).moment == datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.feature("SET-4")
@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"address": "192.0.2.10"}, "address", "with its prefix"),
        ({"address": "192.0.2.0/24"}, "address", "whole network"),
        ({"address": "192.0.2.255/24"}, "address", "whole network"),
        ({"address": "127.0.0.1/8"}, "address", "No machine"),
        ({"address": "224.0.0.1/24"}, "address", "No machine"),
        ({"address": "0.1.2.3/16"}, "address", "No machine"),
        ({"address": "192.0.2.10/32"}, "address", "prefix from 8 to 31"),
        ({"gateway": "198.51.100.1"}, "gateway", "in the network of the address"),
        ({"gateway": "192.0.2.10"}, "gateway", "another machine"),
        ({"gateway": "192.0.2.255"}, "gateway", "whole network"),
        ({"gateway": "next door"}, "gateway", "Enter an IPv4 address"),
        ({"dns": "192.0.2.53 dns.example"}, "dns", "at most three"),
        ({"dns": "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4"}, "dns", "at most three"),
        ({"dns": "224.0.0.251"}, "dns", "No machine"),
        ({"host_name": "-depot"}, "host_name", "letters, digits and hyphens"),
        ({"method": "guess"}, "method", "Choose how"),
    ],
)
def test_the_network_says_which_field_is_wrong_and_why(values, field, said):
    errors = wrong(NetworkForm, **{**STATIC, **values})
    assert list(errors) == [field]
    assert said in errors[field][0]


@settings(max_examples=300, deadline=None)
@given(
    address=some.text(max_size=20) | some.ip_addresses(v=4).map(lambda one: f"{one}/24"),
    gateway=some.text(max_size=20) | some.ip_addresses(v=4).map(str),
    dns=some.text(max_size=40) | some.lists(some.ip_addresses(v=4).map(str), max_size=4).map(", ".join),
)
def test_whatever_is_entered_as_addresses_is_refused_or_makes_a_network_that_works(address, gateway, dns):
    form = NetworkForm(MultiDict({**STATIC, "address": address, "gateway": gateway, "dns": dns}))
    if form.validate():
        wanted = form.wanted().addresses
        assert isinstance(wanted.address, IPv4Interface)
        assert wanted.gateway is None or wanted.gateway in wanted.address.network
        assert len(wanted.dns) <= 3
        assert all(isinstance(one, IPv4Address) for one in wanted.dns)


@pytest.mark.feature("SET-4")
def test_what_stays_as_it_is_moves_no_page_and_dhcp_says_who_knows_the_new_address(site, monkeypatch):
    facts = NetworkFacts(
        "depot-1",
        (
            Interface(
                "eth0",
                "02:00:00:00:00:01",
                True,
                (IPv4Interface("192.0.2.10/24"),),
                IPv4Address("192.0.2.1"),
                ("192.0.2.53",),
                Method.STATIC,
            ),
        ),
        "NetworkManager",
    )
    monkeypatch.setattr(network, "read", lambda: facts)
    same = {**STATIC, "host_name": "depot-1", "gateway": "192.0.2.1", "dns": "192.0.2.53"}
    assert post(site.administrator, NETWORK, **same).status_code == 303
    answer = post(site.administrator, NETWORK, interface="eth0", method="dhcp", host_name="depot-1")
    assert answer.status_code == 422
    assert "Which one is for the DHCP server to say" in text_of(answer)
    assert "02:00:00:00:00:01" in text_of(answer)


def test_every_problem_of_the_machine_says_what_to_do():
    for kind in (MachineError, *MachineError.__subclasses__()):
        assert kind.sentence
        assert kind.mend
