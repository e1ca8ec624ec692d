"""What recordings are on a plain disk: those that were found before, and new ones made of the files that are left.

Files that were found before stay in the recording in which they were found, so a camera that records on, or that
overwrites its oldest files, never makes two recordings of one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from ...const import LARGEST_OBJECT_BYTES
from ...destination.names import clip_name
from ...errors import (
    BodywornError,
    CameraFileImpossible,
    CameraFileRefused,
    CameraFilesLeftAlone,
    CameraFolderUnread,
    CameraMoreLeft,
    CameraNameTwice,
    CameraPathTooLong,
    CameraReadFailed,
    CameraTooSlow,
    ClipLengthUnknown,
)
from ...models import ClipKind
from ...services import findings
from ...services.findings import Finding, FoundFile, Known
from . import disk_files, disk_layouts, disk_media, segments
from .disk_layouts import Recognised
from .disk_walk import DiskFile, Walk
from .protocol import Listed
from .segments import Segment

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://bodyworn.invalid/disk")
#: Problems that are told one by one; what goes beyond is counted.
_MOST_PROBLEMS: Final = 100
_MOST_NAMES: Final = 10
#: For reading the ends of all files.
_MOST_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Ticket:
    """What goes into every finding of one docking."""

    serial: str
    recognised: Recognised
    settings_sequence: int
    zone: ZoneInfo


@dataclass
class _Sorted:
    """Files of recordings, and what is wrong with the others."""

    files: dict[str, DiskFile] = field(default_factory=dict)
    edges: dict[str, str] = field(default_factory=dict)
    problems: list[Listed] = field(default_factory=list)
    more: int = 0

    def refuse(self, path: str, problem: BodywornError) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(_told(path, problem))
        else:
            self.more += 1

    def refused(self) -> list[Listed]:
        return [*self.problems, *([_told("", CameraMoreLeft(count=self.more))] if self.more else [])]


def recordings(
    root: int, walked: Walk, known: Sequence[Known], ticket: Ticket, *, seconds: float = _MOST_SECONDS
) -> list[Listed]:
    """List the recordings of a disk, the oldest first, and what could not be listed with its problem."""
    sorted_ = _sort(root, walked, known, time.monotonic() + seconds)
    again = [one.finding for one in known if _is_still_there(one, sorted_)]
    taken = {found.path for finding in again for found in _present(finding, sorted_)}
    fresh = [file for path, file in sorted_.files.items() if path not in taken]
    made, remarks = _new(root, fresh, sorted_.edges, ticket)
    ordered = sorted([*again, *made], key=lambda finding: finding.start)
    listed = [Listed(one.id, one, findings.write(one)) for one in ordered]
    return listed + sorted_.refused() + remarks + _left_alone(walked)


def evidence(walked: Walk) -> list[DiskFile]:
    """List the files that belong to recordings; empty ones hold nothing."""
    return [file for file in walked.files if _is_evidence(file)]


def new_on(walked: Walk, known: Sequence[Known]) -> list[DiskFile]:
    """List the clips that were not found before, under whatever name."""
    before = {(found.size_bytes, found.modified_ns) for one in known for found in one.finding.clips}
    clips = [file for file in evidence(walked) if disk_layouts.kind_of(file.path) is ClipKind.CLIP]
    return [file for file in clips if (file.size_bytes, file.modified_ns) not in before]


def _is_evidence(file: DiskFile) -> bool:
    return bool(file.size_bytes) and disk_layouts.kind_of(file.path) is not None


def _told(path: str, problem: BodywornError, *, harmless: bool = False) -> Listed:
    return Listed(str(uuid5(_NAMESPACE, path)), None, b"", problem, harmless)


def _left_alone(walked: Walk) -> list[Listed]:
    """Tell of the files that are no recordings."""
    left = [file.path for file in walked.files if not _is_evidence(file)]
    told = CameraFilesLeftAlone(count=len(left), names=_some(left))
    return [_told("left alone", told, harmless=True)] if left else []


def _some(names: Sequence[str]) -> str:
    """Name as many as anybody reads."""
    return ", ".join([*(name[:120] for name in names[:_MOST_NAMES]), *(["…"] if len(names) > _MOST_NAMES else [])])


def _sort(root: int, walked: Walk, known: Sequence[Known], end: float) -> _Sorted:
    sorted_ = _Sorted()
    _refuse_unreachable(walked, sorted_)
    possible = _possible(walked, sorted_)
    before = {found.path: found for one in known for found in one.finding.clips}
    # what is new first: what was found before is compared again before anything is deleted
    possible.sort(key=lambda file: (_is_known(file, before), file.path))
    late = 0
    for file in possible:
        if time.monotonic() <= end:
            _look_at(root, file, sorted_)
        elif _is_known(file, before):
            sorted_.files[file.path], sorted_.edges[file.path] = file, before[file.path].edges_sha256
        else:
            late += 1
    if late:
        sorted_.refuse("late", CameraTooSlow(count=late))
    return sorted_


def _refuse_unreachable(walked: Walk, sorted_: _Sorted) -> None:
    for folder, reason in walked.unread:
        sorted_.refuse(folder, CameraFolderUnread(name=folder, reason=reason))
    for name in walked.strange:
        sorted_.refuse(name, CameraFileRefused(name=name))
    for name in walked.overlong:
        sorted_.refuse(name, CameraPathTooLong(name=name))


def _possible(walked: Walk, sorted_: _Sorted) -> list[DiskFile]:
    """Leave out what cannot be: two of one name, and more than the disk holds, of which the largest go first."""
    names = Counter(file.path for file in walked.files)
    room_bytes = walked.total_bytes or None
    possible: list[DiskFile] = []
    for file in sorted(evidence(walked), key=lambda file: file.size_bytes):
        if names[file.path] > 1:
            sorted_.refuse(file.path, CameraNameTwice(name=file.path))
        elif file.size_bytes >= LARGEST_OBJECT_BYTES or (room_bytes is not None and file.size_bytes > room_bytes):
            sorted_.refuse(file.path, CameraFileImpossible(name=file.path, size_bytes=file.size_bytes))
        else:
            room_bytes = None if room_bytes is None else room_bytes - file.size_bytes
            possible.append(file)
    return possible


def _look_at(root: int, file: DiskFile, sorted_: _Sorted) -> None:
    try:
        sorted_.edges[file.path] = disk_files.read_edges(root, file)
    except BodywornError:
        sorted_.refuse(file.path, CameraReadFailed(name=file.path))
    else:
        sorted_.files[file.path] = file


def _is_known(file: DiskFile, before: dict[str, FoundFile]) -> bool:
    found = before.get(file.path)
    return found is not None and disk_files.is_listed_as(file, found)


def _is_still_there(known: Known, sorted_: _Sorted) -> bool:
    """A stored recording is itself as long as anything of it is left; any other only while it is whole."""
    present = _present(known.finding, sorted_)
    return bool(present) if known.stored else len(present) == len(known.finding.clips)


def _present(finding: Finding, sorted_: _Sorted) -> list[FoundFile]:
    return [
        found
        for found in finding.clips
        if (file := sorted_.files.get(found.path))
        and disk_files.is_listed_as(file, found)
        and sorted_.edges[file.path] == found.edges_sha256
    ]


def _new(
    root: int, files: Sequence[DiskFile], edges: dict[str, str], ticket: Ticket
) -> tuple[list[Finding], list[Listed]]:
    """Make recordings of files; gives remarks as well, where containers were asked for a length and told none."""
    kinds = [(file, kind) for file in files if (kind := disk_layouts.kind_of(file.path))]
    asked = disk_media.measure(root, (one for one, kind in kinds if segments.needs_length(one, kind, ticket.zone)))
    dated = [segments.segment(file, kind, ticket.zone, asked.lengths.get(file.path)) for file, kind in kinds]
    tolerance = timedelta(seconds=disk_layouts.rules().split_tolerance_seconds)
    untold = ClipLengthUnknown(count=len(asked.untold), names=_some(asked.untold))
    remarks = [_told("lengths", untold, harmless=True)] if asked.untold else []
    return [_finding(run, edges, ticket) for run in segments.runs(dated, tolerance)], remarks


def _finding(run: tuple[Segment, ...], edges: dict[str, str], ticket: Ticket) -> Finding:
    recording_id = _id(run, edges, ticket)
    return Finding(
        made_by="host",
        signed=False,
        id=str(recording_id),
        serial=ticket.serial,
        manufacturer=ticket.recognised.manufacturer[:64],
        model=ticket.recognised.model[:64],
        layout=ticket.recognised.layout,
        settings_sequence=ticket.settings_sequence,
        start=min(one.start for one in run),
        stop=max(one.stop for one in run),
        time_zone=ticket.zone.key,
        clips=_files(run, edges, int(recording_id)),
    )


def _id(run: tuple[Segment, ...], edges: dict[str, str], ticket: Ticket) -> UUID:
    """Name a recording by everything that it is made of, so that the same files are always the same recording."""
    lines = [f"{one.file.path}\n{one.file.size_bytes} {one.file.modified_ns} {edges[one.file.path]}\n" for one in run]
    return uuid5(_NAMESPACE, sha256("".join([ticket.serial, *lines]).encode()).hexdigest())


def _files(run: tuple[Segment, ...], edges: dict[str, str], number: int) -> tuple[FoundFile, ...]:
    """Give every file a name of its own: no two have one stem, because a clip's key is named by its stem."""
    taken: set[str] = set()
    files = []
    for one in run:
        name = clip_name(one.start, f"{number % 0x10000:04X}", disk_layouts.extension_of(one.file.path))
        while name.partition(".")[0] in taken:
            number += 1
            name = clip_name(one.start, f"{number % 0x10000:04X}", disk_layouts.extension_of(one.file.path))
        taken.add(name.partition(".")[0])
        files.append(_file(one, name, edges[one.file.path]))
    return tuple(files)


def _file(one: Segment, name: str, edges_sha256: str) -> FoundFile:
    return FoundFile(
        path=one.file.path,
        name=name,
        kind=ClipKind(one.kind),
        size_bytes=one.file.size_bytes,
        modified_ns=one.file.modified_ns,
        edges_sha256=edges_sha256,
        start=one.start,
        stop=one.stop,
        protected=one.protected,
    )
