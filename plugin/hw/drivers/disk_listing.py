"""What recordings are on a plain disk: those that were found before, and new ones made of the files that are left.

Files that were found before stay in the recording in which they were found, so a camera that records on, or that
overwrites its oldest files, never makes two recordings of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from ...const import LARGEST_OBJECT_BYTES
from ...destination.names import clip_name
from ...errors import BodywornError, CameraFileImpossible, CameraFolderUnread, CameraReadFailed
from ...models import ClipKind
from ...services import findings
from ...services.findings import Finding, FoundFile, Known
from . import disk_files, disk_layouts, segments
from .disk_layouts import Recognised
from .disk_walk import DiskFile, Walk
from .protocol import Listed
from .segments import Segment

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://bodyworn.invalid/disk")


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

    def refuse(self, path: str, problem: BodywornError) -> None:
        self.problems.append(Listed(str(uuid5(_NAMESPACE, path)), None, b"", problem))


def recordings(root: int, walked: Walk, known: Sequence[Known], ticket: Ticket) -> list[Listed]:
    """List the recordings of a disk, the oldest first, and what could not be listed with its problem."""
    sorted_ = _sort(root, walked)
    again = [one.finding for one in known if _is_still_there(one, sorted_)]
    taken = {found.path for finding in again for found in _present(finding, sorted_)}
    fresh = _new([file for path, file in sorted_.files.items() if path not in taken], sorted_.edges, ticket)
    ordered = sorted([*again, *fresh], key=lambda finding: finding.start)
    return [Listed(one.id, one, findings.write(one)) for one in ordered] + sorted_.problems


def evidence(walked: Walk) -> list[DiskFile]:
    """List the files that belong to recordings; empty ones hold nothing."""
    return [file for file in walked.files if file.size_bytes and disk_layouts.kind_of(file.path)]


def _sort(root: int, walked: Walk) -> _Sorted:
    sorted_ = _Sorted()
    for folder, reason in walked.unread:
        sorted_.refuse(folder, CameraFolderUnread(name=folder, reason=reason))
    room_bytes = walked.total_bytes
    for file in evidence(walked):
        if file.size_bytes >= LARGEST_OBJECT_BYTES or file.size_bytes > room_bytes:
            sorted_.refuse(file.path, CameraFileImpossible(name=file.path, size_bytes=file.size_bytes))
            continue
        room_bytes -= file.size_bytes
        try:
            sorted_.edges[file.path] = disk_files.read_edges(root, file)
        except BodywornError:
            sorted_.refuse(file.path, CameraReadFailed(name=file.path))
        else:
            sorted_.files[file.path] = file
    return sorted_


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


def _new(files: Iterable[DiskFile], edges: dict[str, str], ticket: Ticket) -> list[Finding]:
    kinds = [(file, kind) for file in files if (kind := disk_layouts.kind_of(file.path))]
    dated = [segments.segment(file, kind, ticket.zone) for file, kind in kinds]
    tolerance = timedelta(seconds=disk_layouts.rules().split_tolerance_seconds)
    return [_finding(run, edges, ticket) for run in segments.runs(dated, tolerance)]


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
