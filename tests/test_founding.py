"""A system is drafted, finished, and comes back from its master key; a draft is no system yet."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bodyworn.crypto import master_key
from bodyworn.crypto.master_key import unwrap
from bodyworn.errors import (
    AlreadyFounded,
    MasterKeyChanged,
    MasterKeyRefused,
    NoSystem,
    PassphraseTooWeak,
    WrongPassphrase,
)
from bodyworn.models import Database, System
from bodyworn.services import founding, master_keys, passphrases, systems
from bodyworn.services.keyring import Keyring
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from rig_parts import ACTOR, CHEAPEST, PASSPHRASE, Depot, event_actions
from sqlalchemy import select

pytest_plugins = ["fixtures_database"]

ANOTHER = "violet tram under nine bridges"


@pytest.fixture
def derivations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the memory of every derivation that is really made."""
    made: list[int] = []

    def counted(**cost: Any) -> Argon2id:
        made.append(cost["memory_cost"])
        return Argon2id(**cost)

    monkeypatch.setattr(master_key, "Argon2id", counted)
    return made


def draft(database: Database, keyring: Keyring, passphrase: str = PASSPHRASE) -> System:
    return founding.new(database, keyring, passphrase=passphrase, actor=ACTOR, cost=CHEAPEST)


def finish(database: Database, keyring: Keyring, **choices: Any) -> System:
    with database.write() as session:
        return founding.finish(session, keyring, name="North depot", actor=ACTOR, **choices)


def restore(database: Database, keyring: Keyring, file: bytes, passphrase: str = PASSPHRASE) -> System:
    return founding.restore(database, keyring, file=file, passphrase=passphrase, actor=ACTOR)


def key_of(depot: Depot) -> bytes:
    with depot.database.read() as session:
        file = systems.current(session).master_key_file
    assert file is not None
    return file


def drafts(database: Database) -> list[System]:
    with database.read() as session:
        return list(session.scalars(select(System)))


@pytest.mark.feature("SET-9")
def test_a_draft_is_no_system_until_it_is_finished(database: Database, keyring: Keyring) -> None:
    made = draft(database, keyring)
    with database.read() as session:
        found = systems.draft(session)
        assert found is not None
        assert (found.id, systems.find(session)) == (made.id, None)
        for ask in (systems.current, systems.local_controller):
            with pytest.raises(NoSystem):
                ask(session)
    finished = finish(database, keyring, language="de", time_zone="Europe/Vienna", power_line_hertz=60)
    assert (finished.id, finished.epoch, finished.language) == (made.id, 1, "de")
    assert (finished.time_zone, finished.power_line_hertz) == ("Europe/Vienna", 60)
    with database.read() as session:
        assert systems.draft(session) is None
        assert systems.current(session).id == systems.local_controller(session).system_id
    assert event_actions(database, made.id) == ["master-key.made", "system.founded"]


def test_another_passphrase_makes_another_draft_in_its_place(database: Database, keyring: Keyring) -> None:
    first, second = draft(database, keyring), draft(database, keyring, ANOTHER)
    assert first.id != second.id
    assert [one.id for one in drafts(database)] == [second.id]
    assert finish(database, keyring).id == second.id


def test_there_is_one_system_at_most(depot: Depot) -> None:
    for again in (draft, finish):
        with pytest.raises(AlreadyFounded):
            again(depot.database, depot.keyring)
    with pytest.raises(AlreadyFounded):
        restore(depot.database, depot.keyring, key_of(depot))


def test_nothing_is_finished_that_was_not_drafted(database: Database, keyring: Keyring) -> None:
    with pytest.raises(NoSystem):
        finish(database, keyring)
    with pytest.raises(NoSystem), database.write() as session:
        master_keys.download_draft(session, actor=ACTOR)


@pytest.mark.parametrize("passphrase", ["", "too short", "passwordpassword", f"{ACTOR} {ACTOR} bodyworn"])
def test_a_weak_passphrase_makes_no_draft(
    database: Database, keyring: Keyring, passphrase: str, derivations: list[int]
) -> None:
    with pytest.raises(PassphraseTooWeak):
        draft(database, keyring, passphrase)
    assert (derivations, drafts(database), event_actions(database)) == ([], [], [])


# --- restore


@pytest.fixture
def empty(tmp_path: Path, migrated_file: Path) -> Iterator[tuple[Database, Keyring]]:
    """Give a second, empty data directory."""
    folder = tmp_path / "second"
    folder.mkdir()
    (folder / "bodyworn.db").write_bytes(migrated_file.read_bytes())
    database = Database.at(f"sqlite:///{folder / 'bodyworn.db'}")
    yield database, Keyring(folder / "keys")
    database.close()


@pytest.mark.feature("SYS-3")
def test_a_master_key_and_its_passphrase_bring_the_same_system_back(
    depot: Depot, empty: tuple[Database, Keyring], derivations: list[int]
) -> None:
    file = key_of(depot)
    restore(*empty, file)
    assert derivations == [64 * 1024]
    back = finish(*empty)
    with depot.database.read() as session:
        was = systems.current(session)
    assert (back.id, back.epoch) == (was.id, was.epoch + 1)
    assert (back.recovery_public_key, back.recovery_encryption_key) == (
        was.recovery_public_key,
        was.recovery_encryption_key,
    )
    assert back.master_key_file is not None
    assert master_key.read_label(back.master_key_file).epoch == 2
    assert unwrap(back.master_key_file, PASSPHRASE).recovery_signing_key().public.raw == was.recovery_public_key
    own, old = empty[1].signing_key("system"), depot.keyring.signing_key("system")
    assert own.public != old.public  # the lost controller keeps no authority
    assert back.master_key_downloaded_at is None  # the file that was uploaded is out of date
    assert event_actions(empty[0], back.id) == ["master-key.restored", "system.restored"]


@pytest.mark.feature("SYS-3")
def test_a_wrong_passphrase_and_a_damaged_file_restore_nothing_after_the_same_work(
    depot: Depot, empty: tuple[Database, Keyring], derivations: list[int], tmp_path: Path
) -> None:
    file, costs = key_of(depot), []
    commit = bytearray(base64.b64decode(json.loads(file)["commit"]))
    commit[7] ^= 1
    damaged = json.dumps(json.loads(file) | {"commit": base64.b64encode(commit).decode()}).encode()
    for given, passphrase in ((file, PASSPHRASE + "!"), (damaged, PASSPHRASE)):
        derivations.clear()
        with pytest.raises(WrongPassphrase) as refused:
            restore(*empty, given, passphrase)
        costs.append((refused.value.id, str(refused.value), list(derivations)))
    assert costs[0] == costs[1]
    assert costs[0][2] == [64 * 1024]  # exactly what the right one costs
    assert (drafts(empty[0]), event_actions(empty[0])) == ([], [])
    assert [path.name for path in (tmp_path / "second" / "keys").iterdir()] == ["machine.key"]


@pytest.mark.parametrize("file", [b"", b"{}", b"no key at all", b"x" * 9000])
def test_what_is_no_master_key_restores_nothing_and_computes_nothing(
    empty: tuple[Database, Keyring], derivations: list[int], file: bytes
) -> None:
    with pytest.raises(MasterKeyRefused):
        restore(*empty, file)
    assert (derivations, drafts(empty[0])) == ([], [])


@pytest.mark.parametrize("system_id", ["system-1", "../../etc", "5D3C5AA0-0000-4000-8000-000000000000"])
def test_a_key_of_a_system_that_no_camera_could_know_is_refused(
    empty: tuple[Database, Keyring], depot: Depot, derivations: list[int], system_id: str
) -> None:
    secret = unwrap(key_of(depot), PASSPHRASE)
    file = secret.wrap(PASSPHRASE, system_id=system_id, created=drafts(depot.database)[0].created_at, cost=CHEAPEST)
    derivations.clear()
    with pytest.raises(MasterKeyRefused):
        restore(*empty, file)
    assert derivations == []


# --- the file, and its passphrase


@pytest.mark.feature("SET-9")
def test_the_key_is_handed_out_while_setting_up_and_that_is_written_down(database: Database, keyring: Keyring) -> None:
    made = draft(database, keyring)
    with database.write() as session:
        handed = master_keys.download_draft(session, actor=ACTOR)
    assert handed.file == made.master_key_file
    assert handed.file_name == f"system-{made.id[:8]}.bwmk"
    assert finish(database, keyring).master_key_downloaded_at is not None
    assert event_actions(database, made.id)[1] == "master-key.downloaded"


@pytest.mark.feature("SYS-5")
def test_the_key_is_handed_out_for_its_passphrase_alone(depot: Depot, derivations: list[int]) -> None:
    handed = master_keys.download(depot.database, PASSPHRASE, actor=ACTOR)
    assert (handed.file, handed.file_name) == (key_of(depot), "North-depot.bwmk")
    with pytest.raises(WrongPassphrase):
        master_keys.download(depot.database, PASSPHRASE + "!", actor=ACTOR)
    assert len(derivations) == 2
    assert event_actions(depot.database)[-2:] == ["master-key.downloaded"] * 2
    with depot.database.read() as session:
        shown = master_keys.look(session)
    assert shown is not None
    assert (shown.epoch, shown.downloaded_at is not None) == (1, True)


@pytest.mark.parametrize(
    ("name", "file_name"),
    [("Wache Süd / 2", "Wache-Sud-2.bwmk"), ('a"b\r\nX: y', "a-b-X-y.bwmk"), ("../..", None), ("警察", None)],
)
def test_a_file_name_has_nothing_that_could_be_mistaken(name: str, file_name: str | None) -> None:
    system = System(id="0123abcd-0000-4000-8000-000000000000", name=name)
    assert master_keys.file_name(system) == (file_name or "system-0123abcd.bwmk")


@pytest.mark.feature("SYS-5")
def test_a_changed_passphrase_opens_the_key_that_is_kept_and_the_former_one_does_not(depot: Depot) -> None:
    before = key_of(depot)
    master_keys.download(depot.database, PASSPHRASE, actor=ACTOR)
    master_keys.change_passphrase(depot.database, PASSPHRASE, ANOTHER, actor=ACTOR, cost=CHEAPEST)
    with pytest.raises(WrongPassphrase):
        unwrap(key_of(depot), PASSPHRASE)
    same = unwrap(key_of(depot), ANOTHER).recovery_signing_key().public
    assert same == unwrap(before, PASSPHRASE).recovery_signing_key().public  # as the page warns
    with depot.database.read() as session:
        assert systems.current(session).master_key_downloaded_at is None
    assert event_actions(depot.database)[-1] == "master-key.passphrase-changed"


def test_a_passphrase_is_changed_neither_to_a_weak_one_nor_without_the_present_one(depot: Depot) -> None:
    before = key_of(depot)
    with pytest.raises(PassphraseTooWeak):
        master_keys.change_passphrase(depot.database, PASSPHRASE, "short", actor=ACTOR)
    with pytest.raises(WrongPassphrase):
        master_keys.change_passphrase(depot.database, "wrong", ANOTHER, actor=ACTOR)
    assert key_of(depot) == before


def test_of_two_who_change_the_passphrase_at_once_the_second_is_told(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(file: bytes, passphrase: str) -> Any:
        monkeypatch.undo()
        master_keys.change_passphrase(depot.database, PASSPHRASE, ANOTHER, actor="other", cost=CHEAPEST)
        return unwrap(file, passphrase)

    monkeypatch.setattr(master_keys, "unwrap", slow)
    with pytest.raises(MasterKeyChanged):
        master_keys.change_passphrase(depot.database, PASSPHRASE, ANOTHER + " too", actor=ACTOR, cost=CHEAPEST)
    unwrap(key_of(depot), ANOTHER)


@pytest.mark.parametrize(
    ("passphrase", "word"),
    [("short", "Too short"), ("Password1234567!", "Easy to guess"), ("passwordpassword", "Easy to guess"),
     (PASSPHRASE, "Hard to guess"), ("x7#Kq9!mZp2&Lw5", "Hard to guess")],
)  # fmt: skip
def test_people_are_told_how_good_a_passphrase_is(passphrase: str, word: str) -> None:
    judged = passphrases.judge(passphrase, actor=ACTOR)
    assert judged.word.one == word
    assert judged.good_enough is (word == "Hard to guess")
    assert passphrase not in judged.text.one
