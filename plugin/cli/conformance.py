"""``bodyworn conformance``: hold a camera's units against the camera volume format, for people who make cameras."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ..camera_volume.documents import FORMAT, VERSION
from ..services.conformance import Conformance, check
from ..services.conformance_remarks import Remark


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(path: Path, as_json: bool) -> None:
    """Check the units of a camera at PATH. Exit code 0 only when nothing is wrong; notes are allowed."""
    found = check(path)
    if as_json:
        click.echo(json.dumps(_document(found), indent=2))
    else:
        _say(found)
    sys.exit(0 if found.conforms else 1)


def _document(found: Conformance) -> dict[str, object]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "conforms": found.conforms,
        "units": list(found.units),
        "recordings": found.recordings,
        "remarks": [_remark(one) for one in found.remarks],
    }


def _remark(one: Remark) -> dict[str, object]:
    return {"severity": str(one.severity), "section": one.section, "path": one.path, "sentence": one.sentence}


def _say(found: Conformance) -> None:
    for one in found.remarks:
        click.echo(f"{one.severity}: {one.path}: {one.sentence} (section {one.section})")
    seen = f"{' and '.join(found.units)}, {found.recordings} recordings"
    words = "follows" if found.conforms else "does not follow"
    click.echo(f"This camera ({seen}) {words} the camera volume format, version {VERSION}.")
