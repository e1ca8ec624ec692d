"""What the pages show: the asset number among a camera's facts, and a field for it in the camera's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bodyworn.sections import Section
from bodyworn.slots import Panel
from wtforms import Form, StringField
from wtforms.validators import Length

from . import inventory


class AssetForm(Form):
    """The field."""

    number = StringField("Asset number", [Length(max=20)], description="As it stands on the sticker.")


def load(camera_id: str) -> Mapping[str, object]:
    """Give what the field shows."""
    with inventory() as opened:
        found = opened.execute("SELECT number FROM asset WHERE camera = ?", (camera_id,)).fetchone()
    return {"number": found[0] if found else ""}


def save(camera_id: str, entered: Mapping[str, Any], actor: str) -> None:
    """Keep what was entered."""
    with inventory() as opened:
        opened.execute("REPLACE INTO asset VALUES (?, ?)", (camera_id, entered["number"]))


def shown(camera_id: str, **more: str) -> Mapping[str, object]:
    """Give what the template shows."""
    return load(camera_id)


ASSET_SECTION = Section("Inventory", AssetForm, load, save)
ASSET_PANEL = Panel("someones_inventory/asset.html", shown)
