"""The controller as a process of its own: spawned, watched, restarted, stopped; and the host as a program."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bodyworn.crypto.master_key import KdfCost
from bodyworn.services import founding
from bodyworn.services.keyring import Keyring
from bodyworn.supervise import Command, ControllerProcess
from hosting import ROOT, host_app, loader_of

CHEAPEST = KdfCost(memory_kib=64 * 1024, iterations=1, lanes=1)
SECRET = "postgresql://bodyworn:not-for-ps@db/bodyworn"


def until(is_so: Callable[[], object], seconds: float = 20.0) -> object:
    """Wait until something is so, and give what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := is_so():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a dead child that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def controller(tmp_path):
    """Make controllers out of a few lines of Python; all of them are ended."""
    made = []

    def make(code: str) -> ControllerProcess:
        command = Command((sys.executable, "-c", code), SECRET, tmp_path / "controller.log")
        made.append(ControllerProcess(command, first_pause_seconds=0.05))
        return made[-1]

    yield make
    for process in made:
        pid = process.pid
        if not process.stop(0.5) and pid is not None:
            os.kill(pid, signal.SIGKILL)
            process.stop(5)


SLEEP = "import time; print('up', flush=True); time.sleep(60)"


def log_of(tmp_path: Path) -> str:
    log = tmp_path / "controller.log"
    return log.read_text() if log.exists() else ""


def test_the_database_address_is_in_the_environment_and_nowhere_else(controller, tmp_path):
    process = controller("import os, sys; print(sys.argv, os.environ['BODYWORN_DATABASE'], flush=True)\n" + SLEEP)
    process.start()
    until(lambda: "up" in log_of(tmp_path))
    assert SECRET in log_of(tmp_path)
    assert b"not-for-ps" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert "not-for-ps" not in repr(process._command)


def test_it_runs_in_a_session_of_its_own_with_a_private_log(controller, tmp_path):
    process = controller(SLEEP)
    process.start()
    assert os.getsid(process.pid) == process.pid
    assert (tmp_path / "controller.log").stat().st_mode & 0o777 == 0o600


def test_starting_twice_starts_one(controller, tmp_path):
    process = controller(SLEEP)
    process.start()
    first = process.pid
    process.start()
    assert process.pid == first


def test_a_controller_that_dies_is_started_again(controller, tmp_path, caplog):
    process = controller(SLEEP)
    process.start()
    first = process.pid
    os.kill(first, signal.SIGKILL)
    second = until(lambda: process.pid if process.pid not in (None, first) else None)
    assert second != first
    assert "The controller ended with -9" in caplog.text


def test_one_that_keeps_dying_is_tried_less_and_less_often(controller, tmp_path, caplog):
    process = controller("raise SystemExit(3)")
    process.start()
    until(lambda: caplog.text.count("ended with 3") >= 3)
    assert process.stop(5)
    pauses = [float(pause) for pause in re.findall(r"again in (\d+) s", caplog.text)]
    assert pauses == sorted(pauses)


def test_stopping_ends_it_for_good_and_twice_is_harmless(controller, tmp_path):
    process = controller(SLEEP)
    process.start()
    pid = process.pid
    assert process.stop(5)
    assert process.stop(5)
    assert process.pid is None
    assert not is_alive(pid)


def test_stopping_what_never_started_is_harmless(controller):
    assert controller(SLEEP).stop(1)


def test_it_can_be_started_again_after_a_stop(controller):
    process = controller(SLEEP)
    process.start()
    process.stop(5)
    process.start()
    assert process.pid is not None


def test_one_that_does_not_stop_in_time_is_told_of_and_left(controller, tmp_path):
    process = controller("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP)
    process.start()
    until(lambda: "up" in log_of(tmp_path))
    assert not process.stop(0.2)
    assert process.pid is not None


def test_a_large_log_is_begun_anew_and_one_old_kept(controller, tmp_path):
    with (tmp_path / "controller.log").open("wb") as log:
        log.truncate(17 * 1024 * 1024)
    process = controller(SLEEP)
    process.start()
    until(lambda: "up" in log_of(tmp_path))
    assert len(log_of(tmp_path)) < 100
    assert (tmp_path / "controller.log.1").stat().st_size == 17 * 1024 * 1024


def test_launched_by_path_the_folder_is_bodyworn_whatever_its_name(tmp_path):
    folder = tmp_path / "any name at all"
    shutil.copytree(ROOT / "plugin", folder, ignore=shutil.ignore_patterns("__pycache__", "manifest.json"))
    command = [sys.executable, "-P", str(folder / "launch.py"), "--version"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout.read() == "bodyworn, version 0.1.0\n"


def test_launched_it_ends_when_its_parent_is_gone(tmp_path):
    (tmp_path / "cli").mkdir()
    shutil.copy(ROOT / "plugin" / "launch.py", tmp_path)
    (tmp_path / "__init__.py").touch()
    (tmp_path / "cli" / "__init__.py").write_text(f"def main(prog_name):\n    {SLEEP}\n")
    command = [sys.executable, "-P", str(tmp_path / "launch.py"), "controller"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        process.stdin.close()
        assert process.wait(20) == -signal.SIGTERM


@pytest.mark.feature("HST-1")
def test_starting_the_plugin_runs_one_controller_and_stopping_ends_it(tmp_path):
    app = host_app(tmp_path / "data", with_accounts=False)
    folder, loader = app.extensions["bodyworn"].data_dir, loader_of(app)
    found_system(app)
    loader.start()
    try:
        lock = folder / "controller.lock"
        pid = int(until(lambda: lock.exists() and lock.read_text().strip()))
        assert b"launch.py\0controller\0--data-dir" in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert until(lambda: loader.health(loader.slots[0])[0].state == "okay"), log_of(folder)
        loader.start()
        assert int(lock.read_text()) == pid
    finally:
        assert loader.stop() == []
    assert not is_alive(pid)


def test_starting_the_plugin_removes_what_uploads_left_that_died(tmp_path):
    app = host_app(tmp_path / "data", with_accounts=False)
    container = app.extensions["bodyworn"].data_dir / "received" / "account" / "container"
    container.mkdir(parents=True)
    left, living = container / ".left.part", container / ".living.part"
    left.touch()
    with living.open("w") as upload:
        fcntl.flock(upload, fcntl.LOCK_EX)
        loader_of(app).start()
        loader_of(app).stop()
        assert (left.exists(), living.exists()) == (False, True)


def found_system(app) -> None:
    """Found a system, as the wizard does."""
    runtime = app.extensions["bodyworn"]
    keyring = Keyring(runtime.data_dir / "keys")
    with runtime.database.write() as session:
        founding.found(session, keyring, name="Depot", passphrase="correct horse battery staple", cost=CHEAPEST)


# --- bodyworn serve ------------------------------------------------------------------------------------------------


def serve(*arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start ``bodyworn serve`` as the console script would."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); import conftest\n"
        "from bodyworn.cli import main; main(prog_name='bodyworn')"
    )
    command = [sys.executable, "-c", code, "serve", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def refusal_of(*arguments: str) -> str:
    """Give what is printed by a start that is refused."""
    with serve(*arguments) as process:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 1
    return output


def test_a_certificate_that_is_not_there_is_refused_in_words(tmp_path):
    missing = str(tmp_path / "missing.pem")
    given = ("--certificate", missing, "--private-key", missing)
    output = refusal_of("--data-dir", str(tmp_path / "data"), "--host", "0.0.0.0", "--port", "0", *given)
    assert f"{missing} cannot be read" in output
    assert "Traceback" not in output


@pytest.mark.feature("HST-1")
def test_the_host_serves_prints_the_way_in_and_ends_on_request(tmp_path):
    with ended(serve("--data-dir", str(tmp_path / "data"), "--port", "0")) as process:
        printed = []
        for line in process.stdout:
            printed.append(line)
            if found := re.search(r"Harbour VMS is at (http://127\.0\.0\.1:\d+/)", line):
                break
        text = "".join(printed)
        assert re.search(r"[Ss]etup token.*\b[a-z2-9]{6}(-[a-z2-9]{6}){3}\b", text, re.DOTALL), text
        with urllib.request.urlopen(found[1] + "sign-in", timeout=20) as page:
            assert "/first-visit" in page.url
            assert "Harbour VMS" in page.read().decode()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(30) == 0, rest
        assert "Traceback" not in text + rest


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """See that it is gone in the end, whatever a test found."""
    with process:
        try:
            yield process
        finally:
            process.terminate()
