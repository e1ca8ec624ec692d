"""The play that ``machine_parts`` runs in namespaces of its own; the last line that it prints is what it saw."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

import conftest  # noqa: E402, F401 - mounts the plugin
from bodyworn.errors import BodywornError  # noqa: E402
from bodyworn.machine import clock, network  # noqa: E402
from bodyworn.machine.network import Addresses  # noqa: E402

BUS = """<busconfig><type>system</type><listen>unix:path={path}</listen><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>"""
#: In a folder that everybody may look into, and that is gone with the namespace.
BUS_ADDRESS = Path("/run/bus")
MANAGER = """[main]
plugins=keyfile
auth-polkit=root-only
dhcp=internal
dns=none
no-auto-default=*
"""
PROFILE = """[connection]
id=wired
type=ethernet
interface-name=eth9
[ipv4]
method=manual
address1=192.0.2.10/24,192.0.2.1
[ipv6]
method=disabled
"""
OTHERS = Addresses(IPv4Interface("192.0.2.77/24"), IPv4Address("192.0.2.1"), (IPv4Address("192.0.2.53"),))
NOBODY = 65534


def main(scratch: Path) -> None:
    """Start the services, play, and tell."""
    refuse_to_set_a_real_clock()
    prepare(scratch)
    permitted = scratch / "permitted"
    permitted.write_text("")
    start("dbus-daemon", f"--config-file={scratch / 'bus.conf'}", "--nofork")
    wait(BUS_ADDRESS.exists)
    names = ("org.freedesktop.systemd1", "org.freedesktop.PolicyKit1")
    start(sys.executable, str(HERE / "services.py"), str(permitted), *names)
    told: dict[str, Any] = {"without": words(clock.read().obstacle)}
    start("/lib/systemd/systemd-hostnamed")
    start("/lib/systemd/systemd-timedated")
    start("NetworkManager", "--no-daemon")
    wait(lambda: clock.read().managed)
    wait(lambda: network.read().keeper == "NetworkManager" and bool(ours().addresses))
    told |= play_the_clock() | play_the_network() | play_nobody(permitted) | play_the_pages(scratch)
    print(json.dumps(told))


def refuse_to_set_a_real_clock() -> None:
    """Make sure that nothing in here can: a time zone alone may move the kernel's clock."""
    try:
        time.clock_settime(time.CLOCK_REALTIME, time.time())
    except PermissionError:
        return
    sys.exit("the clock of this machine could be set from here")


def prepare(scratch: Path) -> None:
    for folder in ("/run", "/etc/NetworkManager", "/var/lib/NetworkManager"):
        Path(folder).mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", folder], check=True)
    subprocess.run(["mount", "-t", "sysfs", "-o", "ro", "none", "/sys"], check=True)  # no udev: it is a container
    copy = scratch / "etc"
    profiles = Path("/etc/NetworkManager/system-connections")
    subprocess.run(["cp", "-a", "/etc/.", str(copy)], check=True)
    subprocess.run(["mount", "--bind", str(copy), "/etc"], check=True)
    profiles.mkdir(exist_ok=True, parents=True)
    (profiles / "wired.nmconnection").write_text(PROFILE)
    (profiles / "wired.nmconnection").chmod(0o600)
    Path("/etc/NetworkManager/NetworkManager.conf").write_text(MANAGER)
    (scratch / "bus.conf").write_text(BUS.format(path=BUS_ADDRESS))
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={BUS_ADDRESS}"
    for command in ("link set lo up", "link add eth9 type veth peer name peer9", "link set peer9 up"):
        subprocess.run(["ip", *command.split()], check=True)


def start(*command: str) -> None:
    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def wait(done: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, f"never happened: {network.read()} {clock.read()}"
        time.sleep(0.05)


def play_the_clock() -> dict[str, Any]:
    told = {"clock": {"first": seen(), "nonsense": tried(lambda: clock.set_time_zone("Mars/Olympus"))}}
    clock.set_time_zone("Europe/Berlin")
    clock.set_ntp(True)
    told["clock"] |= {"on": seen(), "by-hand": tried(lambda: clock.set_time(datetime.now(UTC)))}
    clock.set_ntp_server("192.0.2.123")
    told["clock"]["server"] = seen()
    clock.set_ntp_server(None)
    told["clock"]["no-server"] = seen()
    clock.set_ntp(False)
    # the kernel refuses here what it would do elsewhere, so this shows how far the wish comes
    told["clock"] |= {"off": seen(), "set": tried(lambda: clock.set_time(datetime.now(UTC) + timedelta(hours=1)))}
    told["clock"]["server-while-off"] = tried(lambda: clock.set_ntp_server("192.0.2.123"))
    return told


def play_the_network() -> dict[str, Any]:
    told: dict[str, Any] = {"first": addresses(), "method": ours().method}
    network.set_addresses("eth9", OTHERS, trial_seconds=2)
    wait(lambda: addresses() == ["192.0.2.77/24"])
    told |= {"moved": addresses(), "dns": list(ours().dns), "trial": network.read().trial_until is not None}
    wait(lambda: addresses() == ["192.0.2.10/24"])
    told |= {"back": addresses(), "late": network.keep(), "after": network.read().trial_until is None}
    network.set_addresses("eth9", OTHERS, trial_seconds=2)
    wait(lambda: addresses() == ["192.0.2.77/24"])
    told["kept"] = network.keep()
    time.sleep(2.2)
    told |= {"stays": addresses(), "gateway": str(ours().gateway)}
    network.set_addresses("eth9", Addresses(), trial_seconds=60)
    wait(lambda: ours().method == "dhcp")
    told |= {"dhcp": ours().method, "foreign": tried(lambda: network.set_addresses("peer9", OTHERS))}
    network.set_addresses("eth9", OTHERS)
    network.keep()
    wait(lambda: addresses() == ["192.0.2.77/24"])
    network.set_host_name("depot-7")
    told |= {"name": socket.gethostname(), "bad-name": tried(lambda: network.set_host_name("not a name"))}
    return {"network": told}


def play_nobody(permitted: Path) -> dict[str, Any]:
    """See and try everything as a user without rights, then with one."""
    with as_nobody():
        told: dict[str, Any] = {
            "clock": words(clock.read().obstacle),
            "zone": tried(lambda: clock.set_time_zone("Europe/Paris")),
            "network": words(ours().obstacle),
            "addresses": tried(lambda: network.set_addresses("eth9", OTHERS)),
            "name": tried(lambda: network.set_host_name("mine")),
        }
    permitted.write_text("org.freedesktop.timedate1.set-time org.freedesktop.timedate1.set-timezone")
    with as_nobody():
        told |= {"permitted": words(clock.read().obstacle), "done": tried(lambda: clock.set_time_zone("Europe/Rome"))}
        told["became"] = clock.read().time_zone
    permitted.write_text("")
    return {"nobody": told}


def play_the_pages(scratch: Path) -> dict[str, Any]:
    """Do as a person does on the Settings pages of a host in here."""
    import seed
    from hosting import SAME_ORIGIN, host_app, signed_in, token_of

    (scratch / "host").mkdir()
    app = host_app(scratch / "host")
    seed.seed(app.extensions["bodyworn"].database)
    browser = signed_in(app, "administrator")

    def post(path: str, **form: str) -> Any:
        return browser.post(path, data={"csrf_token": token_of(browser), **form}, headers=SAME_ORIGIN)

    wish = {"interface": "eth9", "method": "static", "address": "192.0.2.88/24", "gateway": "192.0.2.1"}
    path = "/bodyworn/settings/network"
    warned = post(path, host_name="depot-7", **wish)
    still = addresses()
    moved = post(path, host_name="depot-8", confirmed="y", **wish)
    wait(lambda: addresses() == ["192.0.2.88/24"])
    kept = post(f"{path}/keep")
    time_path = "/bodyworn/settings/date-and-time"
    saved = post(time_path, time_zone="Asia/Tokyo", source="server", ntp_server="time.example.org")
    return {
        "pages": {
            "warned": [warned.status_code, warned.text],
            "still": still,
            "moved": [moved.status_code, moved.text],
            "now": addresses(),
            "kept": [kept.status_code, kept.location],
            "name": network.read().host_name,
            "saved": [saved.status_code, saved.location],
            "clock": seen(),
            "by-hand": post(time_path, time_zone="Asia/Tokyo", source="hand", date="2026-01-31", time="12:00").text,
        }
    }


def ours() -> network.Interface:
    return next(one for one in network.read().interfaces if one.name == "eth9")


def addresses() -> list[str]:
    return [str(one) for one in ours().addresses]


def seen() -> dict[str, Any]:
    facts = clock.read()
    return {"zone": facts.time_zone, "ntp": facts.ntp, "servers": list(facts.servers), "why": words(facts.obstacle)}


def tried(what: Callable[[], object]) -> list[str]:
    try:
        what()
    except BodywornError as error:
        return words(error)
    return []


def words(error: BodywornError | None) -> list[str]:
    return [error.id, str(error)] if error else []


@contextmanager
def as_nobody() -> Iterator[None]:
    """Lose all rights for a moment; the bus sees who connects."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
