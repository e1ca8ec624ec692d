"""What all pages share: the frame around them, their live parts, and the functions that templates call.

Each page is drawn from one template and one function that fetches its content: in the host's layout it is the page,
without it the fragment that an open page polls (decision 12). What is on a page is in ``routes`` and ``templates``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from .const import VERSION
from .errors import BodywornError
from .figures import Figures, zone_named
from .runtime import current
from .services import destination_view, systems
from .services.help import STATUS_TOPIC
from .services.message import Message
from .services.sentence import Problem, marked, problem_of
from .services.status import Status, overdue, status
from .text import translator

#: Fetches what a template shows, at one moment.
Content = Callable[[Session, datetime], Mapping[str, Any]]

_PERMISSIONS = (
    "bodyworn.view",
    "bodyworn.recordings",
    "bodyworn.devices",
    "bodyworn.destination",
    "bodyworn.system",
    "bodyworn.audit",
)


@dataclass(frozen=True)
class Tab:
    """One page in the row of pages."""

    label: str
    endpoint: str
    permission: str
    #: Endpoints at which this tab is the current one.
    here: frozenset[str]


#: The pages about certificates.
_CERTIFICATES = (
    "certificates",
    "ask_create_certificate",
    "ask_install_certificate",
    "ask_signing_request",
    "ask_activate_certificate",
    "ask_delete_certificate",
)
_TABS = (
    Tab(marked("System status"), "status", "bodyworn.view", frozenset({"status"})),
    Tab(
        marked("Devices"),
        "devices",
        "bodyworn.view",
        frozenset(
            {
                *("devices", "overdue", "camera", "locked_cameras", "ask_unlock"),
                *("ask_remove_camera", "ask_force_remove_camera"),
                *("docks", "dock", "ask_forget_dock", "ask_forget_bay"),
            }
        ),
    ),
    Tab(
        marked("Users"),
        "users",
        "bodyworn.view",
        frozenset({"users", "user", "ask_remove_user", "ask_import_users", "check_users_file", "import_users"}),
    ),
    Tab(
        marked("Camera profiles"),
        "profiles",
        "bodyworn.view",
        frozenset({"profiles", "profile", "new_profile", "ask_remove_profile", "daily_use_guide"}),
    ),
    Tab(marked("Recordings"), "recordings", "bodyworn.recordings", frozenset({"recordings", "recording"})),
    Tab(
        marked("Content destination"),
        "destination",
        "bodyworn.view",
        frozenset({"destination", "ask_connect_destination", "ask_destination_proxy"}),
    ),
    Tab(
        marked("Settings"),
        "settings",
        "bodyworn.view",
        frozenset({"settings", "date_and_time", "network", *_CERTIFICATES}),
    ),
    Tab(
        marked("Support"),
        "support",
        "bodyworn.view",
        frozenset(
            {"support", "master_key", "ask_change_passphrase", "audit_log", "verification", "help", "help_topic"}
        ),
    ),
)
_RECEIVED = Tab(
    marked("Received recordings"),
    "received",
    "bodyworn.recordings",
    frozenset({"received", "received_recording"}),
)

#: Where a form's answer belongs when it is drawn in place of a page.
_PAGE_OF = {
    "create_certificate": "ask_create_certificate",
    "install_certificate": "ask_install_certificate",
    "create_signing_request": "ask_signing_request",
    "activate_certificate": "certificates",
    "delete_certificate": "certificates",
    "add_cameras": "devices",
    "unlock_cameras": "ask_unlock",
    "force_remove_camera": "ask_force_remove_camera",
    "download_master_key": "master_key",
    "change_passphrase": "ask_change_passphrase",
    "save_camera": "camera",
    "create_profile": "new_profile",
    "save_profile": "profile",
    "add_user": "users",
    "give_profile": "users",
    "give_wearers_profile": "devices",
    "save_user": "user",
    "save_date_and_time": "date_and_time",
    "save_network": "network",
    "connect_destination": "ask_connect_destination",
    "keep_recordings_here": "ask_connect_destination",
    "set_destination_proxy": "ask_destination_proxy",
    "export_connection_file": "destination",
    "limit_uploads": "destination",
    "open_recording_clip": "recording",
    "add_dock": "docks",
    "set_limits": "docks",
    "save_dock": "dock",
}
#: What may stand in the address of a list.
_LIST_ARGS = ("q", "show", "sort", "page", "docks", "camera")

#: What is said after something was done, by the name that stands in the address.
_NOTICES = {
    "setup-finished": marked("The system is set up. What is left to do stands below."),
    "cameras-added": marked(
        "Added. Each camera's lights stop flashing when it is ready, which may take a few minutes."
    ),
    "cameras-unlocking": marked("Unlocking. A camera leaves this list within seconds, as soon as it works again."),
    "some-cameras-unlocking": marked(
        "Unlocking those that are still docked. The others stay in this list; dock them and unlock them again."
    ),
    "camera-leaves": marked("The camera is removed as soon as everything on it is transferred. This page says when."),
    "camera-kept": marked("Kept. The camera stays in the system."),
    "camera-force-removed": marked("Removed. The content destination is told that the camera is out of use."),
    "profile-created": marked("Created. Give it to users on their pages."),
    "profile-saved": marked("Saved. Docked cameras take it over at their next turn, the others when they are docked."),
    "profile-made-default": marked("New users get this profile from now on. Users who have one keep it."),
    "profile-removed": marked("Removed."),
    "camera-saved": marked("Saved. The camera takes it over when it is docked."),
    "user-added": marked("Added. The content destination is told. Assign a camera to the user under Devices."),
    "user-saved": marked("Saved. The content destination is told; cameras take it over when they are docked."),
    "users-imported": marked("Imported. The content destination is told; cameras take it over when they are docked."),
    "user-removed": marked("Removed. The content destination is told, and keeps the recordings."),
    "user-brought-back": marked("Brought back. Assign a camera to the user under Devices."),
    "profile-given": marked("Saved. Cameras of these users take it over when they are docked."),
    "sections-not-saved": marked(
        "Saved, except for fields of an installed package, which failed. System status names it."
    ),
    "dock-added": marked("Added. Let it learn its bays now."),
    "dock-saved": marked("Saved."),
    "dock-forgotten": marked("Forgotten. What was docked there is not looked for any more."),
    "limits-set": marked("Saved. It holds at once; nobody in the middle of a recording is interrupted."),
    "passphrase-changed": marked("Changed. Download the master key now, and destroy the files from before."),
    "clock-saved": marked("Saved. Cameras get another time zone when they are docked."),
    "network-saved": marked("Saved."),
    "addresses-kept": marked("Kept. These are the addresses of this machine from now on."),
    "trial-over": marked("No new addresses are on trial any more; the former ones may have come back."),
    "certificate-created": marked("Created. Create a signing request from it, or activate it."),
    "certificate-installed": marked("Installed. It is used once you activate it."),
    "certificate-confirmed": marked("Kept. This certificate is used from now on."),
    "certificate-not-confirmed": marked("It was not kept in time, so the former certificate is back."),
    "certificate-deleted": marked("Deleted."),
    "check-requested": marked("The controller checks everything now. This page shows how far it is."),
    "recordings-tried-again": marked("Sent again as soon as it is their turn."),
    "destination-tried-again": marked("The destination is tried again now."),
    "destination-rehearsed": marked("The rehearsal went well. Its steps stand below."),
    "destination-failed-rehearsal": marked("The rehearsal failed. What to do stands below."),
    "destination-proxy-set": marked("Saved. The destination is reached this way from now on."),
    "destination-is-here": marked("Recordings are kept on this server from now on."),
    "destination-pushed": marked("Users and cameras are told to the destination again. This page says when all are."),
    "uploads-limited": marked("Saved. The new rate holds at once."),
    "destination-connected": marked(
        "Connected. Delete the connection file now: whoever has it can write to the destination."
    ),
}


class PageTools:
    """What templates call ``bw``: figures, the frame, and nothing that decides anything."""

    def __init__(self) -> None:
        """Prepare for one request."""
        self.now = datetime.now(UTC)

    @property
    def figures(self) -> Figures:
        """Give the functions that write figures in this request's language."""
        if "bodyworn_figures" not in g:
            g.bodyworn_figures = Figures(translator(current().host.locale()), zone(), self.now)
        found: Figures = g.bodyworn_figures
        return found

    @property
    def is_set_up(self) -> bool:
        """Tell whether there is a system to show; before, pages have no tabs."""
        return current().is_set_up()

    def status(self) -> Status:
        """Tell how the system is; asked of the database once a request."""
        if "bodyworn_status" not in g:
            with current().database.read() as session:
                g.bodyworn_status = status(session, self.now)
        found: Status = g.bodyworn_status
        return found

    def slot(self, name: str = "", **given: str) -> Markup:
        """Draw what other packages put into a slot: the one of this page, or one within it that has a name."""
        runtime = current()
        if name:
            return runtime.slots.draw(name, given, runtime.host.can)
        return runtime.slots.draw(_page_endpoint(), request.view_args or {}, runtime.host.can)

    def tabs(self) -> list[Tab]:
        """List the pages that exist and that this person may see."""
        shown = [*_TABS, *([_RECEIVED] if self._has_received() else [])]
        return [tab for tab in shown if current().host.can(tab.permission)]

    def is_here(self, tab: Tab) -> bool:
        """Tell whether a tab is the page being shown."""
        return _page_endpoint() in tab.here

    def help_row(self, message: Message) -> str:
        """Give the path of the row in help that explains a message."""
        return url_for(".help_topic", topic_id=STATUS_TOPIC, _anchor=message.advice.id)

    def notice(self) -> str | None:
        """Give what is to be said about the last action, not yet translated."""
        return _NOTICES.get(request.args.get("notice", ""))

    def with_args(self, **changes: str | int | None) -> str:
        """Build the address of this page with some of its filters changed; None takes one away."""
        merged = {**_list_args(), **(request.view_args or {}), **changes}
        wanted: dict[str, Any] = {key: value for key, value in merged.items() if value not in (None, "")}
        return url_for(f".{_page_endpoint()}", **wanted)

    def _has_received(self) -> bool:
        if f"{request.blueprint}.{_RECEIVED.endpoint}" not in current_app.view_functions:
            return False
        with current().database.read() as session:
            return destination_view.holds_recordings(session)


def install(blueprint: Blueprint) -> None:
    """Give the templates of the pages their tools."""
    blueprint.context_processor(lambda: {"bw": PageTools()})
    blueprint.register_error_handler(BodywornError, _problem_page)


def page(template: str, content: Content, **live_values: Any) -> ResponseReturnValue:
    """Draw a page in the host's layout; it then keeps itself up to date through its fragment."""
    fragment = f"{request.endpoint}_fragment"
    live = url_for(fragment, **live_values, **_list_args())
    etag = _etag()
    return render_template(template, frame="bodyworn/page.html", live=live, etag=etag, **_fetch(content))


def fragment(template: str, content: Content) -> Response:
    """Draw the live part of a page alone, or answer 304 when nothing moved."""
    etag = _etag()
    if etag in request.if_none_match:
        response = make_response("", 304)
    else:
        response = make_response(render_template(template, frame="bodyworn/fragment.html", **_fetch(content)))
    response.set_etag(etag)
    return response


def still(template: str, content: Content, status_code: int = 200, **context: Any) -> ResponseReturnValue:
    """Draw a page that stands still: the answer to a form, in which nothing typed may be lost."""
    body = render_template(template, frame="bodyworn/page.html", **{**_fetch(content), **context})
    return body, status_code


def done(endpoint: str, notice: str, **values: Any) -> ResponseReturnValue:
    """Lead to a page after something was done, and say so there."""
    return redirect(url_for(endpoint, notice=notice, **values), 303)


def back(endpoint: str, **values: Any) -> ResponseReturnValue:
    """Lead to a page after something was done that can be seen there."""
    return redirect(url_for(endpoint, **values), 303)


def actor() -> str:
    """Give the name under which events know who is signed in."""
    user = current().host.user()
    assert user is not None, "the gate lets nobody in who is not signed in"
    return user.id


def _page_endpoint() -> str:
    """Name the page that is being drawn, whole, as a fragment, or as the answer to one of its forms."""
    endpoint = (request.endpoint or "").rpartition(".")[2].removesuffix("_fragment")
    return _PAGE_OF.get(endpoint, endpoint)


def _list_args() -> dict[str, Any]:
    return {key: request.args[key] for key in _LIST_ARGS if key in request.args}


def _fetch(content: Content) -> Mapping[str, Any]:
    with current().database.read() as session:
        return content(session, datetime.now(UTC))


def _etag() -> str:
    """Name the state of everything that a page depends on, without drawing it."""
    runtime = current()
    now = datetime.now(UTC)
    # what is said in days moves on without anybody writing
    parts = [VERSION, runtime.host.locale(), str(runtime.database.change_counter()), f"{now:%Y-%m-%dT%H}"]
    parts += [permission for permission in _PERMISSIONS if runtime.host.can(permission)]
    with runtime.database.read() as session:
        parts += overdue(session, now)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def zone() -> ZoneInfo:
    """Give the system's time zone; UTC before there is a system."""
    with current().database.read() as session:
        system = systems.find(session)
    return zone_named(system.time_zone if system else "UTC")


def _problem_page(error: BodywornError) -> ResponseReturnValue:
    """Say what happened and what to do, in the page's frame."""
    told: Problem = problem_of(error)
    missing = error.id.startswith("unknown-")
    return render_template("bodyworn/problem.html", told=told), 404 if missing else 400
