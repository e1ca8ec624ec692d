"""What came of a cycle: the originals compared with the camera, the spool, the destination and what is written down.

Everything is looked at from outside, with the bytes themselves, whatever the product says of them; only where it says
that something is wrong does it count as detected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from bodyworn.cli.rig import wait_until
from bodyworn.models import Clip, ClipKind, Event, Recording, RecordingState
from bodyworn.services import holdings, records
from bodyworn.store.verify import Fault, verify
from goals import readable
from outcome import Outcome
from sqlalchemy import select
from workload import Original, Workload

_ONCE = ("found", "stored", "delivered", "erased")
_TURN_SECONDS = 2.0
_BOOKMARK = sha256(b"here").hexdigest()


@dataclass
class Figures:
    """What was found wrong, counted by the names of C5, and in words."""

    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, kind: str, note: str) -> None:
        """Count something that is wrong; a kind that is no figure makes the point fail all the same."""
        self.counts[kind] += 1
        self.notes.append(f"{kind}: {note}")

    def merge(self, later: Figures) -> None:
        """Take in what was found when it was looked at again."""
        self.counts += later.counts
        self.notes += [note for note in later.notes if note not in self.notes]

    def outcome(
        self, tier: str, point: str, *, recovery_seconds: float | None = None, seed: int | None = None, note: str = ""
    ) -> Outcome:
        """Say it as the outcome of a point."""
        return Outcome(
            tier=tier,
            point=point,
            survived=not self.counts,
            lost=self.counts["lost"],
            wrong_deletes=self.counts["wrong_deletes"],
            undetected_corruption=self.counts["undetected_corruption"],
            duplicate_objects=self.counts["duplicate_objects"],
            key_clip_mismatch=self.counts["key_clip_mismatch"],
            orphan_parts=self.counts["orphan_parts"],
            stuck=self.counts["stuck"],
            recovery_seconds=recovery_seconds,
            note="; ".join([*self.notes, *([note] if note else [])]),
            seed=seed,
        )


def after_crash(load: Workload, originals: Iterable[Original]) -> Figures:
    """Look right after something happened: each recording is on its camera, or whole at its destination (I1, I5)."""
    figures = Figures()
    for original in originals:
        if _on_camera(load, original):
            continue
        name = original.recorded.id[:8]
        if not _arrived(load, original):
            figures.add("wrong_deletes", f"{name} left its camera before it was at its destination")
            if not in_spool(load, original):
                figures.add("lost", f"{name} is nowhere")
    return figures


def in_the_end(load: Workload, originals: list[Original], *, done: bool) -> Figures:
    """Look when all should be over. ``done`` tells whether the system says so itself."""
    figures = after_crash(load, originals)
    if not done:
        figures.add("stuck", _standing(load, originals))
    for original in originals:
        _check_destination(load, original, figures, done=done)
        _check_events(load, original, figures, done=done)
    _check_containers(load, figures)
    _check_spool(load, figures)
    with load.database.read() as session:
        for finding in records.check(session).findings:
            figures.add("records", str(finding.problem))
    return figures


# where a recording is


def _on_camera(load: Workload, original: Original) -> bool:
    """Tell whether it is there as it was recorded; its units may be just on their way from hand to hand."""
    return original.recorded.id in original.camera.recordings() and wait_until(
        lambda: load.digests_of(original.camera, original.recorded.id) == original.files,
        _TURN_SECONDS,
    )


def _arrived(load: Workload, original: Original) -> bool:
    """Tell whether every clip and the track are at the destination, readable for its owner, as they were recorded."""
    found = load.recording(original)
    if found is None:
        return False
    objects, pem = load.goal.objects(found.container_name), load.goal.private_pem
    return all(_digest(readable(objects, name, pem)) == digest for name, digest in _wanted(found, original).items())


def in_spool(load: Workload, original: Original) -> bool:
    """Tell whether the spool holds all of it; what is encrypted there is believed by its digest."""
    found = load.recording(original)
    if found is None:
        return False
    with load.database.read() as session:
        expected = holdings.of_recording(session, found.id)["spool"]
    report = verify(load.spool, expected)
    faulty = [one for one in report.findings if one.container == found.container_name]
    return not faulty and report.objects >= len(original.files)


def _wanted(recording: Recording, original: Original) -> dict[str, str]:
    """Give the digest of each object that came from the camera, by its name at the destination."""
    tracks = {clip.name: original.files[clip.source_name or ""] for clip in _kind(recording, ClipKind.TRACK)}
    return original.clips | tracks


def _kind(recording: Recording, kind: ClipKind) -> list[Clip]:
    return [clip for clip in recording.clips if clip.kind is kind]


def _digest(data: bytes | None) -> str:
    return sha256(data).hexdigest() if data is not None else ""


# what came of it


def _check_destination(load: Workload, original: Original, figures: Figures, *, done: bool) -> None:
    """Compare each object, wherever it is said to be delivered; what is unsaid is stuck, and not corrupt."""
    found = load.recording(original)
    if found is None or found.state is not RecordingState.DELIVERED:
        return
    container, pem = found.container_name, load.goal.private_pem
    objects = load.goal.objects(container)
    for name, digest in _wanted(found, original).items():
        if _digest(readable(objects, name, pem)) != digest:
            damaged = "key_clip_mismatch" if pem and name in objects else "undetected_corruption"
            figures.add(damaged, f"{container}/{name} is not what was recorded, and nobody says so")
    for clip in _kind(found, ClipKind.BOOKMARK):
        if _digest(objects.get(clip.name)) != _BOOKMARK:
            figures.add("undetected_corruption", f"{container}/{clip.name} is not the bookmark")
    for name in sorted(objects.keys() - {clip.name for clip in found.clips}):
        figures.add("duplicate_objects", f"{container}/{name} belongs to nothing")
    if len(_kind(found, ClipKind.TRACK)) != 1 or len(_kind(found, ClipKind.BOOKMARK)) != 1:
        figures.add("undetected_corruption", f"{container} lacks its track or its bookmark")
    if done and not load.goal.is_complete(container):
        figures.add("incomplete", container)


def _check_containers(load: Workload, figures: Figures) -> None:
    with load.database.read() as session:
        known = set(session.scalars(select(Recording.container_name)))
    for container in sorted(set(load.goal.containers()) - known):
        figures.add("duplicate_objects", f"{container} belongs to no recording")


def _check_spool(load: Workload, figures: Figures) -> None:
    """Everything is where the database says, and nothing else: no part, no orphan (I6)."""
    for part in load.spool.root.rglob("*.part"):
        figures.add("orphan_parts", part.name)
    with load.database.read() as session:
        expected = holdings.by_store(session)["spool"]
    for finding in verify(load.spool, expected).findings:
        kind = "orphan_parts" if finding.fault is Fault.UNEXPECTED else "undetected_corruption"
        figures.add(kind, f"{finding.container}/{finding.name} in the spool: {finding.fault}")


def _check_events(load: Workload, original: Original, figures: Figures, *, done: bool) -> None:
    """Each thing that happens once to a recording is told once (I16)."""
    found = load.recording(original)
    if found is None or not done:
        return
    with load.database.read() as session:
        told = Counter(session.scalars(select(Event.action).where(Event.object_id == found.id)))
    for action in _ONCE:
        if told[f"recording.{action}"] != 1:
            figures.add("events", f"recording.{action} was told {told[f'recording.{action}']} times")


def _standing(load: Workload, originals: Iterable[Original]) -> str:
    """Say how far each recording is."""
    rows = [load.recording(original) for original in originals]
    states = [f"{row.state} {row.problem_id or ''}".strip() if row else "unknown" for row in rows]
    return f"recordings: {', '.join(states)}; {load.story()[-600:]}"
