"""Another process decides about each system call by which a process changes a disk: let it be, let it fail, or kill.

The process asks the kernel for that itself (seccomp's user notification, seccomp_unotify(2)), before it does anything.
Calls are counted for the whole process, whichever of its threads makes them: strace counts for each thread alone, so
with it most calls of a program with many short threads cannot be named. A short write is one: half of the bytes arrive.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

#: Numbers of the calls that change what is on a disk; some machines have fewer of them.
_CALLS: dict[str, dict[str, int]] = {
    "x86_64": {
        "write": 1,
        "pwrite64": 18,
        "writev": 20,
        "fsync": 74,
        "fdatasync": 75,
        "truncate": 76,
        "ftruncate": 77,
        "rename": 82,
        "mkdir": 83,
        "rmdir": 84,
        "link": 86,
        "unlink": 87,
        "openat": 257,
        "mkdirat": 258,
        "unlinkat": 263,
        "renameat": 264,
        "linkat": 265,
        "fallocate": 285,
        "renameat2": 316,
        "copy_file_range": 326,
    },
    "aarch64": {
        "write": 64,
        "pwrite64": 68,
        "writev": 66,
        "fsync": 82,
        "fdatasync": 83,
        "truncate": 45,
        "ftruncate": 46,
        "openat": 56,
        "mkdirat": 34,
        "unlinkat": 35,
        "renameat": 38,
        "linkat": 37,
        "fallocate": 47,
        "renameat2": 276,
        "copy_file_range": 285,
    },
}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_PIDFD_GETFD = 438
#: Calls whose first argument is the file that they change.
_OF_A_FILE = {"write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "fallocate"}
_SHORTENED = {"write", "pwrite64"}
#: Calls that need room on the disk.
NEED_ROOM = {"write", "pwrite64", "openat", "mkdir", "mkdirat", "link", "linkat", "ftruncate", "fallocate"}

_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_LOAD, _IF_EQUAL, _IF_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _FLAGS_AT = 0, 32
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTICE = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_LET_IT_BE = 1
_POLL_MS = 200


class Fault(StrEnum):
    """What becomes of a call."""

    KILL = "kill"
    EIO = "EIO"
    ENOSPC = "ENOSPC"
    SHORT = "short"
    #: The disk is full from this call on.
    FULL = "full"
    #: The disk answers nothing but errors from this call on.
    DEAD = "dead"


@dataclass(frozen=True)
class Order:
    """What is to happen: this, at the ``count``-th call of this name."""

    call: str
    count: int
    fault: Fault


@dataclass
class Supervisor:
    """Decides about the calls of one process; its address goes to the process (:func:`be_supervised`).

    Only what happens to files beneath ``folder`` counts, and nothing that ``ignored`` is the name of.
    """

    folder: Path
    ignored: frozenset[str]
    order: Order | None = None
    #: How often each call was made.
    counted: Counter[str] = field(default_factory=Counter)
    #: What the order hit: the path of the file, or the call's name where it has none; empty while it hit nothing.
    hit: str = ""
    #: Files that were synced again after that had failed once.
    synced_again: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._names = {number: name for name, number in calls().items()}
        self._failed_syncs: set[tuple[int, int]] = set()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind("")
        self._listening.listen(1)
        self._listening.settimeout(30)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    @property
    def address(self) -> bytes:
        """Where the process finds its supervisor."""
        return bytes(self._listening.getsockname())

    def close(self) -> None:
        """Stop, once the process has ended."""
        self._over.set()
        self._thread.join()
        self._listening.close()

    def _run(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except TimeoutError:
            return
        with connection:
            data, descriptors, _, _ = socket.recv_fds(connection, 16, 1)
            self._pid = int(data)
            connection.send(b"!")
        listener = descriptors[0]
        self._pidfd = os.pidfd_open(self._pid)
        waiting = select.poll()
        waiting.register(listener, select.POLLIN)
        try:
            while not self._over.is_set():
                ready = waiting.poll(_POLL_MS)
                if any(event & select.POLLHUP for _, event in ready):
                    return
                if ready:
                    self._decide(listener)
        finally:
            os.close(self._pidfd)
            os.close(listener)

    def _decide(self, listener: int) -> None:
        buffer = bytearray(_NOTICE.size)
        try:
            fcntl.ioctl(listener, _RECEIVE, buffer)
            notice, _, _, number, _, _, *arguments = _NOTICE.unpack(buffer)
            value, error, flags = self._judged(self._names[number], arguments)
            fcntl.ioctl(listener, _SEND, _ANSWER.pack(notice, value, error, flags))
        except OSError as gone:
            if gone.errno not in (errno.ENOENT, errno.ESRCH, errno.EINTR, errno.EBADF):
                raise

    def _judged(self, name: str, arguments: list[int]) -> tuple[int, int, int]:
        """Give a value to return, an error, and flags."""
        path = self._path(arguments[0]) if name in _OF_A_FILE else name
        if path is None:
            return 0, 0, _LET_IT_BE
        self.counted[name] += 1
        self._look_at_sync(name, arguments[0])
        order = self.order
        if order is None or not self._is_due(order, name):
            return 0, 0, _LET_IT_BE
        if not self.hit:
            self.hit = path
        if order.fault is Fault.KILL:
            os.kill(self._pid, signal.SIGKILL)
        elif order.fault is Fault.SHORT:
            return self._half(name, arguments), 0, 0
        elif order.fault in (Fault.EIO, Fault.DEAD):
            self._note_failed_sync(name, arguments[0])
            return 0, -errno.EIO, 0
        return 0, -errno.ENOSPC, 0

    def _is_due(self, order: Order, name: str) -> bool:
        if self.hit:
            return order.fault is Fault.DEAD or (order.fault is Fault.FULL and name in NEED_ROOM)
        return name == order.call and self.counted[name] == order.count

    def _path(self, descriptor: int) -> str | None:
        """Give the path of a file that counts."""
        try:
            path = os.readlink(f"/proc/{self._pid}/fd/{descriptor}")
        except OSError:
            return None
        counts = path.startswith(f"{self.folder}/") and os.path.basename(path) not in self.ignored
        return path if counts else None

    def _half(self, name: str, arguments: list[int]) -> int:
        """Write the first half of what a call wants to write, as the process itself."""
        descriptor, address, size, position = arguments[:4]
        with open(f"/proc/{self._pid}/mem", "rb", buffering=0) as memory:
            memory.seek(address)
            data = memory.read(max(1, size // 2))
        own = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, self._pidfd, descriptor, 0)
        if own < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        try:
            return os.pwrite(own, data, position) if name == "pwrite64" else os.write(own, data)
        finally:
            os.close(own)

    def _note_failed_sync(self, name: str, descriptor: int) -> None:
        if name in ("fsync", "fdatasync"):
            self._failed_syncs.add(self._identity(descriptor))

    def _look_at_sync(self, name: str, descriptor: int) -> None:
        """A second fsync of a file says yes to what the first one lost; databases write all of it again before."""
        if name == "fsync" and self._failed_syncs and self._identity(descriptor) in self._failed_syncs:
            path = self._path(descriptor) or ""
            if path.endswith(".part"):
                self.synced_again.append(path)

    def _identity(self, descriptor: int) -> tuple[int, int]:
        found = os.stat(f"/proc/{self._pid}/fd/{descriptor}")
        return found.st_dev, found.st_ino


def calls() -> dict[str, int]:
    """Give the numbers of the calls on this machine; empty where they are not known."""
    return _CALLS.get(platform.machine(), {})


def be_supervised(address: bytes) -> None:
    """Let a supervisor decide about every call of this process from now on; call it before any thread is started."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        listener = _install(_filter())
        socket.send_fds(connection, [str(os.getpid()).encode()], [listener])
        connection.recv(1)
    os.close(listener)


def _filter() -> bytes:
    """Write the program that the kernel runs at each call: these ask, of openat only what creates, all others pass."""
    numbers = dict(calls())
    opening = numbers.pop("openat")
    count = len(numbers)
    steps = [(_LOAD, 0, 0, _NUMBER_AT)]
    steps += [(_IF_EQUAL, count - place + 3, 0, number) for place, number in enumerate(numbers.values())]
    steps += [(_IF_EQUAL, 0, 2, opening), (_LOAD, 0, 0, _FLAGS_AT), (_IF_SET, 1, 0, os.O_CREAT)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _NOTIFY)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _install(program: bytes) -> int:
    """Hand the program to the kernel; gives the descriptor on which it asks."""
    c = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(program, len(program))
    described = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(held)))
    if c.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    listener = int(c.syscall(_SECCOMP[platform.machine()], _SET_MODE_FILTER, _NEW_LISTENER, described))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


def works() -> str | None:
    """Say why it cannot be done here: try it on a process that does nothing else. None if it can."""
    if not calls():
        return f"the numbers of system calls on {platform.machine()} are not known here"
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(_install(_filter()))
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    return None if os.waitstatus_to_exitcode(status) == 0 else "the kernel lets no process be supervised (seccomp)"
