"""USB docks on real block devices: events, filesystems and mounts are the kernel's own; in a pytest of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from testbed import child_pytest

FILE = "looped_usb.py"
TOOLS = ("unshare", "udevadm", "losetup", "mkfs.exfat", "mkfs.ext4", "mkfs.vfat", "mount.exfat-fuse", "fusefat", "ip")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    if os.geteuid() != 0:
        pytest.skip("loop devices, mounts and a private udev need root")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or not Path("/lib/systemd/systemd-udevd").exists() or not Path("/dev/loop-control").exists():
        pytest.skip(f"udev, loop devices or tools are missing ({', '.join(missing)})")
    report = tmp_path_factory.mktemp("looped") / "report.xml"
    return child_pytest.outcomes(FILE, report, within=["unshare", "--net", "--mount"])


@pytest.mark.feature("CAM-1")
@pytest.mark.parametrize("name", child_pytest.names(FILE))
def test_on_loop_devices(outcomes: dict[str, str], name: str) -> None:
    if outcomes[name]:
        pytest.fail(outcomes[name], pytrace=False)
