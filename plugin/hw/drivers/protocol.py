"""What every camera driver can do, and the plain facts that go in and out. Drivers themselves are the modules beside.

A driver makes one kind of camera look like every other. It never decides: what a camera should be told and what may go
is in ``services``; when, is in ``docking``. Calls for one camera come one after the other. Every method may raise
``CameraGone`` at any moment, because people undock cameras whenever they like, and ``CameraInterrupted`` where a plug
may come loose for a moment: then it is to be identified again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from io import FileIO
from typing import Protocol

from ...errors import BodywornError
from ...services.camera_settings import WantedSettings
from ...services.cameras import SeenCamera
from ...services.documents import Description
from ...services.erasing import EraseProof


@dataclass(frozen=True)
class Wishes:
    """What a camera should be told at a turn."""

    enrol_as: str | None = None
    settings: WantedSettings | None = None
    set_clock: bool = False
    renew_lease: bool = False
    #: An unlock as the recovery key signed it for this docking.
    unlock: bytes | None = None
    #: Forget the system: the camera is empty and leaves it. Wished alone, by a turn of its own.
    release: bool = False
    #: Settings that it worked by when it came, as far as is known here; for cameras that cannot say it themselves.
    came_with_settings: int = 0


@dataclass(frozen=True)
class Outcome:
    """What the camera did of it, by its signed answers."""

    #: Settings that it works by now.
    settings_sequence: int | None = None
    lease_issued_at: datetime | None = None
    #: Whether it belongs to nobody any more.
    released: bool = False
    #: Orders that it refused: kind and reason.
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Listed:
    """A recording on the camera: its document, or why that cannot be read."""

    camera_recording_id: str
    document: Description | None
    envelope: bytes
    problem: BodywornError | None = None
    #: Whether the problem is only to be told: nothing is missing, and nothing else waits for it.
    harmless: bool = False


@dataclass(frozen=True)
class Receipted:
    """A recording as this controller has stored it, for the camera to remember."""

    camera_recording_id: str
    content_sha256: str


@dataclass(frozen=True)
class Erasure:
    """A recording that may go, the proof that it may, and what was stored of it."""

    camera_recording_id: str
    content_sha256: str
    proof: EraseProof


class RecordingSource(Protocol):
    """The recordings of a camera, while they can be read."""

    def listed(self) -> list[Listed]:
        """List the finished recordings, within the driver's bounds."""

    def open(self, camera_recording_id: str, source_name: str) -> FileIO:
        """Open one file of a recording for reading; the caller closes it."""


class DockedCamera(Protocol):
    """A camera in a bay, from its connection to its leaving."""

    def identify(self) -> SeenCamera:
        """Find out who it is, proved where the camera can prove it."""

    def synchronise(self, wishes: Wishes) -> Outcome:
        """Tell it what is wanted, and hear what it did."""

    def recordings(self) -> AbstractContextManager[RecordingSource]:
        """Open its recordings for reading; nothing else may be asked of the camera meanwhile."""

    def claim(self, camera_recording_ids: Sequence[str]) -> frozenset[str]:
        """Lock recordings for this controller while it copies; gives those that it may take (I9)."""

    def acknowledge(self, stored: Sequence[Receipted]) -> frozenset[str]:
        """Leave a receipt for recordings that are stored; gives those that the camera took note of."""

    def erase(self, erasures: Sequence[Erasure]) -> tuple[str, ...]:
        """Have recordings deleted; gives those that the camera says are gone."""

    def facts(self) -> SeenCamera:
        """Give what the camera said at its last turn."""

    def is_there(self) -> bool:
        """Tell whether it still stands in the bay; cheap, asked several times a second."""

    def ensure_connected(self) -> None:
        """Raise CameraGone; or CameraInterrupted when it came loose since it was identified, and may be back."""
