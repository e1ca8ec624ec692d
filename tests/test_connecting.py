"""Connecting in one place: before there is a system, again after a restore, and nothing changed by what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import seed
from bodyworn import errors
from bodyworn.destination.connection_file import export
from bodyworn.models import Database, Destination, DestinationState
from bodyworn.services import connecting, destinations, systems
from bodyworn.services.connecting import Connected, Refused
from bodyworn.services.keyring import Keyring
from fake_destination import FakeDestination, StoredObject, body
from rig_parts import ACTOR, event_actions, found_system
from sqlalchemy import select

pytest_plugins = ["fixtures_database"]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    """A database of this version, before there is a system."""
    with seed.open_database(tmp_path) as database:
        yield database


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "keys")


@pytest.fixture
def fake() -> Iterator[FakeDestination]:
    with FakeDestination() as destination:
        yield destination


def active(database: Database) -> Destination | None:
    with database.read() as session:
        return destinations.active(session)


@pytest.mark.feature("SET-6")
def test_a_destination_is_connected_before_there_is_a_system(
    empty: Database, keyring: Keyring, fake: FakeDestination
) -> None:
    outcome = connecting.connect(empty, keyring, export(fake.connection(full_store_and_read=True)), actor=ACTOR)
    assert isinstance(outcome, Connected)
    found = active(empty)
    assert found
    assert (found.id, found.state) == (outcome.destination_id, DestinationState.OKAY)
    assert found.rehearsed_at
    assert {step["name"] for step in found.rehearsal} >= {"sign-in", "store", "clock"}


def test_a_system_that_was_restored_is_known_to_its_destination_again(
    empty: Database, keyring: Keyring, fake: FakeDestination
) -> None:
    """The wizard connects first and has the master key uploaded later: who this is comes out only then."""
    connecting.connect(empty, keyring, export(fake.connection(full_store_and_read=True)), actor=ACTOR)
    connecting.recognise_again(empty, keyring, actor=ACTOR)
    with empty.write() as session:
        found_system(session, keyring)
        system_id = systems.current(session).id
    before = active(empty)
    connecting.recognise_again(empty, keyring, actor=ACTOR)
    after = active(empty)
    assert before
    assert after
    assert after.connection_id == before.connection_id, "the destination knows nothing of this system"
    fake.objects[f"System/{system_id}"] = StoredObject(b"", {"X-Object-Meta-Connectionid": "from-before"})
    connecting.recognise_again(empty, keyring, actor=ACTOR)
    again = active(empty)
    assert again
    assert (again.id, again.connection_id) == (before.id, "from-before")
    assert event_actions(empty, before.id)[-1] == "destination.recognised"


def test_what_is_refused_leaves_the_destination_in_force_as_it_was(
    empty: Database, keyring: Keyring, fake: FakeDestination
) -> None:
    connecting.connect(empty, keyring, export(fake.connection()), actor=ACTOR)
    before = active(empty)
    assert before
    fake.script("PUT", "bodyworn_rehearsal", body(507, b""))
    outcome = connecting.connect(empty, keyring, export(fake.connection(site_name="Other")), actor=ACTOR)
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.problem, errors.DestinationFull)
    after = active(empty)
    assert after
    assert (after.sealed_file, after.site_name, after.state) == (before.sealed_file, "Fake", DestinationState.OKAY)
    with empty.read() as session:
        assert len(list(session.scalars(select(Destination)))) == 1


def test_rehearsing_without_a_destination_is_nothing(empty: Database, keyring: Keyring) -> None:
    assert connecting.rehearse_again(empty, keyring, actor=ACTOR) is None
    assert connecting.set_proxy(empty, keyring, None, actor=ACTOR) is None


def test_a_rehearsal_that_goes_well_makes_everything_due(
    empty: Database, keyring: Keyring, fake: FakeDestination
) -> None:
    connecting.connect(empty, keyring, export(fake.connection()), actor=ACTOR)
    with empty.write() as session:
        destinations.fails(session, session.scalars(select(Destination)).one(), errors.AuthorizationFailed())
    stopped = active(empty)
    rehearsal = connecting.rehearse_again(empty, keyring, actor=ACTOR)
    mended = active(empty)
    assert stopped
    assert mended
    assert rehearsal
    assert rehearsal.ok
    assert mended.state is DestinationState.OKAY
    assert mended.attempts_wanted > stopped.attempts_wanted
