"""What the controller process tells."""

from __future__ import annotations

from bodyworn.signals import Happened

from . import inventory


def delivered(happened: Happened) -> None:
    """Take note of a recording that arrived; told twice, it is noted once."""
    event = f"{happened.chain_id} {happened.sequence}"
    with inventory() as opened:
        opened.execute("INSERT OR IGNORE INTO delivery VALUES (?, ?)", (event, happened.object_id))
