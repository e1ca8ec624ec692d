"""Where recordings go in the campaign: the scripted destination, or the product's own receiver, in this process.

Both can be read as whoever owns the destination reads them, which is how they are checked.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import controllers  # noqa: F401 - first of all, because it mounts the plugin
from bodyworn.crypto.content_reader import decrypt_clip
from bodyworn.destination.connection_file import export
from bodyworn.destination.names import key_name
from bodyworn.errors import ContentDamaged, KeyObjectRefused
from bodyworn.models import ReceivedContainer, ReceiverAccount
from bodyworn.services import connection_files
from bodyworn.store import Store
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fake_destination import FakeDestination
from receiver_site import ReceiverSite, running
from sqlalchemy import select

_COMPLETE = "Complete"


class Goal(Protocol):
    """A content destination and what its owner sees there."""

    #: What opens the keys that arrive, where recordings are to arrive encrypted.
    private_pem: bytes | None

    def connection_file(self) -> bytes:
        """Give the file that leads here."""

    def containers(self) -> list[str]:
        """List the containers of recordings."""

    def is_complete(self, container: str) -> bool:
        """Tell whether a recording was declared complete."""

    def objects(self, container: str) -> dict[str, bytes]:
        """Give every object of a container as it lies there."""

    def forget(self) -> None:
        """Drop the recordings that arrived, and what is remembered of requests."""


class ScriptedGoal:
    """The scripted destination: whatever a test wants it to answer, it answers."""

    def __init__(self, fake: FakeDestination, encrypted: bool) -> None:
        self.fake = fake
        self.private_pem, self._public_pem = key_pair() if encrypted else (None, None)

    def connection_file(self) -> bytes:
        """Give the file that leads here."""
        encrypted = self._public_pem is not None
        return export(
            self.fake.connection(
                full_store_and_read=True,
                want_encryption=encrypted,
                public_key_pem=self._public_pem,
                public_key_id="campaign" if encrypted else None,
            )
        )

    def containers(self) -> list[str]:
        """List the containers of recordings."""
        return [name for name in list(self.fake.containers) if is_recording(name)]

    def is_complete(self, container: str) -> bool:
        """Tell whether a recording was declared complete."""
        return self.fake.containers.get(container, {}).get("X-Container-Meta-Status") == _COMPLETE

    def objects(self, container: str) -> dict[str, bytes]:
        """Give every object of a container as it lies there."""
        stored = dict(self.fake.objects)
        begin = f"{container}/"
        return {path.removeprefix(begin): one.body for path, one in stored.items() if path.startswith(begin)}

    def forget(self) -> None:
        """Drop the recordings that arrived, and what is remembered of requests."""
        self.fake.behave_again()
        for container in self.containers():
            for name in self.objects(container):
                del self.fake.objects[f"{container}/{name}"]
            del self.fake.containers[container]
        self.fake.requests.clear()


class ReceiverGoal:
    """The product's own receiver, behind the reference host's server."""

    def __init__(self, site: ReceiverSite, encrypted: bool) -> None:
        self._site = site
        self._file = export(site.connection(want_encryption=encrypted))
        with site.database.read() as session:
            account = session.scalars(select(ReceiverAccount)).one()
            self.private_pem = connection_files.private_key_pem(account, site.runtime.secrets)
            self._store = Store(site.runtime.data_dir / "received" / account.id)

    def connection_file(self) -> bytes:
        """Give the file that leads here."""
        return self._file

    def containers(self) -> list[str]:
        """List the containers of recordings."""
        return [name for name in self._store.list_containers() if is_recording(name)]

    def is_complete(self, container: str) -> bool:
        """Tell whether a recording was declared complete."""
        row = select(ReceivedContainer.completed_at).where(ReceivedContainer.name == container)
        with self._site.database.read() as session:
            return session.scalar(row) is not None

    def objects(self, container: str) -> dict[str, bytes]:
        """Give every object of a container as it lies there."""
        if container not in self.containers():
            return {}
        return {name: self._read(container, name) for name in self._store.list_objects(container)}

    def forget(self) -> None:
        """Keep everything: this destination lets nobody delete."""

    def _read(self, container: str, name: str) -> bytes:
        with self._store.open(container, name) as file:
            return file.read()


def is_recording(container: str) -> bool:
    """Tell containers of recordings from those of users, cameras and the system, which have no time in their name."""
    return re.search(r"_\d{8}T\d{6}Z", container) is not None


def readable(objects: dict[str, bytes], name: str, private_pem: bytes | None) -> bytes | None:
    """Give an object as its owner reads it; None when it or its key is not there, or the key does not open it."""
    if name not in objects:
        return None
    if private_pem is None:
        return objects[name]
    key = objects.get(key_name(name))
    if key is None:
        return None
    try:
        return b"".join(decrypt_clip([objects[name]], key, private_pem))
    except (ContentDamaged, KeyObjectRefused):
        return None


@contextmanager
def scripted(encrypted: bool) -> Iterator[ScriptedGoal]:
    """Run a scripted destination for the block's time."""
    with FakeDestination() as fake:
        yield ScriptedGoal(fake, encrypted)


@contextmanager
def receiver(folder: Path, encrypted: bool) -> Iterator[ReceiverGoal]:
    """Run a receiver on a folder of its own for the block's time."""
    folder.mkdir(parents=True)
    try:
        with running(folder) as site:
            yield ReceiverGoal(site, encrypted)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def key_pair() -> tuple[bytes, bytes]:
    """Make the key pair of a destination: private and public PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
