"""Connection files that are handed out, and the accounts behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from bodyworn.crypto.sealed import SealedBox
from bodyworn.destination.connection_file import parse
from bodyworn.errors import AddressMissing, SignInRefused
from bodyworn.migrations.run import upgrade
from bodyworn.models import Database, ReceiverAccount
from bodyworn.services import connection_files, events
from bodyworn.services.connection_files import Site
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

URI = "http://127.0.0.1:8088/bodyworn/receiver/auth/v1.0"
SITE = Site(name="Police Station North", authentication_uris=(URI,))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.at(f"sqlite:///{tmp_path / 'bodyworn.db'}")
    upgrade(database.engine)
    yield database
    database.close()


@pytest.fixture
def box(tmp_path: Path) -> SealedBox:
    return SealedBox(tmp_path / "machine.key")


@pytest.mark.feature("DST-2")
def test_an_exported_file_is_read_by_our_own_reader_and_opens_the_door(database: Database, box: SealedBox) -> None:
    with database.write() as session:
        export = connection_files.export(session, box, SITE)
    read = parse(export.data)
    assert (read.site_name, read.authentication_uris) == (SITE.name, (URI,))
    with database.read() as session:
        peer = connection_files.sign_in(session, read.user_name, read.api_key.reveal())
    assert (peer.account_id, peer.user_name) == (export.account_id, read.user_name)


def test_only_the_digest_of_the_key_is_kept(database: Database, box: SealedBox, tmp_path: Path) -> None:
    with database.write() as session:
        export = connection_files.export(session, box, SITE)
    database.close()
    key = parse(export.data).api_key.reveal().encode()
    assert len(key) == 43
    assert not any(key in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize(("user_name", "key"), [("nobody", "right"), ("right", "wrong"), ("right", ""), ("", "")])
def test_anything_but_name_and_key_is_refused_alike(
    database: Database, box: SealedBox, user_name: str, key: str
) -> None:
    with database.write() as session:
        read = parse(connection_files.export(session, box, SITE).data)
    user_name, key = user_name.replace("right", read.user_name), key.replace("right", read.api_key.reveal())
    with database.read() as session, pytest.raises(SignInRefused):
        connection_files.sign_in(session, user_name, key)


def test_a_closed_account_opens_nothing_and_stays_on_record(database: Database, box: SealedBox) -> None:
    with database.write() as session:
        export = connection_files.export(session, box, SITE)
        connection_files.close_account(session, export.account_id, actor="u1")
    read = parse(export.data)
    with database.read() as session:
        with pytest.raises(SignInRefused):
            connection_files.sign_in(session, read.user_name, read.api_key.reveal())
        with pytest.raises(SignInRefused):
            connection_files.peer_of(session, export.account_id)
        assert [account.active for account in connection_files.list_accounts(session)] == [False]
        assert list(events.check(session)) == []


def test_with_encryption_the_private_key_is_sealed_here_and_fits_the_exported_one(
    database: Database, box: SealedBox, tmp_path: Path
) -> None:
    site = Site(name="North", authentication_uris=(URI,), want_encryption=True)
    with database.write() as session:
        export = connection_files.export(session, box, site)
    read = parse(export.data)
    assert read.want_encryption
    assert read.warnings == ()
    with database.read() as session:
        account = session.get_one(ReceiverAccount, export.account_id)
        pem = connection_files.private_key_pem(account, box)
        assert account.public_key_id == read.public_key_id
    assert pem is not None
    public_key = load_pem_private_key(pem, None).public_key()
    assert public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) == read.public_key_pem
    assert not any(b"PRIVATE KEY" in file.read_bytes() for file in tmp_path.iterdir())


def test_without_encryption_no_key_is_exported(database: Database, box: SealedBox) -> None:
    with database.write() as session:
        members = json.loads(connection_files.export(session, box, SITE).data)
    assert members["WantEncryption"] is False
    assert not {"PublicKey", "PublicKeyId"} & set(members)


def test_a_site_without_name_or_address_is_refused(database: Database, box: SealedBox) -> None:
    with database.write() as session:
        for site in (Site(name="", authentication_uris=(URI,)), Site(name="North", authentication_uris=())):
            with pytest.raises(AddressMissing):
                connection_files.export(session, box, site)
        assert connection_files.list_accounts(session) == []
