"""Which filesystems cameras may have, and with which options each is mounted. Options are ours, never a caller's."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .tools import ENVIRONMENT

#: What a camera may be formatted with. Richer filesystems trust what they read far more.
ALLOWED: Final = frozenset({"vfat", "exfat"})
#: More of them, by name and with commas between, for cameras that cannot do otherwise.
VARIABLE: Final = "BODYWORN_FILESYSTEMS"
RESTRICTIONS: Final = ("nosuid", "nodev", "noexec")


@dataclass(frozen=True)
class Owner:
    """To whom everything on a camera belongs, where its filesystem knows no owners, and to nobody else."""

    uid: int
    gid: int

    @property
    def options(self) -> tuple[str, ...]:
        """Give the mount options that say so."""
        return (f"uid={self.uid}", f"gid={self.gid}", "umask=077")


@dataclass(frozen=True)
class Program:
    """A program that mounts a filesystem in user space (FUSE)."""

    name: str
    options: tuple[str, ...] = ()
    writable: str = "rw"


@dataclass(frozen=True)
class Kind:
    """How a filesystem is mounted beside what all have in common."""

    options: tuple[str, ...] = ()
    read_only_options: tuple[str, ...] = ()
    knows_owners: bool = True
    program: Program | None = None


KINDS: Final[Mapping[str, Kind]] = {
    "vfat": Kind(
        options=("errors=remount-ro", "tz=UTC", "utf8"),
        knows_owners=False,
        # it asks for the plus, because writing is young; permissions are the kernel's to check, for it checks none
        program=Program("fusefat", ("allow_other", "default_permissions"), writable="rw+"),
    ),
    "exfat": Kind(
        options=("errors=remount-ro", "iocharset=utf8"),
        knows_owners=False,
        program=Program("mount.exfat-fuse"),
    ),
    "ext4": Kind(options=("errors=remount-ro",), read_only_options=("noload",)),
}


def allowed_filesystems() -> frozenset[str]:
    """Give what cameras may be formatted with here."""
    more = (name.strip() for name in os.environ.get(VARIABLE, "").split(","))
    return ALLOWED | {name for name in more if re.fullmatch(r"[a-z0-9]{1,16}", name)}


def kernel_options(filesystem: str, owner: Owner, *, read_only: bool) -> str:
    """Give the options for the kernel's own filesystem."""
    kind = KINDS.get(filesystem, Kind())
    own = () if kind.knows_owners else owner.options
    return ",".join((*common_options(read_only), *kind.options, *own, *(kind.read_only_options if read_only else ())))


def program_options(program: Program, owner: Owner, *, read_only: bool) -> str:
    """Give the options for a program in user space."""
    return ",".join(("ro" if read_only else program.writable, *RESTRICTIONS, *owner.options, *program.options))


def common_options(read_only: bool) -> tuple[str, ...]:
    """Give the options that every mount has, and that the kernel holds, whoever mounts."""
    return ("ro" if read_only else "rw", *RESTRICTIONS)


def program_for(filesystem: str) -> Program | None:
    """Find the program in user space; none is needed where the kernel has the filesystem and said no."""
    kind = KINDS.get(filesystem, Kind())
    if kind.program is None or f"\t{filesystem}\n" in Path("/proc/filesystems").read_text("ascii"):
        return None
    return kind.program if shutil.which(kind.program.name, path=ENVIRONMENT["PATH"]) else None
