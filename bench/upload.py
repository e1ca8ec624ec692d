"""Upload to a real OpenStack Swift and to our own receiver, beside the clients and the server that people would use."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from uuid import uuid4

import swiftclient
from bodyworn.cli import own_receiver
from bodyworn.destination import names
from bodyworn.destination.client import Client
from bodyworn.destination.connection_file import ConnectionFile, parse
from bodyworn.destination.metadata import RecordingFacts, clip_metadata
from bodyworn.destination.proof import Proof
from bodyworn.errors import BodywornError
from bodyworn.hw import shipment
from bodyworn.hw.faults import no_fault
from bodyworn.models import ClipKind
from bodyworn.services.parcels import Item, Parcel
from bodyworn.store import Digests, Store
from measure import MIB, Contestant, CpuClock, Goal, Plan, Row, children, compete, cpu_of, own_cpu, rate_row

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from swift_node import API_KEY, USER_NAME, Swift, SwiftUnavailable, running_swift

CLIPS = 4
#: More would only repeat it.
_LARGEST_CLIP_BYTES = 128 * MIB
_SPOOLED = "spooled"
_START_SECONDS = 20.0
_BASE = datetime(2026, 1, 1, tzinfo=UTC)
_numbers = count()

_SWIFT_NOTE = (
    "P15–P19 through `shipment`: container, clips, the destination's Etag compared with ours, Complete. Swift "
    "(one node from PyPI on the same two cores and disk) is the bottleneck; CPU seconds are the client's."
)
_CURL_NOTE = "One `curl -T` for all clips over one connection; it compares nothing."
_SWIFTCLIENT_NOTE = "python-swiftclient's `put_object` for each clip over one connection."
_RCLONE_NOTE = "`rclone copy --transfers 2` of the folder, with its check of the Etag; ours sends two recordings."
_RECEIVER_NOTE = (
    "The receiver answers 201 when a clip is durable, and read back and compared. CPU seconds are those of client and "
    "server together."
)
_TWO_NOTE = "Two recordings at the same time, as the controller sends them; the peer is `curl --parallel` with two."
_TWO_AT_A_TIME = ("--parallel", "--parallel-immediate", "--parallel-max", "2")
_TO_RECEIVER = "Upload to our receiver"
_NGINX_NOTE = "The peer is `curl -T` to nginx's WebDAV on the same disk, then `sync` of the files; nothing is hashed."


@dataclass(frozen=True)
class Nginx:
    """A running nginx, and where it puts what it gets."""

    url: str
    root: Path
    pid: int


@dataclass(frozen=True)
class Spooled:
    """Clips as they lie in the spool."""

    store: Store
    items: tuple[Item, ...]

    @property
    def folder(self) -> Path:
        return self.store.root / _SPOOLED

    @property
    def paths(self) -> list[Path]:
        return [self.folder / item.name for item in self.items]

    @property
    def size_bytes(self) -> int:
        return sum(item.size_bytes for item in self.items)

    def parcel(self, items: tuple[Item, ...]) -> Parcel:
        """Make a new recording of some of the clips, by other names of the same files."""
        container = _new_container()
        (self.store.root / container).mkdir()
        for item in items:
            os.link(self.folder / item.name, self.store.root / container / item.name)
        facts = RecordingFacts(user_uuid=str(uuid4()), serial="SIM0001", trigger_on_time=_BASE, start=_BASE)
        return Parcel("", container, {"Status": "Transferring"}, items, (), facts)


def rows(plan: Plan) -> Iterator[Row]:
    """Measure both destinations."""
    spooled = _spool(plan.folder / "spool", min(plan.clip_bytes, _LARGEST_CLIP_BYTES))
    try:
        with running_swift() as swift:
            yield from _to_swift(plan, spooled, swift)
    except SwiftUnavailable as reason:
        yield Row(what="Upload to Swift", ours=f"not measured: {reason}", peer_name="", peer="")
    with _receiver(plan.folder / "receiver") as (connection, pid):
        yield from _to_receiver(plan, spooled, connection, pid)
    shutil.rmtree(spooled.store.root)


def _to_swift(plan: Plan, spooled: Spooled, swift: Swift) -> Iterator[Row]:
    connection, size_bytes = swift.connection(), spooled.size_bytes
    contestants = [
        _ours("bodyworn", connection, spooled, 1),
        _curl("curl -T", connection, spooled),
        _swiftclient(swift, spooled),
        _ours("bodyworn, two at a time", connection, spooled, 2),
    ]
    if shutil.which("rclone"):
        contestants.append(_rclone(swift, spooled))
    one, curl, theirs, two, *rclone = compete(plan.runs, *contestants)
    yield rate_row("Upload to Swift", one, curl, size_bytes, Goal(0.95), [_SWIFT_NOTE, _CURL_NOTE])
    yield rate_row("Upload to Swift", one, theirs, size_bytes, None, [_SWIFTCLIENT_NOTE])
    for peer in rclone:
        yield rate_row("Upload to Swift, two at a time", two, peer, size_bytes, Goal(1.0), [_RCLONE_NOTE])


def _to_receiver(plan: Plan, spooled: Spooled, connection: ConnectionFile, pid: int) -> Iterator[Row]:
    with _nginx(plan.folder / "nginx") as nginx:
        contestants = [
            _ours("bodyworn", connection, spooled, 1, _with_server(pid)),
            _ours("bodyworn, two at a time", connection, spooled, 2, _with_server(pid)),
            _curl("curl -T to the same receiver", connection, spooled, _with_server(pid)),
        ]
        if nginx:
            contestants.append(_nginx_put("nginx WebDAV, sync", nginx, spooled))
            contestants.append(_nginx_put("nginx WebDAV, sync, two at a time", nginx, spooled, *_TWO_AT_A_TIME))
        ours, two, curl, *theirs = compete(plan.runs, *contestants)
    size_bytes = spooled.size_bytes
    if theirs:
        yield rate_row(_TO_RECEIVER, ours, theirs[0], size_bytes, Goal(0.8), [_RECEIVER_NOTE, _NGINX_NOTE])
        yield rate_row(f"{_TO_RECEIVER}, two at a time", two, theirs[1], size_bytes, Goal(0.8), [_TWO_NOTE])
    notes = (
        [_CURL_NOTE] if theirs else [_RECEIVER_NOTE, _CURL_NOTE, "nginx is not installed, so no server is beside it."]
    )
    yield rate_row(_TO_RECEIVER, ours, curl, size_bytes, None, notes)


def _spool(root: Path, clip_bytes: int) -> Spooled:
    store = Store(root)
    block = os.urandom(MIB)
    items = []
    for number in range(CLIPS):
        start = _BASE + timedelta(minutes=number)
        name = names.clip_name(start, f"{number:04X}", "mkv")
        blocks = (block[at:] + block[:at] for at in range(clip_bytes // MIB))
        found = store.write(_SPOOLED, name, blocks)
        items.append(_item(name, start, found))
    return Spooled(store, tuple(items))


def _item(name: str, start: datetime, digests: Digests) -> Item:
    return Item(
        clip_id=name,
        name=name,
        spool_name=name,
        kind=ClipKind.CLIP,
        size_bytes=digests.size_bytes,
        sha256=digests.sha256,
        md5=digests.md5,
        metadata=clip_metadata(start, start + timedelta(minutes=1), "mkv"),
        delivered=False,
    )


# contestants


def _ours(
    name: str, connection: ConnectionFile, spooled: Spooled, at_once: int, cpu_clock: CpuClock = own_cpu
) -> Contestant:
    """Send the clips with our client: as one recording, or as several that travel at the same time."""
    parcels: list[Parcel] = []

    def prepare() -> None:
        parcels[:] = [spooled.parcel(spooled.items[number::at_once]) for number in range(at_once)]

    def work() -> None:
        with closing(Client(connection)) as client, ThreadPoolExecutor(at_once) as pool:
            route = shipment.Route(client, spooled.store, can_verify=True, takes_rejected=False, hook=no_fault)
            for proofs in pool.map(partial(_send, route), parcels):
                if not all(proof.verified for proof in proofs):
                    raise RuntimeError("the destination did not prove every clip")

    return Contestant(name, work, prepare, cpu_clock=cpu_clock)


class _Waybill:
    """Keeps the proofs; nothing is refused here."""

    def __init__(self) -> None:
        self.proofs: list[Proof] = []

    def announce(self, *, again: bool) -> None:
        """Tell of nobody: who recorded is the same for everybody who is measured."""

    def progress(self, item: Item) -> Callable[[int], None]:
        return lambda _: None

    def delivered(self, item: Item, proof: Proof) -> None:
        self.proofs.append(proof)

    def completed(self) -> None:
        """Nothing is written down."""

    def refused(self, item: Item, error: BodywornError) -> None:
        raise error

    def rejected_container(self) -> str:
        raise AssertionError("nothing is refused")

    def put_aside(self, item: Item, proof: Proof) -> None:
        raise AssertionError("nothing is refused")

    def refused_there_as_well(self, item: Item) -> None:
        raise AssertionError("nothing is refused")


def _send(route: shipment.Route, parcel: Parcel) -> list[Proof]:
    waybill = _Waybill()
    shipment.send(parcel, route, waybill)
    return waybill.proofs


def _curl(name: str, connection: ConnectionFile, spooled: Spooled, cpu_clock: CpuClock = own_cpu) -> Contestant:
    """Send the clips with one call of curl; the token, which it gets beforehand, travels in its standard input."""
    call: list[str] = []

    def prepare() -> None:
        container = _new_container()
        with closing(Client(connection)) as client:
            client.put_container(container, {"Status": "Transferring"})
            signed_in = client.sign_in()
        storage = signed_in.storage
        token = f'header = "X-Auth-Token: {signed_in.token.reveal()}"'
        call[:] = [token, f"{storage.scheme}://{storage.host}:{storage.port}{storage.path}/{container}/"]

    def work() -> None:
        token, url = call
        _run_curl(spooled, url, "--config", "-", typed=token)

    return Contestant(name, work, prepare, cpu_clock=cpu_clock)


def _run_curl(spooled: Spooled, url: str, *options: str, typed: str = "") -> None:
    files = ",".join(str(path) for path in spooled.paths)
    command = ["curl", "--silent", "--show-error", "--fail", "--output", "/dev/null", *options]
    # captured, because --parallel shows its progress whatever it is told
    subprocess.run(
        [*command, "--upload-file", f"{{{files}}}", url], check=True, input=typed, text=True, capture_output=True
    )


def _swiftclient(swift: Swift, spooled: Spooled) -> Contestant:
    """Send the clips with the client that OpenStack makes for Python."""
    containers: list[str] = []

    def work() -> None:
        connection = swiftclient.Connection(authurl=swift.auth_uri, user=USER_NAME, key=API_KEY, auth_version="1")
        with closing(connection):
            connection.put_container(containers[-1])
            for path in spooled.paths:
                with path.open("rb") as file:
                    connection.put_object(containers[-1], path.name, file, content_length=path.stat().st_size)

    return Contestant("python-swiftclient", work, prepare=lambda: containers.append(_new_container()))


def _rclone(swift: Swift, spooled: Spooled) -> Contestant:
    """Send the folder with rclone, which is told in its environment where to."""
    settings = {"TYPE": "swift", "AUTH": swift.auth_uri, "AUTH_VERSION": "1", "USER": USER_NAME, "KEY": API_KEY}
    environment = {**os.environ, "RCLONE_CONFIG": "/dev/null"}
    environment |= {f"RCLONE_CONFIG_BENCH_{key}": value for key, value in settings.items()}

    def work() -> None:
        command = ["rclone", "copy", "--transfers", "2", str(spooled.folder), f"bench:{_new_container()}"]
        subprocess.run(command, check=True, env=environment, capture_output=True)

    return Contestant("rclone copy", work)


def _nginx_put(name: str, nginx: Nginx, spooled: Spooled, *options: str) -> Contestant:
    """Send the clips with curl to nginx, and wait until they are on the device."""

    def work() -> None:
        _run_curl(spooled, nginx.url, *options)
        subprocess.run(["sync", *(str(nginx.root / path.name) for path in spooled.paths)], check=True)

    def tidy() -> None:
        for path in nginx.root.iterdir():
            path.unlink()

    return Contestant(name, work, tidy=tidy, cpu_clock=_with_server(nginx.pid))


def _new_container() -> str:
    return names.container_name(str(uuid4()), "SIM0001", _BASE + timedelta(seconds=next(_numbers)))


def _with_server(pid: int) -> CpuClock:
    server_cpu = cpu_of(pid)
    return lambda: own_cpu() + server_cpu()


# servers


@contextmanager
def _receiver(folder: Path) -> Iterator[tuple[ConnectionFile, int]]:
    """Run ``bodyworn serve``; gives what leads to its receiver, and its process."""
    folder.mkdir()
    before = children(os.getpid())
    with own_receiver.running(folder, encrypt=False) as connection_file:
        (pid,) = children(os.getpid()) - before
        yield parse(connection_file), pid
    shutil.rmtree(folder)


@contextmanager
def _nginx(folder: Path) -> Iterator[Nginx | None]:
    """Run an nginx that takes PUT into a folder; None where there is no nginx."""
    if shutil.which("nginx") is None:
        yield None
        return
    nginx_root = folder / "root"
    nginx_root.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, user=getpass.getuser()))
    command = ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command)
    try:
        _wait_for(port, process)
        yield Nginx(f"http://127.0.0.1:{port}/", nginx_root, process.pid)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx did not start")


_NGINX = """\
daemon off;
master_process off;
user {user};
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/root;
        location / {{ dav_methods PUT; }}
    }}
}}
"""
