"""A simulated camera records: clips, a track, bookmarks, and the signed document that makes them a recording."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec

from ..camera_volume import documents
from ..camera_volume.documents import FileDigest, content_sha256
from ..camera_volume.media import recording_folder
from ..camera_volume.orders import Profile, Settings
from ..camera_volume.recording import (
    DOCUMENT_NAME,
    TRACK_NAME,
    Bookmark,
    ClipEntry,
    Container,
    Note,
    RecordingDocument,
    TrackEntry,
    clip_name,
)
from ..crypto import envelope
from ..crypto.envelope import PayloadType
from ..errors import CameraFull
from . import media, places
from .core import Core
from .faults import RecordingFault
from .memory import HeldRecording, sync_folder
from .prebuffer import PreBuffer

_SECOND: Final = timedelta(seconds=1)
_PICTURES: Final = {"1080p": (1920, 1080), "720p": (1280, 720)}
_MOST_NOTES: Final = 90


@dataclass(frozen=True)
class Wish:
    """What to record: so many clips, each of a length or an exact size, from a time on.

    ``pre_buffer`` is what was there when the button was pressed; left out, as much of the profile's as half of the
    recording can hold. ``muted`` are seconds from the start in which the microphone was off. ``as_profile`` records in
    the profile's resolution and with its audio; otherwise pictures are small, which is quicker to make.
    """

    clips: int = 1
    seconds: float | None = None
    size_bytes: int | None = None
    start: datetime | None = None
    bookmarks: tuple[str, ...] = ()
    fault: RecordingFault | None = None
    bits_per_second: int = 4_000_000
    pre_buffer: PreBuffer | None = None
    muted: tuple[tuple[float, float], ...] = ()
    as_profile: bool = False


@dataclass(frozen=True)
class Recorded:
    """A recording as it truly is, whatever its document says."""

    id: str
    clips: tuple[FileDigest, ...]


def record(core: Core, unit: Path, wish: Wish) -> Recorded:
    """Write a recording into the opened media unit: its files, then the camera's memory of it, its document last."""
    recording_id = str(uuid4())
    folder = unit / recording_folder(recording_id)
    folder.mkdir(parents=True)
    clips = _make_clips(core, folder, wish)
    track = _write_file(folder / TRACK_NAME, documents.encode(places.walk(clips[0].start, clips[-1].stop)))
    document = _document(core, recording_id, clips, track, wish)
    signed = _sign(core, document, wish.fault)
    if wish.fault is not RecordingFault.UNFINISHED:
        _remember(core, document, [*(_digest(clip) for clip in clips), track, _bytes_digest(DOCUMENT_NAME, signed)])
        _write_file(folder / DOCUMENT_NAME, signed)
    _spoil(folder, clips[0].name, wish.fault)
    return Recorded(recording_id, tuple(_digest(clip) for clip in clips))


def recover(core: Core, unit: Path) -> None:
    """Clear away what a kill left of recordings that had no document yet, or no document any more."""
    for recording_id in list(core.memory.recordings):
        folder = unit / recording_folder(recording_id)
        if (folder / DOCUMENT_NAME).exists():
            continue
        if folder.exists():
            shutil.rmtree(folder)
            sync_folder(folder.parent)
        core.memory.recordings.pop(recording_id)
        core.memory.receipts.pop(recording_id, None)
        core.memory.erased.append(recording_id)
    core.save()


# --- clips


def _make_clips(core: Core, folder: Path, wish: Wish) -> list[ClipEntry]:
    settings = core.memory.settings
    container: Container = settings.profile.container if settings and settings.profile else "mkv"
    user = settings.user.name if settings and settings.user else "NO USER"
    short_id, start = secrets.token_hex(2).upper(), _start(core, wish)
    clips: list[ClipEntry] = []
    for _ in range(wish.clips):
        path = folder / clip_name(start, short_id, container)
        scene = media.Scene(core.memory.serial, user, start, bits_per_second=wish.bits_per_second)
        if wish.as_profile and settings and settings.profile:
            scene = _as_profile(scene, settings.profile)
        passed = (start - clips[0].start).total_seconds() if clips else 0.0
        muted = [(begin - passed, end - passed) for begin, end in _unheard(settings, wish)]
        made = _make_clip(core, path, scene, wish, muted)
        clips.append(
            ClipEntry(
                name=path.name,
                size_bytes=made.size_bytes,
                start=start,
                stop=start + made.duration,
                container=container,
                sha256=_file_digest(path).sha256,
            )
        )
        start = max(start + _SECOND, _whole_second(clips[-1].stop))
    return clips


def _unheard(settings: Settings | None, wish: Wish) -> list[tuple[float, float]]:
    """List where nothing is heard: microphone off, and a pre-buffer that the profile wants without audio."""
    stretches = list(wish.muted)
    if wish.pre_buffer is not None and settings and settings.profile and not settings.profile.pre_buffer_audio:
        stretches.append((0.0, wish.pre_buffer.seconds))
    return stretches


def _as_profile(scene: media.Scene, profile: Profile) -> media.Scene:
    width, height = _PICTURES[profile.resolution]
    channels = 0 if not profile.audio else 2 if profile.audio_post_processing else 1
    return replace(scene, width=width, height=height, channels=channels)


def _make_clip(core: Core, path: Path, scene: media.Scene, wish: Wish, muted: media.Muted) -> media.MadeClip:
    written = sum(file.stat().st_size for file in path.parent.iterdir())
    expected = wish.size_bytes or int((wish.seconds or 10) * (scene.bits_per_second / 8))
    if core.free_bytes() < written + expected:
        shutil.rmtree(path.parent)
        raise CameraFull
    made = media.make_clip(path, scene, seconds=wish.seconds, size_bytes=wish.size_bytes, muted=muted)
    _sync(path)
    return made


def _start(core: Core, wish: Wish) -> datetime:
    """Begin where the wish says, or so that the recording ends about now, and never within the one before."""
    if wish.start is not None:
        return _whole_second(wish.start)
    seconds = wish.seconds or (wish.size_bytes or 0) * 8 / wish.bits_per_second or 10
    start = _whole_second(core.now() - timedelta(seconds=seconds * wish.clips))
    last = core.memory.last_recording_stop
    return start if last is None else max(start, _whole_second(last) + 2 * _SECOND)


# --- the document


def _document(
    core: Core, recording_id: str, clips: Sequence[ClipEntry], track: FileDigest, wish: Wish
) -> RecordingDocument:
    memory = core.memory
    settings = memory.settings
    profile = settings.profile if settings else None
    start, stop = clips[0].start, clips[-1].stop
    trigger_on, notes = _beginning(start, stop, profile, wish)
    return RecordingDocument(
        id=recording_id,
        number=memory.last_recording_number + 1,
        serial=memory.serial,
        key_id=core.key.public.key_id,
        manufacturer=memory.manufacturer,
        model=memory.model,
        firmware=memory.firmware,
        settings_sequence=settings.sequence if settings else 0,
        trigger_on=trigger_on,
        trigger_off=stop,
        start=start,
        stop=stop,
        time_zone=settings.time_zone if settings else "Etc/UTC",
        clips=tuple(clips),
        system_id=memory.system_id,
        epoch=memory.epoch,
        user_id=settings.user.id if settings and settings.user else None,
        profile_id=profile.id if profile else None,
        trigger_on_location=places.location(start, trigger_on),
        trigger_off_location=places.location(start, stop),
        track=TrackEntry(size_bytes=track.size_bytes, sha256=track.sha256),
        bookmarks=tuple(_bookmark(text, trigger_on, start) for text in wish.bookmarks),
        notes=(*notes, *_muted_notes(start, stop, wish)),
    )


def _beginning(
    start: datetime, stop: datetime, profile: Profile | None, wish: Wish
) -> tuple[datetime, tuple[Note, ...]]:
    """Tell when the button was pressed, and what is to be said of what was recorded before."""
    wanted = timedelta(seconds=profile.pre_buffer_seconds if profile else 0)
    if wish.pre_buffer is None:
        before, short, why = min(wanted, (stop - start) / 2), wanted > (stop - start) / 2, ""
    else:
        before, short = timedelta(seconds=wish.pre_buffer.seconds), wish.pre_buffer.short is not None
        why = wish.pre_buffer.short or ""
    return start + min(before, stop - start), (Note(kind="pre-buffer-short", text=why),) if short else ()


def _muted_notes(start: datetime, stop: datetime, wish: Wish) -> tuple[Note, ...]:
    stretches = [(start + timedelta(seconds=begin), start + timedelta(seconds=end)) for begin, end in wish.muted]
    return tuple(
        Note(kind="microphone-off", start=max(start, begin), stop=min(stop, end))
        for begin, end in stretches[:_MOST_NOTES]
        if begin < stop
    )


def _bookmark(text: str, time: datetime, start: datetime) -> Bookmark:
    return Bookmark(
        id=str(uuid4()), start=time, text=text, tags={"source": "button"}, location=places.location(start, time)
    )


def _sign(core: Core, document: RecordingDocument, fault: RecordingFault | None) -> bytes:
    if fault is RecordingFault.WRONG_DIGEST:
        document = _with_wrong_digest(document)
    signed = envelope.sign(documents.encode(document), PayloadType.RECORDING, core.key)
    return signed[: len(signed) // 2] if fault is RecordingFault.HALF_WRITTEN else signed


def _with_wrong_digest(document: RecordingDocument) -> RecordingDocument:
    first = msgspec.structs.replace(document.clips[0], sha256=sha256(b"something else").hexdigest())
    return msgspec.structs.replace(document, clips=(first, *document.clips[1:]))


def _remember(core: Core, document: RecordingDocument, files: Sequence[FileDigest]) -> None:
    memory = core.memory
    size_bytes = sum(file.size_bytes for file in files)
    memory.recordings[document.id] = HeldRecording(document.number, size_bytes, content_sha256(files))
    memory.last_recording_number, memory.last_recording_stop = document.number, document.stop
    core.log(f"recorded {document.id}, {len(document.clips)} clips, {size_bytes} bytes")
    core.save()


def _spoil(folder: Path, name: str, fault: RecordingFault | None) -> None:
    if fault is RecordingFault.VANISHED_CLIP:
        (folder / name).unlink()
    elif fault is RecordingFault.TRUNCATED_CLIP:
        os.truncate(folder / name, (folder / name).stat().st_size // 2)


# --- files


def _write_file(path: Path, data: bytes) -> FileDigest:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    _sync(part)
    part.rename(path)
    sync_folder(path.parent)
    return _bytes_digest(path.name, data)


def _bytes_digest(name: str, data: bytes) -> FileDigest:
    return FileDigest(name, len(data), sha256(data).hexdigest())


def _file_digest(path: Path) -> FileDigest:
    with path.open("rb") as file:
        return FileDigest(path.name, path.stat().st_size, file_digest(file, "sha256").hexdigest())


def _digest(clip: ClipEntry) -> FileDigest:
    assert clip.sha256 is not None
    return FileDigest(clip.name, clip.size_bytes, clip.sha256)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _whole_second(time: datetime) -> datetime:
    return time.replace(microsecond=0)
