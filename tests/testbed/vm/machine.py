"""A machine under QEMU whose USB sockets are filled and emptied on its own request.

The guest sends a line of JSON for each thing that it wants done or has found out; what it wants done (a device plugged
in, or pulled out) is done before it is answered. Its root is this machine's, read-only, so it runs this very code.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from testbed.vm.kernel import HERE, Kernel

TESTS = HERE.parent.parent
_ANSWER_SECONDS = 60.0
#: Emulated without the help of the processor, because machines within machines often have none to give.
_MACHINE = (
    "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536",
    "-nodefaults", "-display", "none", "-no-reboot", "-audiodev", "none,id=sound",
    "-netdev", "hubport,id=wire,hubid=0",
    "-device", "qemu-xhci,id=xhci,addr=0x10,p2=8,p3=8", "-device", "usb-ehci,id=ehci,addr=0x11",
    "-device", "usb-kbd,bus=ehci.0,port=2",  # the console's
)  # fmt: skip


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path: Path) -> None:
        self._socket = _connected(path)
        self._socket.settimeout(_ANSWER_SECONDS)
        self._file = self._socket.makefile("rwb")
        self._events: list[dict[str, Any]] = []
        self._read()  # the greeting
        self.run("qmp_capabilities")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def run(self, command: str, **arguments: Any) -> Any:
        """Run a command and give what it returns."""
        self._file.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self._file.flush()
        while True:
            answer = self._read()
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
            self._events.append(answer)

    def wait_for_removal(self, device: str) -> None:
        """Wait until QEMU says that a device is gone."""
        while not any(one["event"] == "DEVICE_DELETED" and one["data"].get("device") == device for one in self._events):
            self._events.append(self._read())
        self._events.clear()

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._file.readline())
        return found


@dataclass
class Machine:
    """It runs; ``share`` is the folder that guest and host both write to."""

    share: Path
    process: subprocess.Popen[bytes]
    qmp: Qmp
    talk: socket.socket
    began: float
    unplugged: int = 0

    def told(self, within_seconds: float) -> Iterator[dict[str, Any]]:
        """Give what the guest found out, until it ends; do meanwhile what it wants done."""
        self.talk.settimeout(within_seconds)
        lines = self.talk.makefile("rb")
        while line := self._line(lines, within_seconds):
            said = json.loads(line)
            if "want" not in said:
                yield said
                continue
            try:
                answer: dict[str, Any] = {"done": True, "value": getattr(self, f"_{said.pop('want')}")(**said)}
            except (RuntimeError, OSError, ValueError) as error:
                answer = {"wrong": str(error)}
            self.talk.sendall(json.dumps(answer).encode() + b"\n")

    def _line(self, lines: BinaryIO, within_seconds: float) -> bytes:
        if time.monotonic() - self.began > within_seconds:
            raise TimeoutError("the machine took too long")
        return lines.readline()

    def _plug_disk(self, name: str, image: str, serial: str, bus: str, port: str, bytes_per_second: int = 0) -> None:
        """Plug in a disk of an image in the shared folder, as slow as a camera if wanted."""
        file = {"driver": "file", "filename": str(self.share / image)}
        self.qmp.run("blockdev-add", driver="raw", **{"node-name": f"{name}-file"}, file=file)
        limits = {"bps-read": bytes_per_second} if bytes_per_second else {}
        self.qmp.run("object-add", **{"qom-type": "throttle-group", "id": f"{name}-pace", "limits": limits})
        self.qmp.run(
            "blockdev-add", driver="throttle", **{"node-name": f"{name}-disk", "throttle-group": f"{name}-pace"},
            file=f"{name}-file",
        )  # fmt: skip
        where = {"bus": f"{bus}.0", "port": port}
        self.qmp.run("device_add", driver="usb-storage", id=name, drive=f"{name}-disk", serial=serial, **where)

    def _unplug_disk(self, name: str) -> None:
        self._unplug(name)
        self.qmp.run("blockdev-del", **{"node-name": f"{name}-disk"})
        self.qmp.run("object-del", id=f"{name}-pace")
        self.qmp.run("blockdev-del", **{"node-name": f"{name}-file"})

    def _plug(self, name: str, driver: str, bus: str, port: str) -> None:
        """Plug in something else: a keyboard, a sound card, a network card."""
        more = {"usb-audio": {"audiodev": "sound"}, "usb-net": {"netdev": "wire"}}.get(driver, {})
        self.qmp.run("device_add", driver=driver, id=name, bus=f"{bus}.0", port=port, **more)

    def _unplug(self, name: str) -> None:
        self.qmp.run("device_del", id=name)
        self.qmp.wait_for_removal(name)
        self.unplugged += 1

    def _digest(self, image: str) -> str:
        """Digest an image, which the guest itself would do slowly."""
        with (self.share / image).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def wait(self, seconds: float) -> None:
        """Wait until it has switched itself off."""
        self.process.wait(seconds)


@contextmanager
def machine(kernel: Kernel, share: Path, scratch: Path, settings: Mapping[str, str] | None = None) -> Iterator[Machine]:
    """Boot a machine; ``settings`` are variables of the guest's part."""
    facts = {"PYTHON": sys.executable, "TESTS": str(TESTS), "MODULES": str(kernel.modules), **(settings or {})}
    (share / "machine.env").write_text("".join(f"export {name}='{value}'\n" for name, value in facts.items()))
    initramfs = scratch / "initramfs"
    kernel.pack(initramfs)
    began = time.monotonic()
    with ExitStack() as stack:
        process = subprocess.Popen(
            _command(kernel, initramfs, share, scratch),
            stdin=subprocess.DEVNULL,
            stdout=stack.enter_context((scratch / "qemu.log").open("wb")),
            stderr=subprocess.STDOUT,
        )
        stack.callback(_end, process)
        qmp = Qmp(scratch / "qmp")
        stack.callback(qmp.close)
        talk = stack.enter_context(_connected(scratch / "talk"))
        yield Machine(share, process, qmp, talk, began)


def _command(kernel: Kernel, initramfs: Path, share: Path, scratch: Path) -> list[str]:
    append = f"console=ttyS0 quiet panic=-1 bodyworn.start={HERE / 'guest.sh'}"
    return [
        "qemu-system-x86_64", *_MACHINE,
        "-kernel", str(kernel.image), "-initrd", str(initramfs), "-append", append,
        "-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
        "-device", "virtio-9p-pci,fsdev=root,mount_tag=root",
        "-fsdev", f"local,id=share,path={share},security_model=none",
        "-device", "virtio-9p-pci,fsdev=share,mount_tag=share",
        "-serial", f"file:{scratch / 'console.log'}",
        "-chardev", f"socket,id=talk,path={scratch / 'talk'},server=on,wait=off", "-serial", "chardev:talk",
        "-qmp", f"unix:{scratch / 'qmp'},server=on,wait=off",
    ]  # fmt: skip


def _connected(path: Path) -> socket.socket:
    """Connect to a socket that QEMU is about to make."""
    end = time.monotonic() + _ANSWER_SECONDS
    while True:
        found = socket.socket(socket.AF_UNIX)
        try:
            found.connect(os.fspath(path))
        except OSError:
            found.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
