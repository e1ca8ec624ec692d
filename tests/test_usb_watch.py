"""USB docks on a mocked bus: real pyudev code, in a pytest of its own that starts under umockdev."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

TESTS = Path(__file__).resolve().parent
MOCKED = TESTS / "testbed" / "mocked_usb.py"
NAMES = re.findall(r"^def (test_\w+)", MOCKED.read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run them all, and tell of each what went wrong; nothing when it passed."""
    if shutil.which("umockdev-wrapper") is None:
        pytest.skip("umockdev-wrapper is missing (apt-get install umockdev)")
    report = tmp_path_factory.mktemp("mocked") / "report.xml"
    shared = Path("/dev/shm")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", str(MOCKED)]
    done = subprocess.run(
        [*_roomy_namespace(), "umockdev-wrapper", *command],
        cwd=TESTS.parent,
        env=os.environ | ({"TMPDIR": str(shared)} if shared.is_dir() else {}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert report.exists(), done.stdout + done.stderr
    return {case.get("name", ""): _failure(case) for case in ElementTree.parse(report).iter("testcase")}


def _roomy_namespace() -> list[str]:
    """The testbed aborts when ten messages wait unread; a network namespace of its own may have a greater limit."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return []
    return ["unshare", "--net", "sh", "-c", 'echo 512 > /proc/sys/net/unix/max_dgram_qlen; exec "$@"', "sh"]


def _failure(case: ElementTree.Element) -> str:
    wrong = [*case.iter("failure"), *case.iter("error"), *case.iter("skipped")]
    return "\n".join(one.text or one.get("message", "failed") for one in wrong)


@pytest.mark.feature("CAM-1")
@pytest.mark.parametrize("name", NAMES)
def test_on_a_mocked_bus(outcomes: dict[str, str], name: str) -> None:
    assert outcomes[name] == ""
