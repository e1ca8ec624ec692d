"""A dock that does not exist: a folder with a folder for each bay, in which cameras and a host meet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from ..camera_volume.port import HostPort
from ..errors import AlreadyDocked

_BAY: Final = re.compile(r"bay-([0-9]{2,4})")


class SimulatedDock:
    """A dock in a folder; ``bays`` of them are made if there are fewer."""

    def __init__(self, folder: Path, bays: int = 0) -> None:
        self.folder = folder
        for number in range(1, bays + 1):
            self.bay(number).mkdir(parents=True, exist_ok=True)

    def bay(self, number: int) -> Path:
        """Give the folder of a bay, counted from one."""
        return self.folder / f"bay-{number:02}"

    def bays(self) -> tuple[Path, ...]:
        """List the bays, in order of their numbers."""
        if not self.folder.is_dir():
            return ()
        found = [(int(match[1]), path) for path in self.folder.iterdir() if (match := _BAY.fullmatch(path.name))]
        return tuple(path for _, path in sorted(found))

    def free_bay(self) -> Path:
        """Give the first bay without a camera; raises AlreadyDocked when there is none."""
        for bay in self.bays():
            if HostPort(bay).state().plug is None:
                return bay
        raise AlreadyDocked(bay=self.folder.name)
