"""One camera of every family of plain disks that is known, with media that plays, and what must become of each file.

Folders and names follow what makers are known to write; the pictures are small and made here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bodyworn.hw.drivers.disk_layouts import Shown
from disk_parts import START

_PICTURES = ("mpeg4", {"mp4": "mp4", "mov": "mov", "avi": "avi", "ts": "mpegts", "mkv": "matroska"})
_SOUNDS = {"wav": "pcm_s16le", "mp3": "libmp3lame"}
_DASH = "transcend-drivepro"


class End(Enum):
    """What must become of a file."""

    #: At the destination, and gone from the camera.
    SENT = "sent"
    #: In the spool, and gone from the camera.
    KEPT = "kept"
    #: On the camera still, and named in its history.
    LEFT = "left"


@dataclass(frozen=True)
class CameraFile:
    """A file on a camera's disk."""

    path: str
    data: bytes
    #: Last change on the camera's clock.
    changed: datetime
    locked: bool = False

    @property
    def end(self) -> End:
        suffix = self.path.rpartition(".")[2].lower()
        if suffix in {*_PICTURES[1], *_SOUNDS}:
            return End.SENT
        return End.KEPT if suffix in {"jpg", "thm", "gps", "3gf", "nmea", "srt", "lrv"} else End.LEFT


@dataclass
class Family:
    """A camera as its maker made it."""

    name: str
    layout: str
    shown: Shown = field(default_factory=Shown)
    files: list[CameraFile] = field(default_factory=list)
    #: How many files each recording has, the oldest first, where clips tell how long they are.
    recordings: tuple[int, ...] = ()
    #: The file that must be taken before all others.
    first: str = ""

    def clip(self, path: str, start: datetime, seconds: int = 60, **how: Any) -> Family:
        """Add a clip that lasts for some time; its last change is its end."""
        data = media(path.rpartition(".")[2].lower(), seconds)
        self.files.append(CameraFile(path, data, how.pop("changed", start + timedelta(seconds=seconds)), **how))
        return self

    def beside(self, path: str, moment: datetime, data: bytes = b"") -> Family:
        """Add a photo, or what lies beside clips."""
        self.files.append(CameraFile(path, data or photo() if path.lower().endswith("jpg") else path.encode(), moment))
        return self

    def lay(self, folder: Path) -> None:
        """Write everything onto a disk."""
        for file in self.files:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.data)
            moment = file.changed.replace(tzinfo=UTC).timestamp()
            os.utime(target, (moment, moment))
            if file.locked:
                target.chmod(0o444)


@cache
def media(suffix: str, seconds: int) -> bytes:
    """Make a clip, or audio, that is as long as it says."""
    import av

    with TemporaryDirectory() as folder:
        path = str(Path(folder) / f"clip.{suffix}")
        container: Any = av.open(path, "w", format=_PICTURES[1].get(suffix, suffix))
        with container:
            (_sound if suffix in _SOUNDS else _picture)(av, container, suffix, seconds)
        return Path(path).read_bytes()


def _picture(av: Any, container: Any, suffix: str, seconds: int) -> None:
    stream = container.add_stream(_PICTURES[0], rate=1)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    frame = av.VideoFrame(64, 48, "yuv420p")
    for number in range(seconds):
        frame.pts, frame.time_base = number, Fraction(1, 1)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _sound(av: Any, container: Any, suffix: str, seconds: int) -> None:
    stream = container.add_stream(_SOUNDS[suffix], rate=8000)
    stream.layout = "mono"
    for number in range(seconds):
        frame = av.AudioFrame(format="s16", layout="mono", samples=8000)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = 8000, number * 8000
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


@cache
def photo() -> bytes:
    """Make a small JPEG."""
    import av

    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "yuvj420p", Fraction(1, 25)
    return b"".join(map(bytes, (*encoder.encode(av.VideoFrame(64, 48, "yuvj420p")), *encoder.encode(None))))


def _at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def amba() -> Family:
    """Ambarella: clips and photos anywhere in the tree; the label is the device's id."""
    family = Family("amba", "amba", Shown(label="12345678", usb="4255:0001"), recordings=(2, 1, 1))
    for minute in (0, 1, 60):
        family.clip(f"20260304/{_at(minute):%Y%m%d%H%M%S}.mp4", _at(minute))
    return family.beside(f"photo/{_at(120):%Y%m%d%H%M%S}.jpg", _at(120))


def jieli() -> Family:
    """JieLi: AVI clips, audio and photos in three folders; a file of settings."""
    family = Family("jieli", "jieli", Shown(product="DV16 DEVICE V1.00"), recordings=(2, 1, 1))
    for minute in (0, 1):
        family.clip(f"DCIM/VIDEO/{_at(minute):%Y_%m_%d_%H%M%S}.avi", _at(minute))
    family.clip(f"DCIM/AUDIO/{_at(90):%Y_%m_%d_%H%M%S}.wav", _at(90), 5)
    return family.beside(f"DCIM/PHOTO/{_at(150):%Y_%m_%d_%H%M%S}.jpg", _at(150)).beside("time.txt", _at(0))


def unit_and_user() -> Family:
    """LibBodycam and others of the police block: unit, user and time in names; the mark of a key file; a log."""
    family = Family("unit-and-user", "unit-user-time", recordings=(3, 1), first="20260304070607")
    for number, minute in enumerate((0, 1, 2)):
        family.clip(f"VIDEO/1234567_000123_{_at(minute):%Y%m%d%H%M%S}_000{number}.MP4", _at(minute))
    family.clip(f"VIDEO/1234567_000123_{_at(60):%Y%m%d%H%M%S}_0004_IMP.MP4", _at(60))
    return family.beside("LOG/20260304.log", _at(0))


def novatek() -> Family:
    """Novatek: an ordinary DCF card with movies, locked ones beside them, and photos."""
    family = Family("novatek", "novatek", Shown(usb="0603:8611"), recordings=(2, 1, 1), first="2026_0304_080607")
    for number, minute in enumerate((0, 1)):
        family.clip(f"CARDV/Movie/{_at(minute):%Y_%m%d_%H%M%S}_00{number}.MOV", _at(minute))
    family.clip(f"CARDV/Movie/RO/{_at(120):%Y_%m%d_%H%M%S}_003.MOV", _at(120))
    return family.beside(f"CARDV/Photo/{_at(30):%Y_%m%d_%H%M%S}_004.JPG", _at(30))


def tecsar() -> Family:
    """Tecsar: everything in one folder of a disk with a number."""
    family = Family("tecsar", "tecsar", Shown(label="CAM01"), recordings=(2, 1))
    for minute in (0, 1):
        family.clip(f"files/data/{_at(minute):%Y%m%d_%H%M%S}.AVI", _at(minute))
    return family.clip(f"files/data/{_at(60):%Y%m%d_%H%M%S}.WAV", _at(60), 5)


def drivepro_body() -> Family:
    """Transcend DrivePro Body."""
    family = Family("drivepro-body", "transcend-drivepro-body", recordings=(4,))
    for number, minute in enumerate((0, 1, 2)):
        family.clip(f"DPB30/VIDEO/{_at(minute):%Y%m%d_%H%M%S}_00{number}A.MP4", _at(minute))
    family.beside(f"DPB30/PHOTO/{_at(1):%Y%m%d_%H%M%S}_001A.JPG", _at(1))
    return family.beside("DPB30/SYSTEM/VERSION.TXT", _at(0))


def drivepro() -> Family:
    """Transcend DrivePro: an event beside what is overwritten."""
    family = Family("drivepro", _DASH, recordings=(1, 1), first="20260304_070607")
    family.clip(f"DP230/NORMAL/{_at(0):%Y%m%d_%H%M%S}_001.MOV", _at(0))
    return family.clip(f"DP230/EVENT/{_at(60):%Y%m%d_%H%M%S}_002.MOV", _at(60))


def dash() -> Family:
    """A dash camera with two lenses, transport streams, thumbnails and a track."""
    family = Family("dash", "dash", recordings=(4, 1), first="260304_080607")
    for side in "FR":
        family.clip(f"Movie/{_at(0):%y%m%d_%H%M%S}_001_{side}.TS", _at(0))
    family.beside(f"Movie/{_at(0):%y%m%d_%H%M%S}_001_F.THM", _at(0))
    family.beside(f"Movie/{_at(0):%y%m%d_%H%M%S}_001_F.NMEA", _at(1))
    return family.clip(f"Event/{_at(120):%y%m%d_%H%M%S}_002_F.TS", _at(120))


def blackvue() -> Family:
    """BlackVue: what a file is stands at the end of its name; places and shocks beside it; settings."""
    family = Family("blackvue", "blackvue", recordings=(5, 2), first="20260304_070607_EF")
    for side in "FR":
        family.clip(f"BlackVue/Record/{_at(0):%Y%m%d_%H%M%S}_N{side}.mp4", _at(0))
        family.clip(f"BlackVue/Record/{_at(60):%Y%m%d_%H%M%S}_E{side}.mp4", _at(60))
    for suffix in ("gps", "3gf", "thm"):
        family.beside(f"BlackVue/Record/{_at(0):%Y%m%d_%H%M%S}_N.{suffix}", _at(0))
    return family.beside("BlackVue/Config/config.ini", _at(0))


def garmin() -> Family:
    """Garmin: names are numbers, so that only lengths tell which clips follow each other."""
    family = Family("garmin", "garmin", recordings=(2, 1, 1), first="GRMN0003")
    for number, minute in ((1, 0), (2, 1)):
        family.clip(f"DCIM/105UNSVD/GRMN000{number}.MP4", _at(minute))
    family.clip("DCIM/102SAVED/GRMN0003.MP4", _at(90))
    return family.beside("DCIM/101PHOTO/GRMN0004.JPG", _at(200))


def vantrue() -> Family:
    """Vantrue: two lenses; last changes that are the beginning, so that only lengths tell where clips end."""
    family = Family("vantrue", "vantrue", recordings=(4, 1))
    for minute in (0, 1):
        for side in "AB":
            name = f"{_at(minute):%Y_%m%d_%H%M%S}_00{minute}{side}.MP4"
            family.clip(f"Video/Normal/{name}", _at(minute), changed=_at(minute))
    return family.clip(f"Video/Parking/{_at(60):%Y_%m%d_%H%M%S}_009A.MP4", _at(60))


def loop() -> Family:
    """Aseko and others with a loop: the oldest of twelve is overwritten, one is locked by a shock."""
    family = Family("loop", "dcim", recordings=(11,), first="IMG_0007")
    for number in range(1, 12):
        family.clip(f"DCIM/100MEDIA/IMG_{number:04}.MOV", _at(5 * number), 300, locked=number == 7)
    return family


def wrong_times() -> Family:
    """A card whose files were never given a time, with containers that know when they were made or do not."""
    family = Family("wrong-times", "dcim", recordings=(2,))
    for number in (1, 2):
        family.clip(f"DCIM/100CAM/MOV_{number:04}.mp4", _at(0), changed=datetime(1980, 1, 1))  # noqa: DTZ001
    return family


def sounds() -> Family:
    """A recorder of sound."""
    family = Family("sounds", "plain", recordings=(1, 1))
    family.clip(f"VOICE/{_at(0):%Y%m%d_%H%M%S}.mp3", _at(0), 5)
    return family.clip(f"VOICE/{_at(30):%Y%m%d_%H%M%S}.wav", _at(30), 5)


def every_container() -> Family:
    """A camera that was converted by its owner, with clips in every container."""
    family = Family("every-container", "plain", recordings=(1,) * 5)
    for number, suffix in enumerate(("mp4", "mov", "avi", "ts", "mkv")):
        family.clip(f"clips/{_at(60 * number):%Y%m%d%H%M%S}.{suffix}", _at(60 * number))
    return family.beside("clips/empty.txt", _at(0))


FAMILIES: tuple[Callable[[], Family], ...] = (
    amba,
    jieli,
    unit_and_user,
    novatek,
    tecsar,
    drivepro_body,
    drivepro,
    dash,
    blackvue,
    garmin,
    vantrue,
    loop,
    wrong_times,
    sounds,
    every_container,
)
