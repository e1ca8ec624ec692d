"""A sample of the campaign: disks that lose power, report errors or are full, and cameras that are pulled out."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CAMPAIGN = Path(__file__).resolve().parent.parent / "campaign"
sys.path.append(str(CAMPAIGN))

#: After an error of the disk, what was committed later was gone from ext4 when it was mounted the next time.
COMMITTED_AFTER_AN_ERROR = ("--size", "ordinary", "--seed", "5", "--only", "ext4/plain/pwrite/P14:2/1.8")


def run(out: Path, tier: str, *options: str) -> dict[str, Any]:
    """Run a tier as people do, or say why it cannot run here; gives its figures."""
    reason = importlib.import_module(tier).unavailable()
    if reason:
        pytest.skip(reason)
    command = [sys.executable, str(CAMPAIGN / "run.py"), "--tier", tier, "--lanes", "2", "--out", str(out)]
    done = subprocess.run([*command, *(options or ("--size", "sample"))], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[str, Any] = json.loads(out.read_text())["all"]
    assert figures["points_survived"] == figures["points_total"] > 0
    return figures


@pytest.mark.feature("REC-2")
def test_nothing_is_lost_when_the_power_is_cut(tmp_path: Path) -> None:
    figures = run(tmp_path / "figures.json", "power")
    assert figures["points_total"] == 3


def test_what_is_committed_after_an_error_of_the_disk_stays(tmp_path: Path) -> None:
    run(tmp_path / "figures.json", "kernel_errors", *COMMITTED_AFTER_AN_ERROR)


@pytest.mark.parametrize("tier", ["full_disk", "yank"])
def test_what_passes_leaves_nothing_behind(tmp_path: Path, tier: str) -> None:
    run(tmp_path / "figures.json", tier)
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
