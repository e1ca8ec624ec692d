"""The tools that people have already, against the receiver: python-swiftclient's command line, and rclone."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import swiftclient
from receiver_site import ReceiverSite, running

MIB = 1024 * 1024
#: What the folder holds; a plus, a blank and a letter beyond ASCII are what names stumble over.
FILES = {"20240301_101500_7CF7.mkv": os.urandom(3 * MIB + 11), "a note + ä.txt": b"note", "empty": b""}
CLIP = "20240301_101500_7CF7.mkv"
_numbers = count()


@dataclass(frozen=True)
class Desk:
    """A tool, signed in, beside a folder of files; what it reads of this machine's settings is nothing."""

    folder: Path
    tool: tuple[str, ...]
    environment: dict[str, str]

    def run(self, *arguments: str, typed: str | None = None, works: bool = True) -> str:
        """Run the tool in the folder; gives what it said on both outputs."""
        done = subprocess.run(
            [*self.tool, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            stdin=subprocess.DEVNULL if typed is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        assert (done.returncode == 0) is works, done.stdout
        return done.stdout

    def refuse(self, *arguments: str) -> str:
        """Run the tool, which must fail."""
        return self.run(*arguments, works=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverSite]:
    with running(tmp_path_factory.mktemp("receiver")) as site:
        yield site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def box() -> str:
    return f"box-{next(_numbers)}"


@pytest.fixture
def swift(site: ReceiverSite, folder: Path) -> Desk:
    tool = Path(sys.executable).with_name("swift")
    if not tool.exists():
        pytest.skip("the command of python-swiftclient is not installed")
    connection = site.connection()
    settings = {
        "ST_AUTH": connection.authentication_uris[0],
        "ST_USER": connection.user_name,
        "ST_KEY": connection.api_key.reveal(),
        "ST_AUTH_VERSION": "1.0",
    }
    return Desk(folder, (str(tool), "--retries", "0"), {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **settings})


@pytest.fixture
def rclone(site: ReceiverSite, folder: Path) -> Desk:
    tool = shutil.which("rclone")
    if tool is None:
        pytest.skip("rclone is not installed")
    connection = site.connection()
    settings = {
        "RCLONE_CONFIG": "/dev/null",
        "RCLONE_CONFIG_R_TYPE": "swift",
        "RCLONE_CONFIG_R_AUTH": connection.authentication_uris[0],
        "RCLONE_CONFIG_R_AUTH_VERSION": "1",
        "RCLONE_CONFIG_R_USER": connection.user_name,
        "RCLONE_CONFIG_R_KEY": connection.api_key.reveal(),
    }
    return Desk(folder, (tool, "--retries", "1", "--low-level-retries", "1"), {"HOME": str(folder.parent), **settings})


def held(site: ReceiverSite) -> set[str]:
    """List the files that the receiver holds, by their last names."""
    root = site.runtime.data_dir / "received"
    return {path.name for path in root.rglob("*") if path.is_file() and not _is_own(path.relative_to(root))}


def _is_own(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


# --- swift -----------------------------------------------------------------------------------------------------------


@pytest.mark.feature("DST-1")
def test_swift_uploads_lists_and_fetches_everything(swift: Desk, box: str) -> None:
    swift.run("upload", box, *FILES)
    assert swift.run("list").splitlines() == [box]
    assert swift.run("list", box).splitlines() == sorted(FILES)
    assert "application/octet-stream" in swift.run("list", box, "--long")
    assert "????-??-??" not in swift.run("list", "--long")
    swift.run("download", box, "--output-dir", "fetched")
    assert {path.name: path.read_bytes() for path in (swift.folder / "fetched").iterdir()} == FILES


@pytest.mark.feature("DST-1")
def test_swift_checks_what_is_there(swift: Desk, box: str) -> None:
    swift.run("upload", box, *FILES)
    told = swift.run("stat", box, CLIP)
    assert hashlib.md5(FILES[CLIP], usedforsecurity=False).hexdigest() in told
    assert str(len(FILES[CLIP])) in told
    assert "Objects: 3" in swift.run("stat", box)
    assert "Containers: 1" in swift.run("stat")
    swift.run("upload", "--skip-identical", box, CLIP)
    swift.run("upload", box, CLIP)


def test_swift_sends_a_stream_of_unknown_length(swift: Desk, box: str) -> None:
    swift.run("post", box)
    swift.run("upload", box, "--object-name", "typed.txt", "-", typed="typed by hand")
    assert swift.run("download", box, "typed.txt", "--output", "-") == "typed by hand"


def test_swift_is_refused_when_it_deletes(swift: Desk, box: str, site: ReceiverSite) -> None:
    swift.run("upload", box, *FILES)
    assert "403" in swift.refuse("delete", box, CLIP)
    assert "403" in swift.refuse("delete", box)
    assert swift.run("list", box).splitlines() == sorted(FILES)
    assert held(site) >= set(FILES)


def test_swift_is_refused_when_it_overwrites_and_what_was_there_stays(swift: Desk, box: str) -> None:
    swift.run("upload", box, CLIP)
    (swift.folder / CLIP).write_bytes(b"another clip")
    assert "403" in swift.refuse("upload", box, CLIP)
    swift.run("download", box, CLIP, "--output", "fetched")
    assert (swift.folder / "fetched").read_bytes() == FILES[CLIP]


def test_swift_is_refused_when_it_copies_or_sends_in_segments(swift: Desk, box: str, site: ReceiverSite) -> None:
    swift.run("upload", box, CLIP)
    assert "405" in swift.refuse("copy", "--destination", f"/{box}/copy.mkv", box, CLIP)
    assert "400" in swift.refuse("upload", "--segment-size", str(MIB), "--object-name", "segmented.mkv", box, CLIP)
    assert swift.run("list", box).splitlines() == [CLIP]
    assert not held(site) & {"copy.mkv", "segmented.mkv"}


def test_an_object_that_would_only_name_others_is_refused(site: ReceiverSite) -> None:
    connection = site.connection()
    url, token = swiftclient.client.get_auth(
        connection.authentication_uris[0], connection.user_name, connection.api_key.reveal(), auth_version="1"
    )
    swiftclient.client.put_container(url, token, "references")
    for header, query in (("X-Copy-From", ""), ("X-Object-Manifest", ""), ("X-Any", "multipart-manifest=put")):
        with pytest.raises(swiftclient.ClientException, match="400"):
            swiftclient.client.put_object(
                url, token, "references", "x", b"", headers={header: "references/y"}, query_string=query
            )
    assert swiftclient.client.get_container(url, token, "references")[1] == []


# --- rclone ----------------------------------------------------------------------------------------------------------


@pytest.mark.feature("DST-1")
def test_rclone_copies_lists_and_fetches_everything(rclone: Desk, box: str) -> None:
    rclone.run("copy", ".", f"R:{box}")
    assert f" {box}" in rclone.run("lsd", "R:")
    listed = json.loads(rclone.run("lsjson", "--hash", f"R:{box}"))
    found = {entry["Path"]: (entry["Size"], entry["Hashes"]["md5"]) for entry in listed}
    assert found == {
        name: (len(data), hashlib.md5(data, usedforsecurity=False).hexdigest()) for name, data in FILES.items()
    }
    rclone.run("copy", f"R:{box}", "../fetched")
    assert {path.name: path.read_bytes() for path in (rclone.folder.parent / "fetched").iterdir()} == FILES


@pytest.mark.feature("DST-1")
def test_rclone_checks_by_digest_and_by_fetching(rclone: Desk, box: str) -> None:
    rclone.run("copy", ".", f"R:{box}")
    assert "0 differences found" in rclone.run("check", ".", f"R:{box}")
    assert "0 differences found" in rclone.run("check", "--download", ".", f"R:{box}")
    (rclone.folder / CLIP).write_bytes(FILES[CLIP][:-1] + b"x")
    assert "1 differences found" in rclone.refuse("check", ".", f"R:{box}")


def test_rclone_finds_nothing_to_do_the_second_time(rclone: Desk, box: str) -> None:
    rclone.run("copy", ".", f"R:{box}")
    assert "There was nothing to transfer" in rclone.run("copy", "-v", ".", f"R:{box}")


def test_rclone_reads_a_part_and_sends_a_stream(rclone: Desk, box: str) -> None:
    rclone.run("--swift-no-chunk", "rcat", f"R:{box}/typed.txt", typed="typed by hand" * 100_000)
    assert rclone.run("cat", "--offset", "6", "--count", "7", f"R:{box}/typed.txt") == "by hand"


@pytest.mark.parametrize("deed", ["delete", "purge", "rmdir"])
def test_rclone_is_refused_when_it_deletes(rclone: Desk, box: str, deed: str) -> None:
    rclone.run("copy", ".", f"R:{box}")
    rclone.refuse(deed, f"R:{box}")
    assert "0 differences found" in rclone.run("check", ".", f"R:{box}")


def test_rclone_is_refused_when_syncing_would_delete(rclone: Desk, box: str) -> None:
    rclone.run("copy", ".", f"R:{box}")
    (rclone.folder / CLIP).unlink()
    assert "forbidden" in rclone.refuse("sync", ".", f"R:{box}")
    assert CLIP in rclone.run("lsf", f"R:{box}").splitlines()


def test_rclone_is_refused_when_it_overwrites_or_moves_and_what_was_there_stays(rclone: Desk, box: str) -> None:
    rclone.run("copy", ".", f"R:{box}")
    (rclone.folder / CLIP).write_bytes(b"another clip")
    assert "forbidden" in rclone.refuse("copy", ".", f"R:{box}")
    rclone.refuse("moveto", f"R:{box}/{CLIP}", f"R:{box}/moved.mkv")
    rclone.run("copyto", f"R:{box}/{CLIP}", "../fetched.mkv")
    assert (rclone.folder.parent / "fetched.mkv").read_bytes() == FILES[CLIP]
    assert sorted(rclone.run("lsf", f"R:{box}").splitlines()) == sorted(FILES)
