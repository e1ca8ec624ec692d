"""What controller and helper say to each other: one request and one answer a connection, each a JSON frame.

The socket keeps frames apart (``SOCK_SEQPACKET``). A frame is bounded, decoded into one of these types, and anything
that does not fit them is refused before it means anything.
"""

from __future__ import annotations

import socket
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from ...errors import HelperRefused

LIMIT_BYTES: Final = 65536

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")]
Node = Annotated[str, Meta(pattern=r"^/dev/[A-Za-z0-9_-]{1,32}\Z")]
Filesystem = Annotated[str, Meta(pattern=r"^[a-z0-9]{1,16}\Z")]
#: Where a USB device stands, as ``usb_place`` names it.
Place = Annotated[str, Meta(max_length=128)]
#: Paths are bytes in disguise; a frame is bounded anyway.
ImagePath = Annotated[str, Meta(max_length=1024)]


class Hello(Struct, frozen=True, forbid_unknown_fields=True, tag="hello"):
    """Asks whether anybody is there."""


class Mount(Struct, frozen=True, forbid_unknown_fields=True, tag="mount"):
    """Asks for a disk to be mounted for a bay."""

    device: Node
    filesystem: Filesystem
    bay: Name
    unit: Name
    read_only: bool


class MountImage(Struct, frozen=True, forbid_unknown_fields=True, tag="mount-image"):
    """Asks for the image of a simulated camera's unit to be mounted."""

    image: ImagePath
    filesystem: Filesystem
    bay: Name
    unit: Name
    read_only: bool


class Unmount(Struct, frozen=True, forbid_unknown_fields=True, tag="unmount"):
    """Asks for a mount to be ended."""

    bay: Name
    unit: Name


class Abandon(Struct, frozen=True, forbid_unknown_fields=True, tag="abandon"):
    """Asks for a mount that does not answer any more to be taken away from under everybody."""

    bay: Name
    unit: Name


class UnmountAll(Struct, frozen=True, forbid_unknown_fields=True, tag="unmount-all"):
    """Asks for everything to be unmounted that an earlier run left."""


class Eject(Struct, frozen=True, forbid_unknown_fields=True, tag="eject"):
    """Asks for the medium of a disk to be ejected."""

    device: Node


class UsbDeny(Struct, frozen=True, forbid_unknown_fields=True, tag="usb-deny"):
    """Asks for new USB devices to come up switched off."""


class UsbAllow(Struct, frozen=True, forbid_unknown_fields=True, tag="usb-allow"):
    """Asks for that to be taken back."""


class UsbAdmit(Struct, frozen=True, forbid_unknown_fields=True, tag="usb-admit"):
    """Asks for storage in these places to be switched on, and what else is off."""

    places: Annotated[tuple[Place, ...], Meta(max_length=256)]
    learning_beneath: Place | None


Request = Hello | Mount | MountImage | Unmount | Abandon | UnmountAll | Eject | UsbDeny | UsbAllow | UsbAdmit


class Done(Struct, frozen=True, forbid_unknown_fields=True, tag="done"):
    """The answer when it was done."""

    #: Where it is mounted.
    folder: str = ""
    #: How many there were.
    count: int = 0


class UsbRefusal(Struct, frozen=True, forbid_unknown_fields=True):
    """A USB device that is off, or not all of it on."""

    place: str
    attachment: str
    name: str
    kinds: tuple[str, ...]


class Refusals(Struct, frozen=True, forbid_unknown_fields=True, tag="refusals"):
    """The answer about USB devices."""

    found: tuple[UsbRefusal, ...]


class Failed(Struct, frozen=True, forbid_unknown_fields=True, tag="failed"):
    """The answer when it was not: an error of ours, by its id and values."""

    error_id: str
    values: dict[str, str | int | float] = {}


Answer = Done | Refusals | Failed

_requests: Final = msgspec.json.Decoder[Request](Request)
_answers: Final = msgspec.json.Decoder[Answer](Answer)


def send(connection: socket.socket, message: Request | Answer) -> None:
    """Send one frame."""
    data = msgspec.json.encode(message)
    if len(data) > LIMIT_BYTES:
        raise HelperRefused(reason="it is too long to be said")
    connection.send(data)


def receive(connection: socket.socket) -> bytes:
    """Receive one frame, whatever it says; raises HelperRefused for one that is too long."""
    data, _, flags, _ = connection.recvmsg(LIMIT_BYTES)
    if flags & socket.MSG_TRUNC:
        raise HelperRefused(reason="it is too long")
    if not data:
        raise ConnectionError("nothing was said")
    return data


def as_request(frame: bytes) -> Request:
    """Read a frame as a request; raises HelperRefused for what is none."""
    request: Request = _decoded(_requests, frame)
    return request


def as_answer(frame: bytes) -> Answer:
    """Read a frame as an answer; raises HelperRefused for what is none."""
    answer: Answer = _decoded(_answers, frame)
    return answer


def _decoded(decoder: msgspec.json.Decoder[Any], frame: bytes) -> Any:
    try:
        return decoder.decode(frame)
    except msgspec.DecodeError as error:
        raise HelperRefused(reason=f"it is not understood: {error}"[:200]) from error
