"""Networks that fail: packets that vanish, resets, loss, a cut cable, a narrow line, packets that are too large.

The controller's second half is in one network namespace and the destination in another, with one cable between them;
the fault begins with the upload of a clip. Needs root. Nothing of it is seen outside, and all of it ends with this
process, because the namespaces have no names.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import controllers  # noqa: F401 - first of all, because it mounts the plugin
from certificates import self_signed
from fake_destination import Exchange, FakeDestination, Turn
from fault_proxy import Behind, pass_on
from http_trial import Asked, Expected, Times, Trial, in_lanes, run, warm_up
from http_yard import CLIP_BYTES, ScriptedGround, Yard, founded
from outcome import Outcome, Plan, Size

NAME = "network"
PATIENCE_SECONDS = 2.5
_NEW_NETWORK = 0x40000000
_OURS, _THEIRS = "10.77.0.1", "10.77.0.2"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_libc = ctypes.CDLL(None, use_errno=True)

T = TypeVar("T")


# --- two namespaces and a cable


class Namespace:
    """A network of its own; only a descriptor refers to it."""

    def __init__(self) -> None:
        self.descriptor = _elsewhere(_leave)

    def enter(self) -> None:
        """Move the calling thread, and those that it will start, into this network."""
        if _libc.setns(self.descriptor, _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "setns")

    def do(self, work: Callable[[], T]) -> T:
        """Do something in a thread that is in this network; what it starts stays there."""

        def entered() -> T:
            self.enter()
            return work()

        return _elsewhere(entered)

    def command(self, *words: str) -> None:
        """Run a command in this network."""
        self.do(lambda: _command(*words))

    def close(self) -> None:
        """Let go; the network ends with the last thread and socket in it."""
        os.close(self.descriptor)


def _elsewhere(work: Callable[[], T]) -> T:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def _leave() -> int:
    if _libc.unshare(_NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "unshare")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def _command(*words: str) -> None:
    done = subprocess.run(words, env={**os.environ, "PATH": _PATH}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


@dataclass
class Cable:
    """Joins the two; each end can be spoilt, and both are made good again at once."""

    ours: Namespace
    theirs: Namespace

    def lay(self) -> None:
        """Make both ends, with their addresses."""
        there = f"/proc/{os.getpid()}/fd/{self.theirs.descriptor}"
        self.ours.command("ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", there)
        for side, address in ((self.ours, _OURS), (self.theirs, _THEIRS)):
            side.command("ip", "link", "set", "lo", "up")
            side.command("ip", "address", "add", f"{address}/24", "dev", "cable")
            side.command("ip", "link", "set", "cable", "up")

    def filter(self, hook: str, *rules: str) -> None:
        """Put rules before what reaches the destination (``input``) or leaves it (``output``)."""
        chain = f"table inet fault {{ chain packets {{ type filter hook {hook} priority 0; {'; '.join(rules)}; }}; }}"
        self.theirs.command("nft", chain)

    def narrow(self, rate: str) -> None:
        """Let no more through than this, towards the destination."""
        limit = ("tbf", "rate", rate, "burst", "16kb", "latency", "400ms")
        self.ours.command("tc", "qdisc", "replace", "dev", "cable", "root", *limit)

    def pull(self) -> None:
        """Take the cable out."""
        self.theirs.command("ip", "link", "set", "cable", "down")

    def mend(self) -> None:
        """Make all good again; once more is the same."""
        self.theirs.command("nft", "flush ruleset")
        self.theirs.command("ip", "link", "set", "cable", "up")
        self.ours.do(lambda: subprocess.run(["tc", "qdisc", "del", "dev", "cable", "root"], capture_output=True))


@contextmanager
def two_networks() -> Iterator[Cable]:
    """Make two networks and the cable between them."""
    with ExitStack() as stack:
        cable = Cable(Namespace(), Namespace())
        stack.callback(cable.ours.close)
        stack.callback(cable.theirs.close)
        cable.lay()
        yield cable


# --- what goes wrong


@dataclass(frozen=True)
class Fault:
    """One way in which a network fails, from the moment at which the upload of a clip begins."""

    name: str
    begin: Callable[[Cable], None]
    problems: frozenset[str | None]
    #: It ends by itself; otherwise once it was noticed, or everything has arrived in spite of it.
    seconds: float | None = None
    #: Begin when the destination has everything, and before it answers.
    after: bool = False
    asked: Asked = Asked.PUT_OBJECT
    size_bytes: int = CLIP_BYTES

    def trial(self, cable: Cable, behind: Behind) -> Trial:
        """Make of it what is to be tried."""
        turn = self._after(cable, behind) if self.after else self._before(cable, behind)
        expected = Expected(self.problems, None)
        return Trial(self.name, self.asked, Times.ONCE, turn, expected, lambda _: cable.mend(), self.size_bytes)

    def _before(self, cable: Cable, behind: Behind) -> Turn:
        def turn(exchange: Exchange) -> None:
            self._begin(cable)
            pass_on(behind)(exchange)

        return turn

    def _after(self, cable: Cable, behind: Behind) -> Turn:
        def turn(exchange: Exchange) -> None:
            status, headers, body = behind.exchange(exchange, exchange.read_body())
            self._begin(cable)
            exchange.answer(status, {"Etag": headers.get("Etag", "")}, body)

        return turn

    def _begin(self, cable: Cable) -> None:
        self.begin(cable)
        if self.seconds is not None:
            ends = threading.Timer(self.seconds, cable.mend)
            ends.daemon = True
            ends.start()


_TO_US = f"ip saddr {_OURS} tcp dport 1-65535"
_FROM_US = f"ip daddr {_OURS} tcp sport 1-65535"
_SLOW, _CUT = "destination-too-slow", frozenset({"destination-hung-up"})
_RESET = "reject with tcp reset"
#: Whatever comes of it; what counts is that everything arrives.
_ANY: frozenset[str | None] = frozenset(
    {None, _SLOW, "destination-hung-up", "destination-refuses-connection", "tls-failed"}
)

FAULTS = (
    Fault("packets-vanish", lambda cable: cable.filter("input", f"{_TO_US} drop"), frozenset({_SLOW})),
    Fault("answers-vanish", lambda cable: cable.filter("output", f"{_FROM_US} drop"), frozenset({_SLOW}), after=True),
    Fault("packets-are-reset", lambda cable: cable.filter("input", f"{_TO_US} {_RESET}"), _ANY - {None}),
    Fault(
        "one-in-ten-is-lost",
        lambda cable: cable.filter("input", f"{_TO_US} numgen random mod 100 < 10 drop"),
        _ANY,
    ),
    Fault(
        "answers-are-lost-one-in-three",
        lambda cable: cable.filter("output", f"{_FROM_US} numgen random mod 100 < 33 drop"),
        _ANY,
    ),
    Fault("cable-out-for-a-moment", Cable.pull, _ANY, seconds=1.0),
    Fault("cable-out", Cable.pull, frozenset({_SLOW, "destination-refuses-connection"})),
    Fault("cable-out-before-the-answer", Cable.pull, frozenset({_SLOW}), after=True),
    Fault("narrow-line", lambda cable: cable.narrow("4mbit"), _ANY),
    Fault("line-too-narrow", lambda cable: cable.narrow("40kbit"), frozenset({_SLOW})),
    Fault(
        "large-packets-vanish",
        lambda cable: cable.filter("input", f"{_TO_US} meta length > 1000 drop"),
        frozenset({_SLOW}),
    ),
    Fault(
        "no-new-connections",
        lambda cable: cable.filter("input", f"{_TO_US} tcp flags & (syn | ack) == syn drop"),
        _ANY,
    ),
    Fault(
        "refused-at-the-sign-in",
        lambda cable: cable.filter("input", f"{_TO_US} {_RESET}"),
        _ANY,
        asked=Asked.SIGN_IN,
    ),
)  # fmt: skip


# --- the tier


def unavailable() -> str | None:
    """Say why there can be no networks here."""
    if os.geteuid():
        return "networks need root"
    missing = [tool for tool in ("ip", "nft", "tc") if shutil.which(tool, path=_PATH) is None]
    if missing:
        return f"missing: {', '.join(missing)}"
    try:
        with two_networks() as cable:
            cable.filter("input", f"{_TO_US} drop")
            cable.narrow("1mbit")
    except (OSError, RuntimeError) as error:
        return f"no networks can be made here: {error}"
    return None


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Try each fault; at full size many times, because losses are random."""
    times = {Size.SAMPLE: 1, Size.ORDINARY: 2, Size.FULL: 20}[plan.size]
    points = [(fault, number) for number in range(times) for fault in _chosen(plan)]

    def work(number: int, share: Sequence[tuple[Fault, int]]) -> Iterator[Outcome]:
        with two_networks() as cable, _yard(plan, cable, number) as yard, yard.uploading(PATIENCE_SECONDS):
            warm_up(yard)
            for fault, turn in share:
                began = time.monotonic()
                found = run(yard, fault.trial(cable, yard.ground.behind))
                yield found.outcome(NAME, f"{fault.name}/{turn}", time.monotonic() - began)

    return in_lanes([point for point in points if plan.wants(f"{point[0].name}/{point[1]}")], plan.lanes, work)


def _chosen(plan: Plan) -> list[Fault]:
    return plan.choice(NAME).sample(FAULTS, 3) if plan.size is Size.SAMPLE and plan.only is None else list(FAULTS)


@contextmanager
def _yard(plan: Plan, cable: Cable, number: int) -> Iterator[Yard]:
    """Start the destination on its side of the cable, and work on the other: the calling thread moves there."""
    with ExitStack() as stack:
        fake = cable.theirs.do(lambda: _started(FakeDestination(at_address=_THEIRS)))
        stack.callback(fake.stop)
        behind, certificate = Behind(_THEIRS, fake.port), self_signed(_THEIRS)
        proxy = cable.theirs.do(
            lambda: _started(FakeDestination(certificate, at_address=_THEIRS, well=pass_on(behind)))
        )
        stack.callback(proxy.stop)
        cable.ours.enter()
        yield stack.enter_context(
            founded(plan.folder / f"yard-{number}", ScriptedGround(fake), plan.seed + number, proxy)
        )


def _started(destination: FakeDestination) -> FakeDestination:
    """Let it serve, in the network of the calling thread."""
    return destination.__enter__()
