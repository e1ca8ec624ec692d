"""What the receiver took in: the list, one recording with a player for each clip, and the clips themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..forms.lists import page_number, search_text
from ..runtime import current
from ..sending import send
from ..services import received_recordings
from ..services.playback import open_content
from ..services.received import store_of
from ..services.received_recordings import OTHER_MEDIA_TYPE, media_type

_LIST = "bodyworn/received.html"


def add(blueprint: Blueprint) -> None:
    """Register the pages and what they play."""
    blueprint.add_url_rule("/received", "received", received)
    blueprint.add_url_rule("/fragments/received", "received_fragment", received_fragment)
    blueprint.add_url_rule("/received/<recording_id>", "received_recording", received_recording)
    blueprint.add_url_rule("/received/<recording_id>/<name>", "received_clip", received_clip)


@needs("bodyworn.recordings")
def received() -> ResponseReturnValue:
    """Show the list."""
    return pages.page(_LIST, _list)


@needs("bodyworn.recordings")
def received_fragment() -> ResponseReturnValue:
    """Show the list's live part."""
    return pages.fragment(_LIST, _list)


@needs("bodyworn.recordings")
def received_recording(recording_id: str) -> ResponseReturnValue:
    """Show one recording; the page stands still, so that nothing interrupts what is being played."""
    return pages.still(
        "bodyworn/received_recording.html",
        lambda session, now: {"recording": received_recordings.get_recording(session, recording_id)},
    )


@needs("bodyworn.recordings")
def received_clip(recording_id: str, name: str) -> Response:
    """Send an object of a recording, decrypted where it must be; ``stored`` asks for the bytes as they arrived."""
    runtime = current()
    with runtime.database.read() as session:
        part = received_recordings.find_part(session, recording_id, name)
        container, account_id, received_at = part.container.name, part.container.account_id, part.received_at
        store = store_of(runtime.receiver_store().root, account_id)
        as_stored = "stored" in request.args
        opened = None if as_stored else received_recordings.open_key(session, store, runtime.secrets, part)
    return _file(send(open_content(store, container, name, opened), _headers(name)), name, received_at)


def _list(session: Session, now: datetime) -> Mapping[str, Any]:
    search = search_text(request.args)
    return {"search": search, "page": received_recordings.list_recordings(session, search, page_number(request.args))}


def _headers(name: str) -> Mapping[str, str]:
    return {"Content-Type": OTHER_MEDIA_TYPE if "stored" in request.args else media_type(name)}


def _file(response: Response, name: str, received_at: datetime) -> Response:
    """Let browsers play what they can, and save everything else under its name."""
    plays = response.mimetype != OTHER_MEDIA_TYPE and "download" not in request.args
    response.headers.set("Content-Disposition", "inline" if plays else "attachment", filename=name)
    response.last_modified = received_at
    return response
