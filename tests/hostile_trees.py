"""Folders that stand for the disks of hostile or broken cameras, generated: the same seed gives the same tree.

What a visit makes of them is in :mod:`hostile_visit`.
"""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from disk_parts import FAMILIES, MINUTE, START, Family, put

TREES = 200
#: What a link may lead to; nobody opens anything there.
OUTSIDE = "outside"
LARGEST_BYTES = (2**63 - 1, 2**44 - 4096, 2**40)

NAMES = (
    b"\xff\xfe.mp4",
    "Übung.mp4".encode("latin-1"),
    "撮影.mp4".encode("shift-jis"),
    "\u202e4pm.mp4".encode(),
    "\U0001f3a5\U0001f3a5.mp4".encode(),
    ("\U0001f3a5" * 62).encode() + b".mp4",
    b"x" * 251 + b".mp4",
    b"\xfe" * 251 + b".mp4",
    b"trailing dot..mp4.",
    b"trailing space.mp4 ",
    b"CON.mp4",
    b"AUX",
    b"NUL.mp4",
    b"COM1.avi",
    b"new\nline.mp4",
    b"\x01\x1f\x7f.mp4",
    b"back\\slash.mp4",
    b"..mp4",
    b"...",
    b"..\\..\\etc\\passwd.mp4",
    b"%2e%2e%2fetc.mp4",
    b"%00.mp4",
    b"-rf.mp4",
    b"$(reboot).mp4",
    b"<script>alert(1)</script>.mp4".replace(b"/", b"_"),
    b"';DROP TABLE clip;--.mp4",
    b"{name}{0.__class__}.mp4",
    b".mp4",
    b".hidden.mp4",
    b"no extension",
    b"x.MP4.mp4.exe",
    b"20261399_996199.mp4",
    b"99999999999999.mp4",
    "\ufeff\u200b.mp4".encode(),
    "٢٠٢٦٠٣٠٤_٠٦٠٦٠٧.mp4".encode(),
)


def nothing(path: Path) -> None:
    """Leave a file as it is."""


@dataclass
class Tree:
    """A generated disk, the folder beside it that links lead to, and what happens while it is read."""

    folder: Path
    outside: Path
    seed: int
    #: What it is made of, for whoever reads why a visit went wrong.
    ingredients: list[str] = field(default_factory=list)
    #: Called with a file's path after its first block has been read.
    meddle: Callable[[Path], None] = nothing

    @property
    def meddled(self) -> bool:
        """Tell whether its files change while they are read."""
        return self.meddle is not nothing


Ingredient = Callable[[Tree, Random], None]


@contextmanager
def grown(beneath: Path, seed: int, *, wide: int = 2_000) -> Iterator[Tree]:
    """Make the tree of a seed, and take it away afterwards, whatever it is made of.

    ``wide`` is how many files a very wide folder has.
    """
    random = Random(f"tree {seed}")
    family, ingredients = plan(random)
    tree = Tree(beneath / f"disk-{seed}", beneath / OUTSIDE, seed)
    tree.folder.mkdir(parents=True)
    _make_outside(tree.outside)
    try:
        family.build(tree.folder)
        for ingredient in ingredients:
            tree.ingredients.append(ingredient.__name__)
            if ingredient is very_wide:
                make_wide(tree.folder, wide)
            else:
                ingredient(tree, random)
        yield tree
    finally:
        # names too long for a path, and deeper than Python recurses
        subprocess.run(["rm", "-rf", "--one-file-system", str(tree.folder)], check=True)


def plan(random: Random) -> tuple[Family, list[Ingredient]]:
    """Choose what a tree is made of."""
    return random.choice(FAMILIES), random.sample(INGREDIENTS, random.randint(1, 5))


def _make_outside(outside: Path) -> None:
    if not outside.exists():
        (outside / "deeper").mkdir(parents=True)
        (outside / "secret.mp4").write_bytes(b"secret")
        (outside / "deeper" / "secret.jpg").write_bytes(b"secret")


# what trees are made of


def links(tree: Tree, random: Random) -> None:
    """Make links that lead out, to themselves, up, nowhere, and to another file of the disk."""
    targets = [tree.outside, tree.outside / "secret.mp4", "..", ".", "loop", "nowhere", "/", "/proc/self/root", "/etc"]
    for number, target in enumerate(random.sample(targets, random.randint(2, len(targets)))):
        (tree.folder / f"link{number}{random.choice(['', '.mp4', '.jpg'])}").symlink_to(target)
    (tree.folder / "loop").symlink_to("loop")


def links_in_the_way(tree: Tree, random: Random) -> None:
    """Put a link where a folder of the family is expected."""
    with suppress(FileExistsError):
        (tree.folder / random.choice(["DCIM", "Movie", "Record", "files"])).symlink_to(tree.outside)


def hard_links(tree: Tree, random: Random) -> None:
    """Give one file many names."""
    put(tree.folder, "one.mp4", random.randbytes(3000))
    for number in range(random.randint(1, 20)):
        os.link(tree.folder / "one.mp4", tree.folder / f"one-{number}.mp4")


def pipes_and_sockets(tree: Tree, random: Random) -> None:
    """Make what blocks whoever opens it."""
    os.mkfifo(tree.folder / "pipe.mp4")
    here = os.open(tree.folder, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(f"/proc/self/fd/{here}/socket.mp4")
    finally:
        os.close(here)


def devices(tree: Tree, random: Random) -> None:
    """Make the devices of memory, of zeros and of a disk, where that is allowed."""
    for name, number in (("zero.mp4", (1, 5)), ("full.mp4", (1, 7)), ("random.avi", (1, 9))):
        with suppress(PermissionError):
            os.mknod(tree.folder / name, stat.S_IFCHR | 0o666, os.makedev(*number))
    with suppress(PermissionError):
        os.mknod(tree.folder / "disk.mp4", stat.S_IFBLK | 0o666, os.makedev(7, 0))


def very_deep(tree: Tree, random: Random) -> None:
    """Make folders in folders, deeper than any path may be long, with a file at many depths."""
    folder = os.open(tree.folder, os.O_RDONLY)
    for depth in range(random.choice([9, 40, 1200])):
        os.mkdir("deep", dir_fd=folder)
        below = os.open("deep", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
        if depth % 7 == 0:
            descriptor = os.open("a.mp4", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=folder)
            os.write(descriptor, b"deep")
            os.close(descriptor)
    os.close(folder)


def very_wide(tree: Tree, random: Random) -> None:
    """Stand for :func:`make_wide`, whose number the test chooses."""


def make_wide(folder: Path, files: int, suffix: str = "mp4") -> None:
    """Make a folder with very many files; most of them are names of one."""
    (folder / "wide").mkdir()
    first = folder / "wide" / f"first.{suffix}"
    first.write_bytes(b"wide")
    os.utime(first, (0, 0))
    descriptor = os.open(folder / "wide", os.O_RDONLY)
    try:
        for number in range(files - 1):
            if number % 30_000 == 0:
                first = folder / "wide" / f"n{number:06}.{suffix}"
                first.write_bytes(b"wide")
            else:
                os.link(first, f"n{number:06}.{suffix}", dst_dir_fd=descriptor)
    finally:
        os.close(descriptor)


def many_folders(tree: Tree, random: Random) -> None:
    """Make folders beside folders, most of them empty."""
    for number in range(random.randint(50, 300)):
        (tree.folder / f"f{number}" / "x").mkdir(parents=True)


def sparse(tree: Tree, random: Random) -> None:
    """Make files that claim more than any disk holds, beside small ones that are real."""
    put(tree.folder, "A-first.mp4")
    for number in range(random.randint(1, 4)):
        with (tree.folder / f"000-{number}.mp4").open("wb") as file:
            for size_bytes in LARGEST_BYTES:
                with suppress(OSError):
                    file.truncate(size_bytes)
                    break


def claims_more_than_there_is(tree: Tree, random: Random) -> None:
    """Make files each of which could be, and that cannot all be."""
    facts = os.statvfs(tree.folder)
    each = min(4 * 2**30, facts.f_blocks * facts.f_frsize // 3)
    for number in range(6):
        with (tree.folder / f"0-{number}.avi").open("wb") as file:
            file.truncate(each)


def names(tree: Tree, random: Random) -> None:
    """Give files every kind of name."""
    for name in random.sample(NAMES, random.randint(5, len(NAMES))):
        put(tree.folder, b"names/" + name, end=START + random.randint(0, 999) * MINUTE)


def folder_names(tree: Tree, random: Random) -> None:
    """Give folders every kind of name."""
    for name in random.sample(NAMES, 6):
        put(tree.folder, b"folders/" + name + b"/a.mp4")


def twins(tree: Tree, random: Random) -> None:
    """Make files whose names differ in case, or in how their letters are composed."""
    for name in ("Twin.mp4", "TWIN.MP4", "twin.Mp4"):
        put(tree.folder, name, name.encode())
    composed = unicodedata.normalize("NFC", "Café é.mp4")
    put(tree.folder, composed, b"composed")
    put(tree.folder, unicodedata.normalize("NFD", composed), b"decomposed")


def empty(tree: Tree, random: Random) -> None:
    """Make empty files and empty folders."""
    for number in range(random.randint(1, 10)):
        (tree.folder / f"empty{number}.{random.choice(['mp4', 'jpg', 'txt'])}").touch()
    (tree.folder / "empty folder").mkdir()


def wrong_times(tree: Tree, random: Random) -> None:
    """Give files times from the beginning and the end of time."""
    for number, moment in enumerate([0, 1, -(2**31), 2**31, 2**32 + 5, 253402300799, 2**33]):
        put(tree.folder, f"time{number}.mp4")
        with suppress(OverflowError, OSError):
            os.utime(tree.folder / f"time{number}.mp4", (moment, moment))


def foreign_files(tree: Tree, random: Random) -> None:
    """Leave what computers leave on disks, and what nobody should start."""
    for name in ("autorun.inf", "setup.exe", "System Volume Information/x", ".Trash-1000/files/a.mp4", "._a.mp4"):
        put(tree.folder, name)
    put(tree.folder, "bodyworn.mark", random.randbytes(100))


def marks_of_others(tree: Tree, random: Random) -> None:
    """Put something else where the system's mark is."""
    with suppress(FileExistsError):
        random.choice(
            (
                lambda path: path.mkdir(),
                lambda path: path.symlink_to(tree.outside / "secret.mp4"),
                os.mkfifo,
                lambda path: path.write_bytes(b"{" * 200_000),
            )
        )(tree.folder / "bodyworn.mark")


def broken_media(tree: Tree, random: Random) -> None:
    """Make clips that are none, without a time in their names, so that they are looked into."""
    heads = (
        b"\0\0\0\x18ftypmp42",
        b"RIFF\xff\xff\xff\xffAVI LIST",
        b"\x1aE\xdf\xa3\x01\xff",
        b"\x47" * 188,
        b"#EXTM3U\n",
    )
    for number in range(random.randint(1, 4)):
        suffix = random.choice(("mp4", "avi", "mkv", "ts", "mov"))
        put(tree.folder, f"broken{number}.{suffix}", random.choice(heads) + random.randbytes(random.randint(0, 50_000)))


def grows(tree: Tree, random: Random) -> None:
    """Let files grow while they are read."""

    def grow(path: Path) -> None:
        with path.open("ab") as file:
            file.write(b"more" * 1000)

    tree.meddle = grow


def shrinks(tree: Tree, random: Random) -> None:
    """Let files shrink while they are read."""
    tree.meddle = lambda path: os.truncate(path, 1)


def is_replaced(tree: Tree, random: Random) -> None:
    """Let a link take the place of a file while it is read."""

    def replace(path: Path) -> None:
        path.unlink()
        path.symlink_to(tree.outside / "secret.mp4")

    tree.meddle = replace


def vanishes(tree: Tree, random: Random) -> None:
    """Let the files of the disk go while one is read."""

    def vanish(path: Path) -> None:
        for other in path.parent.iterdir():
            if other.is_file():
                other.unlink()

    tree.meddle = vanish


INGREDIENTS: tuple[Ingredient, ...] = (
    links,
    links_in_the_way,
    hard_links,
    pipes_and_sockets,
    devices,
    very_deep,
    very_wide,
    many_folders,
    sparse,
    claims_more_than_there_is,
    names,
    folder_names,
    twins,
    empty,
    wrong_times,
    foreign_files,
    marks_of_others,
    broken_media,
    grows,
    shrinks,
    is_replaced,
    vanishes,
)
