"""Objects in a store: whole, hashed, never overwritten, and nothing outside the root."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bodyworn.const import Step
from bodyworn.errors import (
    BodywornError,
    DifferentContent,
    NameRefused,
    NoSuchObject,
    NotAnObject,
    RereadDiffers,
    StoreDamaged,
)
from bodyworn.store import Digests, Store
from bodyworn.store.rereading import STRETCH_BYTES
from hypothesis import HealthCheck, given, settings, strategies as some

quickly = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

HOSTILE_NAMES = [
    "", ".", "..", "../etc", "/etc/passwd", "a/b", "a/../b", ".part", ".metadata", "a\0b", "a\nb", "\x1b[2J", "x" * 256,
    "ü" * 128, "\udcff", "\u202egpj.exe", "a\u2028b",
]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "root")


def files_beneath(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def digests_of(data: bytes) -> Digests:
    return Digests(len(data), hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest())


@quickly
@given(blocks=some.lists(some.binary(max_size=300), max_size=40))
def test_what_is_written_is_read_back_and_hashed(store: Store, blocks: list[bytes]) -> None:
    data = b"".join(blocks)
    name = hashlib.sha1(data).hexdigest()
    assert store.write("c", name, blocks) == store.digest("c", name) == digests_of(data)
    with store.open("c", name) as file:
        assert file.read() == data
    assert store.stat("c", name).size_bytes == len(data)


def test_hashes_are_those_of_openssl(store: Store) -> None:
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not installed")
    written = store.write("c", "clip.mkv", (os.urandom(1024 * 1024 - 7) for _ in range(21)))
    for algorithm, digest in (("sha256", written.sha256), ("md5", written.md5)):
        told = subprocess.check_output([openssl, "dgst", f"-{algorithm}", "-r", store.root / "c/clip.mkv"], text=True)
        assert told.split()[0] == digest


def test_views_larger_than_a_window_are_stored(store: Store) -> None:
    data = os.urandom(20 * 1024 * 1024 + 1)
    assert store.write("c", "o", [memoryview(data)]) == digests_of(data)


def test_progress_counts_up_to_the_size(store: Store) -> None:
    seen: list[int] = []
    store.write("c", "o", [b"ab", b"", b"cde"], progress=seen.append)
    assert seen == [2, 2, 5]


def test_steps_are_announced_in_order(tmp_path: Path) -> None:
    seen: list[Step] = []
    Store(tmp_path / "root", hook=seen.append).write_bytes("c", "o", b"x")
    assert seen == ["P7", "P8", "P9", "P10", "P11", "P12"]


def test_equal_content_under_a_taken_name_counts_as_done(store: Store) -> None:
    first = store.write_bytes("c", "o", b"evidence", metadata={"a": "1"})
    assert store.write_bytes("c", "o", b"evidence", metadata={"a": "2"}) == first
    assert store.get_metadata("c", "o") == {"a": "1"}
    assert files_beneath(store.root) == ["c/.metadata/o", "c/o"]


def test_different_content_is_quarantined_and_both_are_kept(store: Store) -> None:
    store.write_bytes("c", "o", b"evidence")
    for _ in range(2):
        with pytest.raises(DifferentContent):
            store.write_bytes("c", "o", b"EVIDENCE")
    claim = f".quarantine/c/o/{digests_of(b'EVIDENCE').sha256}"
    assert files_beneath(store.root) == [claim, "c/o"]
    assert (store.root / claim).read_bytes() == b"EVIDENCE"
    assert (store.root / "c/o").read_bytes() == b"evidence"
    assert (list(store.list_containers()), list(store.list_objects("c"))) == (["c"], ["o"])


def test_what_is_refused_on_acceptance_leaves_nothing(store: Store) -> None:
    def refuse(digests: Digests) -> None:
        raise LookupError(digests.md5)

    with pytest.raises(LookupError, match=digests_of(b"x").md5):
        store.write_bytes("c", "o", b"x", accept=refuse, metadata={"a": "1"})
    assert files_beneath(store.root) == []


def test_an_error_of_the_source_passes_as_it_is_and_leaves_nothing(store: Store) -> None:
    def unplugged() -> Iterator[bytes]:
        yield b"x" * 5000
        raise OSError(5, "Input/output error of the camera")

    with pytest.raises(OSError, match="of the camera"):
        store.write("c", "o", unplugged())
    assert files_beneath(store.root) == []


class Recorder:
    """A verifier that keeps what it saw, and refuses in the end where told to."""

    def __init__(self, refuses: bool = False) -> None:
        self.seen = bytearray()
        self.refuses = refuses

    def update(self, block: bytes | memoryview) -> None:
        self.seen += block

    def finish(self) -> None:
        if self.refuses:
            raise ArithmeticError


def test_the_verifier_sees_what_is_on_the_device(store: Store) -> None:
    recorder = Recorder()
    store.write("c", "o", [b"ab", b"cd"], verifier=recorder)
    assert recorder.seen == b"abcd"


def test_a_refusing_verifier_leaves_nothing(store: Store) -> None:
    with pytest.raises(ArithmeticError):
        store.write("c", "o", [b"ab", b"cd"], verifier=Recorder(refuses=True))
    assert files_beneath(store.root) == []


def flip_bit(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 1]))


def flipping(root: Path, at: Step, position: int) -> Store:
    """Make a store in which a bit of the part changes at a step."""

    def flip(step: Step) -> None:
        if step is at:
            (part,) = (root / "c").glob(".*.part")
            flip_bit(part, position)

    return Store(root, hook=flip)


@pytest.mark.parametrize("position", [0, 700_000, 1_500_000 - 1])
@pytest.mark.parametrize("declared", [False, True])
def test_one_bit_changed_before_the_reread_is_found(tmp_path: Path, position: int, declared: bool) -> None:
    data = bytes(1_500_000)
    md5 = digests_of(data).md5 if declared else None
    with pytest.raises(RereadDiffers):
        flipping(tmp_path / "root", Step.REREAD, position).write("c", "o", [data], md5=md5)
    assert files_beneath(tmp_path / "root") == []


@pytest.mark.parametrize("declared", [False, True])
def test_a_bit_changed_while_more_is_written_is_found(tmp_path: Path, declared: bool) -> None:
    """What is read again behind the writer is the device's, and counts."""
    store, block = Store(tmp_path / "root"), bytes(1024 * 1024)
    written = STRETCH_BYTES // len(block)

    def blocks() -> Iterator[bytes]:
        yield from [block] * (written - 10)
        flip_bit(next((tmp_path / "root/c").glob(".*.part")), 4711)
        yield from [block] * (written + 10)

    md5 = digests_of(block * 2 * written).md5 if declared else None
    with pytest.raises(RereadDiffers):
        store.write("c", "o", blocks(), md5=md5)
    assert files_beneath(tmp_path / "root") == []


def test_an_md5_that_the_sender_had_wrong_is_for_the_caller_to_judge(store: Store) -> None:
    assert store.write("c", "o", [b"evidence"], md5="0" * 32) == digests_of(b"evidence")


@pytest.mark.parametrize("size_bytes", [0, 1, STRETCH_BYTES - 1, STRETCH_BYTES, 2 * STRETCH_BYTES + 17])
def test_every_size_is_read_again_whole(store: Store, size_bytes: int) -> None:
    data, seen = os.urandom(size_bytes), Recorder()
    cut = [data[at : at + 1_000_000] for at in range(0, size_bytes, 1_000_000)]
    assert store.write("c", "o", cut, verifier=seen, md5=digests_of(data).md5) == digests_of(data)
    assert seen.seen == data


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_hostile_names_are_refused_everywhere(store: Store, name: str) -> None:
    for container, object_name in ((name, "o"), ("c", name)):
        with pytest.raises(NameRefused):
            store.write_bytes(container, object_name, b"x")
        for look in (store.open, store.stat, store.digest, store.exists, store.remove, store.get_metadata):
            with pytest.raises(NameRefused):
                look(container, object_name)
        with pytest.raises(NameRefused):
            store.put_metadata(container, object_name, {})
    assert files_beneath(store.root.parent) == []


@quickly
@given(container=some.text(max_size=90), name=some.text(max_size=90))
def test_any_name_is_refused_or_stored_within_the_root(store: Store, container: str, name: str) -> None:
    before = set(files_beneath(store.root.parent))
    try:
        store.write_bytes(container, name, b"x")
    except NameRefused:
        assert set(files_beneath(store.root.parent)) == before
    else:
        assert set(files_beneath(store.root.parent)) - before <= {f"root/{container}/{name}"}
        assert name in store.list_objects(container)


def test_links_and_pipes_in_an_objects_place_are_refused_and_left(store: Store, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    store.put_metadata("c", None, {})
    (store.root / "c/link").symlink_to(secret)
    (store.root / "c/dangling").symlink_to(tmp_path / "nowhere")
    (store.root / "c/folder").mkdir()
    os.mkfifo(store.root / "c/pipe")
    for name in ("link", "dangling", "folder", "pipe"):
        for look in (store.open, store.exists, store.digest):
            with pytest.raises(NotAnObject):
                look("c", name)
        with pytest.raises(NotAnObject):
            store.write_bytes("c", name, b"evidence")
    assert list(store.list_objects("c")) == []
    assert (secret.read_bytes(), (tmp_path / "nowhere").exists()) == (b"secret", False)


def test_a_link_in_a_containers_place_is_refused(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (store.root / "c").symlink_to(outside)
    with pytest.raises(NotAnObject):
        store.write_bytes("c", "o", b"x")
    with pytest.raises(NotAnObject):
        store.put_metadata("c", None, {})
    assert list(store.list_containers()) == []
    assert files_beneath(outside) == []


def test_a_link_in_the_metadatas_place_is_refused(store: Store, tmp_path: Path) -> None:
    store.write_bytes("c", "o", b"x")
    (store.root / "c/.metadata").symlink_to(tmp_path)
    with pytest.raises(NotAnObject):
        store.put_metadata("c", "o", {"a": "1"})


@quickly
@given(mapping=some.dictionaries(some.text(), some.text()))
def test_metadata_comes_back_as_it_was_put(store: Store, mapping: dict[str, str]) -> None:
    for name in (None, "o"):
        store.put_metadata("c", name, mapping)
        assert store.get_metadata("c", name) == mapping
    assert files_beneath(store.root) == ["c/.metadata/.container", "c/.metadata/o"]


def test_metadata_that_was_never_put_is_empty(store: Store) -> None:
    store.write_bytes("c", "o", b"x")
    assert store.get_metadata("c", "o") == store.get_metadata("c", None) == {}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"a": 1}', b"\xff"])
def test_damaged_metadata_is_said_to_be_damaged(store: Store, damage: bytes) -> None:
    store.put_metadata("c", "o", {"a": "1"})
    (store.root / "c/.metadata/o").write_bytes(damage)
    with pytest.raises(StoreDamaged):
        store.get_metadata("c", "o")


def test_listings_are_sorted_and_hide_what_is_not_an_object(store: Store) -> None:
    for container, name in (("b", "2"), ("b", "1"), ("a", "3")):
        store.write_bytes(container, name, b"x", metadata={})
    assert list(store.list_containers()) == ["a", "b"]
    assert list(store.list_objects("b")) == ["1", "2"]


def test_removing_takes_the_metadata_along(store: Store) -> None:
    store.write_bytes("c", "o", b"x", metadata={"a": "1"})
    store.remove("c", "o")
    assert not store.exists("c", "o")
    assert files_beneath(store.root) == []


def test_what_is_not_there_is_said_not_to_be_there(store: Store) -> None:
    assert not store.exists("c", "o")
    for container in ("c", "d"):
        for look in (store.open, store.stat, store.digest, store.remove):
            with pytest.raises(NoSuchObject):
                look(container, "o")
        store.put_metadata("c", None, {})
    with pytest.raises(NoSuchObject):
        list(store.list_objects("d"))


def test_a_root_that_has_gone_is_damage_and_not_an_empty_store(store: Store) -> None:
    store.root.rmdir()
    for look in (store.list_containers, store.sweep_parts, store.free_bytes):
        with pytest.raises(BodywornError):
            look()
    with pytest.raises(StoreDamaged):
        store.write_bytes("c", "o", b"x")


def test_evidence_is_for_its_owner_alone(store: Store) -> None:
    store.write_bytes("c", "o", b"x", metadata={})
    modes = {path.stat().st_mode & 0o777 for path in (store.root, store.root / "c", store.root / "c/.metadata")}
    assert modes == {0o700}
    assert {(store.root / path).stat().st_mode & 0o777 for path in files_beneath(store.root)} == {0o600}
