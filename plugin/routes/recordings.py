"""Recordings: the list, and one recording with its clips in their three places and its custody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import pages
from ..access import needs
from ..crypto.envelope import PayloadType
from ..errors import BodywornError
from ..forms.lists import choice, page_number, search_text
from ..runtime import current
from ..sending import send
from ..services import deliveries, delivery_proof, destinations, events, recording_list, recovery
from ..services.keyring import Keyring
from ..services.playback import Content, open_content
from ..services.recording_search import RecordingQuery, Show, Sort
from ..services.sentence import problem_of


def add(blueprint: Blueprint) -> None:
    """Register the pages and their live parts."""
    blueprint.add_url_rule("/recordings", "recordings", recordings)
    blueprint.add_url_rule("/fragments/recordings", "recordings_fragment", recordings_fragment)
    blueprint.add_url_rule("/recordings/<recording_id>", "recording", recording)
    blueprint.add_url_rule("/fragments/recordings/<recording_id>", "recording_fragment", recording_fragment)
    blueprint.add_url_rule("/recordings/<recording_id>/proof", "recording_proof", recording_proof)
    blueprint.add_url_rule("/recordings/<recording_id>/clips/<clip_id>", "recording_clip", recording_clip)
    blueprint.add_url_rule(
        "/recordings/<recording_id>/clips/<clip_id>/open", "open_recording_clip", open_recording_clip, methods=["POST"]
    )
    blueprint.add_url_rule(
        "/recordings/<recording_id>/try-again", "try_recording_again", try_recording_again, methods=["POST"]
    )
    blueprint.add_url_rule("/not-transferred/try-again", "try_recordings_again", try_recordings_again, methods=["POST"])


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
def recording_proof(recording_id: str) -> ResponseReturnValue:
    """Hand out the signed proof of delivery; who took it is in its custody, and so in the proof itself."""
    runtime = current()
    with runtime.database.write() as session:
        found = delivery_proof.delivered(session, recording_id)
        if request.method == "GET":
            events.record(session, "recording.proof-downloaded", "recording", found.id, actor=pages.actor())
        proof = delivery_proof.issue(session, Keyring(runtime.data_dir / "keys"), found)
        name = delivery_proof.file_name(found)
    response = Response(proof, mimetype=PayloadType.DELIVERY_PROOF, headers={"Cache-Control": "no-store"})
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@needs("bodyworn.recordings")
def recording_clip(recording_id: str, clip_id: str) -> ResponseReturnValue:
    """Hand out the controller's copy of a clip, as it lies there; who took it is written into its custody."""
    runtime = current()
    with runtime.database.read() as session:
        clip = recording_list.held_clip(session, recording_id, clip_id)
    content = open_content(runtime.spool(), clip.container_name, clip.spool_name)
    if request.method == "GET":
        with runtime.database.write() as session:
            events.record(session, "clip.downloaded", "recording", recording_id, actor=pages.actor(), clip=clip.name)
    return _download(content, clip.name)


@needs("bodyworn.recordings")
def open_recording_clip(recording_id: str, clip_id: str) -> ResponseReturnValue:
    """Hand out the plaintext of an encrypted clip to whoever enters the passphrase; each attempt is in its custody."""
    runtime = current()
    with runtime.database.read() as session:
        locked = recovery.locked_clip(session, recording_id, clip_id)
    try:
        content = recovery.open_locked(locked, runtime.spool(), request.form.get("passphrase", ""))
    except BodywornError as error:
        _opened(recording_id, locked.held.name, error.id)
        refused = {"clip_id": clip_id, "problem": problem_of(error)}
        return pages.still("bodyworn/recording.html", _one(recording_id), 422, not_opened=refused)
    _opened(recording_id, locked.held.name, "done")
    return _download(content, locked.held.name)


@needs("bodyworn.recordings")
def try_recording_again(recording_id: str) -> ResponseReturnValue:
    """Have a refused recording sent again."""
    with current().database.write() as session:
        recording_list.recording(session, recording_id)
        destination = destinations.active(session)
        if destination is not None:
            deliveries.try_again(session, recording_id, destination, actor=pages.actor())
    return pages.done(".recording", "recordings-tried-again", recording_id=recording_id)


@needs("bodyworn.recordings")
def try_recordings_again() -> ResponseReturnValue:
    """Have all refused recordings sent again."""
    with current().database.write() as session:
        destination = destinations.active(session)
        if destination is not None:
            deliveries.try_all_again(session, destination, actor=pages.actor())
    return pages.done(".recordings", "recordings-tried-again", show=Show.REFUSED)


def _opened(recording_id: str, name: str, result: str) -> None:
    with current().database.write() as session:
        recovery.opened(session, recording_id, name, actor=pages.actor(), result=result)


def _download(content: Content, name: str) -> ResponseReturnValue:
    response = send(content, {"Content-Type": "application/octet-stream", "Cache-Control": "no-store"})
    response.headers.set("Content-Disposition", "attachment", filename=name)
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
    return lambda session, now: {"recording": recording_list.recording(session, recording_id), "not_opened": None}
