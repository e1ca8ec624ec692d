"""A destination is adopted after its rehearsal, its password sealed, and its state is what it last did."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bodyworn.destination.connection_file import ConnectionFile, export
from bodyworn.destination.rehearsal import Rehearsal, RehearsalStep, RehearsalStepName, rehearse
from bodyworn.destination.secret import Secret
from bodyworn.errors import (
    AuthorizationFailed,
    Busy,
    ConnectionFileRefused,
    ContainerTypeChanged,
    DestinationHungUp,
    EncryptionTurnedOff,
    SealBroken,
)
from bodyworn.models import Destination, DestinationState, Event, RecordingState
from bodyworn.services import destinations, uplink_limit
from bodyworn.services.keyring import Keyring
from bodyworn.services.uplink_limit import UplinkLimit
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fake_destination import API_KEY, FakeDestination
from rig_parts import ACTOR, Depot, event_actions, store
from sqlalchemy import select
from sqlalchemy.orm import Session

pytest_plugins = ["fixtures_database"]

GOOD = Rehearsal((RehearsalStep(RehearsalStepName.STORE, ok=True),), can_verify=True, clock_difference_seconds=0.5)
BAD = Rehearsal((RehearsalStep(RehearsalStepName.STORE, ok=False, problem=AuthorizationFailed()),))


def connection_file(port: int = 9, **changes: Any) -> bytes:
    """Write a connection file for a port of this machine."""
    facts: dict[str, Any] = {
        "site_name": "Evidence store",
        "application_name": "Store",
        "application_version": "4",
        "authentication_uris": (f"http://127.0.0.1:{port}/auth/v1.0",),
        "user_name": "bwc",
        "api_key": Secret(API_KEY),
    }
    return export(ConnectionFile(**(facts | changes)))


@pytest.fixture(scope="module")
def public_pem() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def adopt(
    depot: Depot, session: Session, data: bytes, rehearsal: Rehearsal = GOOD, recognised: str | None = None
) -> Destination:
    return destinations.adopt(session, depot.keyring, data, rehearsal, recognised=recognised, actor=ACTOR)


def test_what_did_not_pass_its_rehearsal_is_not_adopted(depot: Depot) -> None:
    with depot.database.write() as session:
        with pytest.raises(AssertionError, match="rehearsal"):
            adopt(depot, session, connection_file(), BAD)
        assert destinations.active(session) is None


@pytest.mark.feature("SET-6")
def test_an_adopted_destination_is_in_force_and_its_password_is_sealed(depot: Depot) -> None:
    with depot.database.write() as session:
        adopt(depot, session, connection_file())
    with depot.database.read() as session:
        destination = destinations.active(session)
        assert destination is not None
        assert (destination.site_name, destination.state, destination.can_verify) == (
            "Evidence store", DestinationState.OKAY, True,
        )  # fmt: skip
        assert API_KEY.encode() not in destination.sealed_file
        assert destinations.connection(destination, depot.keyring).api_key.reveal() == API_KEY
    assert event_actions(depot.database, destination.id) == ["destination.connected", "destination.okay"]


def test_its_password_is_in_no_event_and_opens_on_no_other_machine(depot: Depot, tmp_path: Path) -> None:
    with depot.database.write() as session:
        destination = adopt(depot, session, connection_file())
        details = json.dumps([event.detail for event in session.scalars(select(Event))])
        assert API_KEY not in details
        with pytest.raises(SealBroken):
            destinations.connection(destination, Keyring(tmp_path / "another"))


def test_the_same_destination_again_keeps_its_row(depot: Depot) -> None:
    with depot.database.write() as session:
        first = adopt(depot, session, connection_file())
        again = adopt(depot, session, connection_file(site_name="Renamed"))
        assert (first.id, first.connection_id) == (again.id, again.connection_id)
        assert again.site_name == "Renamed"


def test_another_destination_gets_a_row_of_its_own(depot: Depot) -> None:
    with depot.database.write() as session:
        first = adopt(depot, session, connection_file(9))
        second = adopt(depot, session, connection_file(10))
        assert first.id != second.id
        assert first.connection_id != second.connection_id
        assert [one.id for one in session.scalars(select(Destination).where(Destination.active))] == [second.id]


def test_a_destination_that_remembers_a_connection_keeps_it(depot: Depot) -> None:
    """It is set once there; another one would make it refuse this system as somebody else (C3, wrong system)."""
    with depot.database.write() as session:
        remembered = adopt(depot, session, connection_file(9), recognised="from-another-life")
        assert remembered.connection_id == "from-another-life"
        uplink_limit.set_limit(session, UplinkLimit(5_000_000, 60, 120), actor=ACTOR)
        other = adopt(depot, session, connection_file(10))
        assert uplink_limit.limit_of(other) == UplinkLimit(5_000_000, 60, 120), "the line is the same"
        back = adopt(depot, session, connection_file(11), recognised="from-another-life")
        assert back.id == remembered.id
        assert [one.id for one in session.scalars(select(Destination).where(Destination.active))] == [remembered.id]


@pytest.mark.feature("DST-5")
@pytest.mark.parametrize(
    ("change", "error"),
    [({"want_encryption": False}, EncryptionTurnedOff), ({"container_type": "mp4"}, ContainerTypeChanged)],
)
def test_what_cannot_change_does_not(
    depot: Depot, public_pem: bytes, change: dict[str, Any], error: type[ConnectionFileRefused]
) -> None:
    sealed: dict[str, Any] = {"want_encryption": True, "public_key_pem": public_pem, "public_key_id": "k"}
    with depot.database.write() as session:
        adopt(depot, session, connection_file(**sealed))
        changed = connection_file(**(sealed | change))
        for take in (
            lambda: destinations.read_file(session, depot.keyring, changed),
            lambda: adopt(depot, session, changed),
        ):
            with pytest.raises(error):
                take()
        destination = destinations.active(session)
        assert destination is not None
        assert (destination.want_encryption, destination.container_type) == (True, "mkv")


def test_a_new_file_makes_every_waiting_recording_due(depot: Depot) -> None:
    with depot.database.write() as session:
        recording = depot.recording(session)
        store(session, recording)
        recording.retry_at = datetime.now(UTC) + timedelta(hours=1)
        adopt(depot, session, connection_file())
        assert recording.state is RecordingState.STORED
        assert recording.retry_at is None


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (DestinationHungUp(host="x"), DestinationState.WAITING),
        (Busy(status=503, retry_after_seconds=5), DestinationState.WAITING),
        (AuthorizationFailed(), DestinationState.STOPPED),
    ],
)
def test_its_state_is_what_it_last_did(depot: Depot, error: Any, state: DestinationState) -> None:
    with depot.database.write() as session:
        destination = adopt(depot, session, connection_file())
        for _ in range(3):
            destinations.fails(session, destination, error)
        assert (destination.state, destination.problem_id) == (state, error.id)
        destinations.works(session, destination)
        assert (destination.state, destination.problem_id) == (DestinationState.OKAY, None)
    actions = event_actions(depot.database, destination.id)
    assert actions == ["destination.connected", "destination.okay", f"destination.{state}", "destination.okay"]


def test_a_rehearsed_destination_brings_what_it_can_do(depot: Depot) -> None:
    with FakeDestination() as fake:
        data = export(fake.connection(full_store_and_read=True))
        with depot.database.read() as session:
            rehearsal = rehearse(destinations.read_file(session, depot.keyring, data))
        with depot.database.write() as session:
            destination = adopt(depot, session, data, rehearsal)
            assert destination.can_verify
            assert destination.capabilities["bookmarks"]
            assert destinations.client(destination, depot.keyring).head_container("nothing") is None


def test_a_key_for_encryption_travels_with_its_name(depot: Depot, public_pem: bytes) -> None:
    with depot.database.write() as session:
        data = connection_file(want_encryption=True, public_key_pem=public_pem, public_key_id="k1")
        destination = adopt(depot, session, data)
        assert (destination.want_encryption, destination.public_key_id) == (True, "k1")
        assert destinations.connection(destination, depot.keyring).public_key_pem == public_pem
        assert base64.b64encode(public_pem) in data
