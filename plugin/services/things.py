"""What events are about: kind and name in words, and the page on which it can be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ..models import (
    Bay,
    Camera,
    CameraUser,
    Controller,
    Destination,
    Dock,
    Event,
    Profile,
    ReceivedContainer,
    ReceiverAccount,
    Recording,
    System,
)
from .sentence import Sentence, named, sentence

#: Kind and identifier, as events have them.
Key = tuple[str, str]


@dataclass(frozen=True)
class Thing:
    """Something that an event was about."""

    kind: str
    id: str
    #: What sort of thing it is.
    word: Sentence
    #: Its name now, or when it was last written of; None where it has none.
    name: Sentence | None
    #: Page that shows it, what that needs to be found, and who may see it; None where there is none.
    endpoint: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    permission: str = "bodyworn.view"


_WORDS: Final[Mapping[str, Sentence]] = {
    "account": sentence("Account"),
    "address": sentence("Address"),
    "bay": sentence("Bay"),
    "camera": sentence("Camera"),
    "certificate": sentence("Certificate"),
    "controller": sentence("Controller"),
    "destination": sentence("Content destination"),
    "dock": sentence("Dock"),
    "evidence": sentence("Verification"),
    "host": sentence("This host"),
    "machine": sentence("This machine"),
    "receiver_account": sentence("Connection file"),
    "received_container": sentence("Received"),
    "received_object": sentence("Received file"),
    "profile": sentence("Camera profile"),
    "recording": sentence("Recording"),
    "setup": sentence("Setup"),
    "system": sentence("System"),
    "usb": sentence("USB device"),
    "user": sentence("Camera user"),
}
#: Pages that show all things of a kind.
_PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "certificate": ("certificates", "bodyworn.system"),
    "destination": ("destination", "bodyworn.view"),
    "evidence": ("verification", "bodyworn.recordings"),
    "machine": ("network", "bodyworn.view"),
    "receiver_account": ("destination", "bodyworn.view"),
}


def of(session: Session, found: Sequence[Event]) -> dict[Key, Thing]:
    """Tell what events are about; each kind is asked of the database once."""
    ids: dict[str, set[str]] = {}
    for event in found:
        ids.setdefault(event.object_kind, set()).add(event.object_id)
    known: dict[Key, Thing] = {}
    for kind, wanted in ids.items():
        known |= {(kind, thing.id): thing for thing in _known(session, kind, wanted)}
    return {
        (one.object_kind, one.object_id): known.get((one.object_kind, one.object_id)) or _gone(one) for one in found
    }


def one(session: Session, kind: str, object_id: str) -> Thing:
    """Tell of one thing, by what is known of it now."""
    found = next((thing for thing in _known(session, kind, {object_id}) if thing.id == object_id), None)
    return found or _listed(kind, object_id, named(object_id))


def word(kind: str) -> Sentence:
    """Name a kind of things; one that nobody told us of by what it is called in the event."""
    return _WORDS.get(kind) or named(kind.replace("_", " "))


def _known(session: Session, kind: str, ids: set[str]) -> Iterable[Thing]:
    match kind:
        case "camera":
            return [_page(kind, one.id, one.name, "camera", camera_id=one.id) for one in _rows(session, Camera, ids)]
        case "dock":
            return [_page(kind, one.id, one.name, "dock", dock_id=one.id) for one in _rows(session, Dock, ids)]
        case "bay":
            return _bays(session, ids)
        case "recording":
            return _recordings(session, ids)
        case "user":
            found = _rows(session, CameraUser, ids)
            return [_page(kind, one.id, one.name, "user", camera_user_id=one.id) for one in found]
        case "profile":
            return [_page(kind, one.id, one.name, "profile", profile_id=one.id) for one in _rows(session, Profile, ids)]
        case "system":
            return [_named(kind, one.id, one.name) for one in _rows(session, System, ids)]
        case "controller":
            return [_named(kind, one.id, one.name) for one in _rows(session, Controller, ids)]
        case "destination":
            return [_named(kind, one.id, one.site_name) for one in _rows(session, Destination, ids)]
        case "receiver_account":
            return [_named(kind, one.id, one.user_name) for one in _rows(session, ReceiverAccount, ids)]
        case "received_container":
            return [_named(kind, one.id, one.name) for one in _rows(session, ReceivedContainer, ids)]
        case "evidence" | "host" | "setup":
            return [_listed(kind, one, None) for one in ids]
        case _:
            return ()


def _rows(session: Session, table: Any, ids: set[str]) -> Iterable[Any]:
    return session.scalars(select(table).where(table.id.in_(ids)))


def _bays(session: Session, ids: set[str]) -> Iterable[Thing]:
    rows = session.scalars(select(Bay).where(Bay.id.in_(ids)).options(selectinload(Bay.dock)))
    return [_page("bay", one.id, f"{one.dock.name} · {one.name}", "dock", dock_id=one.dock_id) for one in rows]


def _recordings(session: Session, ids: set[str]) -> Iterable[Thing]:
    rows = session.execute(
        select(Recording.id, Recording.start_at, Camera.name)
        .join(Camera, Camera.id == Recording.camera_id)
        .where(Recording.id.in_(ids))
    )
    for recording_id, start_at, camera in rows:
        name = Sentence("{camera}, {start_at}", {"camera": camera, "start_at": start_at})
        values = {"recording_id": recording_id}
        yield Thing("recording", recording_id, word("recording"), name, "recording", values, "bodyworn.recordings")


def _page(kind: str, object_id: str, name: str, endpoint: str, **values: str) -> Thing:
    return Thing(kind, object_id, word(kind), named(name), endpoint, values)


def _named(kind: str, object_id: str, name: str) -> Thing:
    return _listed(kind, object_id, named(name))


def _listed(kind: str, object_id: str, name: Sentence | None) -> Thing:
    endpoint, permission = _PAGES.get(kind, (None, "bodyworn.view"))
    return Thing(kind, object_id, word(kind), name, endpoint, permission=permission)


def _gone(event: Event) -> Thing:
    """Name what is not there, or has no row of its own, by what the event says of it."""
    name = event.detail.get("name")
    return _listed(event.object_kind, event.object_id, named(name if isinstance(name, str) else event.object_id))
