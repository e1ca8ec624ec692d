"""The copies of a clip: look one up, write one down. What a copy permits is decided in ``erasing``."""

from __future__ import annotations

from datetime import UTC, datetime

from ..errors import BodywornError
from ..models import Clip, Copy, CopyState, Place, new_id
from . import problems

_PROVED = frozenset({CopyState.VERIFIED, CopyState.ACKNOWLEDGED})


def find(clip: Clip, place: Place) -> Copy | None:
    """Give the copy in a place, or None."""
    return next((copy for copy in clip.copies if copy.place is place), None)


def in_spool(clip: Clip) -> Copy:
    """Give the copy in the spool, which must have been made."""
    found = find(clip, Place.SPOOL)
    assert found is not None, f"{clip.name} was never stored"
    return found


def state(clip: Clip, place: Place) -> CopyState | None:
    """Give the state of the copy in a place, or None where there is none."""
    found = find(clip, place)
    return found.state if found else None


def refusal(clip: Clip, failure_domain: str) -> BodywornError | None:
    """Give the reason for which a destination refused an object for good, or None; another destination may take it."""
    there = find(clip, Place.DESTINATION)
    return problems.read(there) if there is not None and there.failure_domain == failure_domain else None


def put(
    clip: Clip,
    place: Place,
    new_state: CopyState,
    failure_domain: str,
    *,
    sha256: str | None = None,
    md5: str | None = None,
) -> Copy:
    """Write down what is known of a copy now; a proof carries the digests that prove it."""
    copy = find(clip, place)
    if copy is None:
        copy = Copy(id=new_id(), place=place, done_bytes=0)
        clip.copies.append(copy)
    copy.state, copy.failure_domain = new_state, failure_domain
    problems.clear(copy)
    if new_state in _PROVED:
        copy.proved_sha256, copy.proved_md5, copy.proved_at = sha256, md5, datetime.now(UTC)
        copy.checked_at = copy.proved_at if new_state is CopyState.VERIFIED else None
        copy.done_bytes = clip.stored_size_bytes or clip.size_bytes
    return copy
