"""Signing in at a destination: token and storage address, each believed only after it has been looked at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ..errors import (
    BodywornError,
    DestinationUnreachable,
    NonsenseAnswer,
    StorageHostUnconfirmed,
    StorageUrlRefused,
)
from .addresses import Address, MalformedAddress, parse_address
from .connection_file import ConnectionFile
from .refusals import http_date, refusal
from .secret import Secret, SecretHeaders
from .wire import Answer, Wire

_LARGEST_TOKEN: Final = 8 * 1024
_LARGEST_STORAGE_URL: Final = 2048


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a destination answered: the token, where to store, and how far its clock is ahead of ours if it said so."""

    token: Secret
    storage: Address
    clock_difference_seconds: float | None


def sign_in(wire: Wire, connection: ConnectionFile, confirmed_storage_hosts: Collection[str]) -> SignIn:
    """Sign in at the first address of the connection file that can be reached.

    An address that is reached and refuses decides; only what may be different elsewhere leads to the next one.
    """
    failures: list[tuple[Address, BodywornError]] = []
    for uri in connection.authentication_uris:
        address = parse_address(uri)
        try:
            return sign_in_at(wire, address, connection, confirmed_storage_hosts)
        except BodywornError as error:
            if not error.retry:
                raise
            failures.append((address, error))
    if len(failures) == 1 or not all(isinstance(error, DestinationUnreachable) for _, error in failures):
        raise _most_telling(failures)
    raise DestinationUnreachable(
        addresses=", ".join(address.place for address, _ in failures),
        reasons=", ".join(error.id for _, error in failures),
    )


def sign_in_at(
    wire: Wire, address: Address, connection: ConnectionFile, confirmed_storage_hosts: Collection[str]
) -> SignIn:
    """Sign in at one address; a storage address at another host needs to be among the confirmed ``host:port``."""
    credentials = SecretHeaders()
    credentials["X-Auth-User"] = as_header(connection.user_name)
    credentials["X-Auth-Key"] = as_header(connection.api_key.reveal())
    asked_at = datetime.now(UTC)
    answer = wire.request("GET", address, credentials).read()
    answered_at = datetime.now(UTC)
    # 204 is what Ceph's gateway answers in Swift's place
    if answer.status not in (200, 204):
        raise refusal(answer, missing=NonsenseAnswer(host=address.place, reason="there is no sign-in at this address"))
    token = answer.headers.get("X-Auth-Token", "")
    if not token or len(token) > _LARGEST_TOKEN or not (token.isascii() and token.isprintable()):
        raise NonsenseAnswer(host=address.place, reason="a sign-in without a token")
    storage = check_storage_url(answer.headers.get("X-Storage-Url", ""), address, confirmed_storage_hosts)
    return SignIn(Secret(token), storage, _clock_difference_seconds(answer, asked_at, answered_at))


def check_storage_url(text: str, signed_in_at: Address, confirmed: Collection[str]) -> Address:
    """Accept a storage address at the scheme and host of the sign-in, or at a confirmed host within TLS; no other.

    Without TLS the port has to be the same as well: nothing else would tell the destination from its neighbours.
    """
    if not text or len(text) > _LARGEST_STORAGE_URL:
        raise StorageUrlRefused(reason="it is missing or too long")
    try:
        storage = parse_address(text)
    except MalformedAddress as error:
        raise StorageUrlRefused(reason=str(error)) from error
    if storage.scheme != signed_in_at.scheme:
        raise StorageUrlRefused(reason=f"it begins with {storage.scheme} instead of {signed_in_at.scheme}")
    if not storage.secure and storage.place != signed_in_at.place:
        raise StorageUrlRefused(reason="it is elsewhere, and no certificate could prove that place")
    if storage.host != signed_in_at.host and storage.place not in confirmed:
        raise StorageHostUnconfirmed(storage_host=storage.place)
    return storage


def as_header(text: str) -> str:
    """Spell a text so that it travels as UTF-8 in a header."""
    return text.encode().decode("latin-1")


def _most_telling(failures: list[tuple[Address, BodywornError]]) -> BodywornError:
    """Prefer what an address said over that another one could not be reached."""
    return next((error for _, error in failures if not isinstance(error, DestinationUnreachable)), failures[0][1])


def _clock_difference_seconds(answer: Answer, asked_at: datetime, answered_at: datetime) -> float | None:
    """Estimate from the Date header, which is cut to whole seconds: half a second is added back."""
    theirs = http_date(answer.headers.get("Date", ""))
    if theirs is None:
        return None
    ours = asked_at + (answered_at - asked_at) / 2
    return round((theirs - ours).total_seconds() + 0.5, 1)
