"""What a simulated camera can be asked to do wrong."""

from __future__ import annotations

from enum import StrEnum


class RecordingFault(StrEnum):
    """Faults of one recording, chosen when it is made."""

    UNFINISHED = "unfinished"  # the camera stopped before it wrote the document
    HALF_WRITTEN = "half-written"  # the document breaks off in the middle
    VANISHED_CLIP = "vanished-clip"  # the document names a clip that is not there
    TRUNCATED_CLIP = "truncated-clip"  # the first clip ends early
    WRONG_DIGEST = "wrong-digest"  # the document gives another hash for the first clip


class TurnFault(StrEnum):
    """Faults of a camera's behaviour, while they are in ``SimulatedCamera.faults``."""

    SILENT = "silent"  # takes the units and never gives them back
    UNDOCKED = "undocked"  # is pulled out in the middle of its turn
    IMPOSTOR = "impostor"  # signs with another camera's key


class BodyFault(StrEnum):
    """What is broken in a camera that is worn or docked, as given to ``WornCamera.suffer``."""

    OPERATION = "operation"  # software or anything else that keeps it from recording
    STORAGE = "storage"  # its storage is faulty
    SENSOR = "sensor"  # the sensor camera of the camera extension
    SENSOR_PORT = "sensor-port"  # the camera's own half of that connection
    DOCKING = "docking"  # a general error while docked
    UPLOAD = "upload"  # content does not reach the controller
    CHARGING = "charging"  # the battery does not charge
