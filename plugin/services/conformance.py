"""Does a folder follow the camera volume format, version 1? For people who make cameras (``docs/camera-volume.md``).

Looks at the units of a camera as they lie there. Behaviour (turns, refused orders, crashes) cannot be seen in a folder;
section 19 of the format says how that is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..camera_volume.documents import Unit
from ..errors import VolumeMissing
from .conformance_control import check_control, check_receipts_belong
from .conformance_media import check_media
from .conformance_remarks import Remark, Remarks, Severity


@dataclass(frozen=True)
class Conformance:
    """What was looked at, and what is to be said of it."""

    units: tuple[Unit, ...]
    recordings: int
    remarks: tuple[Remark, ...]

    @property
    def conforms(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.faults

    @property
    def faults(self) -> tuple[Remark, ...]:
        """Give what is wrong."""
        return tuple(one for one in self.remarks if one.severity is Severity.FAULT)


def check(folder: Path) -> Conformance:
    """Check what lies in a folder: a control unit, a media unit, or both as ``control`` and ``media``.

    :raises VolumeMissing: when it is none of these.
    """
    control, media = _units(folder)
    remarks = Remarks()
    described = check_control(control, remarks) if control else None
    holder = media or (control if control and (control / "recordings").is_dir() else None)
    ids = check_media(holder, described.description if described else None, remarks) if holder else frozenset()
    if control and holder:
        check_receipts_belong(control, ids, remarks)
    units = tuple(unit for unit, path in ((Unit.CONTROL, control), (Unit.MEDIA, media)) if path)
    return Conformance(units, len(ids), tuple(remarks.all))


def _units(folder: Path) -> tuple[Path | None, Path | None]:
    """Find the control unit and the media unit."""
    both = tuple(path if path.is_dir() else None for path in (folder / "control", folder / "media"))
    if any(both):
        return both[0], both[1]
    if (folder / "camera.json").exists():
        return folder, None
    if (folder / "recordings").is_dir():
        return None, folder
    raise VolumeMissing(folder=str(folder))
