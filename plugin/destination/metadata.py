"""Metadata of containers and objects: the keys of the interface, and how keys and values travel in headers.

Mappings have plain keys (``StartTime``) and values; :func:`to_headers` and :func:`from_headers` stand at the border.
Absent facts are left out, never sent empty: an empty value deletes its key at the destination.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import quote, unquote

from .legible import is_legible

CONTAINER_PREFIX: Final = "X-Container-Meta-"
OBJECT_PREFIX: Final = "X-Object-Meta-"
TRANSFERRING: Final = "Transferring"
COMPLETE: Final = "Complete"
LARGEST_PERSON_NAME_BYTES: Final = 64

#: What a stock Swift takes for one value, counted as it travels.
LARGEST_VALUE_BYTES: Final = 256

# Times and tags stay legible at the destination; a plus is encoded, because some servers read it as a blank.
_UNENCODED: Final = "-._~:;=,/@()"

Status = Literal["Transferring", "Complete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFacts:
    """What is told about a recording; ``start`` includes the pre-buffer and ``stop`` the post-buffer."""

    user_uuid: str
    serial: str
    trigger_on_time: datetime
    start: datetime
    controller_serial: str | None = None
    firmware_version: str | None = None
    model: str | None = None
    time_zone: str | None = None
    trigger_on: str | None = None
    trigger_off: str | None = None
    trigger_off_time: datetime | None = None
    stop: datetime | None = None
    trigger_on_location: str | None = None
    trigger_off_location: str | None = None
    #: What the camera's clock was ahead, where the container's name was corrected for it; times here stay the camera's.
    clock_offset_seconds: float | None = None
    #: By how much the name was moved on to be unique.
    shifted_seconds: int = 0


def recording_metadata(container: str, facts: RecordingFacts, status: Status | None) -> dict[str, str]:
    """Describe a recording's container; ``status`` is None only for rejected content."""
    return _present(
        {
            "ContainerName": container,
            "BWCSerialNumber": facts.serial,
            "SCUSerialNumber": facts.controller_serial,
            "FirmwareVersion": facts.firmware_version,
            "UserID": facts.user_uuid,
            "TriggerOn": facts.trigger_on,
            "TriggerOff": facts.trigger_off,
            "TriggerOnLocation": facts.trigger_on_location,
            "TriggerOffLocation": facts.trigger_off_location,
            "TimeZone": facts.time_zone,
            "BWCModel": facts.model,
            "Status": status,
            **_corrections(facts),
            **_moment("TriggerOnTime", facts.trigger_on_time),
            **_moment("TriggerOffTime", facts.trigger_off_time),
            **_moment("StartTime", facts.start),
            **_moment("StopTime", facts.stop),
        }
    )


def rejected_metadata(
    container: str, facts: RecordingFacts, original: str, at: datetime | None, reason: str
) -> dict[str, str]:
    """Describe a container of rejected content, whose recording belongs in the container ``original``."""
    rejected = {
        "RejectedContentOriginalContainer": original,
        "RejectedContentTime": iso(at) if at else None,
        "RejectedContentReason": reason,
    }
    return recording_metadata(container, facts, None) | _present(rejected)


def rejected_object_metadata(metadata: Mapping[str, str], original: str) -> dict[str, str]:
    """Add to an object's metadata the container that it belongs in; each object of rejected content carries it."""
    return {**metadata, "RejectedContentOriginalContainer": original}


def clip_metadata(start: datetime, stop: datetime | None, container_type: str) -> dict[str, str]:
    """Describe a clip; ``container_type`` is the extension without dot."""
    return _present({**_moment("StartTime", start), **_moment("StopTime", stop), "ContainerType": container_type})


def key_metadata(start: datetime) -> dict[str, str]:
    """Describe a key; ``start`` is the clip's, for a track's key the recording's."""
    return _present({**_moment("StartTime", start), "FileType": "key"})


def track_metadata(start: datetime) -> dict[str, str]:
    """Describe a track of positions; ``start`` is the recording's."""
    return _present({**_moment("StartTime", start), "FileType": "json"})


def bookmark_metadata(
    start: datetime,
    end: datetime | None = None,
    *,
    category: tuple[str, str] | None = None,
    tags: Iterable[tuple[str, str]] = (),
    location: str | None = None,
) -> dict[str, str]:
    """Describe a bookmark; ``category`` is (id, name), and a category on a recording is a bookmark as well."""
    return _present(
        {
            "StartTime": iso(start),
            "EndTime": iso(end) if end else None,
            "CategoryID": category[0] if category else None,
            "CategoryName": category[1] if category else None,
            "Tags": ";".join(f"{key}:{value}" for key, value in tags) or None,
            "Location": location,
        }
    )


def user_metadata(name: str, *, active: bool, user_id: str | None = None) -> dict[str, str]:
    """Describe a camera user; give ``user_id`` (the operator's own) only where the destination stores it."""
    return _present({"Active": str(active), "Name": short_name(name), "UserID": user_id})


def device_metadata(name: str, model: str | None, *, active: bool) -> dict[str, str]:
    """Describe a camera."""
    return _present({"Active": str(active), "Name": short_name(name), "Model": model})


def system_metadata(connection_id: str, system_name: str) -> dict[str, str]:
    """Describe this system; the connection id never changes for one destination."""
    return {"ConnectionId": connection_id, "SystemName": short_name(system_name)}


def iso(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, in whole seconds."""
    if moment.tzinfo is None:
        raise ValueError("a moment without its offset from UTC")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def short_name(name: str) -> str:
    """Cut a name for people at 64 bytes of UTF-8, never within a character."""
    return name.encode()[:LARGEST_PERSON_NAME_BYTES].decode(errors="ignore")


def to_headers(prefix: str, metadata: Mapping[str, str]) -> dict[str, str]:
    """Spell metadata as headers; ``prefix`` is one of the two above."""
    return {f"{prefix}{key}": encode_value(value) for key, value in metadata.items()}


def from_headers(prefix: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Read metadata out of headers; keys come back in lower case, because the wire does not keep their case."""
    lowered = prefix.lower()
    return {
        name.lower().removeprefix(lowered): decode_value(value)
        for name, value in headers.items()
        if name.lower().startswith(lowered)
    }


def encode_value(value: str) -> str:
    """Percent-encode a value in path style, blanks for control characters, cut where a stock Swift would refuse it."""
    legible = "".join(character if is_legible(character) else " " for character in value)
    pieces = [quote(character, safe=_UNENCODED, errors="replace") for character in legible]
    while sum(map(len, pieces)) > LARGEST_VALUE_BYTES:
        pieces.pop()
    return "".join(pieces)


def decode_value(value: str) -> str:
    """Undo the encoding; a value that does not decode to legible text is kept as it came."""
    try:
        text = unquote(value, errors="strict")
    except UnicodeDecodeError:
        return value
    return text if is_legible(text) else value


def _corrections(facts: RecordingFacts) -> dict[str, str | None]:
    """Say in keys of our own why a container's name is not the camera's time; nothing where it is."""
    offset = facts.clock_offset_seconds
    return {
        "BodywornClockOffsetSeconds": None if offset is None else f"{offset:.0f}",
        "BodywornShiftedSeconds": str(facts.shifted_seconds) if facts.shifted_seconds else None,
    }


def _moment(key: str, moment: datetime | None) -> dict[str, str | None]:
    """Give a time twice, as seconds since 1970 and as RFC 3339."""
    if moment is None:
        return {}
    return {key: str(int(moment.timestamp())), f"{key}ISO": iso(moment)}


def _present(metadata: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if value}
