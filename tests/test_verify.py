"""``bodyworn verify``: what was stored is read again, and whatever is not as it was is found and named."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from bodyworn.cli import main
from click.testing import CliRunner, Result

pytest.importorskip("av", reason="simulated cameras record with PyAV (the extra `media`)")

#: What can happen to an object on a disk.
Harm = Callable[[Path], None]


@pytest.fixture(scope="module")
def transferred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Transfer two recordings to a receiver once: two folders to verify, each with its database."""
    folder = tmp_path_factory.mktemp("transferred")
    sizes = ["--cameras", "2", "--clips", "1", "--bytes", "200000"]
    done = CliRunner().invoke(main, ["transfer", "--receiver", "--encrypt", *sizes, "--data-dir", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(params=["system", "receiver/plugins/bodyworn"])
def data_dir(request: pytest.FixtureRequest, transferred: Path, tmp_path: Path) -> Path:
    """Give a copy of one of the two folders, to do harm to."""
    return Path(shutil.copytree(transferred / request.param, tmp_path / "copy"))


def verify(data_dir: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["verify", "--data-dir", str(data_dir), *options])


def objects(data_dir: Path) -> list[Path]:
    """List the clips in the stores of a folder; what is hidden there is metadata."""
    found = [path for store in ("spool", "received") for path in (data_dir / store).rglob("*.mkv")]
    return sorted(path for path in found if not path.parent.name.startswith("."))


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def remove(path: Path) -> None:
    path.unlink()


def swap_with_another(path: Path) -> None:
    other = next(one for one in objects(_root(path)) if one != path)
    held = path.with_name(".held")
    path.rename(held)
    other.rename(path)
    held.rename(other)


def link_elsewhere(path: Path) -> None:
    kept = path.rename(_root(path) / "kept")
    path.symlink_to(kept)


def _root(path: Path) -> Path:
    return next(one for one in path.parents if (one / "bodyworn.db").exists())


def test_what_is_whole_is_said_to_be(data_dir: Path) -> None:
    done = verify(data_dir)
    assert done.exit_code == 0, done.output
    document = json.loads(verify(data_dir, "--json").stdout)
    assert document["whole"] is True


@pytest.mark.parametrize("harm", [flip_a_bit, cut_short, grow, remove, swap_with_another, link_elsewhere])
def test_an_object_that_is_not_what_was_stored_is_found(data_dir: Path, harm: Harm) -> None:
    harmed = objects(data_dir)[0]
    harm(harmed)
    done = verify(data_dir)
    assert done.exit_code == 1, done.output
    assert harmed.name in done.stdout
    document = json.loads(verify(data_dir, "--json").stdout)
    assert document["whole"] is False
    assert harmed.name in json.dumps(document)


@pytest.mark.parametrize("name", ["20260101_000000_AAAA.mkv", "something.txt"])
def test_an_object_that_nobody_stored_is_found(data_dir: Path, name: str) -> None:
    (objects(data_dir)[0].parent / name).write_bytes(b"slipped in")
    done = verify(data_dir)
    assert done.exit_code == 1, done.output
    assert name in done.stdout


def test_a_container_that_nobody_stored_is_found(data_dir: Path) -> None:
    container = objects(data_dir)[0].parent.parent / "slipped-in"
    container.mkdir()
    (container / "clip.mkv").write_bytes(b"slipped in")
    done = verify(data_dir)
    assert done.exit_code == 1, done.output
    assert "slipped-in" in done.stdout


def test_an_account_that_never_was_is_found(transferred: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(transferred / "receiver/plugins/bodyworn", tmp_path / "copy"))
    container = folder / "received" / "11111111-1111-1111-1111-111111111111" / "container"
    container.mkdir(parents=True)
    (container / "clip.mkv").write_bytes(b"slipped in")
    done = verify(folder)
    assert done.exit_code == 1, done.output
    assert "clip.mkv" in done.stdout


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bodyworn_event SET actor = 'somebody' WHERE sequence = 2",
        "UPDATE bodyworn_event SET result = 'failed' WHERE sequence = (SELECT max(sequence) FROM bodyworn_event)",
        "DELETE FROM bodyworn_event WHERE sequence = 2",
        "DELETE FROM bodyworn_event WHERE sequence = (SELECT max(sequence) FROM bodyworn_event)",
    ],
)
def test_a_tampered_event_is_found(data_dir: Path, statement: str) -> None:
    change(data_dir, statement)
    done = verify(data_dir)
    assert done.exit_code == 1, done.output
    assert json.loads(verify(data_dir, "--json").stdout)["whole"] is False


def test_rows_that_name_other_bytes_are_found(transferred: Path, tmp_path: Path) -> None:
    """Who changes the database instead of the disk is found as well."""
    folder = Path(shutil.copytree(transferred / "system", tmp_path / "copy"))
    change(folder, "UPDATE bodyworn_clip SET stored_sha256 = :digest WHERE name LIKE '%.mkv'", digest="0" * 64)
    assert verify(folder).exit_code == 1


def test_it_is_not_read_with_tables_of_another_version(data_dir: Path) -> None:
    change(data_dir, "UPDATE bodyworn_alembic_version SET version_num = '9999'")
    done = verify(data_dir)
    assert done.exit_code == 1
    assert "9999" in done.output


def change(data_dir: Path, statement: str, **values: Any) -> None:
    """Change the database behind everybody's back."""
    with closing(sqlite3.connect(data_dir / "bodyworn.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0
