"""Damaged file systems of cameras, mounted for real: bounded, left as they are, and the service goes on."""

from __future__ import annotations

from pathlib import Path

import hostile_images
import pytest
from hostile_visit import new_visitor

#: The campaign (tier "volumes") visits hundreds.
IMAGES = 2


@pytest.mark.parametrize("filesystem", hostile_images.MAKERS)
def test_damaged_images_are_seen_through(filesystem: str, tmp_path: Path) -> None:
    healthy, target = tmp_path / "healthy.img", tmp_path / "mount"
    try:
        hostile_images.make(filesystem, healthy, target)
    except hostile_images.NoImages as reason:
        pytest.skip(str(reason))
    visitor = new_visitor(tmp_path)
    became, faults = hostile_images.visit_image(visitor, healthy, filesystem, target)
    assert (became, faults) == ("read", [])
    for seed in range(IMAGES):
        image = hostile_images.mutated(healthy, filesystem, tmp_path / "damaged.img", seed)
        _, faults = hostile_images.visit_image(visitor, image, filesystem, target)
        assert faults == [], f"{filesystem}/{seed}"
