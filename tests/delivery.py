"""A recording as a body worn system sends it: clips with their times, a track, bookmarks; encrypted where asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bodyworn.crypto.content import ContentEncryption
from bodyworn.destination import metadata, names
from bodyworn.destination.client import Client
from bodyworn.destination.connection_file import ConnectionFile
from bodyworn.destination.names import key_name
from bodyworn.simulator.media import Scene, make_clip

USER = "5f8a3c1e-8a52-4a0e-9f0b-3f3d3c5d7a11"
START = datetime(2024, 3, 1, 10, 15, tzinfo=UTC)


@dataclass(frozen=True)
class SentBookmark:
    """A bookmark, ``at`` seconds after the recording's start."""

    at: float
    text: str = ""
    category: tuple[str, str] | None = None
    tags: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class SentRecording:
    """What is sent: each clip with its first second and its length, in seconds from the recording's start."""

    serial: str
    clips: Mapping[str, tuple[bytes, int, int]] = field(default_factory=dict)
    #: None for no track; bytes for one that is no track.
    track: Sequence[tuple[float, float, float]] | bytes | None = None
    bookmarks: Sequence[SentBookmark] = ()
    seconds: int = 95


def send(client: Client, connection: ConnectionFile, recording: SentRecording) -> str:
    """Send a recording whole; gives its container."""
    container = names.container_name(USER, recording.serial, START)
    client.put_container("Users", {})
    put(client, "Users", USER, b"", Active="True", Name="Anna Bérg", UserID="17")
    facts = metadata.RecordingFacts(
        user_uuid=USER,
        serial=recording.serial,
        trigger_on_time=START,
        start=START,
        stop=START + timedelta(seconds=recording.seconds),
    )
    client.put_container(container, metadata.recording_metadata(container, facts, "Transferring"))
    for name, (data, first, length) in recording.clips.items():
        begin = START + timedelta(seconds=first)
        about = metadata.clip_metadata(begin, begin + timedelta(seconds=length), name.rpartition(".")[2])
        _send_encrypted(client, connection, container, name, data, about)
    if recording.track is not None:
        name = names.track_name(START, "7CF7", recording.serial)
        _send_encrypted(
            client, connection, container, name, track_json(recording.track), metadata.track_metadata(START)
        )
    for number, bookmark in enumerate(recording.bookmarks):
        moment = START + timedelta(seconds=bookmark.at)
        about = metadata.bookmark_metadata(moment, category=bookmark.category, tags=bookmark.tags)
        put(client, container, names.bookmark_name(moment, str(number)), bookmark.text.encode(), **about)
    client.post_container(container, {"Status": "Complete"})
    return container


def track_json(track: Sequence[tuple[float, float, float]] | bytes) -> bytes:
    """Write a track of (seconds, latitude, longitude)."""
    if isinstance(track, bytes):
        return track
    entries = [
        {
            "LocationWKT": f"POINT({longitude} {latitude})",
            "SecondsFromStart": seconds,
            "Timestamp": (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z"),
        }
        for seconds, latitude, longitude in track
    ]
    return json.dumps({"CoordinateEntries": entries}).encode()


def encrypted(connection: ConnectionFile, name: str, data: bytes) -> dict[str, bytes]:
    """Encrypt an object as a body worn system does, if the connection file asks for it."""
    if connection.public_key_pem is None:
        return {name: data}
    encryption = ContentEncryption.new(name, connection.public_key_pem, connection.public_key_id or "", None)
    ciphertext = b"".join(encryption.encrypt([data]))
    key = encryption.key_object(hashlib.sha256(ciphertext).hexdigest())
    return {key_name(name): key, name: ciphertext}


def put(client: Client, container: str, name: str, data: bytes, **about: str) -> None:
    """Send one object."""
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    client.put_object(container, name, data, size_bytes=len(data), md5=md5, metadata=about)


@cache
def real_clip(suffix: str, seconds: int = 6, width: int = 320) -> bytes:
    """Make a clip that players play; needs PyAV."""
    scene = Scene("B8A44F000001", "Anna", START, width, width * 9 // 16, 300_000)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"clip.{suffix}"
        make_clip(path, scene, seconds=seconds)
        return path.read_bytes()


def _send_encrypted(
    client: Client, connection: ConnectionFile, container: str, name: str, data: bytes, about: Mapping[str, str]
) -> None:
    for sent, sent_data in encrypted(connection, name, data).items():
        put(client, container, sent, sent_data, **about)
