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
from ..errors import NoStill, StillsBusy, StillsMissing
from ..forms.lists import page_number, search_text
from ..media.still import can_make_stills, is_pictured
from ..runtime import current
from ..sending import send
from ..services import received_parts, received_recordings
from ..services.playback import open_content
from ..services.received import store_of
from ..services.received_parts import OTHER_MEDIA_TYPE, media_type
from ..services.received_timeline import timeline_of
from ..services.received_track import track_of
from ..services.track_map import draw

_LIST = "bodyworn/received.html"


def add(blueprint: Blueprint) -> None:
    """Register the pages and what they play."""
    blueprint.add_url_rule("/received", "received", received)
    blueprint.add_url_rule("/fragments/received", "received_fragment", received_fragment)
    blueprint.add_url_rule("/received/<recording_id>", "received_recording", received_recording)
    blueprint.add_url_rule("/received/<recording_id>/<name>", "received_clip", received_clip)
    blueprint.add_url_rule("/received/<recording_id>/<name>/still", "received_still", received_still)


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
    """Show one recording; the page stands still, so that nothing interrupts what is being played.

    ``at`` leads to a moment, in seconds from the recording's start, where nothing else does it.
    """
    return pages.still("bodyworn/received_recording.html", lambda session, now: _recording(session, recording_id))


@needs("bodyworn.recordings")
def received_clip(recording_id: str, name: str) -> Response:
    """Send an object of a recording, decrypted where it must be; ``stored`` asks for the bytes as they arrived."""
    runtime, as_stored = current(), "stored" in request.args
    with runtime.database.read() as session:
        container = received_recordings.find_container(session, recording_id)
        part = received_parts.find_part(container, name)
        store = store_of(runtime.receiver_store().root, container.account_id)
        opened = None if as_stored else received_parts.open_key(session, store, runtime.secrets, part)
        container_name, received_at = container.name, part.received_at
    if _is_download(name) and request.method == "GET" and "Range" not in request.headers:
        _note_download(recording_id, name)
    content = open_content(store, container_name, name, opened)
    return _file(send(content, {"Content-Type": _media_type(name)}), name, received_at)


@needs("bodyworn.recordings")
def received_still(recording_id: str, name: str) -> Response:
    """Send a small picture of a clip; where there is none, the page says so in words."""
    runtime = current()
    with runtime.database.read() as session:
        container = received_recordings.find_container(session, recording_id)
        part = received_parts.find_part(container, name)
        if not is_pictured(name):
            return Response(status=404)
        store = store_of(runtime.receiver_store().root, container.account_id)
        opened = received_parts.open_key(session, store, runtime.secrets, part)
        container_name, sha256 = container.name, part.sha256
    content = open_content(store, container_name, name, opened)
    try:
        return Response(runtime.stills.still(sha256, name, content), mimetype="image/jpeg")
    except StillsBusy:
        return Response(status=503, headers={"Retry-After": "5"})
    except (NoStill, StillsMissing):
        return Response(status=404)
    finally:
        content.close()


def _recording(session: Session, recording_id: str) -> Mapping[str, Any]:
    runtime = current()
    container = received_recordings.find_container(session, recording_id)
    store = store_of(runtime.receiver_store().root, container.account_id)
    recording = received_recordings.get_recording(session, recording_id)
    timeline = timeline_of(session, store, runtime.secrets, container, recording)
    track = track_of(session, store, runtime.secrets, container)
    return {
        "recording": recording,
        "timeline": timeline,
        "seek": timeline.seek(request.args.get("at", type=float)),
        "track": track,
        "map": draw(track.points) if track else None,
        **_of_stills(),
    }


def _list(session: Session, now: datetime) -> Mapping[str, Any]:
    search = search_text(request.args)
    page = received_recordings.list_recordings(session, search, page_number(request.args))
    return {"search": search, "page": page, **_of_stills()}


def _of_stills() -> Mapping[str, Any]:
    return {"stills": current().stills, "can_make_stills": can_make_stills(), "is_pictured": is_pictured}


def _media_type(name: str) -> str:
    return OTHER_MEDIA_TYPE if "stored" in request.args else media_type(name)


def _is_download(name: str) -> bool:
    return "download" in request.args or _media_type(name) == OTHER_MEDIA_TYPE


def _note_download(recording_id: str, name: str) -> None:
    with current().database.write() as session:
        part = received_parts.find_part(received_recordings.find_container(session, recording_id), name)
        received_parts.note_download(session, part, pages.actor())


def _file(response: Response, name: str, received_at: datetime) -> Response:
    """Let browsers play what they can, and save everything else under its name."""
    response.headers.set("Content-Disposition", "attachment" if _is_download(name) else "inline", filename=name)
    response.last_modified = received_at
    return response
