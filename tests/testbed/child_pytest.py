"""Runs a file of tests in a pytest of its own, in surroundings of its own, and tells what came of each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

TESTS = Path(__file__).resolve().parent.parent


def names(file: str) -> list[str]:
    """List the tests of a file in this folder, without importing it."""
    return re.findall(r"^def (test_\w+)", (TESTS / "testbed" / file).read_text(), re.MULTILINE)


def outcomes(
    file: str, report: Path, *, within: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Run a file ``within`` a command line, and tell of each test what went wrong: nothing when it passed."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        f"testbed/{file}",
    ]
    done = subprocess.run(
        [*within, *command, "--rootdir", str(TESTS.parent), "-c", str(TESTS.parent / "setup.cfg")],
        cwd=TESTS,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name", "").partition("[")[0]
        found[name] = found.get(name, "") + _failure(case)
    return found


def _failure(case: ElementTree.Element) -> str:
    wrong = [*case.iter("failure"), *case.iter("error"), *case.iter("skipped")]
    return "\n".join(one.text or one.get("message", "failed") for one in wrong)
