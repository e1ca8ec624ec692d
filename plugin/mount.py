"""Puts the plugin together for one app: blueprints, gates, menu, and the functions that the contract asks for."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Callable, Sequence
from functools import partial

from flask import Blueprint, Response
from flask.blueprints import BlueprintSetupState

from . import access, health, routes, text, tls
from .const import DOMAIN, VERSION
from .contract import Host, MenuItem, Permission, Plugin
from .errors import BodywornError, Incompatible, NotReady, SetupFailed, StoreError
from .migrations.run import check_head, upgrade
from .models.database import Database
from .notices import Notices
from .receiver import blueprint as receiver
from .runtime import RECEIVED, Runtime
from .sections import Sections
from .services import clock_settings, host_events, integrations, received
from .services.hooks import Faults
from .slots import Slots
from .supervise import Command, ControllerProcess

_LOG = logging.getLogger(__name__)

PERMISSIONS = (
    Permission("bodyworn.view", "See system status and devices", "low"),
    Permission("bodyworn.recordings", "See and play recordings", "medium"),
    Permission("bodyworn.devices", "Add and manage docks and cameras", "medium"),
    Permission("bodyworn.destination", "Change the content destination and export connection files", "high"),
    Permission("bodyworn.system", "Own the system: setup, master key, certificates, network, date and time", "high"),
    Permission("bodyworn.audit", "Read and export the audit log", "high"),
)
MENU = (MenuItem("Body worn", f"{DOMAIN}.status", "bodyworn.view"),)

_MEMBERS = (
    "layout",
    "engine",
    "data_dir",
    "user",
    "can",
    "challenge",
    "csp_nonce",
    "csrf_token",
    "external_url",
    "locale",
    "supports",
)
_STOP_SECONDS = 10.0


def mount(host: Host) -> Plugin:
    """Build the plugin for one app.

    Raises:
        Incompatible: the host lacks a member of the contract.
        SetupFailed: the folder for the plugin's data is not there.
    """
    _refuse_incomplete(host)
    faults = Faults()
    runtime = Runtime(
        host,
        Database(host.engine),
        host.data_dir,
        slots=Slots.load(faults),
        sections=Sections.load(faults),
        faults=faults,
    )
    life = _Life(runtime)
    return Plugin(
        domain=DOMAIN,
        version=VERSION,
        blueprints=(_pages(runtime), _machine()),
        menu=MENU,
        permissions=PERMISSIONS,
        migrate=life.migrate,
        start=life.start,
        stop=life.stop,
        unload=life.unload,
        health=partial(health.health, runtime),
        record=partial(host_events.record, runtime.database),
    )


def _refuse_incomplete(host: Host) -> None:
    missing = [name for name in _MEMBERS if not hasattr(host, name)]
    if missing:
        raise Incompatible(reason=f"it does not offer {', '.join(missing)}")
    if not host.data_dir.is_dir():
        raise SetupFailed(reason=f"the folder {host.data_dir} is missing")


def _pages(runtime: Runtime) -> Blueprint:
    blueprint = Blueprint(
        DOMAIN, str(__package__), url_prefix=f"/{DOMAIN}", static_folder="static", template_folder="templates"
    )
    blueprint.jinja_loader = runtime.slots.loader(blueprint.jinja_loader)
    blueprint.record_once(_keeps(runtime))
    blueprint.after_request(_tells_faults(runtime))
    access.gate(blueprint)
    blueprint.context_processor(lambda: _for_templates(runtime.host))
    for found in pkgutil.iter_modules(routes.__path__):
        module = importlib.import_module(f"{routes.__name__}.{found.name}")
        if hasattr(module, "add"):
            module.add(blueprint)
    return blueprint


def _machine() -> Blueprint:
    """Build the machine interface: a sibling of the pages, so that neither has the other's gate."""
    blueprint = Blueprint(f"{DOMAIN}_receiver", str(__package__), url_prefix=f"/{DOMAIN}/receiver")
    access.machine_gate(blueprint)
    receiver.add(blueprint)
    return blueprint


def _keeps(runtime: Runtime) -> Callable[[BlueprintSetupState], None]:
    def keep(state: BlueprintSetupState) -> None:
        state.app.extensions[DOMAIN] = runtime

    return keep


def _tells_faults(runtime: Runtime) -> Callable[[Response], Response]:
    """Write down what packages got wrong in a page, once it is drawn: no transaction is open then."""

    def tell(response: Response) -> Response:
        integrations.tell(runtime.database, runtime.faults)
        return response

    return tell


def _for_templates(host: Host) -> dict[str, object]:
    return {
        "bodyworn_layout": host.layout,
        "csrf_token": host.csrf_token,
        "csp_nonce": host.csp_nonce,
        "can": host.can,
        **text.for_templates(host.locale()),
    }


class _Life:
    """What the host calls at the moments of the contract."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._engine = runtime.database.engine
        url = self._engine.url.render_as_string(hide_password=False)
        self._controller = ControllerProcess(Command.controller(runtime.data_dir, url))
        self._notices = Notices(runtime)

    def migrate(self) -> None:
        """Bring the tables to this version."""
        upgrade(self._engine)

    def start(self) -> None:
        """Open the routes, if they were closed, and keep a controller running."""
        check_head(self._engine)
        try:
            self._controller.start()
        except OSError as error:
            raise NotReady(reason=f"the controller process cannot be started ({error.strerror})") from error
        self._sweep()
        clock_settings.reapply(self._runtime.database)
        self._take_up_certificates()
        self._notices.start()
        self._runtime.closed = False

    def stop(self) -> Sequence[str]:
        """End the controller and the notices."""
        self._notices.stop()
        if self._controller.stop(_STOP_SECONDS):
            return ()
        return (f"the controller, process {self._controller.pid}, is still finishing what it does",)

    def unload(self) -> None:
        """Close the routes and end the controller."""
        self._runtime.closed = True
        self.stop()

    def _take_up_certificates(self) -> None:
        """Have a certificate, and have the host serve with one of ours; what goes wrong is shown, and stops nothing."""
        try:
            tls.start(self._runtime)
        except BodywornError:
            _LOG.exception("There is no certificate of ours to serve with")

    def _sweep(self) -> None:
        """Clear away what uploads left that an earlier run did not live to finish; disk space is all there is to it."""
        try:
            left = received.sweep_parts(self._runtime.data_dir / RECEIVED)
        except StoreError:
            _LOG.exception("What earlier uploads left could not be cleared away")
        else:
            _LOG.info("%d unfinished uploads of an earlier run removed", left)
