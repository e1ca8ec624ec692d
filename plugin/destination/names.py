"""Names of containers and objects at a content destination, in the one way that the interface spells them.

Every time is UTC; a name never holds a slash, a colon or a control character, whatever a camera calls itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Final

from ..errors import DestinationNameRefused
from .legible import is_legible

SYSTEM: Final = "System"
USERS: Final = "Users"
DEVICES: Final = "Devices"
CAPABILITIES_OBJECT: Final = "Capabilities.json"
CATEGORIES_OBJECT: Final = "Categories.json"
KEY_SUFFIX: Final = ".key"
TRACK_SUFFIX: Final = "_gpstrail.json"
BOOKMARK_PREFIX: Final = "bookmark_"
REJECTED_PREFIX: Final = "RejectedContent_"
UNKNOWN_TIME: Final = "UnknownTime"

#: A stock Swift takes 256 bytes for a container and 1024 for an object; a store on a file system takes 255 for both.
LARGEST_NAME_BYTES: Final = 255

_STAMP: Final = "%Y%m%dT%H%M%SZ"
_DATE_TIME: Final = "%Y%m%d_%H%M%S"
_UNFIT: Final = re.compile(r"[^A-Za-z0-9.-]")
_CONTAINER: Final = re.compile(
    r"(?P<user>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})_(?P<serial>.+)_(?P<stamp>\d{8}T\d{6}Z|\d{8}_\d{6})"
)


@dataclass(frozen=True, slots=True)
class RecordingContainer:
    """What the name of a recording's container tells."""

    user_uuid: str
    serial: str
    trigger_on: datetime


def wire_serial(serial: str) -> str:
    """Spell a camera's serial number so that names can carry it; the same on the recording and in Devices.

    Everything but ASCII letters, digits, dot and hyphen becomes a hyphen, so two unusual serial numbers may become one:
    who adds cameras has to refuse the second.
    """
    return _UNFIT.sub("-", serial)[:64].strip(".") or "unknown"


def stamp(moment: datetime) -> str:
    """Write a moment as YYYYMMDDTHHMMSSZ."""
    return _utc(moment).strftime(_STAMP)


def container_name(user_uuid: str, serial: str, trigger_on_utc: datetime) -> str:
    """Name a recording's container; unique as long as one camera does not start two recordings in one second."""
    return require_name(f"{user_uuid}_{wire_serial(serial)}_{stamp(trigger_on_utc)}")


def read_container_name(name: str) -> RecordingContainer | None:
    """Take the name of a recording's container apart, in today's and in the older spelling; None for any other name."""
    match = _CONTAINER.fullmatch(name)
    if match is None:
        return None
    spelling = _STAMP if "T" in match["stamp"] else _DATE_TIME
    try:
        trigger_on = datetime.strptime(match["stamp"], spelling).replace(tzinfo=UTC)
    except ValueError:
        return None
    return RecordingContainer(match["user"], match["serial"], trigger_on)


def clip_name(start: datetime, recording_id: str, extension: str) -> str:
    """Name a clip; ``recording_id`` is the short random one (four hexadecimal digits), ``extension`` has no dot."""
    return require_name(f"{_utc(start).strftime(_DATE_TIME)}_{_fit(recording_id)}.{_fit(extension)}")


def track_name(start: datetime, recording_id: str, serial: str) -> str:
    """Name the track of positions of a recording."""
    return require_name(f"{_utc(start).strftime(_DATE_TIME)}_{_fit(recording_id)}_{wire_serial(serial)}{TRACK_SUFFIX}")


def key_name(object_name: str) -> str:
    """Name the key that opens an encrypted object: from its full stem, so that a track's key is not a clip's."""
    return require_name(f"{PurePosixPath(object_name).stem}{KEY_SUFFIX}")


def bookmark_name(moment: datetime, bookmark_id: str) -> str:
    """Name a bookmark."""
    return require_name(f"{BOOKMARK_PREFIX}{stamp(moment)}_{_fit(bookmark_id)}")


def rejected_container_name(moment: datetime | None, upload_uuid: str) -> str:
    """Name the container for content that the destination rejected; ``upload_uuid`` is made for each of them."""
    return require_name(f"{REJECTED_PREFIX}{stamp(moment) if moment else UNKNOWN_TIME}_{_fit(upload_uuid)}")


def require_name(name: str) -> str:
    """Return a name that the wire and a file system can carry; raise :class:`DestinationNameRefused` for any other."""
    if not name or name.startswith("."):
        raise DestinationNameRefused(reason="it is empty or begins with a dot")
    if "/" in name or ":" in name or not is_legible(name):
        raise DestinationNameRefused(reason="it contains a slash, a colon or a control character")
    if len(name.encode()) > LARGEST_NAME_BYTES:
        raise DestinationNameRefused(reason=f"it is longer than {LARGEST_NAME_BYTES} bytes")
    return name


def _fit(part: str) -> str:
    return _UNFIT.sub("-", part)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without its offset from UTC")
    return moment.astimezone(UTC)
