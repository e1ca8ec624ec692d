"""USB docks on a mocked bus: real pyudev code, in a pytest of its own that starts under umockdev."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from testbed import child_pytest

FILE = "mocked_usb.py"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    if shutil.which("umockdev-wrapper") is None:
        pytest.skip("umockdev-wrapper is missing (apt-get install umockdev)")
    report = tmp_path_factory.mktemp("mocked") / "report.xml"
    fast = {"TMPDIR": "/dev/shm"} if Path("/dev/shm").is_dir() else {}
    return child_pytest.outcomes(FILE, report, within=[*_roomy_namespace(), "umockdev-wrapper"], environment=fast)


def _roomy_namespace() -> list[str]:
    """The testbed aborts when ten messages wait unread; a network namespace of its own may have a greater limit."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return []
    return ["unshare", "--net", "sh", "-c", 'echo 512 > /proc/sys/net/unix/max_dgram_qlen; exec "$@"', "sh"]


@pytest.mark.feature("CAM-1")
@pytest.mark.parametrize("name", child_pytest.names(FILE))
def test_on_a_mocked_bus(outcomes: dict[str, str], name: str) -> None:
    if outcomes[name]:
        pytest.fail(outcomes[name], pytrace=False)
