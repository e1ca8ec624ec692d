"""What it means when a destination does not do as asked: one error for each status (safety page, C3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from ..errors import (
    AuthorizationFailed,
    BodywornError,
    Busy,
    DestinationFailed,
    DestinationFull,
    EtagDiffers,
    Forbidden,
    LicenceMissing,
    NonsenseAnswer,
    RedirectRefused,
    Rejected,
    TooLarge,
)
from .wire import Answer

_LONGEST_PAUSE_SECONDS: Final = 3600.0
_PLAIN: Final[dict[int, type[BodywornError]]] = {
    400: Rejected,
    401: AuthorizationFailed,
    402: LicenceMissing,
    403: Forbidden,
    422: EtagDiffers,
    507: DestinationFull,
}
#: Said of content; where none was sent, something in front of the destination talks nonsense.
_OF_CONTENT: Final = frozenset({400, 413, 422})
_BUSY: Final = frozenset({429, 503})
# 409: a stock Swift meets two writes of one name at the same moment
_FAILED: Final = frozenset({408, 409})


def refusal(
    answer: Answer, *, missing: BodywornError, size_bytes: int | None = None, storing: bool = False
) -> BodywornError:
    """Return the error that an answer stands for; ``missing`` is what 404 means here.

    ``size_bytes`` is the size of the body that was sent, if there was one, and ``storing`` tells whether something of a
    recording was to be written down: only then can it be refused for good.
    """
    status = answer.status
    if status in _OF_CONTENT and not _concerns_content(status, size_bytes, storing=storing):
        return NonsenseAnswer(host=answer.place, reason=f"status {status}")
    if status in _PLAIN:
        return _PLAIN[status]()
    if status == 404:
        return missing
    if status == 413:
        return TooLarge(size_bytes=size_bytes or 0)
    if 300 <= status < 400:
        return RedirectRefused(host=answer.place, status=status)
    if status in _BUSY:
        return Busy(status=status, retry_after_seconds=retry_after_seconds(answer.headers))
    if status in _FAILED or status >= 500:
        return DestinationFailed(status=status, retry_after_seconds=retry_after_seconds(answer.headers))
    return NonsenseAnswer(host=answer.place, reason=f"status {status}")


def _concerns_content(status: int, size_bytes: int | None, *, storing: bool) -> bool:
    """Tell whether a status can be about what was sent: 400 about names and times too, the others about bytes alone."""
    return storing if status == 400 else bool(size_bytes)


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """Read how long to wait, given in seconds or as a date; 0 when not said, an hour at most."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal() and text.isascii():
        return min(float(text), _LONGEST_PAUSE_SECONDS)
    moment = http_date(text)
    return (
        0.0 if moment is None else min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), _LONGEST_PAUSE_SECONDS)
    )


def http_date(text: str) -> datetime | None:
    """Read a date of HTTP; None when it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
