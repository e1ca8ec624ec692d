"""A long log for tests and measurements: weeks of ordinary work, each event in its place in the chain.

It is written as ``events.record`` writes, and checked with the real check; but all of it in one go.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bodyworn.crypto.envelope import PayloadType
from bodyworn.models import Camera, Database, Event, Recording
from bodyworn.services import checkpoints, events, systems
from bodyworn.services.checkpoints import Statement
from bodyworn.services.keyring import Keyring
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

_PEOPLE = ("root", "olga", "m.keller", "night.shift")
_ADDRESSES = ("192.0.2.17", "192.0.2.44", "198.51.100.9", "2001:db8:0:1:7c2a:9d51:33ff:e801")
#: The least that a time can be changed by.
A_MOMENT = timedelta(microseconds=1)
_SPAN = timedelta(days=40)
_TOGETHER = 5000


def fill(database: Database, count: int, *, seed: int = 1, keyring: Keyring | None = None) -> None:
    """Append events of the last weeks to a machine's chain; with its keys, signed as often as the controller does."""
    chance = random.Random(seed)
    with database.write() as session:
        head, authority = events.local_chain(session), keyring and systems.authority(session, keyring)
        made = _events(session, chance, count, head.id, head.sequence, head.hash)
        rows: list[dict[str, Any]] = []
        for entry in made:
            rows.append({column.key: getattr(entry, column.key) for column in Event.__mapper__.columns})
            head.sequence, head.hash = entry.sequence, entry.hash
            if authority and entry.sequence % checkpoints.EVERY_EVENTS == 0:
                said = Statement(chain_id=head.id, sequence=entry.sequence, hash=entry.hash, at=datetime.now(UTC))
                checkpoints.keep(session, said, authority.issue(said.payload(), PayloadType.CHECKPOINT))
            if len(rows) == _TOGETHER:
                session.execute(insert(Event), rows)
                rows.clear()
        if rows:
            session.execute(insert(Event), rows)


def _events(
    session: Session, chance: random.Random, count: int, chain: str, last: int, previous: str
) -> Iterator[Event]:
    cameras = list(session.scalars(select(Camera.id))) or ["00000000-0000-4000-8000-000000000001"]
    recordings = list(session.scalars(select(Recording.id))) or ["00000000-0000-4000-8000-000000000002"]
    begin, boot_id = datetime.now(UTC) - _SPAN, events.boot_id()
    for number in range(1, count + 1):
        after = _SPAN * number / (count + 1)
        entry = Event(
            chain_id=chain,
            sequence=last + number,
            at=begin + after,
            boot_seconds=after.total_seconds(),
            boot_id=boot_id,
            tool_version="0.1.0",
            previous_hash=previous,
            hash="",
            **_one(chance, cameras, recordings),
        )
        entry.hash = previous = events.digest(entry)
        yield entry


def _one(chance: random.Random, cameras: list[str], recordings: list[str]) -> dict[str, Any]:
    """Make up an event; most are the system's own, as in life."""
    camera, recording = chance.choice(cameras), chance.choice(recordings)
    person, address = chance.choice(_PEOPLE), chance.choice(_ADDRESSES)
    clip = f"2026030{chance.randrange(1, 9)}_05{chance.randrange(10, 60)}07_5F3A.mkv"
    kind = chance.choices(range(12), (14, 14, 20, 16, 12, 6, 5, 4, 3, 1, 2, 3))[0]
    choices: tuple[tuple[str, str, str, str, str, dict[str, Any]], ...] = (
        ("camera.docked", "camera", camera, "", "done", {"bay": f"Bay {chance.randrange(1, 9)}"}),
        ("camera.undocked", "camera", camera, "", "done", {"bay": f"Bay {chance.randrange(1, 9)}"}),
        (
            "clip.stored",
            "recording",
            recording,
            "",
            "done",
            {"clip": clip, "sha256": f"{chance.getrandbits(256):064x}"},
        ),
        ("clip.delivered", "recording", recording, "", "done", {"clip": clip, "proof": "verified"}),
        ("recording.erased", "recording", recording, "", "done", {}),
        ("recording.upload-failed", "recording", recording, "", "connection-failed", {}),
        ("account.signed-in", "account", person, person, "done", {}),
        ("clip.downloaded", "recording", recording, person, "done", {"clip": clip}),
        ("camera.renamed", "camera", camera, person, "done", {"before": "Spare", "after": "Patrol 7"}),
        ("account.locked-out", "account", person, person, "refused", {"attempts": 5}),
        ("account.sign-in-refused", "account", "admin", "admin", "refused", {}),
        ("camera.assigned", "camera", camera, person, "done", {"camera_user": None}),
    )
    action, object_kind, object_id, actor, result, detail = choices[kind]
    facts = {"action": action, "object_kind": object_kind, "object_id": object_id, "result": result, "detail": detail}
    return facts | {"actor": actor or events.SYSTEM, "address": address if actor else ""}
