"""Run one server of OpenStack Swift, or make its rings, with the configuration of one folder instead of /etc/swift.

Run by the interpreter of Swift's own virtual environment: ``python swift_process.py FOLDER rings PORT PORT PORT`` or
``python swift_process.py FOLDER proxy|account|container|object``. Swift reads /etc/swift/swift.conf while it is
imported; naming the other file first spares a mount namespace and root's rights.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

PACKAGES = {"proxy": "proxy", "account": "account", "container": "container", "object": "obj"}


def make_rings(folder: Path, ports: list[int]) -> None:
    """Write the three rings: one replica on one device."""
    from swift.common.ring import RingBuilder

    for kind, port in zip(("account", "container", "object"), ports, strict=True):
        builder = RingBuilder(4, 1, 0)
        builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1.0})
        builder.rebalance()
        builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def serve(folder: Path, kind: str) -> None:
    """Become one server; does not return."""
    sys.argv = [f"swift-{kind}-server", str(folder / f"{kind}-server.conf")]
    sys.exit(importlib.import_module(f"swift.{PACKAGES[kind]}.server").main())


def main() -> None:
    """Do what the command line says."""
    folder, task = Path(sys.argv[1]), sys.argv[2]
    from swift.common import utils

    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    if task == "rings":
        make_rings(folder, [int(port) for port in sys.argv[3:]])
    else:
        serve(folder, task)


main()
