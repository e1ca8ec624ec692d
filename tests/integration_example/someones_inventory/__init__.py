"""Asset numbers of cameras, and what was delivered: the part of an inventory that this package needs."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager


@contextmanager
def inventory() -> Iterator[sqlite3.Connection]:
    """Open the inventory; what is done in the block is kept, or nothing."""
    with closing(sqlite3.connect(os.environ["SOMEONES_INVENTORY"])) as opened, opened:
        opened.execute("CREATE TABLE IF NOT EXISTS asset (camera TEXT PRIMARY KEY, number TEXT)")
        opened.execute("CREATE TABLE IF NOT EXISTS delivery (event TEXT PRIMARY KEY, recording TEXT)")
        yield opened
