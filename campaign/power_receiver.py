"""Power cuts on the other side: the disk of a receiver loses its power while it takes recordings in.

Its promise is its answer: an object that it answered 201 for, and a recording that it took as complete, are there
after the cut, whole; whatever it did not answer, the sender sends again, and it ends as if nothing had happened.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5, sha256
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

import controllers  # noqa: F401 - mounts the plugin
import receiver_site
import workload
from bodyworn.crypto.sealed import SealedBox
from bodyworn.destination.client import Client
from bodyworn.destination.connection_file import ConnectionFile, parse
from bodyworn.errors import BodywornError
from bodyworn.models import Database, ReceivedContainer, ReceivedObject
from bodyworn.services import connection_files, events, received
from bodyworn.services.connection_files import Site
from bodyworn.store import Store
from bodyworn.store.verify import Expected, verify
from bodyworn_host.server import Server, free_port
from bodyworn_host.settings import Settings
from checks import Figures
from loops import Disk
from outcome import Outcome, Plan, Size
from sqlalchemy import select

DISK_BYTES: Final = 1024**3
CUTS: Final = {Size.SAMPLE: 1, Size.ORDINARY: 16, Size.FULL: 100}
RECORDINGS: Final = 3
CLIPS: Final = 4
CLIP_BYTES: Final = 400_000
SENDERS: Final = 2
LONGEST_MOMENT_SECONDS: Final = 1.0
ANSWERS_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 0.02

_FORKS = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Parcel:
    """A recording to send: its container and the bytes of its objects by their names."""

    container: str
    objects: dict[str, bytes]


@dataclass
class Answered:
    """What the receiver has said yes to."""

    objects: set[tuple[str, str]] = field(default_factory=set)
    complete: set[str] = field(default_factory=set)


def cuts(tier: str, plan: Plan, filesystem: str) -> Iterator[Outcome]:
    """Cut a receiver's power as often as the plan wants, each time while recordings arrive that it does not know."""
    names = [f"receiver/{filesystem}/moment-{number}" for number in range(1, CUTS[plan.size] + 1)]
    if plan.size is Size.SAMPLE and plan.only is None and filesystem != "ext4":
        return
    wanted = [name for name in names if plan.wants(name)]
    if not wanted:
        return
    with _bench(plan.folder / f"receiver-{filesystem}", filesystem) as bench:
        for name in wanted:
            figures, seconds = bench.cut(plan.choice(name))
            yield figures.outcome(tier, name, recovery_seconds=seconds, seed=plan.seed)


@contextmanager
def _bench(folder: Path, filesystem: str) -> Iterator[_Bench]:
    disk = Disk.make(folder, filesystem, DISK_BYTES)
    with disk.inserted():
        home, port = disk.folder / "data", free_port("127.0.0.1")
        (home / "keys").mkdir(mode=0o700, parents=True)
        shutil.copy(workload.tables(), home / "bodyworn.db")
        yield _Bench(disk, home, port, _export(home, port))


@dataclass
class _Bench:
    disk: Disk
    home: Path
    port: int
    connection: ConnectionFile

    def cut(self, chosen: random.Random) -> tuple[Figures, float | None]:
        """Cut while parcels arrive, look for what was promised, send the rest, and look at everything."""
        parcels, answered = [_parcel(chosen) for _ in range(RECORDINGS)], Answered()
        with self._serving() as process:
            stop = threading.Event()
            threads = [
                threading.Thread(target=self._send_while, args=(parcels[number::SENDERS], answered, stop))
                for number in range(SENDERS)
            ]
            for thread in threads:
                thread.start()
            process.join(chosen.uniform(0.02, LONGEST_MOMENT_SECONDS))
            promised = Answered(set(answered.objects), set(answered.complete))
            self.disk.cut_power()
            if chosen.random() < 0.5:
                process.join(0.2)  # it lives on for a while, with a disk that takes nothing any more
            stop.set()
            _kill(process)
            for thread in threads:
                thread.join()
        self.disk.unmount()
        self.disk.mount()
        return self._after(parcels, promised)

    def _after(self, parcels: list[Parcel], answered: Answered) -> tuple[Figures, float | None]:
        """``answered`` is what was promised before the cut: no machine without power answers, this one may.

        An fsync that has begun when a filesystem is shut down may still report success.
        """
        figures, began = Figures(), time.monotonic()
        with self._serving(), _client(self.connection) as client:
            self._check_promises(client, parcels, answered, figures)
            try:
                for parcel in parcels:
                    _send(client, parcel, answered, again=True)
            except BodywornError as error:
                figures.add("stuck", f"{type(error).__name__}: {error}")
                return figures, None
            seconds = time.monotonic() - began
            self._check_promises(client, parcels, answered, figures)
        self._check_disk(figures)
        return figures, seconds

    def _check_promises(self, client: Client, parcels: list[Parcel], answered: Answered, figures: Figures) -> None:
        for parcel in parcels:
            for name, data in parcel.objects.items():
                if (parcel.container, name) in answered.objects:
                    _check_object(client, parcel.container, name, data, figures)
            if parcel.container in answered.complete:
                said = client.head_container(parcel.container) or {}
                if said.get("status") != "Complete":
                    figures.add("lost", f"{parcel.container} was taken as complete and is {said.get('status')}")

    def _check_disk(self, figures: Figures) -> None:
        """Rows and files say the same; no part is left; the chain of events is whole."""
        database = Database.at(f"sqlite:///{self.home / 'bodyworn.db'}")
        try:
            with database.read() as session:
                for found in events.check(session):
                    figures.add("records", f"event {found.sequence}: {found.kind}")
                rows = session.execute(
                    select(ReceivedContainer.account_id, ReceivedContainer.name, ReceivedObject).join(ReceivedObject)
                ).all()
        finally:
            database.close()
        for account in {account for account, _, _ in rows}:
            expected = [
                Expected(container, row.name, row.size_bytes, row.sha256) for a, container, row in rows if a == account
            ]
            store = Store(self.home / "received" / account)
            for finding in verify(store, expected).findings:
                figures.add("undetected_corruption", f"{finding.container}/{finding.name}: {finding.fault}")
            for part in store.root.rglob("*.part"):
                figures.add("orphan_parts", part.name)

    def _send_while(self, parcels: list[Parcel], answered: Answered, stop: threading.Event) -> None:
        """Send until all is sent or the receiver is gone; whatever it refuses is tried again."""
        with _client(self.connection) as client:
            for parcel in parcels:
                while not stop.is_set():
                    try:
                        _send(client, parcel, answered)
                        break
                    except BodywornError:
                        stop.wait(_AGAIN_SECONDS)

    @contextmanager
    def _serving(self) -> Iterator[ForkServerProcess]:
        """Run the receiver for the block's time, from the moment in which it answers."""
        process = _FORKS.Process(target=_serve, args=(self.home, self.port, self.disk.image.parent / "receiver.log"))
        process.start()
        try:
            _wait_until_it_answers(self.connection)
            yield process
        finally:
            _kill(process)


def _export(home: Path, port: int) -> ConnectionFile:
    """Give a sender its way in."""
    address = f"http://127.0.0.1:{port}{receiver_site.PREFIX}/auth/v1.0"
    site = Site(name="Campaign", authentication_uris=(address,), want_encryption=False)
    database = Database.at(f"sqlite:///{home / 'bodyworn.db'}")
    with database.write() as session:
        data = connection_files.export(session, SealedBox(home / "keys" / "machine.key"), site).data
    database.close()
    return parse(data)


def _serve(home: Path, port: int, log: Path) -> None:
    """Be a host with the receiver; the target of the process above."""
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    app, _, runtime = receiver_site.build(home)
    received.sweep_parts(runtime.receiver_store().root)  # as the plugin does where a host starts it
    server = Server(app, Settings(Path(), port=port))
    server.start()
    signal.sigwait({signal.SIGTERM})


def _kill(process: ForkServerProcess) -> None:
    if process.is_alive():
        process.kill()
    process.join()


@contextmanager
def _client(connection: ConnectionFile) -> Iterator[Client]:
    client = Client(connection, timeout_seconds=ANSWERS_SECONDS)
    try:
        yield client
    finally:
        client.close()


def _wait_until_it_answers(connection: ConnectionFile) -> None:
    end = time.monotonic() + ANSWERS_SECONDS
    while True:
        try:
            with _client(connection) as client:
                client.sign_in()
                return
        except BodywornError:
            if time.monotonic() > end:
                raise
            time.sleep(_AGAIN_SECONDS)


def _parcel(chosen: random.Random) -> Parcel:
    user = f"{chosen.getrandbits(32):08x}-0000-4000-8000-000000000000"
    clips = {
        f"20240301_1015{number:02}_{chosen.getrandbits(16):04X}.mkv": os.urandom(chosen.randint(1, CLIP_BYTES))
        for number in range(CLIPS)
    }
    return Parcel(f"{user}_SIM{chosen.getrandbits(16):05}_20240301T101500Z", clips)


def _send(client: Client, parcel: Parcel, answered: Answered, *, again: bool = False) -> None:
    """Send a recording as a controller does; what was answered before is not sent again unless asked.

    After Complete nothing is sent to a container, even where that answer was lost.
    """
    if (client.head_container(parcel.container) or {}).get("status") == "Complete":
        answered.complete.add(parcel.container)
        answered.objects.update((parcel.container, name) for name in parcel.objects)
        return
    client.put_container(parcel.container, {"Status": "Transferring"})
    for name, data in parcel.objects.items():
        if (parcel.container, name) in answered.objects and not again:
            continue
        digest = md5(data, usedforsecurity=False).hexdigest()
        proof = client.put_object(parcel.container, name, data, size_bytes=len(data), md5=digest, metadata={"A": "1"})
        assert proof.verified, "it answers with digests"
        answered.objects.add((parcel.container, name))
    client.post_container(parcel.container, {"Status": "Complete"})
    answered.complete.add(parcel.container)


def _check_object(client: Client, container: str, name: str, data: bytes, figures: Figures) -> None:
    try:
        arrived = sha256(client.get_object(container, name, 2 * CLIP_BYTES)).digest() == sha256(data).digest()
    except BodywornError as error:
        figures.add("lost", f"{container}/{name} was answered with 201: {type(error).__name__}")
    else:
        if not arrived:
            figures.add("undetected_corruption", f"{container}/{name} is not what was sent")
