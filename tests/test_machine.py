"""Clock and network of a machine: real services of systemd and NetworkManager, machines without them, slow ones."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import machine_parts
import pytest
from bodyworn.errors import MachineServiceMissing
from bodyworn.machine import clock, interfaces, network, zones

BUS = """<busconfig><type>session</type><listen>unix:path={path}</listen><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>"""
SERVICES = Path(machine_parts.INSIDE).with_name("services.py")
NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Give what a whole machine told, with real services in namespaces."""
    why = machine_parts.missing()
    if why:
        pytest.skip(why)
    return machine_parts.run(tmp_path_factory.mktemp("machine"))


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the file in which a clock notes to what it is set; it is nobody's clock."""
    if machine_parts.missing():
        pytest.skip(str(machine_parts.missing()))
    config, address, note = tmp_path / "bus.conf", tmp_path / "bus", tmp_path / "note"
    config.write_text(BUS.format(path=address))
    note.write_text("")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={address}")
    bus = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork"], stderr=subprocess.DEVNULL)
    _wait(address.exists)
    names = ("org.freedesktop.systemd1", "org.freedesktop.timedate1")
    services = subprocess.Popen([sys.executable, str(SERVICES), str(note), *names])
    _wait(lambda: clock.read().managed)
    yield note
    for process in (services, bus):
        process.kill()
        process.wait()


def _wait(done: Any, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.feature("SET-5")
def test_a_time_zone_is_set_and_one_that_is_none_is_refused_by_name(inside: dict[str, Any]) -> None:
    assert inside["clock"]["first"] == {"zone": "UTC", "ntp": False, "servers": [], "why": []}
    assert inside["clock"]["on"]["zone"] == "Europe/Berlin"
    problem, words = inside["clock"]["nonsense"]
    assert (problem, "Mars/Olympus" in words) == ("machine-refused", True)


@pytest.mark.feature("SET-5")
def test_a_time_server_is_turned_on_chosen_given_back_and_turned_off(inside: dict[str, Any]) -> None:
    seen = inside["clock"]
    assert [seen[step]["ntp"] for step in ("on", "server", "no-server", "off")] == [True, True, True, False]
    assert [seen[step]["servers"] for step in ("on", "server", "no-server", "off")] == [
        ["0.pool.test"],
        ["192.0.2.123"],
        ["0.pool.test"],
        [],
    ]
    assert seen["server-while-off"][0] == "machine-service-missing"


@pytest.mark.feature("SET-5")
def test_the_time_is_not_set_by_hand_while_a_server_sets_it(inside: dict[str, Any]) -> None:
    assert inside["clock"]["by-hand"][0] == "time-server-rules"
    assert inside["clock"]["set"][0] == "machine-not-permitted", "the kernel was asked, and refuses in there"


def test_the_time_that_was_entered_is_what_the_clock_is_set_to(noted: Path) -> None:
    assert clock.read().ntp is False
    clock.set_time(NOON)
    assert int(noted.read_text()) == NOON.timestamp() * 1_000_000


@pytest.mark.feature("SET-4")
def test_a_new_address_that_nobody_keeps_is_taken_back_by_itself(inside: dict[str, Any]) -> None:
    seen = inside["network"]
    assert (seen["first"], seen["method"]) == (["192.0.2.10/24"], "static")
    assert (seen["moved"], seen["dns"], seen["trial"]) == (["192.0.2.77/24"], ["192.0.2.53"], True)
    assert (seen["back"], seen["after"]) == (["192.0.2.10/24"], True)
    assert seen["late"] is False, "too late to keep it"


@pytest.mark.feature("SET-4")
def test_a_new_address_that_was_kept_stays_and_dhcp_can_be_chosen(inside: dict[str, Any]) -> None:
    seen = inside["network"]
    assert (seen["kept"], seen["stays"], seen["gateway"]) == (True, ["192.0.2.77/24"], "192.0.2.1")
    assert seen["dhcp"] == "dhcp"
    assert seen["foreign"][0] == "addresses-not-ours", "an interface that somebody else keeps"


@pytest.mark.feature("SET-4")
def test_the_machine_is_renamed_and_a_name_that_is_none_is_refused(inside: dict[str, Any]) -> None:
    assert inside["network"]["name"] == "depot-7"
    assert inside["network"]["bad-name"][0] == "machine-refused"


def test_without_the_right_everything_is_refused_with_the_name_of_the_user(inside: dict[str, Any]) -> None:
    told = inside["nobody"]
    for what in ("clock", "zone", "network", "addresses", "name"):
        problem, words = told[what]
        assert problem == "machine-not-permitted", what
        assert "nobody" in words, what


def test_a_right_that_was_given_is_seen_and_enough(inside: dict[str, Any]) -> None:
    assert (inside["nobody"]["permitted"], inside["nobody"]["done"]) == ([], [])
    assert inside["nobody"]["became"] == "Europe/Rome"


@pytest.mark.feature("SET-4")
def test_the_page_says_where_it_moves_before_it_moves(inside: dict[str, Any]) -> None:
    status, page = inside["pages"]["warned"]
    assert status == 422
    assert "http://192.0.2.88/bodyworn/settings/network" in page
    assert inside["pages"]["still"] == ["192.0.2.77/24"], "nothing changed yet"
    status, page = inside["pages"]["moved"]
    assert (status, inside["pages"]["now"], inside["pages"]["name"]) == (200, ["192.0.2.88/24"], "depot-8")
    assert "Keep these addresses" in page
    assert inside["pages"]["kept"][1].endswith("notice=addresses-kept")


@pytest.mark.feature("SET-5")
def test_the_page_sets_zone_and_server_and_refuses_a_time_by_hand_at_the_same_time(inside: dict[str, Any]) -> None:
    assert inside["pages"]["saved"] == [303, "/bodyworn/settings/date-and-time?notice=clock-saved"]
    assert inside["pages"]["clock"] == {"zone": "Asia/Tokyo", "ntp": True, "servers": ["time.example.org"], "why": []}


def test_a_machine_without_a_bus_tells_what_it_can(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    facts, net = clock.read(), network.read()
    assert isinstance(facts.obstacle, MachineServiceMissing)
    assert (facts.ntp, facts.synchronised, facts.managed) == (None, None, False)
    assert net.host_name == socket.gethostname()
    assert all(isinstance(one.obstacle, MachineServiceMissing) for one in net.interfaces)
    with pytest.raises(MachineServiceMissing):
        clock.set_time_zone("Europe/Berlin")


def test_a_bus_that_says_nothing_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = str(tmp_path / "mute")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(path)
        mute.listen()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={path}")
        begun = time.monotonic()
        assert isinstance(clock.read().obstacle, MachineServiceMissing)
        assert time.monotonic() - begun < 5


def test_addresses_are_those_that_the_kernel_has() -> None:
    if not Path("/usr/sbin/ip").exists() and not Path("/sbin/ip").exists():
        pytest.skip("iproute2 is not installed")
    names = {one.name for one in interfaces.read()}
    assert "lo" not in names
    assert names <= set(os.listdir("/sys/class/net"))


def test_zones_are_listed_by_region_with_their_difference_to_utc() -> None:
    listed = zones.by_region()
    assert "Europe/Vienna" in listed["Europe"]
    assert "Asia/Calcutta" not in listed["Asia"], "a name that only old systems know"
    assert zones.city("America/Argentina/Buenos_Aires") == "Argentina/Buenos Aires"
    assert zones.offset("Asia/Kolkata", NOON) == "UTC+05:30"
    assert zones.countries()["Europe/Vienna"] == "AT"
    assert not zones.is_zone("../etc/passwd")
    assert not zones.is_zone("Mars/Olympus")
