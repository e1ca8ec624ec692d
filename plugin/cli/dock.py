"""``bodyworn dock``: USB docks of this controller, and which places their bays are."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.orm import Session

from ..errors import UnknownDock
from ..hw import service_units, usb_marks, usb_policy
from ..hw.usb_watch import UsbWatch
from ..models import Bay, Database, DockKind
from ..services import docks, usb_guarding
from ..supervise import DATABASE_VARIABLE

_ACTOR = "command line"
#: What is plugged in shows itself within this time.
_LOOK_SECONDS = 0.6

database_option = click.option(
    "--database", envvar=DATABASE_VARIABLE, required=True, help=f"Better given in {DATABASE_VARIABLE}."
)


@click.group()
def command() -> None:
    """Set up the docks of this controller."""


@command.command("add")
@click.argument("name")
@click.option("--beneath", default="", help="Learn only places beneath this one, a hub's for example.")
@database_option
def add(name: str, beneath: str, database: str) -> None:
    """Add a USB dock; its bays are learned."""
    with _opened(database) as opened, opened.write() as session:
        docks.add_dock(session, name=name, kind=DockKind.USB, locator=beneath, bays=0, actor=_ACTOR)
    click.echo(f"{name} was added. Let it learn its bays: bodyworn dock learn {name!r}")


@command.command("learn")
@click.argument("name")
@click.option("--end", is_flag=True, help="End learning.")
@database_option
def learn(name: str, end: bool, database: str) -> None:
    """Learn bays: dock one camera after the other, in the order of the bays; take out what was docked before."""
    with _opened(database) as opened, opened.write() as session:
        docks.learn(session, docks.find_dock(session, name).id, on=not end, actor=_ACTOR)
    click.echo(f"{name} has learned its bays." if end else f"{name} learns. End it with: --end")


@command.command("list")
@database_option
def show(database: str) -> None:
    """List docks, their bays, and the places of each."""
    with _opened(database) as opened, opened.read() as session:
        for dock in docks.local_docks(session):
            click.echo(f"{dock.name}{' (learning)' if dock.learning else ''}")
            for bay in dock.bays:
                click.echo(f"  {bay.name}: {bay.state}, {', '.join(bay.places) or 'no place'}")


@command.command("look")
def look() -> None:
    """List what is plugged in here, and where."""
    watch = UsbWatch()
    watch.start()
    try:
        time.sleep(_LOOK_SECONDS)
        for place, attached in sorted(watch.places().items()):
            disks = ", ".join(f"{disk.node} {disk.filesystem}".strip() for disk in attached.disks)
            click.echo(f"{place}: {attached.name} {attached.serial} {disks}".rstrip())
    finally:
        watch.stop()


@command.command("place")
@click.argument("name")
@click.argument("bay_name", metavar="BAY")
@click.argument("place")
@click.option("--remove", is_flag=True, help="Take the place from the bay.")
@database_option
def place_command(name: str, bay_name: str, place: str, remove: bool, database: str) -> None:
    """Let a place be a bay as well, where a socket has several or the dock was connected differently."""
    with _opened(database) as opened, opened.write() as session:
        bay = _bay(session, name, bay_name)
        change = docks.remove_place if remove else docks.add_place
        change(session, bay.id, place, actor=_ACTOR)
        click.echo(f"{bay.name}: {', '.join(bay.places) or 'no place'}")


@command.command("guard")
@click.option("--on", "wanted", flag_value="on", help="Refuse new USB devices, except storage in bays.")
@click.option("--off", "wanted", flag_value="off", help="Let new USB devices in again.")
@click.option("--show", "wanted", flag_value="show", default="show", help="Say how it is. [default]")
@database_option
def guard(wanted: str, database: str) -> None:
    """Refuse USB devices that are no cameras: for machines that are docks and nothing else.

    What is plugged in now stays, the console's keyboard for example; plugged in anew, it is refused.
    """
    with _opened(database) as opened:
        if wanted != "show":
            with opened.write() as session:
                usb_guarding.turn(session, on=wanted == "on", actor=_ACTOR)
        with opened.read() as session:
            on = usb_guarding.wanted(session).on
    click.echo(f"The guard is {'on' if on else 'off'}.")
    held = "refuses new USB devices" if usb_policy.is_denying() else "lets new USB devices in"
    click.echo(f"At this moment the kernel {held}; the controller sees to it while it runs.")


@command.command("rules")
def rules() -> None:
    """Print the udev rules that keep desktop programs away from docked cameras."""
    click.echo(usb_marks.rules(), nl=False)


@command.command("units")
@click.option("--user", default="bodyworn", show_default=True, help="Who the controller is; not root.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("/var/lib/bodyworn"),
    show_default=True,
    help="The plugin's folder; that user's.",
)
@click.option("--into", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Write them here instead.")
def units(user: str, data_dir: Path, into: Path | None) -> None:
    """Print the systemd services of a controller without rights, and of the helper that mounts for it."""
    for name, text in service_units.units(Path(sys.argv[0]).absolute(), user, data_dir).items():
        if into is not None:
            (into / name).write_text(text, "utf-8")
        else:
            click.echo(f"# /etc/systemd/system/{name}\n{text}")


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database.at(url)
    try:
        yield database
    finally:
        database.close()


def _bay(session: Session, dock_name: str, bay_name: str) -> Bay:
    for bay in docks.find_dock(session, dock_name).bays:
        if bay.name == bay_name:
            return bay
    raise UnknownDock
