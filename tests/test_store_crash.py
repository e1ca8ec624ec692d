"""A writer that is killed at any step leaves nothing half; the next attempt ends whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from bodyworn.const import Step
from bodyworn.store import Store

STEPS = [Step.PART_CREATED, Step.STREAMED, Step.SYNCED, Step.REREAD, Step.RENAMED, Step.FOLDER_SYNCED]
EVIDENCE = bytes(range(256)) * 9000

WRITER = """
import os, signal, sys
from pathlib import Path
import conftest
from bodyworn.store import Store
root, fatal = sys.argv[1:]
def hook(step):
    if step == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
evidence = bytes(range(256)) * 9000
Store(Path(root), hook).write("c", "clip", [evidence[:1000000], evidence[1000000:]], metadata={"a": "1"})
"""


def write_in_child(root: Path, fatal: str) -> int:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.run([sys.executable, "-c", WRITER, root, fatal], env=environment, timeout=60).returncode


def hidden_beneath(root: Path) -> list[Path]:
    return [path for path in root.rglob(".*") if path.name != ".metadata"]


@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_at_any_step_the_next_attempt_ends_whole(tmp_path: Path, step: Step) -> None:
    assert write_in_child(tmp_path / "root", step) == -signal.SIGKILL
    store = Store(tmp_path / "root")
    left = len(hidden_beneath(store.root))
    for name in store.list_objects("c") if store.root.joinpath("c").exists() else ():
        assert (store.root / "c" / name).read_bytes() == EVIDENCE

    assert store.sweep_parts() == left
    store.write("c", "clip", [EVIDENCE], metadata={"a": "1"})

    assert (store.root / "c/clip").read_bytes() == EVIDENCE
    assert store.get_metadata("c", "clip") == {"a": "1"}
    assert (list(store.list_objects("c")), hidden_beneath(store.root)) == (["clip"], [])


def test_a_part_is_left_behind_by_a_kill_while_streaming(tmp_path: Path) -> None:
    write_in_child(tmp_path / "root", Step.SYNCED)
    assert [path.suffix for path in hidden_beneath(tmp_path / "root")] == [".part"]


def test_a_link_left_between_naming_and_unlinking_is_swept(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")
    store.write_bytes("c", "clip", b"evidence")
    os.link(store.root / "c/clip", store.root / "c/.0123.part")
    assert store.sweep_parts() == 1
    assert (store.root / "c/clip").read_bytes() == b"evidence"


def test_sidecars_that_died_are_swept(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")
    store.put_metadata("c", None, {"a": "1"})
    (store.root / "c/.metadata/.0123.part").write_bytes(b"{")
    assert (store.sweep_parts(), store.sweep_parts()) == (1, 0)
    assert store.get_metadata("c", None) == {"a": "1"}


def test_sweeping_leaves_a_living_writer_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")

    def blocks() -> Iterator[bytes]:
        yield b"evi"
        assert Store(tmp_path / "root").sweep_parts() == 0
        yield b"dence"

    store.write("c", "clip", blocks())
    assert (store.root / "c/clip").read_bytes() == b"evidence"


def test_writers_of_one_name_at_once_leave_one_object(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")
    together = threading.Barrier(4)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            store.write("c", "clip", [EVIDENCE], accept=lambda _: together.wait(20))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [path.name for path in (store.root / "c").iterdir()] == ["clip"]
