"""The client against a real OpenStack Swift, whose own client then reads the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import swiftclient
from bodyworn import errors
from bodyworn.destination import metadata
from bodyworn.destination.client import Client
from bodyworn.destination.proof import Proof
from bodyworn.destination.rehearsal import REHEARSAL_OBJECT, rehearse
from swift_node import API_KEY, USER_NAME, Swift

pytest_plugins = ["swift_server"]

CLIP = "20190101_090909_7CF7.mkv"


@pytest.fixture
def client(swift: Swift) -> Iterator[Client]:
    client = Client(swift.connection())
    yield client
    client.close()


@pytest.fixture
def theirs(swift: Swift) -> Iterator[swiftclient.Connection]:
    """Swift's own client."""
    connection = swiftclient.Connection(authurl=swift.auth_uri, user=USER_NAME, key=API_KEY, auth_version="1")
    yield connection
    connection.close()


@pytest.fixture
def container(client: Client) -> str:
    name = f"{uuid4()}_B8A44F_20190101T090909Z"
    client.put_container(name, {"Status": metadata.TRANSFERRING, "ContainerName": name})
    return name


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def put(client: Client, container: str, data: bytes, *, digest: str | None = None) -> Proof:
    facts = {"StartTime": "1546333749", "Note": "Zoë + 1 %"}
    return client.put_object(
        container, CLIP, io.BytesIO(data), size_bytes=len(data), md5=digest or md5(data), metadata=facts
    )


@pytest.mark.feature("DST-1")
def test_a_recording_arrives_verified_and_their_client_reads_the_same(
    client: Client, theirs: swiftclient.Connection, container: str
) -> None:
    data = os.urandom(3 * 1024 * 1024 + 7)
    assert put(client, container, data).verified
    headers, body = theirs.get_object(container, CLIP)
    assert body == data
    assert metadata.from_headers(metadata.OBJECT_PREFIX, headers) == {"starttime": "1546333749", "note": "Zoë + 1 %"}
    assert client.get_object(container, CLIP, limit_bytes=len(data)) == data
    assert client.verify_object(container, CLIP, size_bytes=len(data), md5=md5(data)).verified


def test_completing_a_recording_changes_only_its_status(
    client: Client, theirs: swiftclient.Connection, container: str
) -> None:
    client.post_container(container, {"Status": metadata.COMPLETE})
    headers = theirs.head_container(container)
    assert headers["x-container-meta-status"] == metadata.COMPLETE
    assert client.head_container(container) == {"status": metadata.COMPLETE, "containername": container}


def test_a_container_that_exists_takes_more_metadata(client: Client, container: str) -> None:
    client.put_container(container, {"BWCModel": "W1"})
    assert (client.head_container(container) or {}).keys() == {"status", "containername", "bwcmodel"}


def test_a_wrong_etag_stores_nothing(client: Client, container: str) -> None:
    with pytest.raises(errors.EtagDiffers):
        put(client, container, b"sent", digest=md5(b"meant"))
    assert client.head_object(container, CLIP) is None


def test_nothing_is_overwritten(client: Client, theirs: swiftclient.Connection, container: str) -> None:
    put(client, container, b"first")
    assert put(client, container, b"first").verified
    with pytest.raises(errors.DifferentAtDestination):
        put(client, container, b"other")
    assert theirs.get_object(container, CLIP)[1] == b"first"


def test_object_metadata_is_replaced_as_a_whole(client: Client, container: str) -> None:
    put(client, container, b"x")
    client.post_object(container, CLIP, {"Active": "False"})
    remote = client.head_object(container, CLIP)
    assert remote is not None
    assert (remote.size_bytes, remote.etag, remote.metadata) == (1, md5(b"x"), {"active": "False"})


def test_what_is_not_there_is_missing(client: Client) -> None:
    assert client.head_container("nowhere") is None
    assert client.head_object("nowhere", CLIP) is None
    with pytest.raises(errors.MissingContainer):
        put(client, "nowhere", b"x")
    with pytest.raises(errors.MissingContainer):
        client.post_container("nowhere", {"Status": metadata.COMPLETE})
    with pytest.raises(errors.MissingObject):
        client.get_object("nowhere", CLIP)


def test_tokens_that_ended_are_renewed_within_an_upload(client: Client, swift: Swift, container: str) -> None:
    before = client.sign_in()
    swift.end_tokens()
    assert put(client, container, os.urandom(4 * 1024 * 1024)).verified
    assert client.sign_in() is not before


def test_a_connection_cut_within_a_body_stores_nothing(client: Client, container: str) -> None:
    signed_in = client.sign_in()
    storage, token = signed_in.storage, signed_in.token.reveal()
    with socket.create_connection((storage.host, storage.port), timeout=5) as connected:
        request = f"PUT {storage.path}/{container}/{CLIP} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n"
        connected.sendall(f"{request}Content-Length: 1000000\r\n\r\n".encode() + b"a" * 500_000)
    time.sleep(0.2)
    assert client.head_object(container, CLIP) is None


@pytest.mark.feature("SET-7")
def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def test_the_rehearsal_finds_a_destination_that_verifies(swift: Swift, theirs: swiftclient.Connection) -> None:
    rehearsal = rehearse(swift.connection())
    assert rehearsal.ok
    assert [step.problem for step in rehearsal.steps] == [None] * 7
    assert rehearsal.can_verify
    assert abs(rehearsal.clock_difference_seconds or 0) < 2
    assert rehearse(swift.connection()).can_verify
    of_rehearsals = [one["name"] for one in theirs.get_container("System")[1] if not _is_uuid(one["name"])]
    assert of_rehearsals == [REHEARSAL_OBJECT], "systems that other tests connected are named by their ids"


def test_the_storage_address_is_used_as_swift_gives_it(client: Client, swift: Swift) -> None:
    storage = client.sign_in().storage
    assert urlsplit(swift.auth_uri).port == storage.port
    assert storage.path.startswith("/v1/AUTH_")
