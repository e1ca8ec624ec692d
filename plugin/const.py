"""Constants that more than one room needs: names, versions, limits. No behaviour lives here."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

#: Name of the plugin: blueprint, tables, permissions, settings and events begin with it.
DOMAIN: Final = "bodyworn"

#: Version of the plugin; ``manifest.json`` says the same, and a test compares them.
VERSION: Final = "0.1.0"

#: Major version of the contract between host and plugin (``docs/host-contract.md``).
CONTRACT: Final = 1

#: Bytes handled at a time wherever evidence is streamed.
BLOCK_BYTES: Final = 1024 * 1024

#: Objects above this are refused by a stock OpenStack Swift; clips stay below it.
LARGEST_OBJECT_BYTES: Final = 5 * 1024**3


class Step(StrEnum):
    """Steps of a recording's way at which a crash must lose nothing (safety page, C2)."""

    SEEN = "P1"
    AUTHORIZED = "P2"
    IDENTIFIED = "P3"
    MOUNTED = "P4"
    LISTED = "P5"
    INTENT = "P6"
    PART_CREATED = "P7"
    STREAMED = "P8"
    SYNCED = "P9"
    REREAD = "P10"
    RENAMED = "P11"
    FOLDER_SYNCED = "P12"
    STORED = "P13"
    AUDITED = "P14"
    CONTAINER_PUT = "P15"
    CLIP_PUT = "P16"
    COMPANIONS_PUT = "P17"
    REMOTE_VERIFIED = "P18"
    COMPLETE_POSTED = "P19"
    UPLOADED = "P20"
    ERASED = "P21"
    ERASE_RECORDED = "P22"
