"""What every document of the format shares: member types with their limits, bounded decoding, and ``camera.json``.

Recordings are described in ``recording.py``, a host's orders in ``orders.py``, a camera's answers in ``answers.py``.
Members that a reader does not know are ignored; a member that is absent has its default.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from hashlib import sha256
from typing import Annotated, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from ..errors import DocumentRefused

FORMAT: Final = "bodyworn-camera-volume"
VERSION: Final = 1
LARGEST_DOCUMENT_BYTES: Final = 1024 * 1024
LARGEST_DESCRIPTION_BYTES: Final = 64 * 1024

_FIRST: Final = threading.Lock()
_NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f]*\Z"

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
KeyId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Uuid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")]
Bytes32 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{43}=\Z")]
Serial = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,31}\Z")]
Word = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]
Line = Annotated[str, Meta(max_length=64, pattern=_NO_CONTROLS)]
Line256 = Annotated[str, Meta(max_length=256, pattern=_NO_CONTROLS)]
Text = Annotated[str, Meta(max_length=4096, pattern=r"^[^\x00]*\Z")]
TimeZone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}\Z")]
Utc = Annotated[datetime, Meta(tz=True)]
Counter = Annotated[int, Meta(ge=0, le=2**53)]
SizeBytes = Annotated[int, Meta(ge=0, le=2**53)]
Percent = Annotated[int, Meta(ge=0, le=100)]

_NO_OFFSET = timedelta(0)
#: Clocks that were never set begin with the first; beyond the last, time cannot be reckoned with.
_YEARS = range(1970, 2200)


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all documents: unknown members are ignored, members at their default are left out, times are UTC."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, datetime) and value.utcoffset() != _NO_OFFSET:
                raise ValueError(f"`{name}` is not UTC")
            if isinstance(value, datetime) and value.year not in _YEARS:
                raise ValueError(f"`{name}` is not in a year from {_YEARS[0]} to {_YEARS[-1]}")


DocumentType = TypeVar("DocumentType", bound=Document)


def encode(document: Document) -> bytes:
    """Write a document as JSON, the bytes that are signed or stored."""
    return msgspec.json.encode(document)


def decode(kind: type[DocumentType], data: bytes, *, limit_bytes: int = LARGEST_DOCUMENT_BYTES) -> DocumentType:
    """Read a document within its limits.

    Raises:
        DocumentRefused: too large, no JSON, or a member missing or outside its limits; the reason names it.
    """
    if len(data) > limit_bytes:
        raise DocumentRefused(document=kind.__name__, reason=f"it is larger than {limit_bytes} bytes")
    try:
        return _decoder(kind).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentRefused(document=kind.__name__, reason=_printable(str(error))) from error


def _decoder(kind: type[DocumentType]) -> msgspec.json.Decoder[DocumentType]:
    """Give the decoder of a kind. Two threads that are the first to need one would end the process in msgspec 0.22."""
    with _FIRST:
        return _made(kind)


@cache
def _made(kind: type[DocumentType]) -> msgspec.json.Decoder[DocumentType]:
    return msgspec.json.Decoder(kind)


def _printable(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")[:300]


class Unit(StrEnum):
    """The logical units of a camera."""

    MEDIA = "media"
    CONTROL = "control"


class CameraState(StrEnum):
    """What a camera says it is, as of its last turn."""

    SHIPPING = "shipping"
    NEW = "new"
    UNASSIGNED = "unassigned"
    READY = "ready"
    LOCKED = "locked"
    ERROR = "error"


class Battery(Document, frozen=True, kw_only=True):
    """Battery as of the last turn; temperature in degrees Celsius."""

    percent: Percent
    charging: bool
    temperature: Annotated[int, Meta(ge=-100, le=200)] | None = None


class Storage(Document, frozen=True, kw_only=True):
    """The media unit as of the last turn."""

    total_bytes: SizeBytes
    used_bytes: SizeBytes
    recordings: Counter


class Applied(Document, frozen=True, kw_only=True):
    """The last order of one kind that the camera applied."""

    epoch: Counter
    sequence: Counter


class CameraDescription(Document, frozen=True, kw_only=True):
    """``camera.json``: who the camera is and how it is, as of the turn that wrote it. Unsigned; see Identity."""

    format: Annotated[str, Meta(pattern=rf"^{FORMAT}\Z")]
    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    minor: Counter
    serial: Serial
    manufacturer: Line
    model: Line
    firmware: Line
    public_key: Bytes32
    encryption_key: Bytes32 | None = None
    state: CameraState
    system_id: Uuid | None = None
    epoch: Counter = 0
    docking: Counter
    turn: Counter
    nonce: Bytes32
    time: Utc
    battery: Battery
    storage: Storage
    units: Annotated[tuple[Unit, ...], Meta(min_length=1, max_length=2)] = (Unit.MEDIA, Unit.CONTROL)
    lease_expires: Utc | None = None
    user_id: Uuid | None = None
    settings_sequence: Counter = 0
    applied: Annotated[dict[Word, Applied], Meta(max_length=32)] = {}
    supports: Annotated[tuple[Word, ...], Meta(max_length=32)] = ()
    faults: Annotated[tuple[Word, ...], Meta(max_length=32)] = ()


class FileDigest(NamedTuple):
    """One file of a recording as somebody has read it."""

    name: str
    size_bytes: int
    sha256: str


def content_sha256(files: Iterable[FileDigest]) -> str:
    """Name all files of a recording by one digest, which receipts and erase orders carry.

    It is the SHA-256 of one line for each file, ``<sha256> <size> <name>\\n``, in the order of the names' bytes.
    """
    lines = sorted((file.name.encode(), f"{file.sha256} {file.size_bytes} ".encode()) for file in files)
    return sha256(b"".join(facts + name + b"\n" for name, facts in lines)).hexdigest()
