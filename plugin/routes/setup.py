"""The wizard's first page, its small steps and its end. Steps with rules of their own are in modules beside."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import pages
from ..access import needs
from ..const import VERSION
from ..forms.setup import LANGUAGES, NameForm, PowerLineForm
from ..runtime import current
from ..services import power_line, setup
from ..services.setup import Step
from . import setup_frame as frame

_FIRMWARE = "bodyworn/setup_firmware.html"
_POWER_LINE = "bodyworn/setup_power_line.html"
_NAME = "bodyworn/setup_name.html"


def add(blueprint: Blueprint) -> None:
    """Register the first page and the small steps."""
    blueprint.add_url_rule("/setup", "setup", start)
    blueprint.add_url_rule("/setup/begin", "begin_setup", begin, methods=["POST"])
    blueprint.add_url_rule("/setup/extend", "extend_system", extend)
    frame.add_step(blueprint, Step.FIRMWARE, show_firmware, pass_firmware)
    frame.add_step(blueprint, Step.POWER_LINE, show_power_line, pass_power_line)
    frame.add_step(blueprint, Step.NAME, show_name, pass_name)


@needs("bodyworn.system", during_setup=True)
def start() -> ResponseReturnValue:
    """Show what to have at hand and the choice; somebody who comes back goes on at their step."""
    if current().is_set_up():
        return redirect(url_for(".status"))
    with current().database.read() as session:
        found = setup.find(session)
        if found is not None:
            return redirect(frame.address(setup.next_step(found)))
    return render_template("bodyworn/setup.html", wizard=None, version=VERSION)


@needs("bodyworn.system", during_setup=True)
def begin() -> ResponseReturnValue:
    """Begin to create a new system."""
    if not current().is_set_up():
        with current().database.write() as session:
            setup.begin(session, actor=pages.actor())
    return redirect(url_for(".setup"), 303)


@needs("bodyworn.system", during_setup=True)
def extend() -> ResponseReturnValue:
    """Say what joining an existing system needs."""
    if current().is_set_up():
        return redirect(url_for(".status"))
    return render_template("bodyworn/setup_extend.html", wizard=None)


def show_firmware() -> ResponseReturnValue:
    """Show which version runs."""
    return frame.show(_FIRMWARE, Step.FIRMWARE, version=VERSION)


def pass_firmware() -> ResponseReturnValue:
    """Go on with the version that runs."""
    return frame.onward(Step.FIRMWARE)


def show_power_line() -> ResponseReturnValue:
    """Show the two frequencies; what was chosen before, or what the time zone's country has, is marked."""
    with current().database.read() as session:
        chosen = setup.present(session).power_line_hertz
    return _power_line(PowerLineForm(hertz=chosen or power_line.suggested(_time_zone())))


def pass_power_line() -> ResponseReturnValue:
    """Keep the frequency."""
    form = PowerLineForm(request.form)
    if not form.validate():
        return _power_line(form, 422)
    with current().database.write() as session:
        setup.present(session).power_line_hertz = form.hertz.data
    return frame.onward(Step.POWER_LINE)


def show_name() -> ResponseReturnValue:
    """Show name and language; a language that was not chosen yet is the one of this page."""
    with current().database.read() as session:
        found = setup.present(session)
        name, language = found.system_name, found.language
    return _name(NameForm(name=name, language=language or current().host.locale()[:2]))


def pass_name() -> ResponseReturnValue:
    """Keep name and language."""
    form = NameForm(request.form)
    if not form.validate():
        return _name(form, 422)
    with current().database.write() as session:
        found = setup.present(session)
        found.system_name, found.language = form.name.data, form.language.data
    return frame.onward(Step.NAME)


def _time_zone() -> str:
    with current().database.read() as session:
        return setup.present(session).time_zone


def _power_line(form: PowerLineForm, status_code: int = 200) -> ResponseReturnValue:
    zone = _time_zone()
    suggested = power_line.suggested(zone)
    return frame.show(
        _POWER_LINE, Step.POWER_LINE, status_code, form=form, suggested=suggested, time_zone=zone.replace("_", " ")
    )


def _name(form: NameForm, status_code: int = 200) -> ResponseReturnValue:
    return frame.show(_NAME, Step.NAME, status_code, form=form, languages=LANGUAGES.items())
