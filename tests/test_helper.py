"""The helper that mounts for a controller without rights: what it does, and everything that it will not do."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

import pytest
from bodyworn.errors import HelperRefused, HelperUnreachable, HelperUnsafe, MountFailed
from bodyworn.hw import mounts, service_units, usb_policy
from bodyworn.hw.helper import devices, mounting, places, wire
from bodyworn.hw.helper.client import Helper
from bodyworn.hw.helper.filesystems import ALLOWED, Owner
from bodyworn.hw.helper.server import serve
from bodyworn.hw.helper.verbs import VERBS, Remit
from helper_parts import NOBODY, ROOT, helper_process, image, looped, needs_mounts, serving, trusted

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a helper is root")
FILES = {"clip.mkv": bytes(100_000), "a long name of a file.mp4": b"evidence"}


@pytest.fixture
def folder() -> Iterator[Path]:
    with trusted() as made:
        yield made


@pytest.fixture
def served(folder: Path, tmp_path: Path) -> Iterator[Helper]:
    """A helper for this test's own user."""
    remit = Remit(Owner(0, 0), folder / "mounts", ALLOWED, (tmp_path,))
    remit.scratch.mkdir()
    with serving(remit, folder / "socket") as helper:
        yield helper


@needs_mounts
@pytest.mark.feature("CAM-1")
def test_a_controller_without_rights_reads_and_deletes_by_a_helper(folder: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        disks = {one: stack.enter_context(looped(image(tmp_path, one, FILES))) for one in ("exfat", "vfat", "ext4")}
        process = stack.enter_context(helper_process(folder, tmp_path, NOBODY, "ext4"))
        told = without_rights(folder, disks)
        assert (told["uid"], told["alone"]) == (NOBODY, "mounting-impossible")
        for filesystem in ("exfat", "vfat"):
            assert told[filesystem] == {
                "folder": str(folder / "mounts" / "bay-1" / "disk"),
                "owner": NOBODY,
                "mode": "0o700",
                "read": {name: len(content) for name, content in FILES.items()},
                "left": [],
            }
        # it has owners of its own: what root wrote there can be read, as far as it lets others, and not deleted
        assert told["ext4"]["problem"] == "camera-unreadable"
        assert told["ext4"]["read"]["clip.mkv"] == len(FILES["clip.mkv"])
        assert list((folder / "mounts").iterdir()) == []
        assert resident_bytes(process.pid) < 32 * 2**20
        with pytest.raises(HelperRefused, match="user 0"):
            Helper(folder / "socket").check()
        assert "user 0" in (folder / "helper.log").read_text()


def without_rights(folder: Path, disks: Mapping[str, Path]) -> dict[str, Any]:
    """Have a user without rights read and delete what is on disks."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests"), "BODYWORN_FILESYSTEMS": "ext4"}
    words = [str(NOBODY), str(folder / "socket"), *(f"{filesystem}={node}" for filesystem, node in disks.items())]
    command = [sys.executable, str(ROOT / "tests" / "testbed" / "helped.py"), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def resident_bytes(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


@needs_mounts
def test_a_helper_that_is_gone_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mounts.problem() is None
    monkeypatch.setenv(mounts.HELPER_VARIABLE, str(folder / "socket"))
    assert isinstance(mounts.problem(), HelperUnreachable)
    assert mounts.unmount_leftovers(folder) == 0


@needs_mounts
def test_images_and_leftovers_are_served_as_well(served: Helper, tmp_path: Path, monkeypatch) -> None:
    path = image(tmp_path, "exfat", FILES)
    target = Path("/nowhere/bay-1/media")
    mounted = served.mount_image(path, "exfat", target, read_only=True)
    assert (mounted / "clip.mkv").read_bytes() == FILES["clip.mkv"]
    with pytest.raises(HelperRefused, match="already"):
        served.mount_image(path, "exfat", target, read_only=True)
    assert served.unmount_beneath(Path("/nowhere")) == 1
    with pytest.raises(MountFailed):
        served.unmount(target)


@needs_mounts
def test_a_mount_that_hangs_is_taken_away(served: Helper, tmp_path: Path) -> None:
    target = Path("/nowhere/bay-1/media")
    mounted = served.mount_image(image(tmp_path, "vfat", FILES), "vfat", target, read_only=True)
    program = next(mounting._programs_of(mounted))
    signal.pidfd_send_signal(program, signal.SIGSTOP)
    os.close(program)
    served.abandon(target)
    assert not mounting.is_mounted(mounted)


LIES = [
    ({"type": "mount", "device": "/dev/null"}, "is no disk"),
    ({"type": "mount", "device": "/dev/../etc/shadow"}, "not understood"),
    ({"type": "mount", "device": "/dev/sda1 -o suid"}, "not understood"),
    ({"type": "mount", "device": "/dev/there-is-none"}, "No such file"),
    ({"type": "mount", "device": "/dev/null", "bay": ".."}, "not understood"),
    ({"type": "mount", "device": "/dev/null", "bay": "a/b"}, "not understood"),
    ({"type": "mount", "device": "/dev/null", "unit": "media\n"}, "not understood"),
    ({"type": "mount", "device": "/dev/null", "filesystem": "ext4"}, "ext4"),
    ({"type": "mount", "device": "/dev/null", "filesystem": "auto"}, "auto"),
    ({"type": "mount", "device": "/dev/null", "filesystem": "vfat,suid"}, "not understood"),
    ({"type": "mount", "device": "/dev/null", "options": "suid"}, "unknown field"),
    ({"type": "mount", "device": "/dev/null", "read_only": 1}, "not understood"),
    ({"type": "mount-image", "image": "/etc/passwd"}, "not attached from there"),
    ({"type": "mount-image", "image": "{tmp}/../../etc/passwd"}, "no such image"),
    ({"type": "mount-image", "image": "{tmp}/link"}, "no such image"),
    ({"type": "mount-image", "image": "{tmp}/pipe"}, "no image of the caller's"),
    ({"type": "mount-image", "image": "{tmp}/foreign"}, "no image of the caller's"),
    ({"type": "eject", "device": "/dev/null"}, "is no disk"),
    ({"type": "unmount", "bay": "bay", "unit": "never"}, "mount-failed"),
    ({"type": "exec"}, "not understood"),
    ([], "not understood"),
]


@needs_mounts
def test_a_caller_that_lies_is_refused_and_written_down(served: Helper, folder, tmp_path, caplog) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "foreign").write_bytes(b"")
    os.chown(tmp_path / "foreign", NOBODY, NOBODY)
    for lie, said in LIES:
        caplog.clear()
        answer = ask(folder / "socket", json.dumps(completed(lie)).replace("{tmp}", str(tmp_path)).encode())
        assert isinstance(answer, wire.Failed), lie
        assert said in f"{answer} {caplog.text}", lie
        assert [record.levelno for record in caplog.records] == [logging.WARNING], lie
    assert list((folder / "mounts").iterdir()) == []


def completed(lie: object) -> object:
    """Add what a request of its kind must have, so that it is refused for its lie alone."""
    if not isinstance(lie, dict) or lie["type"] not in ("mount", "mount-image"):
        return lie
    return {"filesystem": "vfat", "bay": "bay", "unit": "media", "read_only": True} | lie


def ask(path: Path, frame: bytes) -> wire.Answer:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(str(path))
        connection.send(frame)
        return wire.as_answer(wire.receive(connection))


@needs_mounts
def test_frames_end_and_silent_callers_hold_up_nobody(served: Helper, folder: Path) -> None:
    too_long = ask(folder / "socket", b" " * (wire.LIMIT_BYTES + 1))
    assert isinstance(too_long, wire.Failed)
    assert too_long.values == {"reason": "it is too long"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.connect(str(folder / "socket"))
        served.check()


@needs_mounts
def test_disks_that_this_machine_uses_are_left_alone(served: Helper, folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with trusted() as other, looped(image(other, "exfat", FILES)) as foreign:
        refused(served, foreign, "no USB disk")
    with looped(image(tmp_path, "exfat", FILES)) as node, mounts.mounted(node, "exfat", elsewhere, read_only=True):
        refused(served, node, "in use")
    assert list((folder / "mounts").iterdir()) == []


def refused(helper: Helper, node: Path, reason: str) -> None:
    with pytest.raises(HelperRefused, match=reason):
        helper.mount(node, "exfat", Path("/nowhere/bay/disk"), read_only=True)


@needs_root
@pytest.mark.parametrize(("bus", "passes"), [("usb", True), ("pci", False)])
def test_the_kernel_says_what_is_a_usb_disk(folder: Path, bus: str, passes: bool) -> None:
    """The device's number leads to its place in the tree of devices; its name alone means nothing."""
    number = (240, 17)
    tree = folder / "sys"
    port = tree / "devices" / "0000:00" / "1-2"
    part = port / "host0" / "block" / "sdq" / "sdq1"
    part.mkdir(parents=True)
    (tree / "bus" / bus).mkdir(parents=True)
    (port / "subsystem").symlink_to(tree / "bus" / bus)
    (part / "partition").write_text("1\n")
    (part / "dev").write_text("240:17\n")
    (part.parent / "dev").write_text("240:16\n")
    (tree / "dev/block").mkdir(parents=True)
    (tree / "dev/block/240:17").symlink_to(part)
    for name in ("sdq1", "sdz1"):
        os.mknod(folder / name, stat.S_IFBLK | 0o600, os.makedev(*number))
    with pytest.raises(HelperRefused, match="is no disk"):
        devices.check_camera_disk(folder / "sdz1", sys=tree)
    if passes:
        devices.check_camera_disk(folder / "sdq1", sys=tree)
        (part.parent / "holders").mkdir()
        (part.parent / "holders" / "dm-0").touch()
        with pytest.raises(HelperRefused, match="in use"):
            devices.check_camera_disk(folder / "sdq1", sys=tree)
    else:
        with pytest.raises(HelperRefused, match="no USB disk"):
            devices.check_camera_disk(folder / "sdq1", sys=tree)


@needs_root
def test_a_helper_does_not_work_where_others_could_change_its_folders(folder: Path) -> None:
    open_to_all = folder / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(HelperUnsafe, match="may change"):
        places.trusted_folder(open_to_all / "mounts")
    foreign = folder / "foreign"
    foreign.mkdir()
    os.chown(foreign, NOBODY, NOBODY)
    with pytest.raises(HelperUnsafe, match="may change"):
        places.trusted_folder(foreign)
    assert places.trusted_folder(folder / "own") == folder / "own"


@needs_root
def test_a_place_is_made_without_following_links(folder: Path) -> None:
    (folder / "bay").symlink_to("/etc")
    with pytest.raises(HelperRefused, match="no place"):
        places.make_place(folder, "bay", "media")
    assert not Path("/etc/media").exists()


def test_a_helper_that_is_not_root_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HelperUnsafe, match="not root"):
        serve(tmp_path / "socket", Remit(Owner(0, 0), tmp_path, ALLOWED), -1)


@needs_mounts
def test_the_usb_policy_is_done_by_the_helper(served: Helper, folder: Path, tmp_path, monkeypatch) -> None:
    hub = tmp_path / "devices" / "usb1"
    hub.mkdir(parents=True)
    (hub / "authorized_default").write_text("1")
    tree = usb_policy.Tree(tmp_path / "devices", tmp_path / "probe", tmp_path / "built_in")
    monkeypatch.setattr(usb_policy, "KERNEL", tree)
    served.deny()
    assert (hub / "authorized_default").read_text() == "0"
    assert (folder / "usb-guard").exists(), "its mark lies where nobody else can put one"
    assert served.admit(["1-1"], None) == []
    served.allow()
    assert (hub / "authorized_default").read_text() == "1"


def test_every_request_has_a_verb() -> None:
    assert set(VERBS) == set(get_args(wire.Request))


def test_the_services_are_units_that_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing")
    program = tmp_path / "bodyworn"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    found = service_units.units(program, "root", tmp_path)
    for name, text in found.items():
        assert "@" not in re.sub(r"@(system-service|mount|privileged)", "", text)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in found)],
        capture_output=True,
        text=True,
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "bodyworn-" in line]
    assert ours == []


def test_the_helper_has_no_mount_namespace_of_its_own(tmp_path: Path) -> None:
    """What is mounted in one would be seen by nobody else."""
    text = service_units.units(Path("/usr/bin/bodyworn"), "bodyworn", tmp_path)["bodyworn-helper.service"]
    set_there = {line.partition("=")[0] for line in text.splitlines() if "=" in line and not line.startswith("#")}
    assert not [one for one in set_there if re.match("Protect|Private|ReadOnly|ReadWrite|Inaccessible|Temporary", one)]
