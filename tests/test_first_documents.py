"""Documents may be read for the first time by several threads at once, as after a start with every dock full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: Threads of a process that has read nothing yet read the same document; switching often makes them meet.
PROGRAM = """
import sys, threading
sys.setswitchinterval(1e-6)
import conftest
from bodyworn.camera_volume.documents import decode
from bodyworn.camera_volume.recording import RecordingDocument
from bodyworn.errors import DocumentRefused
barrier = threading.Barrier(6)
def read():
    barrier.wait()
    try:
        decode(RecordingDocument, b"{}")
    except DocumentRefused:
        pass
threads = [threading.Thread(target=read) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_may_read_the_same_kind_for_the_first_time_together() -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")
