"""A sample of what networks do to an upload, between two network namespaces; the rest is in ``make campaign``."""

from __future__ import annotations

import os
import random
from pathlib import Path

import network
import pytest
from outcome import Plan, Size

pytestmark = pytest.mark.feature("DST-1")


def test_whatever_the_network_does_everything_arrives_once_it_is_mended(tmp_path: Path) -> None:
    if reason := network.unavailable():
        pytest.skip(reason)
    seed = int(os.environ.get("BODYWORN_NETWORK_SEED") or random.randrange(2**32))
    found = list(network.outcomes(Plan(Size.SAMPLE, seed, tmp_path)))
    print(f"BODYWORN_NETWORK_SEED={seed}: {', '.join(outcome.point for outcome in found)}")
    assert len(found) == 3
    assert [outcome for outcome in found if not outcome.survived] == []


def test_every_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in network.FAULTS}) == len(network.FAULTS)
