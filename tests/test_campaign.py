"""The fault campaign: a sample of it passes, the points that failed once pass, and it can fail."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CAMPAIGN = ROOT / "campaign"
FIGURES = (
    *("points_total", "points_survived", "lost", "wrong_deletes", "undetected_corruption", "duplicate_objects"),
    *("key_clip_mismatch", "orphan_parts", "stuck", "recovery_s", "cycles", "seeds"),
)
sys.path.append(str(CAMPAIGN))

if TYPE_CHECKING:
    from workload import Original, Workload


def run(out: Path, *options: str) -> dict[str, Any]:
    """Run the campaign as people do; gives the figures of each tier."""
    command = [
        sys.executable,
        str(CAMPAIGN / "run.py"),
        "--size",
        "sample",
        "--lanes",
        "2",
        "--out",
        str(out),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(out.read_text())
    assert all(figures.keys() >= set(FIGURES) for figures in (document["all"], *document["tiers"].values()))
    return document


@pytest.mark.feature("REC-2")
def test_a_sample_of_what_can_go_wrong_loses_nothing(tmp_path: Path) -> None:
    document = run(tmp_path / "figures.json", "--tier", "bits", "--tier", "hooks", "--tier", "syscalls")
    print(f"seed {document['seed']}")
    assert document["tiers"]["bits"]["points_survived"] == 60
    assert document["tiers"]["hooks"]["points_survived"] >= 1
    assert document["all"]["failing"] == []


def test_what_failed_once_does_not_fail_again(tmp_path: Path) -> None:
    document = run(tmp_path / "figures.json", "--kept")
    kept = json.loads((CAMPAIGN / "seeds.json").read_text())
    tried = sum(figures["cycles"] for figures in document["tiers"].values())
    assert tried == sum(one["tier"] in document["tiers"] for one in kept)


# the campaign can fail


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workload]:
    """A workload, encrypted; cameras of other tests record films again afterwards."""
    import goals
    import workload
    from bodyworn.simulator import media

    monkeypatch.setattr(media, "make_clip", media.make_clip)
    with goals.scripted(True) as goal, workload.Workload(tmp_path / "home", tmp_path / "around", goal) as load:
        yield load


def objects_of(load: Workload) -> dict[str, Any]:
    """Give what the scripted destination holds, to be changed."""
    held: dict[str, Any] = load.goal.fake.objects  # type: ignore[attr-defined]
    return held


def double_object(load: Workload) -> None:
    path = next(path for path in objects_of(load) if path.endswith(".mkv"))
    objects_of(load)[path.replace(".mkv", "-again.mkv")] = objects_of(load)[path]


def leave_part(load: Workload) -> None:
    (next(load.spool.root.glob("*_*")) / ".0123.part").write_bytes(b"half")


def harm_spool(load: Workload) -> None:
    path = next(load.spool.root.glob("*/*.mkv"))
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def harm_bookmark(load: Workload) -> None:
    next(one for path, one in objects_of(load).items() if "/bookmark_" in path).body = b"there"


def lose_key(load: Workload) -> None:
    del objects_of(load)[next(path for path in objects_of(load) if path.endswith(".mkv.key") or path.endswith(".key"))]


HARMS: dict[Callable[[Workload], None], str] = {
    double_object: "duplicate_objects",
    leave_part: "orphan_parts",
    harm_spool: "undetected_corruption",
    harm_bookmark: "undetected_corruption",
    lose_key: "key_clip_mismatch",
}


def test_every_kind_of_harm_is_counted(load: Workload) -> None:
    import checks

    originals = load.shift()
    assert checks.in_the_end(load, originals, done=False).counts == {"stuck": 1}
    assert load.recover(originals) is not None, load.story()
    before = checks.in_the_end(load, originals, done=True).counts
    assert before == {}
    for harm, kind in HARMS.items():
        harm(load)
        counted = checks.in_the_end(load, originals, done=True).counts
        assert counted[kind] > before[kind], harm.__name__
        before = counted
    _check_lost(load, originals)


def _check_lost(load: Workload, originals: list[Original]) -> None:
    """Gone from its camera with nothing at the destination; and then gone from the spool as well."""
    import checks

    load.goal.forget()
    assert checks.after_crash(load, originals).counts["wrong_deletes"] == 2
    for clip in load.spool.root.glob("*/*.mkv"):
        clip.unlink()
    assert checks.after_crash(load, originals).counts == {"wrong_deletes": 2, "lost": 2}
