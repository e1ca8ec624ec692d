"""Real recordings: H.264 and AAC with a clock, the serial number and the user burned in, of any length or exact size.

A few seconds are encoded, kept, and written in a loop, so large clips cost no more than writing them; the clock in the
picture starts at the clip's start and repeats with the loop. Needs the extra ``media`` (PyAV).
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from ..errors import ClipTooSmall, MediaLibraryMissing
from . import font, padding

#: The loop: as long as 32 pictures and as 150 blocks of AAC, so that both sides of the seam fit.
_LOOP: Final = Fraction(16, 5)
_PICTURES_PER_SECOND: Final = 10
_SAMPLES_PER_SECOND: Final = 48_000
_AUDIO_BLOCKS: Final = 150
_LAYOUTS: Final = {1: "mono", 2: "stereo"}
_INK: Final = 235
_PAPER: Final = 16
_NO_COLOUR: Final = 128

#: What a container needs beside the packets, at most: once, and for each packet.
_OVERHEAD_BYTES: Final = 8 * 1024 + padding.LEAST_BYTES
_PACKET_OVERHEAD_BYTES: Final = 40

LEAST_CLIP_BYTES: Final = 128 * 1024


@dataclass(frozen=True)
class Scene:
    """What is seen and heard: whose camera, from when on (UTC), in what quality; no ``channels``: no audio at all."""

    serial: str
    user: str
    start: datetime
    width: int = 640
    height: int = 360
    bits_per_second: int = 4_000_000
    channels: int = 1


@dataclass(frozen=True)
class MadeClip:
    """A clip as it was written."""

    size_bytes: int
    duration: timedelta


@dataclass(frozen=True)
class _Packet:
    audio: bool
    data: bytes
    time: Fraction
    duration: Fraction
    keyframe: bool


@dataclass(frozen=True)
class _Source:
    """An encoded loop: a small file whose streams are the pattern for others, and its packets in order of time."""

    file: bytes
    packets: tuple[_Packet, ...]


#: Stretches in seconds from a clip's start in which the microphone was off.
Muted = Sequence[tuple[float, float]]


def make_clip(
    path: Path, scene: Scene, *, seconds: float | None = None, size_bytes: int | None = None, muted: Muted = ()
) -> MadeClip:
    """Write a clip as ``.mkv`` or ``.mp4``, by the path's suffix, of a length or of an exact size.

    Args:
        path: The file to write; it is not synced.
        scene: What is burned in.
        seconds: Length; ignored where a size is given. Ten by default.
        size_bytes: Exact size of the file; the length follows from the bit rate.
        muted: Where nothing is heard.

    Raises:
        MediaLibraryMissing: PyAV is not installed.
        ClipTooSmall: no valid file is that small.
    """
    if size_bytes is not None and size_bytes < LEAST_CLIP_BYTES:
        raise ClipTooSmall(size_bytes=size_bytes, least_bytes=LEAST_CLIP_BYTES)
    source = _source(scene)
    packets = _muted(_endless(source), scene.channels, muted) if muted else _endless(source)
    if size_bytes is None:
        chosen = _for_seconds(packets, Fraction(10 if seconds is None else seconds))
    else:
        chosen = _for_bytes(packets, size_bytes)
    length = _write(path, source, chosen)
    if size_bytes is not None:
        padding.pad(path, size_bytes)
    return MadeClip(path.stat().st_size, timedelta(seconds=float(length)))


def _for_seconds(packets: Iterator[_Packet], seconds: Fraction) -> Iterator[_Packet]:
    return itertools.takewhile(lambda packet: packet.time < seconds, packets)


def _for_bytes(packets: Iterator[_Packet], size_bytes: int) -> Iterator[_Packet]:
    room = size_bytes - _OVERHEAD_BYTES
    for packet in packets:
        room -= len(packet.data) + _PACKET_OVERHEAD_BYTES
        if room < 0:
            return
        yield packet


def _endless(source: _Source) -> Iterator[_Packet]:
    for turn in itertools.count():
        shift = turn * _LOOP
        for packet in source.packets:
            yield _Packet(packet.audio, packet.data, packet.time + shift, packet.duration, packet.keyframe)


def _muted(packets: Iterator[_Packet], channels: int, muted: Muted) -> Iterator[_Packet]:
    """Put silence in the place of what would have been heard."""
    for packet in packets:
        if packet.audio and any(start <= packet.time < end for start, end in muted):
            yield replace(packet, data=_silence(channels))
        else:
            yield packet


def _write(path: Path, source: _Source, packets: Iterator[_Packet]) -> Fraction:
    """Put packets into a container; gives the length."""
    av = _av()
    end = Fraction(0)
    with av.open(io.BytesIO(source.file)) as pattern, av.open(str(path), "w") as target:
        video = target.add_stream_from_template(pattern.streams.video[0])
        audio = target.add_stream_from_template(pattern.streams.audio[0]) if pattern.streams.audio else None
        for packet in packets:
            target.mux(_muxable(av, packet, audio if packet.audio else video))
            end = max(end, packet.time + packet.duration)
    return end


def _muxable(av: ModuleType, packet: _Packet, stream: Any) -> Any:
    muxable = av.Packet(packet.data)
    muxable.time_base = Fraction(1, _SAMPLES_PER_SECOND)
    muxable.pts = muxable.dts = int(packet.time * _SAMPLES_PER_SECOND)
    muxable.duration = int(packet.duration * _SAMPLES_PER_SECOND)
    muxable.is_keyframe = packet.keyframe
    muxable.stream = stream
    return muxable


# --- encoding


@lru_cache(maxsize=8)
def _source(scene: Scene) -> _Source:
    av = _av()
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as target:
        made = [(_video_stream(target, scene), _pictures(av, scene))]
        if scene.channels:
            made.append((_audio_stream(target, scene.channels), _sounds(av, scene.channels)))
        for stream, frames in made:
            for frame in itertools.chain(frames, [None]):
                target.mux(stream.encode(frame))
    return _Source(memory.getvalue(), _packets(av, memory.getvalue()))


@lru_cache(maxsize=2)
def _silence(channels: int) -> bytes:
    """Encode one block of silence, for as many channels."""
    av = _av()
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as target:
        stream = _audio_stream(target, channels)
        for frame in itertools.chain(_sounds(av, channels, loudness=0.0), [None]):
            target.mux(stream.encode(frame))
    return _packets(av, memory.getvalue())[-1].data


def _packets(av: ModuleType, file: bytes) -> tuple[_Packet, ...]:
    with av.open(io.BytesIO(file)) as source:
        found = [packet for packet in source.demux() if packet.size]
        pictures = [packet for packet in found if packet.stream.type == "video"]
        sounds = [packet for packet in found if packet.stream.type == "audio"]
        packets = [*_timed(pictures, False), *_timed(sounds[1:], True)]
    return tuple(sorted(packets, key=lambda packet: (packet.time, packet.audio)))


def _timed(packets: list[Any], audio: bool) -> Iterator[_Packet]:
    """Lay packets on the loop; the one with which AAC warms up has been left out."""
    step = Fraction(1024, _SAMPLES_PER_SECOND) if audio else Fraction(1, _PICTURES_PER_SECOND)
    for index, packet in enumerate(packets[:_AUDIO_BLOCKS] if audio else packets):
        yield _Packet(audio, bytes(packet), index * step, step, audio or packet.is_keyframe)


def _video_stream(target: Any, scene: Scene) -> Any:
    video = target.add_stream("libx264", rate=_PICTURES_PER_SECOND)
    video.width, video.height, video.pix_fmt = scene.width, scene.height, "yuv420p"
    video.bit_rate = scene.bits_per_second
    rate = str(scene.bits_per_second)
    constant = f"nal-hrd=cbr:force-cfr=1:keyint={_PICTURES_PER_SECOND}:scenecut=0"
    video.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": constant,
        "maxrate": rate,
        "bufsize": rate,
    }
    return video


def _audio_stream(target: Any, channels: int) -> Any:
    audio = target.add_stream("aac", rate=_SAMPLES_PER_SECOND)
    audio.layout = _LAYOUTS[channels]
    audio.bit_rate = 64_000 * channels
    return audio


def _pictures(av: ModuleType, scene: Scene) -> Iterator[Any]:
    size, rate = f"{scene.width}x{scene.height}", _PICTURES_PER_SECOND
    fixed = [font.line_rows(text, _scale(scene), _INK, _PAPER) for text in (scene.serial, scene.user)]
    for index, picture in enumerate(_frames(av, "testsrc2", f"size={size}:rate={rate}", ("format", "yuv420p"))):
        time = scene.start + timedelta(seconds=index / rate)
        clock = f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 100_000} UTC"
        _burn(picture, [font.line_rows(clock, _scale(scene), _INK, _PAPER), *fixed], _scale(scene))
        yield picture


def _sounds(av: ModuleType, channels: int, loudness: float = 0.125) -> Iterator[Any]:
    form = f"sample_fmts=fltp:channel_layouts={_LAYOUTS[channels]}:sample_rates={_SAMPLES_PER_SECOND}"
    tone = "|".join([f"{loudness}*sin(880*PI*t)"] * channels)
    source = f"{tone}:channel_layout={_LAYOUTS[channels]}:sample_rate={_SAMPLES_PER_SECOND}:nb_samples=1024"
    return _frames(av, "aevalsrc", source, ("aformat", form))


def _frames(av: ModuleType, source: str, arguments: str, form: tuple[str, str]) -> Iterator[Any]:
    graph = av.filter.Graph()
    first = graph.add(source, f"{arguments}:duration={float(_LOOP)}")
    middle = graph.add(*form)
    last = graph.add("buffersink" if source == "testsrc2" else "abuffersink")
    first.link_to(middle)
    middle.link_to(last)
    graph.configure()
    while True:
        try:
            yield last.pull()
        except av.error.EOFError:
            return


def _burn(picture: Any, lines: list[list[bytes]], scale: int) -> None:
    """Write lines of text into a picture, from the top left, white on black; columns past the edge are cut."""
    margin = 4 * scale
    room = picture.width - margin
    for number, dots in enumerate(itertools.chain.from_iterable(lines)):
        row, width = margin + number, min(len(dots), room)
        _paint(picture.planes[0], row, margin, dots[:width])
        for colour in picture.planes[1:]:
            _paint(colour, row // 2, margin // 2, bytes([_NO_COLOUR]) * (width // 2))


def _paint(plane: Any, row: int, column: int, pixels: bytes) -> None:
    at = row * plane.line_size + column
    memoryview(plane)[at : at + len(pixels)] = pixels


def _scale(scene: Scene) -> int:
    return max(1, scene.height // 180)


def _av() -> ModuleType:
    try:
        import av
        import av.error
        import av.filter
    except ImportError as error:
        raise MediaLibraryMissing from error
    return av
