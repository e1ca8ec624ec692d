"""Where the copies of clips are and what is proved of them, as pages show it: camera, controller, destination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..models import Clip, ClipKind, Copy, CopyState, Place
from .erasing import ON_CAMERA
from .sentence import Problem, Sentence, Tone, problem, sentence

#: The way a recording goes, in the order it is drawn.
WAY = (Place.CAMERA, Place.SPOOL, Place.DESTINATION)

_STATES: Mapping[CopyState, tuple[Tone, Sentence]] = {
    CopyState.KEPT: (Tone.OKAY, sentence("kept")),
    CopyState.WRITING: (Tone.MOVING, sentence("sending")),
    CopyState.VERIFIED: (Tone.OKAY, sentence("verified")),
    CopyState.ACKNOWLEDGED: (Tone.INACTIVE, sentence("acknowledged")),
    CopyState.ERASED: (Tone.INACTIVE, sentence("erased")),
    CopyState.PROBLEM: (Tone.PROBLEM, sentence("problem")),
}
#: What a destination will never take where it belongs: kept as rejected content there, or not there at all.
_PUT_ASIDE = (Tone.ATTENTION, sentence("as rejected content"))
_REFUSED = (Tone.PROBLEM, sentence("refused"))
_NOT_THERE = (Tone.INACTIVE, sentence("not yet"))
_NEVER_THERE = (Tone.INACTIVE, sentence("made here"))
#: Of several clips, the one that is furthest behind speaks for all.
_BEHIND = (
    CopyState.PROBLEM,
    CopyState.WRITING,
    None,
    CopyState.KEPT,
    CopyState.ACKNOWLEDGED,
    CopyState.VERIFIED,
    CopyState.ERASED,
)


@dataclass(frozen=True)
class Standing:
    """How one or several clips stand in one place."""

    place: Place
    tone: Tone
    word: Sentence
    #: How far it is while it moves; None otherwise.
    percent: int | None = None
    #: Clips of which this is said, and of how many; different only while something is on its way.
    done: int = 0
    total: int = 1


@dataclass(frozen=True)
class CopyView:
    """One copy of a clip, with its proof."""

    standing: Standing
    #: What was read back or answered; None where nothing was proved.
    proved_sha256: str | None
    proved_md5: str | None
    proved_at: datetime | None
    #: When its bytes were last read again, and what was wrong with them.
    checked_at: datetime | None = None
    problem: Problem | None = None


def copy_view(clip: Clip, place: Place) -> CopyView:
    """Show the copy of a clip in one place."""
    found = _copy(clip, place)
    if found is None:
        tone, word = _NEVER_THERE if place is Place.CAMERA and clip.kind not in ON_CAMERA else _NOT_THERE
        return CopyView(Standing(place, tone, word), None, None, None)
    standing = _standing(place, [clip])
    trouble = problem(found.problem_id, found.problem_values)
    return CopyView(standing, found.proved_sha256, found.proved_md5, found.proved_at, found.checked_at, trouble)


def standings(clips: Sequence[Clip]) -> tuple[Standing, ...]:
    """Show how a whole recording stands in each place; its clips and tracks count."""
    evidence = [clip for clip in clips if clip.kind is not ClipKind.KEY]
    return tuple(
        _standing(place, [clip for clip in evidence if place is not Place.CAMERA or clip.kind in ON_CAMERA])
        for place in WAY
    )


def _standing(place: Place, clips: Sequence[Clip]) -> Standing:
    states = [copy.state if (copy := _copy(clip, place)) else None for clip in clips]
    if not states or all(state is None for state in states):
        return Standing(place, *_NOT_THERE, total=len(clips))
    behind = min(states, key=_BEHIND.index)
    done = sum(state is not None and _BEHIND.index(state) >= _BEHIND.index(CopyState.KEPT) for state in states)
    if behind in (None, CopyState.WRITING):
        word = sentence("storing") if place is Place.SPOOL else sentence("sending")
        return Standing(place, Tone.MOVING, word, _percent(place, clips), done, len(clips))
    assert behind is not None
    return Standing(place, *_word(place, behind, clips), done=done, total=len(clips))


def _word(place: Place, behind: CopyState, clips: Sequence[Clip]) -> tuple[Tone, Sentence]:
    if place is Place.DESTINATION and behind is CopyState.PROBLEM:
        return _REFUSED
    if place is Place.DESTINATION and any((copy := _copy(clip, place)) and copy.problem_id for clip in clips):
        return _PUT_ASIDE
    return _STATES[behind]


def _percent(place: Place, clips: Sequence[Clip]) -> int | None:
    sizes = [clip.size_bytes if place is Place.SPOOL else clip.stored_size_bytes or clip.size_bytes for clip in clips]
    done = [_done(copy, size) if (copy := _copy(clip, place)) else 0 for clip, size in zip(clips, sizes, strict=True)]
    return sum(done) * 100 // sum(sizes) if sum(sizes) else None


def _done(copy: Copy, size_bytes: int) -> int:
    return min(copy.done_bytes, size_bytes) if copy.state is CopyState.WRITING else size_bytes


def _copy(clip: Clip, place: Place) -> Copy | None:
    return next((copy for copy in clip.copies if copy.place is place), None)
