"""Destinations that break the protocol itself: silence, drips, nonsense, broken connections, other certificates, lies.

Each is tried on one request of a recording's way, within TLS, before the scripted destination and before a real Swift.
Whatever it is, it is noticed in time and named, and the recording arrives whole once the destination behaves.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import controllers  # noqa: F401 - first of all, because it mounts the plugin
import fake_destination as fd
from bodyworn.const import BLOCK_BYTES
from certificates import self_signed
from fake_destination import Exchange, FakeDestination, Turn
from fault_proxy import Behind, change_answer, pass_on, reset_after
from http_cells import unavailable
from http_trial import Asked, Expected, Times, Trial, in_lanes, run, warm_up
from http_yard import CLIP_BYTES, Ground, ScriptedGround, SwiftGround, Yard, opened
from outcome import Outcome, Plan, Size
from swift_node import SwiftUnavailable, running_swift

__all__ = ["FAULTS", "NAME", "Fault", "outcomes", "tried", "unavailable"]

NAME = "http_faults"
#: How long a destination may be silent where that is what is tried; the product's own 30 s are for full size.
PATIENCE_SECONDS = 1.0
#: Anywhere else: a machine that does much at once is slow, and no destination that is silent.
_PATIENT_SECONDS = 15.0
_NOTICED_SECONDS = 8.0
_CREATED = b"HTTP/1.1 201 Created\r\n"
_LAST = _CREATED + b"Connection: close\r\n"
_CHUNKED = _CREATED + b"Transfer-Encoding: chunked\r\n\r\n"
_MANY = 64 * 1024


@dataclass(frozen=True)
class Fault:
    """One way to break the protocol."""

    name: str
    turn: Callable[[Behind], Turn]
    #: None among them when it may pass without a problem.
    problems: frozenset[str | None]
    asked: Asked = Asked.PUT_OBJECT
    times: Times = Times.ONCE
    mend: Callable[[Yard], None] = lambda _: None
    size_bytes: int = CLIP_BYTES

    def trial(self, yard: Yard) -> Trial:
        """Make of it what is to be tried."""
        turn, expected = self.turn(yard.ground.behind), Expected(self.problems, None)
        notice = _NOTICED_SECONDS + (yard.uploader.patience_seconds if yard.uploader else 0)
        return Trial(self.name, self.asked, self.times, turn, expected, self.mend, self.size_bytes, notice)


def answers(data: bytes) -> Callable[[Behind], Turn]:
    """Answer these bytes after the body, and hang up."""
    return lambda _: fd.garbage(data)


def always(turn: Turn) -> Callable[[Behind], Turn]:
    """Take the same turn whatever stands behind."""
    return lambda _: turn


def streaming(head: bytes, block: bytes, pause_seconds: float = 0.0) -> Callable[[Behind], Turn]:
    """Answer without an end, until the client has had enough."""

    def turn(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(head)
        end = time.monotonic() + fd.GIVES_UP_SECONDS
        while time.monotonic() < end and not exchange.destination.released.wait(pause_seconds):
            exchange.send(block)

    return lambda _: turn


def early_success(exchange: Exchange) -> None:
    """Say that everything is stored, with the right digest, before reading any of it."""
    exchange.answer(201, {"Etag": exchange.seen.headers["ETag"]})
    exchange.destination.released.wait(1)
    exchange.hang_up()


def continue_first(behind: Behind) -> Turn:
    """Send the interim answer that nobody asked for, after the body; then go on well."""

    def turn(exchange: Exchange) -> None:
        body = exchange.read_body()
        exchange.handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        status, headers, _ = behind.exchange(exchange, body)
        exchange.answer(status, {"Etag": headers.get("Etag", "")})

    return turn


def carried_out_and(behind: Behind, head: Callable[[dict[str, str]], bytes]) -> Turn:
    """Let the destination do it, and write an answer of one's own."""

    def turn(exchange: Exchange) -> None:
        _, headers, _ = behind.exchange(exchange, exchange.read_body())
        exchange.send(head({key.lower(): value for key, value in headers.items()}))

    return turn


def more_than_said(behind: Behind) -> Turn:
    """Let another answer follow the first, as if it belonged to the next request of this connection."""
    forged = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"

    def turn(exchange: Exchange) -> None:
        status, headers, body = behind.exchange(exchange, exchange.read_body())
        exchange.answer(status, {"Etag": headers.get("Etag", "")}, body)
        exchange.handler.wfile.write(forged)

    return turn


def end_tokens(behind: Behind) -> Turn:
    """Answer well, and let the token end with it: the next request has one that ended."""

    def turn(exchange: Exchange) -> None:
        if "X-Auth-Token" in exchange.seen.headers:
            exchange.read_body()
            exchange.answer(401)
        else:
            pass_on(behind)(exchange)

    return turn


def swap_certificate(behind: Behind, *, plain: bool = False, **changes: Any) -> Turn:
    """Answer well, and show another certificate from the next connection on."""
    other = None if plain else self_signed(**changes)

    def turn(exchange: Exchange) -> None:
        exchange.destination.show(other)
        exchange.destination.hang_up_others(exchange)
        change_answer(behind, Connection="close")(exchange)
        exchange.hang_up()

    return turn


def show_own(yard: Yard) -> None:
    """Show the certificate of the connection file again."""
    yard.proxy.show(yard.proxy.certificate)


def _redirect(location: str) -> Callable[[Behind], Turn]:
    return always(fd.status(302, Location=location))


def _other_md5() -> str:
    return hashlib.md5(b"another object", usedforsecurity=False).hexdigest()


def _twice(headers: dict[str, str]) -> bytes:
    etag = headers["etag"].encode()
    return _LAST + b"Etag: " + etag + b"\r\nEtag: " + b"0" * 32 + b"\r\nContent-Length: 0\r\n\r\n"


def _with_nul(headers: dict[str, str]) -> bytes:
    return _LAST + b"Etag: " + headers["etag"].encode() + b"\x00\r\nContent-Length: 0\r\n\r\n"


def _zipped(headers: dict[str, str]) -> bytes:
    about = f"Etag: {headers['etag']}\r\nContent-Encoding: gzip\r\nContent-Length: {len(_bomb())}\r\n\r\n"
    return _LAST + about.encode() + _bomb()


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(64 * 1024 * 1024), 1)


_TOO_SLOW = frozenset({"destination-too-slow"})
_NONSENSE = frozenset({"nonsense-answer"})
_HUNG_UP = frozenset({"destination-hung-up"})
_DIFFERS = frozenset({"destination-etag-differs"})
_REDIRECT = frozenset({"redirect-refused"})
_SMOOTH: frozenset[str | None] = frozenset({None})


def _certificate(
    name: str, problems: frozenset[str | None] = frozenset({"certificate-refused"}), **other: Any
) -> Fault:
    return Fault(name, partial(swap_certificate, **other), problems, Asked.PUT_CONTAINER, mend=show_own)


FAULTS: tuple[Fault, ...] = (
    Fault("silence", always(fd.silence), _TOO_SLOW),
    Fault("drip", always(fd.drip(_CREATED, 0.4)), _TOO_SLOW),
    Fault("garbage", answers(b"\x00\xff\x13 220 ready\r\n\r\n"), _NONSENSE),
    Fault("many-headers", answers(_CREATED + b"A: b\r\n" * 100_000 + b"\r\n"), _NONSENSE),
    Fault("long-header", answers(_CREATED + b"A: " + b"b" * 10_000_000 + b"\r\n\r\n"), _NONSENSE),
    Fault("endless-body", streaming(_CREATED + b"Content-Length: 1073741824\r\n\r\n", bytes(_MANY)), _NONSENSE),
    Fault("wrong-etag", partial(change_answer, Etag="0" * 32), _DIFFERS),
    Fault("etag-of-another", partial(change_answer, Etag=_other_md5()), _DIFFERS),
    Fault("no-etag", partial(change_answer, Etag=None), _SMOOTH),
    Fault("success-before-the-body", always(early_success), _NONSENSE, size_bytes=24 * BLOCK_BYTES),
    Fault("reset-at-a-third", always(reset_after(1 / 3)), _HUNG_UP),
    Fault("reset-at-two-thirds", always(reset_after(2 / 3)), _HUNG_UP),
    Fault("reset-after-the-body", always(reset_after(1)), _HUNG_UP),
    Fault("no-answer", always(fd.nothing), _HUNG_UP),
    Fault("continue-unasked", continue_first, _SMOOTH),
    Fault("continue-endlessly", streaming(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), _NONSENSE | _TOO_SLOW),
    Fault("early-hints", answers(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), _NONSENSE | _HUNG_UP),
    Fault("redirect-elsewhere", _redirect("https://127.0.0.2:9/stolen"), _REDIRECT),
    Fault("redirect-to-http", _redirect("http://127.0.0.1:9/stolen"), _REDIRECT),
    Fault("less-than-said", answers(_CREATED + b"Content-Length: 100\r\n\r\nshort"), _HUNG_UP),
    Fault("more-than-said", more_than_said, _SMOOTH | _NONSENSE | _HUNG_UP),
    Fault("chunks-without-end", streaming(_CHUNKED, b"8\r\n" + bytes(8) + b"\r\n", 0.3), _TOO_SLOW),
    Fault("chunks-that-are-none", answers(_CHUNKED + b"zz\r\n"), _NONSENSE),
    _certificate("certificate-swapped"),
    _certificate("certificate-expired", days_left=-1),
    _certificate("certificate-of-another", address="127.0.0.2"),
    _certificate("plain-http-instead", frozenset({"tls-failed"}), plain=True),
    Fault("two-etags", lambda behind: carried_out_and(behind, _twice), _SMOOTH | _DIFFERS),
    Fault("token-ends-midway", end_tokens, _SMOOTH),
    Fault("gzip-bomb", lambda behind: carried_out_and(behind, _zipped), _SMOOTH),
    Fault("nul-in-a-header", lambda behind: carried_out_and(behind, _with_nul), _SMOOTH | _NONSENSE),
    Fault("http-0.9", answers(b"stored, thank you"), _NONSENSE),
)  # fmt: skip


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Try each fault before the scripted destination and before a real Swift."""
    with FakeDestination() as fake:
        yield from on(plan, "fake", ScriptedGround(fake))
    if plan.size is Size.SAMPLE:
        return
    try:
        with running_swift() as swift:
            yield from on(plan, "swift", SwiftGround(swift))
    except SwiftUnavailable as reason:
        yield Outcome(NAME, "swift", False, note=f"there is no Swift: {reason}")


def on(plan: Plan, ground_name: str, ground: Ground) -> Iterator[Outcome]:
    """Try the faults of a plan before one destination."""
    _bomb()

    def work(number: int, faults: Sequence[Fault]) -> Iterator[Outcome]:
        folder = plan.folder / f"{ground_name}-{number}"
        with opened(folder, ground, plan.seed + number, self_signed()) as yard, yard.uploading():
            warm_up(yard)
            yield from tried(yard, faults, ground_name, PATIENCE_SECONDS if plan.size is not Size.FULL else 30.0)

    return in_lanes(chosen(plan, ground_name), plan.lanes, work)


def chosen(plan: Plan, ground_name: str) -> list[Fault]:
    """Choose the faults of a plan: all of them, or a few and what once held a thread for ever."""
    if plan.only is None and plan.size is Size.SAMPLE:
        endless = [fault for fault in FAULTS if fault.name == "continue-endlessly"]
        return endless + plan.choice(ground_name).sample([fault for fault in FAULTS if fault not in endless], 5)
    return [fault for fault in FAULTS if plan.wants(f"{ground_name}/{fault.name}")]


def tried(yard: Yard, faults: Sequence[Fault], ground_name: str, patience_seconds: float) -> Iterator[Outcome]:
    """Try faults in a yard whose uploader is at work, with so much patience for those that are silent."""
    for fault in faults:
        began = time.monotonic()
        yard.be_patient(patience_seconds if "destination-too-slow" in fault.problems else _PATIENT_SECONDS)
        found = run(yard, fault.trial(yard))
        yield found.outcome(NAME, f"{ground_name}/{fault.name}", time.monotonic() - began)
