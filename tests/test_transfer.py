"""``bodyworn transfer``: the whole way once, from a command line, to our receiver and to a real Swift."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_destination as fd
import pytest
import swiftclient
from bodyworn.cli import main
from bodyworn.cli.outcome import ACKNOWLEDGED_ONLY, FAILED, VERIFIED
from bodyworn.cli.transfer import Size
from bodyworn.crypto.content_reader import decrypt_clip
from bodyworn.crypto.sealed import SealedBox
from bodyworn.destination.connection_file import export
from bodyworn.destination.names import key_name
from bodyworn.models import Database, ReceiverAccount
from bodyworn.services import connection_files
from bodyworn.store import Store
from click import BadParameter
from click.testing import CliRunner, Result
from fake_destination import FakeDestination
from sqlalchemy import select
from swift_node import API_KEY, USER_NAME, Swift

pytest_plugins = ["swift_server"]
pytest.importorskip("av", reason="simulated cameras record with PyAV (the extra `media`)")

BYTES = 200_000


def transfer(*arguments: str | Path, clips: int = 2, cameras: int = 1) -> Result:
    """Run the command in this process."""
    sizes = ["--cameras", cameras, "--clips", clips, "--bytes", BYTES, "--json"]
    return CliRunner().invoke(main, ["transfer", *map(str, [*sizes, *arguments])])


def outcome(result: Result, code: int) -> dict[str, Any]:
    assert result.exit_code == code, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def content(files: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return sorted((file["name"], file["size"], file["sha256"]) for file in files)


def check_whole(document: dict[str, Any], clips: int, *, encrypted: bool = False, state: str = "verified") -> None:
    """Hold that everything that was recorded arrived, and that nothing is left."""
    assert len(document["recorded"]) == clips
    assert content(document["recorded"]) == content(document["stored"]) == content(document["delivered"])
    assert {one["size"] for one in document["recorded"]} == {BYTES}
    assert {(one["state"], one["encrypted"]) for one in document["delivered"]} == {(state, encrypted)}
    assert (document["bytes"], document["left_on_cameras"], document["problems"]) == (clips * BYTES, 0, [])
    assert document["seconds"] > 0
    assert document["cpu_seconds"] > 0


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def connection_file(tmp_path: Path) -> Path:
    return tmp_path / "connection.json"


# --- to a receiver of our own


def test_to_a_receiver(tmp_path: Path) -> None:
    document = outcome(transfer("--receiver", "--data-dir", tmp_path, cameras=2), VERIFIED)
    check_whole(document, 4)
    received = _received(tmp_path)
    for clip in document["delivered"]:
        assert received.digest(clip["container"], clip["name"]).sha256 == clip["sha256"] == clip["object_sha256"]


def test_to_a_receiver_encrypted(tmp_path: Path) -> None:
    document = outcome(transfer("--receiver", "--encrypt", "--data-dir", tmp_path), VERIFIED)
    check_whole(document, 2, encrypted=True)
    received, private_pem = _received(tmp_path), _private_key(tmp_path)
    for clip in document["delivered"]:
        assert clip["object_size"] > clip["size"]
        with received.open(clip["container"], clip["name"]) as sealed:
            body = sealed.read()
        with received.open(clip["container"], key_name(clip["name"])) as key:
            opened = b"".join(decrypt_clip([body], key.read(), private_pem))
        assert sha256(body) == clip["object_sha256"] != clip["sha256"]
        assert sha256(opened) == clip["sha256"]


def test_the_installed_command_says_it_in_a_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    installed = Path(sys.executable).with_name("bodyworn")
    if not installed.exists():
        pytest.skip(f"{installed} is not installed")
    done = subprocess.run(
        [str(installed), "transfer", "--receiver", "--bytes", "200000"],
        capture_output=True,
        text=True,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        timeout=120,
        check=False,
    )
    assert "1 of 1 clips delivered, 1 of them verified" in done.stdout, done.stderr
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


# --- to a real Swift


@pytest.fixture
def theirs(swift: Swift) -> Iterator[swiftclient.Connection]:
    """Swift's own client."""
    connection = swiftclient.Connection(authurl=swift.auth_uri, user=USER_NAME, key=API_KEY, auth_version="1")
    yield connection
    connection.close()


@pytest.mark.feature("DST-1")
def test_to_a_swift(swift: Swift, theirs: swiftclient.Connection, connection_file: Path) -> None:
    connection_file.write_bytes(export(swift.connection()))
    document = outcome(transfer("--connection-file", connection_file, cameras=2), VERIFIED)
    check_whole(document, 4)
    for clip in document["delivered"]:
        assert sha256(theirs.get_object(clip["container"], clip["name"])[1]) == clip["sha256"]
        assert theirs.head_container(clip["container"])["x-container-meta-status"] == "Complete"


@pytest.mark.feature("REC-4")
def test_to_a_swift_encrypted_and_opened_with_openssl(
    swift: Swift, theirs: swiftclient.Connection, connection_file: Path, tmp_path: Path
) -> None:
    connection_file.write_bytes(export(swift.connection()))
    private = tmp_path / "private.pem"
    document = outcome(
        transfer("--connection-file", connection_file, "--encrypt", "--private-key-out", private), VERIFIED
    )
    check_whole(document, 2, encrypted=True)
    assert private.stat().st_mode & 0o077 == 0
    for clip in document["delivered"]:
        sealed = theirs.get_object(clip["container"], clip["name"])[1]
        key = theirs.get_object(clip["container"], key_name(clip["name"]))[1]
        assert sha256(_opened_with_openssl(sealed, json.loads(key), private, tmp_path)) == clip["sha256"]


def _opened_with_openssl(sealed: bytes, key: dict[str, str], private: Path, folder: Path) -> bytes:
    """Decrypt as the interface's own example does, with nothing of ours."""
    wrapped, body = folder / "wrapped", folder / "body"
    wrapped.write_bytes(base64.b64decode(key["EncryptedKey"]))
    body.write_bytes(sealed)
    padding = ["-pkeyopt", "rsa_padding_mode:oaep"]
    unwrap = ["openssl", "pkeyutl", "-decrypt", "-inkey", str(private), "-in", str(wrapped), *padding]
    content_key = subprocess.run(unwrap, check=True, capture_output=True).stdout
    iv = base64.b64decode(key["ContentEncryptionIV"])
    decrypt = ["openssl", "enc", "-d", "-aes-256-cbc", "-K", content_key.hex(), "-iv", iv.hex(), "-in", str(body)]
    return subprocess.run(decrypt, check=True, capture_output=True).stdout


# --- what else can come of it


def test_a_destination_that_proves_nothing_is_told_apart(connection_file: Path) -> None:
    with FakeDestination(etags=False) as fake:
        connection_file.write_bytes(export(fake.connection(full_store_and_read=True)))
        document = outcome(transfer("--connection-file", connection_file), ACKNOWLEDGED_ONLY)
        check_whole(document, 2, state="acknowledged")
        for clip in document["delivered"]:
            assert sha256(fake.objects[f"{clip['container']}/{clip['name']}"].body) == clip["sha256"]


@pytest.mark.parametrize(("status", "words"), [(400, "rejects this content"), (403, "does not permit")])
def test_a_destination_that_refuses_fails_and_everything_stays_on_the_camera(
    connection_file: Path, status: int, words: str
) -> None:
    with FakeDestination() as fake:
        fake.script("PUT", ".mkv", *[fd.status(status)] * 200)
        connection_file.write_bytes(export(fake.connection(full_store_and_read=True)))
        document = outcome(transfer("--connection-file", connection_file, clips=1), FAILED)
    assert content(document["recorded"]) == content(document["stored"])
    assert document["delivered"] == []
    assert document["left_on_cameras"] == 1
    assert words in document["problems"][0]


def test_a_key_that_is_not_accepted_is_said_before_anything_is_recorded(connection_file: Path) -> None:
    with FakeDestination() as fake:
        fake.script("GET", fd.AUTH_PATH, *[fd.status(401)] * 9)
        connection_file.write_bytes(export(fake.connection()))
        result = transfer("--connection-file", connection_file)
    assert result.exit_code == 1
    assert "Authorization failed" in result.output
    assert fd.API_KEY not in result.output


def test_a_connection_file_that_is_none_is_said_so(connection_file: Path) -> None:
    connection_file.write_text("{}")
    result = transfer("--connection-file", connection_file)
    assert result.exit_code == 1
    assert "ConnectionFileVersion" in result.output


@pytest.mark.parametrize(
    "arguments", [[], ["--receiver", "--connection-file", __file__], ["--receiver", "--bytes", "x"]]
)
def test_what_makes_no_sense_is_said_so(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["transfer", *arguments])
    assert result.exit_code == 2


def test_encryption_needs_a_key_from_somewhere(connection_file: Path) -> None:
    with FakeDestination() as fake:
        connection_file.write_bytes(export(fake.connection()))
        result = transfer("--connection-file", connection_file, "--encrypt")
    assert result.exit_code == 2
    assert "--private-key-out" in result.output


@pytest.mark.parametrize(
    ("text", "size_bytes"), [("67108864", 67108864), ("64MiB", 67108864), ("1 kB", 1000), ("2GiB", 2**31)]
)
def test_sizes_are_read(text: str, size_bytes: int) -> None:
    assert Size().convert(text, None, None) == size_bytes
    for nonsense in ("", "MiB", "-1", "1.5MiB", "3 parsecs"):
        with pytest.raises(BadParameter):
            Size().convert(nonsense, None, None)


def _folder(data_dir: Path) -> Path:
    return data_dir / "receiver" / "plugins" / "bodyworn"


def _received(data_dir: Path) -> Store:
    (account,) = (_folder(data_dir) / "received").iterdir()
    return Store(account)


def _private_key(data_dir: Path) -> bytes:
    database = Database.at(f"sqlite:///{_folder(data_dir) / 'bodyworn.db'}")
    with database.read() as session:
        account = session.scalars(select(ReceiverAccount)).one()
    database.close()
    private_pem = connection_files.private_key_pem(account, SealedBox(_folder(data_dir) / "keys" / "machine.key"))
    assert private_pem is not None
    return private_pem
