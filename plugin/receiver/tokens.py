"""Tokens of the receiver: who signed in, until when; sealed by this machine's key, so nothing has to be remembered."""

from __future__ import annotations

import base64
import time
from typing import Final

import msgspec

from ..crypto.sealed import SealedBox
from ..errors import SealBroken, SignInRefused

#: How long a token lasts; clients sign in again when it has ended.
LIFETIME_SECONDS = 15 * 60
_PURPOSE = "receiver-token"
_LONGEST_TOKEN = 512


class _Ticket(msgspec.Struct, frozen=True, array_like=True):
    account_id: str
    #: Seconds since 1970.
    ends_at: float


# made once, while one thread imports: two that decode a kind for the first time would end the process
_TICKETS: Final = msgspec.json.Decoder(_Ticket)


def issue(box: SealedBox, account_id: str, now: float | None = None) -> str:
    """Make a token for an account that has just signed in."""
    ticket = _Ticket(account_id, (time.time() if now is None else now) + LIFETIME_SECONDS)
    return base64.urlsafe_b64encode(box.seal(_PURPOSE, msgspec.json.encode(ticket))).decode("ascii")


def account_of(box: SealedBox, token: str, now: float | None = None) -> str:
    """Tell for which account a token was made; raises SignInRefused when it is none of ours or has ended."""
    ticket = _opened(box, token)
    left_seconds = ticket.ends_at - (time.time() if now is None else now)
    # a clock that was set back must not lengthen what was given
    if not 0 < left_seconds <= LIFETIME_SECONDS:
        raise SignInRefused
    return ticket.account_id


def _opened(box: SealedBox, token: str) -> _Ticket:
    if len(token) > _LONGEST_TOKEN:
        raise SignInRefused
    try:
        sealed = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        return _TICKETS.decode(box.open(_PURPOSE, sealed))
    except (ValueError, SealBroken, msgspec.MsgspecError) as error:
        raise SignInRefused from error
