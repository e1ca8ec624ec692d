"""Tells udev which ports are bays, so that its rule can keep desktop programs away from the disks in them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path

from .usb_place import places_of_ports

log = logging.getLogger(__name__)

#: The rule looks here; file names are those that devices in the ports have.
PORTS = Path("/run/bodyworn/ports")


def rules() -> str:
    """Give the rules that belong into ``/etc/udev/rules.d``."""
    return (files(__package__) / "data" / "61-bodyworn.rules").read_text("utf-8")


def mark_ports(places: Collection[str], folder: Path = PORTS) -> None:
    """Keep one empty file for each port that is in one of the places, and no others."""
    wanted = {name for name, place in places_of_ports().items() if place in places}
    if not wanted and not folder.exists():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = {path.name for path in folder.iterdir()}
        for name in wanted - there:
            (folder / name).touch()
        for name in there - wanted:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        log.warning("udev cannot be told which ports are bays: %s", error)
