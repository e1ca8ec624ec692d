"""The guest's end of the line to the host: it tells what it found out, and has devices plugged in and pulled out."""

from __future__ import annotations

import json
import os
import tty
from pathlib import Path
from typing import Any

LINE = Path("/dev/ttyS1")


class Link:
    """A serial line with one JSON document a line; one thread uses it."""

    def __init__(self, line: Path = LINE) -> None:
        descriptor = os.open(line, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(descriptor)
        self._out = os.fdopen(descriptor, "wb", buffering=0)
        self._in = os.fdopen(os.dup(descriptor), "rb")

    def tell(self, **facts: Any) -> None:
        """Tell the host something."""
        self._out.write(json.dumps(facts).encode() + b"\n")

    def want(self, what: str, **how: Any) -> Any:
        """Have the host do something, wait until it is done, and give what came of it."""
        self.tell(want=what, **how)
        answer = json.loads(self._in.readline())
        assert answer.get("done"), answer
        return answer["value"]

    # what stands in the sockets

    def plug_disk(self, name: str, socket: tuple[str, str], *, serial: str, bytes_per_second: int = 0) -> None:
        """Plug in the disk that is the image ``name``."""
        bus, port = socket
        self.want(
            "plug_disk",
            name=name,
            image=f"{name}.img",
            serial=serial,
            bus=bus,
            port=port,
            bytes_per_second=bytes_per_second,
        )

    def unplug_disk(self, name: str) -> None:
        """Pull a disk out."""
        self.want("unplug_disk", name=name)

    def digest(self, name: str) -> str:
        """Give the digest of a disk's image."""
        return str(self.want("digest", image=f"{name}.img"))

    def plug(self, name: str, driver: str, socket: tuple[str, str]) -> None:
        """Plug in something that is no disk."""
        self.want("plug", name=name, driver=driver, bus=socket[0], port=socket[1])

    def unplug(self, name: str) -> None:
        """Pull something out."""
        self.want("unplug", name=name)
