"""The host's own pages: Live and Alarms are placeholders and say so, Search lists what plugins told of."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from sqlalchemy import delete, select
from werkzeug.wrappers import Response

from . import access, cookies, language, roles, state
from .database import DisabledPlugin, Recording, db
from .loader import Slot, State

Answer = Response | str | tuple[str, int]
View = Callable[..., Answer]
_PAGE_ROWS = 100


def needs(permission: str = "", *, confirmed: bool = False) -> Callable[[View], View]:
    """Let a view answer only those who hold a permission; without one, everybody who is signed in.

    ``confirmed``: and only who entered the password within the last ten minutes.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(**values: str) -> Answer:
            if access.account() is None:
                return access.challenge()
            if permission and not access.can(permission):
                abort(403)
            if confirmed and not access.is_confirmed():
                return access.confirm(_way_back())
            return view(**values)

        return guarded

    return decorate


def add(blueprint: Blueprint) -> None:
    """Register the pages."""
    blueprint.add_url_rule("/", "live", live)
    blueprint.add_url_rule("/search", "search", search)
    blueprint.add_url_rule("/alarms", "alarms", alarms)
    blueprint.add_url_rule("/plugins", "plugins", plugins)
    blueprint.add_url_rule("/plugins/<domain>/disable", "disable_plugin", disable_plugin, methods=["POST"])
    blueprint.add_url_rule("/plugins/<domain>/enable", "enable_plugin", enable_plugin, methods=["POST"])
    blueprint.add_url_rule("/language", "choose_language", choose_language, methods=["POST"])


@needs(roles.LIVE)
def live() -> str:
    """Show where live pictures would be."""
    return render_template("host/live.html")


@needs(roles.ALARMS)
def alarms() -> str:
    """Show where alarms would be."""
    return render_template("host/alarms.html")


@needs(roles.SEARCH)
def search() -> str:
    """List the recordings that arrived, newest first."""
    asked = request.args.get("q", "").strip()
    query = select(Recording).order_by(Recording.started_at.desc()).limit(_PAGE_ROWS)
    if asked:
        query = query.where(
            Recording.title.icontains(asked, autoescape=True) | Recording.camera.icontains(asked, autoescape=True)
        )
    return render_template("host/search.html", recordings=db.session.scalars(query).all(), asked=asked, rows=_PAGE_ROWS)


@needs(roles.PLUGINS)
def plugins() -> str:
    """List the plugins with their state and health."""
    loader = state.of(current_app).loader
    listed = [(slot, loader.health(slot)) for slot in loader.slots]
    return render_template("host/plugins.html", listed=listed, State=State)


@needs(roles.PLUGINS)
def disable_plugin(domain: str) -> Response:
    """Switch a plugin off, and keep it off over restarts."""
    slot = _slot_or_404(domain)
    db.session.merge(DisabledPlugin(domain=slot.domain))
    db.session.commit()
    state.of(current_app).loader.disable(slot.domain)
    return redirect(url_for("host.plugins"))


@needs(roles.PLUGINS)
def enable_plugin(domain: str) -> Response:
    """Switch a plugin on again."""
    slot = _slot_or_404(domain)
    db.session.execute(delete(DisabledPlugin).where(DisabledPlugin.domain == slot.domain))
    db.session.commit()
    state.of(current_app).loader.enable(slot.domain)
    return redirect(url_for("host.plugins"))


def choose_language() -> Response:
    """Keep the language that was chosen in a cookie."""
    response = redirect(access.local_path(request.form.get("next")))
    chosen = request.form.get("language", "")
    if chosen in language.LANGUAGES:
        cookies.put(response, "language", chosen, max_age_seconds=language.YEAR_SECONDS)
    return response


def _way_back() -> str:
    """Give the page that was asked for; a form that was sent belongs to the page of the same group."""
    return request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else url_for("host.accounts")


def _slot_or_404(domain: str) -> Slot:
    slot = state.of(current_app).loader.slot(domain)
    if slot is None:
        abort(404)
    return slot
