"""A controller's second half in this process: spool, database and the uploader's threads, and a proxy before whom it
delivers to.

Recordings are stored here as a controller stores them, encrypted to the destination; what arrived is read behind the
proxy, as whoever owns the destination reads it.
"""

from __future__ import annotations

import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from hashlib import sha256
from io import FileIO
from pathlib import Path
from random import Random
from typing import Protocol

import controllers  # noqa: F401 - first of all, because it mounts the plugin
import fault_proxy
import msgspec
from bodyworn.crypto.content_reader import decrypt_clip
from bodyworn.crypto.keys import SigningKey
from bodyworn.destination.client import Client
from bodyworn.destination.connection_file import ConnectionFile, export
from bodyworn.destination.names import key_name
from bodyworn.destination.rehearsal import Rehearsal, rehearse
from bodyworn.errors import BodywornError
from bodyworn.hw.bell import Bell
from bodyworn.hw.offload import Wanted, lockbox_of, offload
from bodyworn.hw.uploader import Uploader
from bodyworn.hw.workshop import Workshop
from bodyworn.migrations.run import upgrade
from bodyworn.models import (
    Clip,
    ClipKind,
    CopyState,
    Database,
    Destination,
    Event,
    Place,
    Recording,
    RecordingState,
    System,
)
from bodyworn.services import cameras, copies, destinations, erasures, problems, recordings, users
from bodyworn.services.erasing import ErasePolicy
from bodyworn.services.keyring import Keyring
from bodyworn.services.recordings import StoredClip
from certificates import Certificate
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fake_destination import FakeDestination
from fault_proxy import Behind
from rig_parts import ACTOR, START, add_bay, add_camera, find, found_system, make_document
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from swift_node import Swift

CLIP_BYTES = 1_300_000
ENDS_SECONDS = 60.0
_LOOK_SECONDS = 0.01
_LARGEST_BYTES = 64 * 1024 * 1024
_TRACK = b'{"CoordinateEntries": []}'


class Stuck(Exception):
    """Something that should have happened did not."""


class Hasty(Uploader):
    """An uploader whose destinations get this long, where what is tried is how it ends and not when."""

    patience_seconds = 30.0

    def _client(self, destination: Destination) -> Client:
        if self.patience_seconds == Hasty.patience_seconds:
            return super()._client(destination)
        with self._lock:
            known = self._clients.get(destination.id)
            if known is None or known[0] != destination.sealed_file:
                connection = destinations.connection(destination, self._shop.keyring)
                client = Client(connection, timeout_seconds=self.patience_seconds, pace=self._uplink.take)
                known = self._clients[destination.id] = (destination.sealed_file, client)
            return known[1]


class Ground(Protocol):
    """A destination that behaves well, as whoever owns it reaches it."""

    behind: Behind
    connection: ConnectionFile

    def listed(self, container: str) -> list[str]:
        """List the objects of a container."""

    def forget(self, container: str) -> None:
        """Remove a container where it takes memory."""


class ScriptedGround:
    """The scripted destination, without a script."""

    def __init__(self, fake: FakeDestination) -> None:
        self._fake = fake
        self.behind = Behind(fake.at_address, fake.port)
        self.connection = fake.connection()

    def listed(self, container: str) -> list[str]:
        """List the objects of a container."""
        return [path.partition("/")[2] for path in list(self._fake.objects) if path.startswith(f"{container}/")]

    def forget(self, container: str) -> None:
        """Remove a container, and what was asked."""
        self._fake.requests.clear()
        for name in self.listed(container):
            del self._fake.objects[f"{container}/{name}"]


class SwiftGround:
    """A real Swift."""

    def __init__(self, swift: Swift) -> None:
        self.behind = Behind("127.0.0.1", swift.port)
        self.connection = swift.connection()

    def listed(self, container: str) -> list[str]:
        """List the objects of a container."""
        client = Client(self.connection)
        signed_in = client.sign_in()
        client.close()
        url = f"http://{signed_in.storage.place}{signed_in.storage.path}/{container}?format=json"
        request = urllib.request.Request(url, headers={"X-Auth-Token": signed_in.token.reveal()})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return [entry["name"] for entry in json.load(answer)]
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return []

    def forget(self, container: str) -> None:
        """Leave it: it is on a disk that goes with this Swift."""


@dataclass
class Yard:
    """Everything between the spool and the destination; one cell after the other happens in it."""

    shop: Workshop
    #: What the uploader talks to, and what it stands before.
    proxy: FakeDestination
    ground: Ground
    private_pem: bytes
    public_pem: bytes
    key: SigningKey
    camera_id: str
    settings: int
    random: Random
    uploader: Hasty | None = None
    made: int = 0
    _rehearsals: list[Rehearsal] = field(default_factory=list)
    _plain: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.shop.database

    # --- what the operator does

    def connection(self) -> ConnectionFile:
        """Make the file that leads to the proxy."""
        return self.proxy.connection(
            api_key=self.ground.connection.api_key,
            full_store_and_read=True,
            want_encryption=True,
            public_key_pem=self.public_pem,
            public_key_id="campaign",
        )

    def adopt(self) -> None:
        """Upload the connection file, again where it was before; that ends every rest."""
        if not self._rehearsals:
            self._rehearsals.append(rehearse(self.connection()))
        with self.database.write() as session:
            data = export(self.connection())
            destinations.adopt(session, self.shop.keyring, data, self._rehearsals[0], actor=ACTOR)

    def store(self, size_bytes: int = CLIP_BYTES) -> str:
        """Bring a recording into the spool, as a controller does; gives its id."""
        self.made += 1
        document = make_document(start=START + timedelta(hours=self.made), settings_sequence=self.settings)
        contents = {document.clips[0].name: self.random.randbytes(size_bytes), "track.json": _TRACK}
        entry = msgspec.structs.replace(document.clips[0], size_bytes=size_bytes)
        document = msgspec.structs.replace(document, clips=(entry,))
        with self.database.write() as session:
            recording = find(session, cameras.get(session, self.camera_id), self.key, document)
            for clip in list(recording.clips):
                stored = self._offloaded(recording, clip, contents[clip.source_name or ""])
                recordings.clip_stored(session, stored, self.shop.spool.failure_domain())
            recordings.stored(session, recording.id, b"manifest")
            return recording.id

    # --- what happens

    @contextmanager
    def uploading(self, patience_seconds: float = Hasty.patience_seconds) -> Iterator[None]:
        """Let the uploader work for the block's time."""
        bell = self.shop.bell = Bell(self.database)
        self.uploader = Hasty(self.shop, 1)
        self.uploader.patience_seconds = patience_seconds
        bell.start()
        self.uploader.start()
        try:
            yield
        finally:
            bell.stop()
            self.uploader.stop()
            self.uploader = None

    def be_patient(self, seconds: float) -> None:
        """Let destinations have this long to answer from now on."""
        assert self.uploader is not None
        self.uploader.patience_seconds = seconds
        self.adopt()

    def wait(self, condition: Callable[[], object], seconds: float = ENDS_SECONDS) -> None:
        """Wait until something is so; raise Stuck when it does not become so."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise Stuck(self.story())
            time.sleep(_LOOK_SECONDS)

    # --- what is known here

    def recording(self, recording_id: str) -> Recording:
        """Read a recording with its clips and their copies."""
        with self.database.read() as session:
            eager = selectinload(Recording.clips).selectinload(Clip.copies)
            return session.scalars(select(Recording).where(Recording.id == recording_id).options(eager)).one()

    def destination(self) -> Destination:
        """Read the destination."""
        with self.database.read() as session:
            return session.scalars(select(Destination).where(Destination.active)).one()

    def system_id(self) -> str:
        """Tell the name of the system object."""
        with self.database.read() as session:
            return session.scalars(select(System.id)).one()

    def last_event(self) -> int:
        """Give the number of the event that happened last."""
        with self.database.read() as session:
            return session.scalars(select(Event.sequence).order_by(Event.sequence.desc()).limit(1)).one()

    def events(self, after: int, *object_ids: str) -> list[tuple[str, str]]:
        """List action and result of what happened to some things after an event."""
        rows = select(Event).where(Event.sequence > after, Event.object_id.in_(object_ids)).order_by(Event.sequence)
        with self.database.read() as session:
            return [(event.action, event.result) for event in session.scalars(rows)]

    def erasable(self) -> set[str]:
        """List the recordings that may go from the camera now, which has room for the next shift."""
        with self.database.read() as session:
            camera = cameras.get(session, self.camera_id)
            granted = erasures.erasable(session, camera, ErasePolicy(camera_lacks_room=False))
            return {recording.id for recording, _ in granted}

    def forget(self, recording_id: str) -> None:
        """Let a recording that was looked at leave camera, spool and destination: later looks are as quick."""
        with self.database.write() as session:
            recording = session.get_one(Recording, recording_id)
            recording.erased_at, container = START, recording.container_name
        shutil.rmtree(self.shop.spool.root / container)
        self.ground.forget(container)

    def is_whole(self, recording_id: str) -> bool:
        """Tell whether the spool has every object of a recording as it was stored."""
        recording = self.recording(recording_id)
        return all(
            copies.state(clip, Place.SPOOL) is CopyState.VERIFIED
            and self.shop.spool.matches(
                recording.container_name, clip.spool_name, clip.stored_size_bytes or 0, clip.stored_sha256 or ""
            )
            for clip in recording.clips
        )

    def let_everything_go(self) -> None:
        """Give what waits some time to be delivered, so that it is in nobody's way."""
        end = time.monotonic() + ENDS_SECONDS
        while time.monotonic() < end:
            with self.database.read() as session:
                waiting = session.scalars(select(Recording.id).where(Recording.state == RecordingState.STORED)).first()
            if waiting is None:
                return
            time.sleep(0.1)

    def story(self) -> str:
        """Tell how everything stands, for a person."""
        with self.database.read() as session:
            waiting = select(Recording).where(Recording.state != RecordingState.DELIVERED)
            rows = [*session.scalars(waiting), *session.scalars(select(Destination))]
            return "; ".join(f"{type(row).__name__} {row.state} {problems.read(row)}" for row in rows)

    # --- what is at the destination

    def arrived(self, recording_id: str) -> list[str]:
        """Compare what the destination holds of a delivered recording with the spool; gives every difference."""
        recording = self.recording(recording_id)
        client = Client(self.ground.connection)
        try:
            return list(self._differences(recording, client))
        finally:
            client.close()

    def is_there(self, recording_id: str) -> bool:
        """Tell whether the destination has every object as it was stored, where it belongs or as rejected content."""
        recording, client = self.recording(recording_id), Client(self.ground.connection)
        places = [recording.container_name, *filter(None, [recording.rejected_container])]
        try:
            return all(self._has(client, places, recording, clip) for clip in recording.clips)
        finally:
            client.close()

    def _has(self, client: Client, places: list[str], recording: Recording, clip: Clip) -> bool:
        with self.shop.spool.open(recording.container_name, clip.spool_name) as file:
            stored = file.read()
        return any(
            clip.name in self.ground.listed(place) and client.get_object(place, clip.name, _LARGEST_BYTES) == stored
            for place in places
        )

    def _differences(self, recording: Recording, client: Client) -> Iterator[str]:
        container = recording.container_name
        status = (client.head_container(container) or {}).get("status")
        if status != "Complete":
            yield f"its status is {status}"
        names = sorted(clip.name for clip in recording.clips)
        there = sorted(self.ground.listed(container))
        if names != there:
            yield f"there is {there}, and it should be {names}"
            return
        bodies = {name: client.get_object(container, name, limit_bytes=_LARGEST_BYTES) for name in names}
        for clip in recording.clips:
            with self.shop.spool.open(container, clip.spool_name) as file:
                if file.read() != bodies[clip.name]:
                    yield f"{clip.name} is not what was stored"
            if clip.kind in (ClipKind.CLIP, ClipKind.TRACK):
                yield from self._unlock(recording.id, clip.name, bodies)

    def _unlock(self, recording_id: str, name: str, bodies: dict[str, bytes]) -> Iterator[str]:
        """Decrypt as the destination does; gives what is wrong with it."""
        try:
            plain = b"".join(decrypt_clip([bodies[name]], bodies[key_name(name)], self.private_pem))
        except BodywornError as error:
            yield f"key and clip do not belong together: {name}: {error.id}"
            return
        if sha256(plain).hexdigest() != self._plain[recording_id][name]:
            yield f"key and clip do not belong together: {name}"

    def _offloaded(self, recording: Recording, clip: Clip, data: bytes) -> StoredClip:
        path = self.shop.scratch / "source"
        path.write_bytes(data)
        digest = sha256(data).hexdigest()
        self._plain.setdefault(recording.id, {})[clip.name] = digest
        metadata = {key: str(value) for key, value in clip.wire_metadata.items()}
        wanted = Wanted(clip.id, recording.container_name, clip.name, len(data), digest, metadata)
        lockbox = lockbox_of(self.connection(), self.shop.book.recovery_encryption_key.raw)
        return offload(lambda: FileIO(path), wanted, self.shop.spool, lockbox, lambda _: None)


@contextmanager
def opened(folder: Path, ground: Ground, seed: int, certificate: Certificate | None = None) -> Iterator[Yard]:
    """Found a system in a folder, and connect it to what stands on the ground, through a proxy."""
    with fault_proxy.before(ground.behind, certificate) as proxy, founded(folder, ground, seed, proxy) as yard:
        yield yard


@contextmanager
def founded(folder: Path, ground: Ground, seed: int, proxy: FakeDestination) -> Iterator[Yard]:
    """Found a system in a folder, and connect it through a proxy that runs already."""
    for name in ("mounts", "spool"):
        (folder / name).mkdir(parents=True)
    with ExitStack() as stack:
        database = Database.at(f"sqlite:///{folder / 'bodyworn.db'}")
        stack.callback(database.close)
        upgrade(database.engine)
        keyring, key = Keyring(folder / "keys"), SigningKey.generate()
        with database.write() as session:
            found_system(session, keyring)
            camera = add_camera(session, add_bay(session), key)
            cameras.assign(session, camera.id, users.create_user(session, name="Ada", actor=ACTOR).id, actor=ACTOR)
        shop = Workshop.on(database, keyring, folder, reserve_bytes=0)
        private, public = _key_pair()
        yard = Yard(shop, proxy, ground, private, public, key, camera.id, camera.wanted_settings, Random(seed))
        yard.adopt()
        yield yard


@cache
def _key_pair() -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
