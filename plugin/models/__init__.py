"""Tables, one noun a module, and the database that holds them.

Nothing here decides anything: rules are in ``services``. Importing this package makes every table known to
``Base.metadata``.
"""

from __future__ import annotations

from .audit import Audit
from .base import Base, new_id
from .camera import Assignment, Belonging, Camera, CameraUser, Profile, Trust
from .database import Database
from .destination import Destination, DestinationState
from .dock import Bay, BayState, Dock, DockKind
from .event import Chain, Change, Checkpoint, Event
from .integration import PackageFault
from .received import ReceivedContainer, ReceivedObject, ReceiverAccount
from .recording import Clip, ClipKind, Copy, CopyState, Place, Recording, RecordingState
from .setup import Setup
from .surroundings import BrokenDriver, UsbDevice
from .system import Controller, ControllerRole, System

__all__ = [
    "Assignment",
    "Audit",
    "Base",
    "Bay",
    "BayState",
    "Belonging",
    "BrokenDriver",
    "Camera",
    "CameraUser",
    "Chain",
    "Change",
    "Checkpoint",
    "Clip",
    "ClipKind",
    "Controller",
    "ControllerRole",
    "Copy",
    "CopyState",
    "Database",
    "Destination",
    "DestinationState",
    "Dock",
    "DockKind",
    "Event",
    "PackageFault",
    "Place",
    "Profile",
    "ReceivedContainer",
    "ReceivedObject",
    "ReceiverAccount",
    "Recording",
    "RecordingState",
    "Setup",
    "System",
    "Trust",
    "UsbDevice",
    "new_id",
]
