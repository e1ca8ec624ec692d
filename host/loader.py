"""Loading plugins so that none of them can stop the host: every step of every plugin ends in a state with a reason.

Order of a plugin's life: discovered, set up (once, before the first request), migrated, started, stopped; in between an
administrator may disable and enable it. What may be imported is asked in ``manifest``, how in ``mounting``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from flask import Flask

from . import manifest as manifests
from .database import now
from .manifest import Manifest, ManifestRefused, PermissionEntry
from .mounting import mount, taken_back_on_failure
from .shapes import HealthItem, MenuItem, Plugin

_LOG = logging.getLogger(__name__)

#: Longest pause between two attempts to start a plugin that is not ready.
LONGEST_PAUSE_SECONDS = 600.0
STEP_SECONDS = 30.0

#: A plugin may not end the host either.
_FAILURES = (Exception, SystemExit)


class State(StrEnum):
    """Where a plugin stands."""

    INCOMPATIBLE = "incompatible"
    FAILED = "failed"
    READY = "ready"
    RUNNING = "running"
    RETRYING = "retrying"
    UNLOADED = "unloaded"


class LoadRefused(Exception):
    """Raised when what ``setup`` returned is not what the manifest promised."""


@dataclass
class Slot:
    """One plugin folder and what became of it."""

    folder: Path
    manifest: Manifest | None = None
    plugin: Plugin | None = None
    state: State = State.READY
    reason: str = ""
    since: datetime = field(default_factory=now)
    tries: int = 0

    @property
    def domain(self) -> str:
        """Give the domain, or the folder's name where the manifest could not be read."""
        return self.manifest.domain if self.manifest else self.folder.name

    @property
    def serves(self) -> bool:
        """Tell whether its pages answer."""
        return self.state in (State.READY, State.RUNNING, State.RETRYING)

    def enter(self, state: State, reason: str = "") -> None:
        """Note a state with its reason."""
        if (state, reason) != (self.state, self.reason):
            self.since = now()
        self.state, self.reason = state, reason


class Loader:
    """The plugins of one app. Thread-safe after :meth:`load`."""

    def __init__(self, folders: Iterable[Path], step_seconds: float = STEP_SECONDS) -> None:
        """Read the manifests; nothing is imported yet."""
        self.slots = [_discover(folder.resolve()) for folder in folders]
        self._step_seconds = step_seconds
        self._lock = threading.RLock()
        self._timers: dict[str, threading.Timer] = {}
        _refuse_duplicates(self.slots)

    @property
    def manifests(self) -> list[Manifest]:
        """Give the manifests of all plugins that may be loaded."""
        return [slot.manifest for slot in self.slots if slot.manifest and slot.state is State.READY]

    @property
    def open_routes(self) -> frozenset[str]:
        """Give the endpoints that authenticate their callers themselves."""
        return frozenset().union(*(slot.manifest.open_routes for slot in self.slots if slot.manifest and slot.plugin))

    @property
    def permissions(self) -> list[PermissionEntry]:
        """Give what the manifests of all plugins ask roles to decide on."""
        return [entry for slot in self.slots if slot.manifest for entry in slot.manifest.permissions]

    @property
    def menu(self) -> list[MenuItem]:
        """Give the entries of all plugins that answer, in their order."""
        items = [item for slot in self._serving() for item in _plugin_of(slot).menu]
        return sorted(items, key=lambda item: item.order)

    def slot(self, domain: str) -> Slot | None:
        """Find a plugin that could be set up."""
        return next((slot for slot in self.slots if slot.plugin and slot.domain == domain), None)

    def load(self, app: Flask, host_for: Callable[[Manifest], object]) -> None:
        """Set every plugin up and register its blueprints; once, before the first request."""
        for slot in _in_order(self.slots):
            self._guarded(slot, lambda slot=slot: _set_up(slot, app, host_for))  # type: ignore[misc]

    def migrate(self) -> None:
        """Bring the tables of every plugin up to date; before :meth:`start`, in one process."""
        for slot in self._serving():
            self._guarded(slot, _plugin_of(slot).migrate)

    def start(self) -> None:
        """Start every plugin; one that is not ready is tried again later."""
        for slot in self._serving():
            self._start(slot)

    def stop(self) -> list[str]:
        """Stop every plugin; give what did not stop in time, in words."""
        with self._lock:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()
        late: list[str] = []
        for slot in self.slots:
            if slot.plugin is not None and slot.state is not State.FAILED:
                late.extend(slot.plugin.stop())
                if slot.serves:
                    slot.enter(State.READY)
        return late

    def disable(self, domain: str) -> None:
        """Stop a plugin and close its pages."""
        slot = self._known(domain)
        with self._lock:
            self._cancel(slot)
            slot.enter(State.UNLOADED)
            self._guarded(slot, _plugin_of(slot).unload)

    def enable(self, domain: str) -> None:
        """Open a plugin's pages again and start it; what disabling or a failure closed."""
        slot = self._known(domain)
        with self._lock:
            slot.enter(State.READY)
            self._guarded(slot, _plugin_of(slot).migrate)
            if slot.serves:
                self._start(slot)

    def health(self, slot: Slot) -> Sequence[HealthItem]:
        """Ask a plugin how it is; one that cannot say is logged and says nothing."""
        if slot.plugin is None or not slot.serves:
            return ()
        try:
            return slot.plugin.health()
        except Exception:
            _LOG.exception("%s could not tell its health", slot.domain)
            return ()

    def record(
        self,
        action: str,
        actor: str,
        address: str,
        object_kind: str,
        object_id: str,
        result: str = "done",
        **detail: str | int | float | bool | None,
    ) -> None:
        """Have every plugin write down what an account of this host did; one that cannot is logged.

        Args:
            action: ``account.…`` or ``host.…``.
            actor: Name of the account, or what was entered as one.
            address: Network address of the request.
            object_kind: What it was done to, such as ``account``.
            object_id: Which one.
            result: ``done`` or ``refused``.
            detail: What auditors should see beside it; never a secret.
        """
        for slot in self._serving():
            try:
                _plugin_of(slot).record(action, actor, address, object_kind, object_id, result, **detail)
            except Exception:
                _LOG.exception("%s did not write down: %s by %s from %s", slot.domain, action, actor, address)

    def _known(self, domain: str) -> Slot:
        slot = self.slot(domain)
        if slot is None:
            raise KeyError(domain)
        return slot

    def _serving(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.plugin is not None and slot.serves]

    def _start(self, slot: Slot) -> None:
        slot.tries += 1
        try:
            _plugin_of(slot).start()
        except _FAILURES as error:
            self._not_started(slot, error)
        else:
            slot.tries = 0
            slot.enter(State.RUNNING)

    def _not_started(self, slot: Slot, error: BaseException) -> None:
        """Try again later what says that it can succeed later; close the rest."""
        if not getattr(error, "retry", False):
            self._fail(slot, error)
            return
        if slot.state is not State.RETRYING:
            _LOG.warning("%s is not ready: %s", slot.domain, error)
        slot.enter(State.RETRYING, str(error))
        self._try_later(slot)

    def _try_later(self, slot: Slot) -> None:
        pause_seconds = min(self._step_seconds * slot.tries, LONGEST_PAUSE_SECONDS)
        timer = threading.Timer(pause_seconds, self._retry, args=(slot,))
        timer.daemon = True
        self._timers[slot.domain] = timer
        timer.start()

    def _retry(self, slot: Slot) -> None:
        with self._lock:
            if slot.domain in self._timers and slot.state is State.RETRYING:
                self._start(slot)

    def _cancel(self, slot: Slot) -> None:
        timer = self._timers.pop(slot.domain, None)
        if timer is not None:
            timer.cancel()

    def _guarded(self, slot: Slot, action: Callable[[], object]) -> None:
        """Do something of a plugin; whatever it raises becomes its state."""
        try:
            action()
        except _FAILURES as error:
            self._fail(slot, error)

    def _fail(self, slot: Slot, error: BaseException) -> None:
        _LOG.error("%s failed: %s", slot.domain, error, exc_info=error)
        incompatible = getattr(error, "id", "") == "incompatible"
        slot.enter(State.INCOMPATIBLE if incompatible else State.FAILED, str(error) or type(error).__name__)
        _close(slot)


def _discover(folder: Path) -> Slot:
    slot = Slot(folder)
    try:
        slot.manifest = manifests.read(folder)
    except ManifestRefused as error:
        _LOG.error("%s is no plugin: %s", folder, error)
        slot.enter(State.FAILED, str(error))
        return slot
    problems = manifests.incompatibilities(slot.manifest)
    if problems:
        _LOG.error("%s in %s cannot run here: %s", slot.domain, folder, "; ".join(problems))
        slot.enter(State.INCOMPATIBLE, "; ".join(problems))
    return slot


def _refuse_duplicates(slots: Sequence[Slot]) -> None:
    """Keep the first plugin of a domain; the others name both paths."""
    first: dict[str, Slot] = {}
    for slot in slots:
        if slot.manifest is None:
            continue
        kept = first.setdefault(slot.domain, slot)
        if kept is not slot:
            slot.enter(
                State.FAILED, f'"{slot.domain}" is in {slot.folder} and in {kept.folder}; the second is not loaded'
            )
            _LOG.error("%s", slot.reason)


def _in_order(slots: Sequence[Slot]) -> list[Slot]:
    """Put each plugin behind those it needs or wants before it; a circle is left as it stands."""
    waiting = [slot for slot in slots if slot.manifest and slot.state is State.READY]
    ordered: list[Slot] = []
    while waiting:
        domains = {slot.domain for slot in waiting}
        free = [slot for slot in waiting if not domains & set(_before(slot)) - {slot.domain}] or waiting[:1]
        ordered.extend(free)
        waiting = [slot for slot in waiting if slot not in free]
    return ordered


def _before(slot: Slot) -> tuple[str, ...]:
    return slot.manifest.dependencies + slot.manifest.after_dependencies if slot.manifest else ()


def _set_up(slot: Slot, app: Flask, host_for: Callable[[Manifest], object]) -> None:
    manifest = slot.manifest
    assert manifest is not None
    _refuse_missing_dependencies(manifest, app)
    with taken_back_on_failure(manifest.domain):
        module = mount(manifest.domain, manifest.package)
        plugin: Plugin = module.setup(host_for(manifest))
        _compare(manifest, plugin)
    for blueprint in plugin.blueprints:
        app.register_blueprint(blueprint)
    slot.plugin = plugin
    _compare_routes(manifest, plugin, app)


def _refuse_missing_dependencies(manifest: Manifest, app: Flask) -> None:
    missing = [domain for domain in manifest.dependencies if domain not in app.blueprints]
    if missing:
        raise LoadRefused(f"it needs the plugin {', '.join(missing)}, which is not loaded")


def _compare(manifest: Manifest, plugin: Plugin) -> None:
    if (plugin.domain, plugin.version) != (manifest.domain, manifest.version):
        raise LoadRefused(
            f"the manifest says {manifest.domain} {manifest.version}, the code {plugin.domain} {plugin.version}"
        )
    foreign = [blueprint.name for blueprint in plugin.blueprints if not _is_own(blueprint.name, manifest.domain)]
    if foreign:
        raise LoadRefused(
            f'blueprints must be named "{manifest.domain}" or "{manifest.domain}_…", not {", ".join(foreign)}'
        )


def _is_own(name: str, domain: str) -> bool:
    return name == domain or name.startswith(f"{domain}_")


def _compare_routes(manifest: Manifest, plugin: Plugin, app: Flask) -> None:
    """Hold the manifest's open routes against the machine interface, which is every blueprint but the first."""
    machine = {blueprint.name for blueprint in plugin.blueprints[1:]}
    found = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.rpartition(".")[0] in machine}
    if found != manifest.open_routes:
        differing = ", ".join(sorted(found ^ manifest.open_routes))
        raise LoadRefused(f"open routes of the manifest and of the code differ: {differing}")


def _plugin_of(slot: Slot) -> Plugin:
    assert slot.plugin is not None
    return slot.plugin


def _close(slot: Slot) -> None:
    """Close the pages of a plugin that failed after its routes were registered."""
    if slot.plugin is None:
        return
    try:
        slot.plugin.unload()
    except Exception:
        _LOG.exception("%s could not be unloaded", slot.domain)
