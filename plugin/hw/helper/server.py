"""The helper's process: a Unix socket for one user, one thread a request, and a log of what was refused."""

from __future__ import annotations

import logging
import os
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ...errors import BodywornError, HelperRefused, HelperUnsafe
from . import wire
from .verbs import Remit, perform

log = logging.getLogger(__name__)

#: A caller has so long to say what it wants, and to take the answer.
_PATIENCE_SECONDS: Final = 5.0
_MOST_AT_A_TIME: Final = 16
_CREDENTIALS: Final = struct.Struct("=3i")


def serve(path: Path, remit: Remit, stop: int) -> None:
    """Answer until the descriptor ``stop`` becomes readable.

    :raises HelperUnsafe: when this is not root, or the socket cannot be made.
    """
    if os.geteuid() != 0:
        raise HelperUnsafe(reason="it is not root")
    free = threading.BoundedSemaphore(_MOST_AT_A_TIME)
    with _listening(path, remit.owner.uid) as listener:
        ready = select.poll()
        for one in (listener.fileno(), stop):
            ready.register(one, select.POLLIN)
        log.info("helper for user %d: mounts beneath %s", remit.owner.uid, remit.scratch)
        while stop not in (one for one, _ in ready.poll()):
            connection, _ = listener.accept()
            free.acquire()
            threading.Thread(target=_attend, args=(connection, remit, free), daemon=True).start()


@contextmanager
def _listening(path: Path, uid: int) -> Iterator[socket.socket]:
    """Make the socket in a folder that is root's; only its user may connect, which each connection proves again."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        try:
            path.unlink(missing_ok=True)
            mask = os.umask(0o177)
            try:
                listener.bind(str(path))
            finally:
                os.umask(mask)
            os.chown(path, uid, -1)
            listener.listen(_MOST_AT_A_TIME)
        except OSError as error:
            raise HelperUnsafe(reason=f"{path}: {error}") from error
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


def _attend(connection: socket.socket, remit: Remit, free: threading.BoundedSemaphore) -> None:
    with connection:
        connection.settimeout(_PATIENCE_SECONDS)
        try:
            wire.send(connection, _answer(connection, remit))
        except OSError as error:
            log.warning("a caller did not wait for its answer: %s", error)
        finally:
            free.release()


def _answer(connection: socket.socket, remit: Remit) -> wire.Answer:
    request: wire.Request | None = None
    try:
        frame = wire.receive(connection)
        _check_caller(connection, remit.owner.uid)
        request = wire.as_request(frame)
        return perform(remit, request)
    except BodywornError as error:
        log.warning("refused %s: %s", request or "a caller", error)
        return wire.Failed(error.id, error.values)
    except OSError as error:
        log.warning("%s failed: %s", request or "a caller", error)
        return wire.Failed(HelperRefused.id, {"reason": os.strerror(error.errno or 0)})


def _check_caller(connection: socket.socket, uid: int) -> None:
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, caller, _ = _CREDENTIALS.unpack(data)
    if caller != uid:
        raise HelperRefused(reason=f"user {caller} (process {pid}) may ask for nothing")
