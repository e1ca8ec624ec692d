"""Recordings: the list, and one recording with its clips in their three places and its custody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..forms.lists import choice, page_number, search_text
from ..runtime import current
from ..sending import send
from ..services import events, recording_list
from ..services.playback import open_content
from ..services.recording_list import RecordingQuery, Show, Sort


def add(blueprint: Blueprint) -> None:
    """Register the pages and their live parts."""
    blueprint.add_url_rule("/recordings", "recordings", recordings)
    blueprint.add_url_rule("/fragments/recordings", "recordings_fragment", recordings_fragment)
    blueprint.add_url_rule("/recordings/<recording_id>", "recording", recording)
    blueprint.add_url_rule("/fragments/recordings/<recording_id>", "recording_fragment", recording_fragment)
    blueprint.add_url_rule("/recordings/<recording_id>/clips/<clip_id>", "recording_clip", recording_clip)


@needs("bodyworn.recordings")
def recordings() -> ResponseReturnValue:
    """Show the list."""
    return pages.page("bodyworn/recordings.html", _list)


@needs("bodyworn.recordings")
def recordings_fragment() -> ResponseReturnValue:
    """Show the list's live part."""
    return pages.fragment("bodyworn/recordings.html", _list)


@needs("bodyworn.recordings")
def recording(recording_id: str) -> ResponseReturnValue:
    """Show one recording."""
    return pages.page("bodyworn/recording.html", _one(recording_id), recording_id=recording_id)


@needs("bodyworn.recordings")
def recording_fragment(recording_id: str) -> ResponseReturnValue:
    """Show one recording's live part."""
    return pages.fragment("bodyworn/recording.html", _one(recording_id))


@needs("bodyworn.recordings")
def recording_clip(recording_id: str, clip_id: str) -> ResponseReturnValue:
    """Hand out the controller's copy of a clip, as it lies there; who took it is written into its custody."""
    runtime = current()
    with runtime.database.read() as session:
        clip = recording_list.held_clip(session, recording_id, clip_id)
    content = open_content(runtime.spool(), clip.container_name, clip.spool_name)
    if not request.headers.get("Range"):
        with runtime.database.write() as session:
            events.record(session, "clip.downloaded", "recording", recording_id, actor=pages.actor(), clip=clip.name)
    response = send(content, {"Content-Type": "application/octet-stream"})
    response.headers.set("Content-Disposition", "attachment", filename=clip.name)
    return response


def _list(session: Session, now: datetime) -> Mapping[str, Any]:
    wanted = RecordingQuery(
        search=search_text(request.args),
        show=choice(request.args, "show", Show.ALL),
        sort=choice(request.args, "sort", Sort.NEWEST),
        page=page_number(request.args),
        camera_id=request.args.get("camera"),
    )
    return {"wanted": wanted, "page": recording_list.recordings(session, wanted)}


def _one(recording_id: str) -> pages.Content:
    return lambda session, now: {"recording": recording_list.recording(session, recording_id)}
