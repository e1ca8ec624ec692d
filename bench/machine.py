"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import ssl
from pathlib import Path

from measure import GIB, can_drop_caches


def describe(folder: Path) -> dict[str, str]:
    """Describe this machine and the file system of a folder; nothing in it names anybody."""
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / GIB:.0f} GiB",
        "Kernel": platform.release(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}, {ssl.OPENSSL_VERSION}",
        "File system": f"{_file_system(folder)}, {shutil.disk_usage(folder).free / GIB:.0f} GiB free",
        "Caches": "dropped before each run"
        if can_drop_caches()
        else "NOT dropped (needs root): reads come from memory",
        "Load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _file_system(folder: Path) -> str:
    """Look up the mount with the longest path above a folder."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    above = [mount for mount in mounts if folder.resolve().is_relative_to(mount[1])]
    device, _, kind, *_ = max(above, key=lambda mount: len(mount[1]))
    return f"{kind} on {device}"
