"""A page of its own with the camera drawn on it, on loopback alone: press, hold, dock, undock, and see and hear it.

Part of the demonstration and of browser tests, never of a host. It answers only who asks for it by its own address, and
acts only on requests that carry a header which another site's pages cannot send.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self, cast

import msgspec

from ..errors import BodywornError
from .buttons import Button
from .faults import BodyFault
from .sounds import Signal
from .worn import WornCamera

_DRAWING: Final = Path(__file__).parent / "drawing"
_FILES: Final = {
    "/": ("camera.html", "text/html; charset=utf-8"),
    "/camera.css": ("camera.css", "text/css; charset=utf-8"),
    "/camera.js": ("camera.js", "text/javascript; charset=utf-8"),
}
_POLICY: Final = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
_MARK: Final = "X-Bodyworn-Camera"


class Lit(msgspec.Struct, frozen=True):
    """A lit light, for the page."""

    colour: str
    pattern: str


class Heard(msgspec.Struct, frozen=True):
    """A signal, for the page: when, and its tones."""

    at: float
    beep: tuple[str, ...]
    buzz: tuple[str, ...]


class Seen(msgspec.Struct, frozen=True):
    """What the page draws."""

    serial: str
    phase: str
    state: str
    docked: bool
    recording: bool
    silent: bool
    charger: bool
    extension: bool
    battery_percent: int
    recordings: int
    faults: tuple[str, ...]
    lights: dict[str, Lit]
    heard: tuple[Heard, ...]
    repeating: Heard | None
    again_seconds: float | None


class CameraPage:
    """Serve a camera's page while it is used as a context manager."""

    def __init__(self, worn: WornCamera, bay: Path, port: int = 0) -> None:
        """Open the socket; port 0 takes any free one."""
        self._server = _Server(worn, bay, port)
        self._thread = threading.Thread(target=self._server.serve_forever, name="camera page", daemon=True)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, worn: WornCamera, bay: Path, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.worn = worn
        self.actions = _actions(worn, bay)

    @property
    def names(self) -> frozenset[str]:
        """The addresses that the page goes by; another one is somebody else's name for this machine."""
        return frozenset({f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}"})


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Give the page, its parts, or what the camera looks like now."""
        if not self._is_ours():
            self._answer(HTTPStatus.FORBIDDEN)
        elif self.path == "/state.json":
            self._answer(HTTPStatus.OK, msgspec.json.encode(see(self._camera.worn)), "application/json")
        elif self.path in _FILES:
            name, kind = _FILES[self.path]
            self._answer(HTTPStatus.OK, (_DRAWING / name).read_bytes(), kind)
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Do something with the camera; it says in a sentence why it cannot be done."""
        action = self._camera.actions.get(self.path)
        if not self._is_ours() or _MARK not in self.headers:
            self._answer(HTTPStatus.FORBIDDEN)
        elif action is None:
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            try:
                action()
            except BodywornError as error:
                self._answer(HTTPStatus.CONFLICT, f"{error} {error.advice}".encode(), "text/plain; charset=utf-8")
            else:
                self._answer(HTTPStatus.NO_CONTENT)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the page asks four times a second."""

    @property
    def _camera(self) -> _Server:
        return cast(_Server, self.server)

    def _is_ours(self) -> bool:
        return self.headers.get("Host", "") in self._camera.names

    def _answer(self, status: HTTPStatus, body: bytes = b"", kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def see(worn: WornCamera) -> Seen:
    """Put what a camera looks like into what its page reads."""
    seen, core = worn.look(), worn.camera.core
    return Seen(
        serial=worn.camera.serial,
        phase=seen.phase,
        state=seen.state,
        docked=seen.docked,
        recording=seen.recording,
        silent=seen.silent,
        charger=core.charger,
        extension=seen.extension,
        battery_percent=int(seen.battery_percent),
        recordings=seen.recordings,
        faults=tuple(sorted(core.body_faults)),
        lights={light.value: Lit(lamp.colour, lamp.pattern) for light, lamp in seen.lights.items()},
        heard=tuple(_heard(one.at, one.signal) for one in seen.sounded),
        repeating=_heard(0.0, seen.repeating) if seen.repeating else None,
        again_seconds=seen.repeating.again_seconds if seen.repeating else None,
    )


def _heard(at: float, signal: Signal) -> Heard:
    return Heard(at, tuple(signal.beep), tuple(signal.buzz))


def _actions(worn: WornCamera, bay: Path) -> dict[str, Callable[[], None]]:
    actions: dict[str, Callable[[], None]] = {
        "/dock": lambda: worn.dock(bay),
        "/undock": worn.undock,
        "/charger/on": lambda: worn.charge(connected=True),
        "/charger/off": lambda: worn.charge(connected=False),
        "/extension/on": worn.attach_extension,
        "/extension/off": worn.detach_extension,
    }
    for button in Button:
        actions[f"/press/{button}"] = partial(worn.press, button)
        actions[f"/release/{button}"] = partial(worn.release, button)
    for fault in BodyFault:
        actions[f"/fault/{fault}/on"] = partial(_suffer, worn, fault, broken=True)
        actions[f"/fault/{fault}/off"] = partial(_suffer, worn, fault, broken=False)
    return actions


def _suffer(worn: WornCamera, fault: BodyFault, *, broken: bool) -> None:
    present = worn.camera.core.body_faults
    worn.suffer(present | {fault} if broken else present - {fault})
