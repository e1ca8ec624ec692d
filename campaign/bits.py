"""Single bits turn over, at random, at six stages of a recording's life; the product has to notice each of them.

Nothing is compared here: a bit is found when the product's own check, called as the product calls it, says so. A point
is named by its stage and number, ``part/17``; with the seed of a run it turns the same bit over again.
"""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, cast
from uuid import uuid4

import controllers  # noqa: F401 - first of all, because it mounts the plugin
from bodyworn.const import Step
from bodyworn.crypto.content import ContentEncryption
from bodyworn.crypto.content_reader import decrypt_clip
from bodyworn.destination.client import Client
from bodyworn.errors import ClipDiffers, ContentDamaged, EtagDiffers, KeyObjectRefused, RereadDiffers
from bodyworn.hw import housekeeping
from bodyworn.hw.offload import Lockbox, Wanted, offload
from bodyworn.models import Database
from bodyworn.services import records
from bodyworn.store import Store
from bodyworn.store.verify import Expected, Fault, verify
from evidence_parts import Evidence
from fake_destination import STORAGE_PATH, Exchange, FakeDestination, StoredObject
from goals import key_pair
from outcome import Outcome, Plan, Size
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from workload import tables

NAME = "bits"
#: No disk loses anything here.
IN_MEMORY = True

_FLIPS = {Size.SAMPLE: 60, Size.ORDINARY: 10_002, Size.FULL: 100_002}
_CONTENT_BYTES = 3000

#: Turns one bit over and tells whether the product noticed.
Flip = Callable[[random.Random], bool]


class Stage:
    """One stage: what is needed for its flips is made once."""

    name: str

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def flip(self, choice: random.Random) -> bool:
        """Turn one bit over; tells whether the product noticed."""
        raise NotImplementedError


class Camera(Stage):
    """What is read from the camera is not what it signed: the digests differ (``offload``)."""

    name = "camera"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._store = Store(folder / "spool")
        _, public_pem = key_pair()
        self._lockboxes = (None, Lockbox(public_pem, "campaign", None))

    def flip(self, choice: random.Random) -> bool:
        """Read a clip with one wrong bit, plainly or encrypting."""
        content = choice.randbytes(_CONTENT_BYTES)
        wanted = Wanted("", uuid4().hex, "clip.mkv", len(content), hashlib.sha256(content).hexdigest(), {})
        opening = partial(_opened, turned(content, choice))
        try:
            offload(opening, wanted, self._store, choice.choice(self._lockboxes), lambda _: None)  # type: ignore[arg-type]
        except ClipDiffers:
            return not list(self._store.list_objects(wanted.container))
        return False


class Part(Stage):
    """What the disk gives back of a copy is not what was written to it: it is read again before it gets its name."""

    name = "part"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._choice = random.Random()
        self._store = Store(folder / "spool", self._spoil)

    def flip(self, choice: random.Random) -> bool:
        """Write an object, and turn a bit over once it is on the disk."""
        self._choice = choice
        try:
            self._store.write_bytes("box", "clip.mkv", choice.randbytes(_CONTENT_BYTES))
        except RereadDiffers:
            return not list(self._store.list_objects("box"))
        return False

    def _spoil(self, step: Step) -> None:
        if step is Step.REREAD:
            (part,) = (self._store.root / "box").glob("*.part")
            turn_in_file(part, self._choice)


class Rest(Stage):
    """What lies in a store, spool or receiver, is not what was stored: it is found by reading again (``verify``)."""

    name = "rest"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._store = Store(folder / "store")
        content = random.randbytes(_CONTENT_BYTES)
        digests = self._store.write_bytes("box", "clip.mkv", content, metadata={"a": "1"})
        self._path = self._store.root / "box" / "clip.mkv"
        self._expected = [Expected("box", "clip.mkv", digests.size_bytes, digests.sha256)]

    def flip(self, choice: random.Random) -> bool:
        """Turn a bit of an object over, look, and put it back."""
        before = self._path.read_bytes()
        turn_in_file(self._path, choice)
        report = verify(self._store, self._expected)
        self._path.write_bytes(before)
        return [one.fault for one in report.findings] == [Fault.DIFFERS]


class Ciphertext(Stage):
    """What is encrypted does not decrypt to what was recorded: its owner learns that from the key object's digest,
    and whoever stored it by decrypting what was read again.
    """

    name = "ciphertext"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        private_pem, public_pem = key_pair()
        self._private_pem = private_pem
        self._encryption = ContentEncryption.new("clip.mkv", public_pem, "campaign", None)
        self._ciphertext = b"".join(self._encryption.encrypt([random.randbytes(_CONTENT_BYTES)]))
        self._key_object = self._encryption.key_object(hashlib.sha256(self._ciphertext).hexdigest())

    def flip(self, choice: random.Random) -> bool:
        """Decrypt with one wrong bit, as the destination's owner or as the controller that proves its copy."""
        wrong = turned(self._ciphertext, choice)
        try:
            if choice.random() < 0.5:
                b"".join(decrypt_clip([wrong], self._key_object, self._private_pem))
            else:
                verifier = self._encryption.verifier()
                verifier.update(wrong)
                verifier.finish()
        except (ContentDamaged, KeyObjectRefused):
            return True
        return False


class Wire(Stage):
    """What arrives at the destination is not what was sent: its answer carries another digest (``Client``)."""

    name = "wire"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._choice = random.Random()
        self._fake = self._stack.enter_context(FakeDestination())
        self._client = Client(self._fake.connection(), timeout_seconds=10)
        self._stack.callback(self._client.close)
        self._client.put_container("box", {})

    def flip(self, choice: random.Random) -> bool:
        """Send an object of which one bit arrives otherwise."""
        self._choice = choice
        self._fake.requests.clear()
        self._fake.objects.clear()
        content = choice.randbytes(_CONTENT_BYTES)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        self._fake.script("PUT", "box/clip.mkv", self._store_otherwise)
        try:
            self._client.put_object("box", "clip.mkv", content, size_bytes=len(content), md5=md5, metadata={})
        except EtagDiffers:
            return True
        return False

    def _store_otherwise(self, exchange: Exchange) -> None:
        stored = StoredObject(turned(exchange.read_body(), self._choice), {})
        self._fake.objects[exchange.seen.path.removeprefix(f"{STORAGE_PATH}/")] = stored
        exchange.answer(201, {"Etag": stored.md5})


class Records(Stage):
    """What is written down is not what was written: the chain of events, checkpoints, manifests, rows of objects."""

    name = "records"

    #: Columns that a check has to speak for; ids join tables, and times of checks are nobody's evidence.
    _COLUMNS: ClassVar[dict[str, tuple[str, ...]]] = {
        "bodyworn_event": (
            *("sequence", "at", "boot_seconds", "boot_id", "actor", "action", "object_kind", "object_id"),
            *("result", "detail", "tool_version", "previous_hash", "hash"),
        ),
        "bodyworn_checkpoint": ("order",),
        "bodyworn_recording": ("manifest", "document", "container_name"),
        "bodyworn_clip": ("name", "source_name", "size_bytes", "sha256", "stored_size_bytes", "stored_sha256"),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copy(tables(), folder / "bodyworn.db")
        self._database = self._stack.enter_context(closing(Database.at(f"sqlite:///{folder / 'bodyworn.db'}")))
        evidence = Evidence.on(self._database, folder)
        evidence.record(clips=2)
        housekeeping.sign_chain(evidence.shop, at_once=True)
        evidence.record(clips=1, encrypted=True)
        known = inspect(self._database.engine)
        self._keys = {table: known.get_pk_constraint(table)["constrained_columns"] for table in self._COLUMNS}
        with self._database.read() as session:
            assert not records.check(session).findings, "nothing is wrong before"

    def flip(self, choice: random.Random) -> bool:
        """Change one cell, check, and take it back."""
        table = choice.choice(list(self._COLUMNS))
        column = choice.choice(self._COLUMNS[table])
        with self._database.read() as session:
            while not self._turn(session, table, column, choice):
                session.rollback()
            return bool(records.check(session).findings)

    def _turn(self, session: Session, table: str, column: str, choice: random.Random) -> bool:
        """Change a cell; False where another row has the new number already, which the database does not take."""
        keys = self._keys[table]
        cells = session.execute(text(f'SELECT {", ".join(keys)}, "{column}" FROM {table} WHERE "{column}" IS NOT NULL'))
        *key, value = choice.choice(cells.all())
        changed = turned_value(value, choice)
        while column == "at" and _moment(changed) == _moment(value):  # another blank between day and time
            changed = turned_value(value, choice)
        where = " AND ".join(f"{name} = :key{number}" for number, name in enumerate(keys))
        values = {f"key{number}": one for number, one in enumerate(key)} | {"value": changed}
        try:
            session.execute(text(f'UPDATE {table} SET "{column}" = :value WHERE {where}'), values)
        except IntegrityError:
            return False
        return True


def _moment(text: object) -> datetime | None:
    """Read a moment as it stands in a cell; None where it is none."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


STAGES: tuple[type[Stage], ...] = (Camera, Part, Rest, Ciphertext, Wire, Records)


def unavailable() -> str | None:
    """Run anywhere."""
    return None


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Turn as many bits over at each stage."""
    for stage in STAGES:
        folder = plan.folder / stage.name
        folder.mkdir()
        with stage(folder) as opened:
            for number in _numbers(plan, stage.name):
                yield _outcome(plan, opened, number)


def _numbers(plan: Plan, stage: str) -> range:
    if plan.only is None:
        return range(_FLIPS[plan.size] // len(STAGES))
    name, _, number = plan.only.partition("/")
    return range(int(number), int(number) + 1) if name == stage else range(0)


def _outcome(plan: Plan, stage: Stage, number: int) -> Outcome:
    point = f"{stage.name}/{number}"
    note = "nobody noticed"
    try:
        noticed = stage.flip(plan.choice(f"{NAME}/{point}"))
    except Exception as error:
        # A check that breaks off says nothing that anybody could act upon, so it counts as one that did not notice.
        noticed, note = False, f"the check broke off: {error!r}"
    return Outcome(
        NAME,
        point,
        survived=noticed,
        undetected_corruption=int(not noticed),
        note="" if noticed else note,
        seed=plan.seed,
    )


# bits


def turned(data: bytes, choice: random.Random) -> bytes:
    """Turn one bit over."""
    place = choice.randrange(len(data) * 8)
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def turned_value(value: object, choice: random.Random) -> object:
    """Turn one bit of a cell over; text stays text."""
    if isinstance(value, bytes):
        return turned(value, choice)
    if isinstance(value, int):
        return value ^ 1 << choice.randrange(32)
    if isinstance(value, float):
        return cast(float, struct.unpack("=d", turned(struct.pack("=d", value), choice))[0])
    assert isinstance(value, str), "no other kind of cell is looked at"
    place = choice.randrange(len(value))
    return value[:place] + chr(ord(value[place]) ^ 1 << choice.randrange(7)) + value[place + 1 :]


def turn_in_file(path: Path, choice: random.Random) -> None:
    """Turn one bit of a file over, as a disk would: it stays the same file."""
    with path.open("r+b") as file:
        wrong = turned(file.read(), choice)
        file.seek(0)
        file.write(wrong)


@contextmanager
def _opened(content: bytes) -> Iterator[io.BytesIO]:
    with io.BytesIO(content) as file:
        yield file
