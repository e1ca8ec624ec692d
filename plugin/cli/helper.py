"""``bodyworn helper``: the small root process that mounts docked cameras for a controller that is not root."""

from __future__ import annotations

import logging
import os
import pwd
import signal
from pathlib import Path

import click

from ..hw.helper.filesystems import Owner, allowed_filesystems
from ..hw.helper.places import trusted_folder
from ..hw.helper.server import serve
from ..hw.helper.verbs import Remit


@click.command()
@click.option("--socket", "path", type=click.Path(path_type=Path), required=True, help="Where it listens.")
@click.option("--user", help="Who may ask: a name.")
@click.option("--uid", type=click.IntRange(min=0), help="Who may ask: a number.")
@click.option("--scratch", type=click.Path(path_type=Path), help="Where it mounts; beside the socket if not given.")
@click.option(
    "--images",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with images of simulated cameras, for trying things out.",
)
def command(path: Path, user: str | None, uid: int | None, scratch: Path | None, images: tuple[Path, ...]) -> None:
    """Mount docked cameras for one user until it is told to end.

    Filesystems beside vfat and exfat are allowed by naming them in BODYWORN_FILESYSTEMS.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    os.umask(0o022)
    socket = trusted_folder(path.parent) / path.name
    remit = Remit(
        owner=_owner(user, uid),
        scratch=trusted_folder(scratch or socket.parent / "mounts"),
        filesystems=allowed_filesystems(),
        images=tuple(Path(os.path.realpath(folder)) for folder in images),
    )
    stop = os.eventfd(0, os.EFD_CLOEXEC)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.eventfd_write(stop, 1))
    serve(socket, remit, stop)


def _owner(name: str | None, uid: int | None) -> Owner:
    if (name is None) == (uid is None):
        raise click.UsageError("Give either --user or --uid.")
    try:
        entry = pwd.getpwnam(name) if name is not None else pwd.getpwuid(uid or 0)
    except KeyError as error:
        if uid is None:
            raise click.UsageError(f"There is no user {name}.") from error
        return Owner(uid, uid)
    return Owner(entry.pw_uid, entry.pw_gid)
