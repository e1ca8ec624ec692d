"""A system is founded once, with keys that stay on the machine and an authority that cameras believe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bodyworn.crypto.chain import Right, open_order
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import PublicKey, SigningKey
from bodyworn.crypto.master_key import unwrap
from bodyworn.errors import AlreadyFounded, NoSystem, SealBroken, WrongPassphrase
from bodyworn.models import Database, Event, Profile, System
from bodyworn.services import systems
from bodyworn.services.keyring import Keyring
from rig_parts import PASSPHRASE, Depot, event_actions, found_system
from sqlalchemy import select

pytest_plugins = ["fixtures_database"]


def test_there_is_no_system_before_it_is_founded(database: Database) -> None:
    with database.read() as session:
        assert systems.find(session) is None
        for ask in (systems.current, systems.local_controller):
            with pytest.raises(NoSystem):
                ask(session)


def test_a_founded_system_has_one_controller_and_a_default_profile(database: Database, keyring: Keyring) -> None:
    with database.write() as session:
        system = found_system(session, keyring, controller_name="Depot", time_zone="Europe/Vienna")
    with database.read() as session:
        assert systems.current(session).id == system.id
        controller = systems.local_controller(session)
        assert (controller.name, controller.system_id) == ("Depot", system.id)
        assert session.scalars(select(Profile.name).where(Profile.default)).all() == ["Default"]
        assert (system.time_zone, system.demonstration) == ("Europe/Vienna", False)
    assert event_actions(database, system.id) == ["master-key.made", "system.founded"]


@pytest.mark.feature("SET-9")
def test_the_master_key_opens_with_its_passphrase_alone(depot: Depot) -> None:
    with depot.database.read() as session:
        system = systems.current(session)
    assert system.master_key_file is not None
    secret = unwrap(system.master_key_file, PASSPHRASE)
    assert secret.recovery_signing_key().public.raw == system.recovery_public_key
    with pytest.raises(WrongPassphrase):
        unwrap(system.master_key_file, PASSPHRASE + "!")


def test_no_secret_is_in_the_database_or_in_clear_on_disk(depot: Depot, tmp_path: Path) -> None:
    private = [depot.keyring.signing_key(name).private_bytes() for name in ("system", "controller")]
    with depot.database.read() as session:
        system = systems.current(session)
        details = [str(event.detail) for event in session.scalars(select(Event))]
    held = [system.system_certificate, system.master_key_file or b"", *(detail.encode() for detail in details)]
    held += [path.read_bytes() for path in (tmp_path / "keys").iterdir()]
    assert not any(key in data for key in private for data in held)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "keys").iterdir())


def test_a_second_system_is_refused_and_changes_nothing(depot: Depot) -> None:
    with depot.database.read() as session:
        before = systems.current(session).id
    with pytest.raises(AlreadyFounded), depot.database.write() as session:
        found_system(session, depot.keyring)
    with depot.database.read() as session:
        assert session.scalars(select(System.id)).all() == [before]


def test_founding_that_was_undone_can_be_repeated(database: Database, keyring: Keyring) -> None:
    """A power cut between the key files and the commit must not make the machine unusable."""
    with database.read() as session:
        found_system(session, keyring)
    with database.write() as session:
        system = found_system(session, keyring)
    with database.read() as session:
        order = systems.authority(session, keyring).issue(b"{}", PayloadType.LEASE)
    opened = open_order(
        order, PayloadType.LEASE, recovery_key=PublicKey(system.recovery_public_key), system_id=system.id,
        least_epoch=1, now=datetime.now(UTC), right=Right.CONFIGURE,
    )  # fmt: skip
    assert opened.payload == b"{}"


def test_orders_of_this_controller_are_believed_by_the_recovery_key(depot: Depot) -> None:
    with depot.database.read() as session:
        system, controller = systems.current(session), systems.local_controller(session)
        order = systems.authority(session, depot.keyring).issue(b"{}", PayloadType.LEASE)
    for right in Right:
        opened = open_order(
            order, PayloadType.LEASE, recovery_key=PublicKey(system.recovery_public_key), system_id=system.id,
            least_epoch=1, now=datetime.now(UTC), right=right,
        )  # fmt: skip
        assert (opened.payload, opened.controller_id, opened.epoch) == (b"{}", controller.id, 1)


def test_a_certificate_lasts_thirty_days_and_is_renewed(depot: Depot) -> None:
    with depot.database.write() as session:
        controller = systems.local_controller(session)
        before = controller.certificate
        end = systems.certificate_ends_at(controller)
        assert timedelta(days=29) < end - datetime.now(UTC) <= timedelta(days=30)
        systems.renew_certificate(session, depot.keyring)
        assert controller.certificate != before
        assert systems.certificate_ends_at(controller) >= end
    assert event_actions(depot.database)[-1] == "controller.certified"


def test_order_numbers_are_never_given_twice(depot: Depot) -> None:
    drawn = []
    for _ in range(3):
        with depot.database.write() as session:
            drawn += [systems.next_order_sequence(session) for _ in range(2)]
    assert drawn == [1, 2, 3, 4, 5, 6]


def test_a_keyring_gives_back_what_it_keeps_and_to_nobody_else(tmp_path: Path) -> None:
    keyring, key = Keyring(tmp_path / "here"), SigningKey.generate()
    keyring.store_signing_key("system", key)
    assert Keyring(tmp_path / "here").signing_key("system").private_bytes() == key.private_bytes()
    sealed = keyring.seal("purpose", b"secret")
    assert keyring.open("purpose", sealed) == b"secret"
    for stranger, purpose in ((keyring, "another"), (Keyring(tmp_path / "there"), "purpose")):
        with pytest.raises(SealBroken):
            stranger.open(purpose, sealed)
    with pytest.raises(FileNotFoundError):
        keyring.signing_key("controller")
