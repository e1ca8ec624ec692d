"""The receiver on the wire: real servers on loopback; our own client, python-swiftclient and bare sockets as peers."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import swiftclient.client
from bodyworn.destination.client import Client
from bodyworn.destination.connection_file import ConnectionFile
from bodyworn.errors import DifferentAtDestination
from bodyworn.models import Event
from bodyworn.receiver import tokens, upload
from bodyworn.services import connection_files, events
from receiver_site import PREFIX, ReceiverSite, running
from sqlalchemy import func, select

RECORDING = "5f8a3c1e-8a52-4a0e-9f0b-3f3d3c5d7a11_B8A44F000001_20240301T101500Z"
CLIP = "20240301_101500_7CF7.mkv"
MIB = 1024 * 1024


@pytest.fixture(scope="module", params=["cheroot", "werkzeug"])
def any_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverSite]:
    """Run one receiver on each server; tests keep to accounts of their own."""
    with running(tmp_path_factory.mktemp("receiver"), request.param) as site:
        yield site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverSite]:
    with running(tmp_path_factory.mktemp("receiver")) as site:
        yield site


@pytest.fixture
def wire(any_site: ReceiverSite) -> Wire:
    return Wire(any_site, any_site.connection())


class Wire:
    """Bare HTTP, signed in: what other makers' clients may send."""

    def __init__(self, site: ReceiverSite, connection: ConnectionFile) -> None:
        headers = {"X-Auth-User": connection.user_name, "X-Auth-Key": connection.api_key.reveal()}
        self._address = urlsplit(site.url)
        status, answer, _ = self.ask_path("GET", f"{PREFIX}/auth/v1.0", headers=headers)
        assert status == 200
        self.site, self.token = site, answer["X-Auth-Token"]
        self.path, self.user_name = urlsplit(answer["X-Storage-Url"]).path, connection.user_name

    def ask(
        self, method: str, path: str = "", body: object = None, *, chunked: bool = False, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask_path(method, self.path + path, body, chunked, {"X-Auth-Token": self.token, **spelled})

    def ask_path(
        self, method: str, path: str, body: object = None, chunked: bool = False, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {}, encode_chunked=chunked)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def half(self, path: str, head: str, body: bytes) -> socket.socket:
        """Begin a PUT and do not go on."""
        begun = socket.create_connection((str(self._address.hostname), self._address.port), timeout=10)
        request = f"PUT {self.path}{path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {self.token}\r\n{head}\r\n\r\n"
        begun.sendall(request.encode() + body)
        return begun


def status_of(begun: socket.socket) -> int:
    """Wait for the answer to a request that was begun, past any leave to go on."""
    with http.client.HTTPResponse(begun) as answer:
        answer.begin()
        return answer.status


def md5_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def count(wire: Wire, action: str) -> int:
    """Count the events of one kind that a peer caused."""
    query = select(func.count()).where(Event.action == action, Event.actor == f"receiver:{wire.user_name}")
    with wire.site.database.read() as session:
        return session.scalar(query) or 0


def stored_files(wire: Wire) -> list[str]:
    """List every file in the peer's store that is no sidecar, unfinished ones included."""
    root = wire.site.runtime.data_dir / "received" / wire.path.rpartition("/")[2]
    return sorted(path.name for path in root.rglob("*") if path.is_file() and ".metadata" not in path.parts)


# --- sign-in ---------------------------------------------------------------------------------------------------------


def test_the_sign_in_answers_a_token_and_an_address_under_the_same_host(wire: Wire) -> None:
    status, headers, _ = wire.ask("HEAD")
    assert status == 204
    assert headers["X-Account-Container-Count"] == "0"


def test_a_wrong_key_a_bad_token_and_another_account_are_refused(site: ReceiverSite) -> None:
    mine, other = Wire(site, site.connection()), Wire(site, site.connection())
    wrong = {"X-Auth-User": site.connection().user_name, "X-Auth-Key": "wrong"}
    assert mine.ask_path("GET", f"{PREFIX}/auth/v1.0", headers=wrong)[0] == 401
    for token in ("", "bad", mine.token[:-2], mine.token + "AAAA", "ä", "A" * 10_000):
        assert mine.ask_path("GET", mine.path, headers={"X-Auth-Token": token.encode().decode("latin-1")})[0] == 401
    assert mine.ask_path("GET", other.path, headers={"X-Auth-Token": mine.token})[0] == 403


def test_a_token_ends_after_a_quarter_of_an_hour_even_if_the_clock_is_set_back(site: ReceiverSite) -> None:
    wire, box = Wire(site, site.connection()), site.runtime.secrets
    account_id = wire.path.rpartition("/")[2]
    for late in (-16 * 60, 3600):
        token = tokens.issue(box, account_id, now=time.time() + late)
        assert wire.ask_path("GET", wire.path, headers={"X-Auth-Token": token})[0] == 401


def test_a_closed_account_is_refused_with_its_token_still_running(site: ReceiverSite) -> None:
    wire = Wire(site, site.connection())
    with site.database.write() as session:
        connection_files.close_account(session, wire.path.rpartition("/")[2])
    assert wire.ask("GET")[0] == 401


# --- containers ------------------------------------------------------------------------------------------------------


def test_putting_a_container_creates_it_then_merges_and_an_empty_value_deletes(wire: Wire) -> None:
    assert wire.ask("PUT", "/box", X_Container_Meta_BWCSerialNumber="B8", X_Container_Meta_Name="A%20b")[0] == 201
    assert wire.ask("PUT", "/box", X_Container_Meta_Model="W800")[0] == 202
    assert wire.ask("POST", "/box", X_Container_Meta_Model="", X_Container_Meta_Status="Transferring")[0] == 204
    status, headers, _ = wire.ask("HEAD", "/box")
    assert status == 204
    found = {key: value for key, value in headers.items() if key.startswith("X-Container-Meta-")}
    assert found == {
        "X-Container-Meta-Bwcserialnumber": "B8",
        "X-Container-Meta-Name": "A%20b",
        "X-Container-Meta-Status": "Transferring",
    }


def test_what_is_not_there_is_404_and_what_cannot_be_named_is_400(wire: Wire) -> None:
    for method in ("GET", "HEAD", "POST"):
        assert wire.ask(method, "/nowhere")[0] == 404
    assert wire.ask("PUT", "/nowhere/x", b"1")[0] == 404
    assert wire.ask("PUT", "/box")[0] == 201
    for method in ("GET", "HEAD", "POST"):
        assert wire.ask(method, "/box/x")[0] == 404
    for name in ("/.hidden", "/a%00b", "/a%FFb", "/" + "a" * 256):
        assert wire.ask("PUT", name)[0] == 400
    for name in ("/.hidden", "/a%00b", "/a%FFb", "/a/b", "/a%2Fb", "/" + "a" * 256):
        assert wire.ask("PUT", f"/box{name}", b"1")[0] == 400


def test_nothing_can_be_deleted(wire: Wire) -> None:
    wire.ask("PUT", "/box")
    wire.ask("PUT", "/box/x", b"1")
    assert wire.ask("DELETE", "/box/x")[0] == 403
    assert wire.ask("DELETE", "/box")[0] == 403
    assert wire.ask("GET", "/box/x")[2] == b"1"


def test_listings_are_in_order_of_bytes_and_can_be_cut(site: ReceiverSite) -> None:
    wire = Wire(site, site.connection())
    for name in ("b", "B", "a1", "a2", "ä"):
        wire.ask("PUT", f"/{name}".replace("ä", "%C3%A4"))
        wire.ask("PUT", f"/b/{name}".replace("ä", "%C3%A4"), name.encode()) if name != "B" else None
    assert wire.ask("GET")[2].decode() == "B\na1\na2\nb\nä\n"
    assert wire.ask("GET", "?prefix=a&limit=1")[2] == b"a1\n"
    assert wire.ask("GET", "?marker=a1&end_marker=b")[2] == b"a2\n"
    assert wire.ask("GET", "/b?prefix=A")[0] == 204
    listed = json.loads(wire.ask("GET", "/b?format=json")[2])
    assert [(entry["name"], entry["bytes"], entry["hash"]) for entry in listed] == [
        (name, len(name.encode()), md5_of(name.encode())) for name in ("a1", "a2", "b", "ä")
    ]
    containers = json.loads(wire.ask("GET", Accept="application/json")[2])
    assert {entry["name"]: entry["count"] for entry in containers} == {"B": 0, "a1": 0, "a2": 0, "b": 4, "ä": 0}


def test_two_systems_do_not_see_each_other(site: ReceiverSite) -> None:
    one, other = Wire(site, site.connection()), Wire(site, site.connection())
    for wire, data in ((one, b"one"), (other, b"other")):
        assert wire.ask("PUT", "/Users")[0] == 201
        assert wire.ask("PUT", "/Users/x", data)[0] == 201
    assert (one.ask("GET", "/Users/x")[2], other.ask("GET", "/Users/x")[2]) == (b"one", b"other")


def test_the_receiver_speaks_of_itself_and_nobody_speaks_for_it(wire: Wire) -> None:
    status, headers, body = wire.ask("GET", "/System/Capabilities.json")
    assert (status, headers["Etag"]) == (200, md5_of(body))
    assert set(json.loads(body)["Store"].values()) == {True}
    assert len(json.loads(wire.ask("GET", "/System/Categories.json")[2])) == 10
    assert wire.ask("HEAD", "/System")[0] == 404
    assert wire.ask("PUT", "/System")[0] == 201
    assert wire.ask("PUT", "/System/Capabilities.json", b"{}")[0] == 403


# --- objects ---------------------------------------------------------------------------------------------------------


def test_an_object_comes_back_with_everything_that_was_said_of_it(wire: Wire) -> None:
    data = os.urandom(3 * MIB + 7)
    wire.ask("PUT", "/box")
    status, headers, _ = wire.ask(
        "PUT",
        "/box/x",
        data,
        ETag=f'"{md5_of(data).upper()}"',
        Content_Type="video/x-matroska",
        X_Object_Meta_StartTime="1",
    )
    assert (status, headers["Etag"]) == (201, md5_of(data))
    for method in ("GET", "HEAD"):
        status, headers, body = wire.ask(method, "/box/x")
        assert (status, headers["Etag"], headers["Content-Length"]) == (200, md5_of(data), str(len(data)))
        assert (headers["Content-Type"], headers["X-Object-Meta-Starttime"]) == ("video/x-matroska", "1")
        assert headers["Last-Modified"].endswith("GMT")
        assert body == (data if method == "GET" else b"")


def test_metadata_comes_back_as_it_came_whatever_it_was(site: ReceiverSite) -> None:
    wire = Wire(site, site.connection())
    values = {"Plain": "a b+c", "Encoded": "%C3%84%20b", "Broken": "100%", "Odd": "%FF%zz", "Quote": '"<&'}
    wire.ask("PUT", "/box", None, **{f"X_Container_Meta_{key}": value for key, value in values.items()})
    headers = wire.ask("HEAD", "/box")[1]
    assert {key: headers[f"X-Container-Meta-{key}"] for key in values} == values
    raw = wire.half("/box", "X-Container-Meta-Raw: \xc3\xa4\r\nContent-Length: 0", b"")  # UTF-8 as Python spells it
    raw.recv(100)
    raw.close()
    assert wire.ask("HEAD", "/box")[1]["X-Container-Meta-Raw"] in ("%C3%A4", "%C3%83%C2%A4")


def test_posting_to_an_object_replaces_all_of_its_metadata(wire: Wire) -> None:
    wire.ask("PUT", "/box")
    wire.ask("PUT", "/box/x", b"1", X_Object_Meta_A="1", X_Object_Meta_B="2")
    assert wire.ask("POST", "/box/x", X_Object_Meta_C="3")[0] == 202
    headers = wire.ask("HEAD", "/box/x")[1]
    assert [key for key in headers if key.startswith("X-Object-Meta-")] == ["X-Object-Meta-C"]


def test_a_wrong_etag_is_422_and_leaves_nothing(wire: Wire) -> None:
    wire.ask("PUT", "/box")
    assert wire.ask("PUT", "/box/x", b"12345", ETag="0" * 32)[0] == 422
    assert wire.ask("HEAD", "/box/x")[0] == 404
    assert stored_files(wire) == []
    assert wire.ask("PUT", "/box/x", b"12345", ETag=md5_of(b"12345"))[0] == 201


def test_the_same_bytes_again_are_welcome_and_others_are_refused_and_noted(wire: Wire) -> None:
    wire.ask("PUT", "/box")
    assert [wire.ask("PUT", "/box/x", data)[0] for data in (b"one", b"one", b"two")] == [201, 201, 403]
    assert wire.ask("PUT", "/box/x", b"two", ETag=md5_of(b"two"))[0] == 403
    assert wire.ask("PUT", "/box/x", b"one", If_None_Match="*")[0] == 412
    assert wire.ask("GET", "/box/x")[2] == b"one"
    assert stored_files(wire) == ["x"]
    assert count(wire, "object.overwrite-refused") == 2


def test_a_body_in_chunks_is_taken_without_a_length(wire: Wire) -> None:
    blocks = [os.urandom(size) for size in (1, MIB, 70_000)]
    wire.ask("PUT", "/box")
    status, headers, _ = wire.ask("PUT", "/box/x", iter(blocks), chunked=True, Transfer_Encoding="chunked")
    assert (status, headers["Etag"]) == (201, md5_of(b"".join(blocks)))


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Length: 1000000", b"a" * 500_000),
        ("Transfer-Encoding: chunked", b"7a120\r\n" + b"a" * 200_000),
        ("Transfer-Encoding: chunked", b"3\r\nabc\r\n"),
        ("Transfer-Encoding: chunked", b"3\r\nabc\r\nnonsense\r\n"),
    ],
)
def test_a_body_that_is_cut_stores_nothing(wire: Wire, head: str, body: bytes) -> None:
    wire.ask("PUT", "/box")
    begun = wire.half("/box/x", head, body)
    begun.shutdown(socket.SHUT_WR)
    while begun.recv(4096):
        pass
    begun.close()
    assert wire.ask("HEAD", "/box/x")[0] == 404
    assert stored_files(wire) == []


def test_a_body_without_any_length_is_411(wire: Wire) -> None:
    wire.ask("PUT", "/box")
    begun = wire.half("/box/x", "Accept: */*", b"")
    assert status_of(begun) == 411
    begun.close()


def test_more_than_five_gibibytes_are_refused_before_they_are_sent(wire: Wire) -> None:
    wire.ask("PUT", "/box")
    begun = wire.half("/box/x", f"Content-Length: {5 * 1024**3 + 1}\r\nExpect: 100-continue", b"")
    assert status_of(begun) == 413
    begun.close()


def test_what_would_fill_the_disk_is_507_and_leaves_nothing(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.ask("PUT", "/box")
    monkeypatch.setattr(upload, "KEEP_FREE_BYTES", 2**62)
    begun = wire.half("/box/x", "Content-Length: 1000000000", b"")
    assert status_of(begun) == 507
    begun.close()
    assert wire.ask("HEAD", "/box/x")[0] == 404
    assert stored_files(wire) == []


def test_uploads_beyond_the_limit_are_told_to_come_again(tmp_path: Path) -> None:
    with running(tmp_path, parallel_uploads=2) as site:
        wire = Wire(site, site.connection())
        wire.ask("PUT", "/box")
        begun = [wire.half(f"/box/{name}", "Content-Length: 4", b"ab") for name in "ab"]
        wait_until(lambda: len(stored_files(wire)) == 2)
        status, headers, _ = wire.ask("PUT", "/box/c", b"1234")
        assert (status, headers["Retry-After"]) == (503, "5")
        assert wire.ask("HEAD", "/box")[0] == 204
        for connection in begun:
            connection.sendall(b"cd")
            assert status_of(connection) == 201
            connection.close()
        assert wire.ask("PUT", "/box/c", b"1234")[0] == 201


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=10-19", slice(10, 20)),
        ("bytes=990-", slice(990, 1000)),
        ("bytes=-5", slice(995, 1000)),
        ("bytes=500-99999", slice(500, 1000)),
    ],
)
def test_a_range_is_answered_with_that_part(wire: Wire, wanted: str, part: slice) -> None:
    data = os.urandom(1000)
    wire.ask("PUT", "/box")
    wire.ask("PUT", "/box/x", data)
    status, headers, body = wire.ask("GET", "/box/x", Range=wanted)
    assert (status, body) == (206, data[part])
    assert headers["Content-Range"] == f"bytes {part.start}-{part.stop - 1}/1000"


def test_a_range_outside_is_416_and_a_meaningless_one_is_ignored(wire: Wire) -> None:
    wire.ask("PUT", "/box")
    wire.ask("PUT", "/box/x", b"0123456789")
    status, headers, _ = wire.ask("GET", "/box/x", Range="bytes=10-")
    assert (status, headers["Content-Range"]) == (416, "bytes */10")
    for meaningless in ("bytes=5-2", "bytes=-", "lines=1-2", "bytes=0-1,3-4"):
        assert wire.ask("GET", "/box/x", Range=meaningless)[::2] == (200, b"0123456789")


# --- recordings ------------------------------------------------------------------------------------------------------


def deliver(client: Client, data: bytes) -> None:
    client.put_container(
        RECORDING, {"BWCSerialNumber": "B8A44F000001", "Status": "Transferring", "StartTime": "1709288100"}
    )
    client.put_object(
        RECORDING, CLIP, data, size_bytes=len(data), md5=md5_of(data), metadata={"StartTime": "1709288100"}
    )
    client.post_container(RECORDING, {"Status": "Complete"})


@pytest.mark.feature("DST-1")
def test_our_client_delivers_a_recording_and_gets_proof(any_site: ReceiverSite) -> None:
    data = os.urandom(5 * MIB)
    with any_site.client() as client:
        deliver(client, data)
        remote = client.head_object(RECORDING, CLIP)
        assert remote is not None
        assert (remote.size_bytes, remote.etag) == (len(data), md5_of(data))
        assert client.get_object(RECORDING, CLIP, len(data)) == data
        assert client.capabilities().bookmarks
        again = client.put_object(RECORDING, CLIP, data, size_bytes=len(data), md5=md5_of(data), metadata={})
        assert again.kind == "verified"
        with pytest.raises(DifferentAtDestination):
            client.put_object(RECORDING, CLIP, b"other", size_bytes=5, md5=md5_of(b"other"), metadata={})
    with any_site.database.read() as session:
        assert list(events.check(session)) == []


def test_the_host_is_told_of_a_complete_recording_once_it_is_committed(site: ReceiverSite) -> None:
    with site.client() as client:
        client.put_container("Users", {})
        user = RECORDING.partition("_")[0]
        client.put_object(
            "Users", user, b"", size_bytes=0, md5=md5_of(b""), metadata={"Name": "Anna Berg", "UserID": "17"}
        )
        deliver(client, b"clip")
    arrived = site.host.arrived[-1]
    assert (arrived.title, arrived.camera) == ("Anna Berg (17) (B8A44F000001)", "B8A44F000001")
    assert arrived.started_at.isoformat() == "2024-03-01T10:15:00+00:00"
    assert arrived.address == f"/bodyworn/received/{arrived.id}"


def test_a_host_that_fails_to_listen_loses_nothing(site: ReceiverSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.host, "arrived", ())  # has no append
    with site.client() as client:
        deliver(client, b"clip")
        assert (client.head_container(RECORDING) or {})["status"] == "Complete"


def test_after_complete_nothing_changes_and_what_is_the_same_is_welcome(site: ReceiverSite) -> None:
    connection = site.connection()
    with site.client(connection) as client:
        deliver(client, b"clip")
    wire, box = Wire(site, connection), f"/{RECORDING}"
    assert wire.ask("PUT", f"{box}/new.mkv", b"new")[0] == 403
    assert wire.ask("POST", box, X_Container_Meta_Status="Transferring")[0] == 403
    assert wire.ask("PUT", box, X_Container_Meta_Note="x")[0] == 403
    assert wire.ask("POST", f"{box}/{CLIP}", X_Object_Meta_StartTime="2")[0] == 403
    assert wire.ask("POST", box, X_Container_Meta_Status="Complete")[0] == 204
    same = {"X-Object-Meta-StartTime": "1709288100", "Content-Type": "application/octet-stream"}
    assert wire.ask("PUT", f"{box}/{CLIP}", b"clip", **same)[0] == 201
    assert stored_files(wire) == [CLIP]


def test_complete_means_nothing_where_there_is_no_recording(site: ReceiverSite) -> None:
    wire, told = Wire(site, site.connection()), len(site.host.arrived)
    for name in ("Users", "anything"):
        assert wire.ask("PUT", f"/{name}", X_Container_Meta_Status="Complete")[0] == 201
        assert wire.ask("PUT", f"/{name}/x", b"1")[0] == 201
    assert len(site.host.arrived) == told


# --- an independent client -------------------------------------------------------------------------------------------


@pytest.mark.feature("DST-1")
def test_swiftclient_puts_lists_heads_and_gets(any_site: ReceiverSite, tmp_path: Path) -> None:
    connection, data = any_site.connection(), os.urandom(2 * MIB + 1)
    url, token = swiftclient.client.get_auth(
        connection.authentication_uris[0], connection.user_name, connection.api_key.reveal(), auth_version="1"
    )
    http_connection = swiftclient.client.http_connection(url)
    swiftclient.client.put_container(url, token, "box", {"X-Container-Meta-Color": "green"}, http_conn=http_connection)
    (tmp_path / "clip").write_bytes(data)
    with (tmp_path / "clip").open("rb") as file:  # without a length, so it is sent in chunks
        etag = swiftclient.client.put_object(
            url, token, "box", "x", file, chunk_size=65536, headers={"X-Object-Meta-A": "b"}, http_conn=http_connection
        )
    assert etag == md5_of(data)
    headers, listed = swiftclient.client.get_container(url, token, "box", http_conn=http_connection)
    assert headers["x-container-meta-color"] == "green"
    assert [(entry["name"], entry["bytes"], entry["hash"]) for entry in listed] == [("x", len(data), md5_of(data))]
    headers = swiftclient.client.head_object(url, token, "box", "x", http_conn=http_connection)
    assert (headers["x-object-meta-a"], headers["etag"]) == ("b", md5_of(data))
    assert swiftclient.client.get_object(url, token, "box", "x", http_conn=http_connection)[1] == data
    _, containers = swiftclient.client.get_account(url, token, http_conn=http_connection)
    assert [entry["name"] for entry in containers] == ["box"]
    http_connection[1].request_session.close()


# --- crashes and load ------------------------------------------------------------------------------------------------


def test_killed_between_durable_bytes_and_commit_a_retry_stores_it_once(tmp_path: Path) -> None:
    with running(tmp_path) as site:
        connection = site.connection()
        Wire(site, connection).ask("PUT", "/box")
    with started(tmp_path, "dies") as (process, url):
        wire = Wire(at(url), connection)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            wire.ask("PUT", "/box/clip.mkv", b"evidence", ETag=md5_of(b"evidence"))
        assert process.wait(10) == -signal.SIGKILL
    with running(tmp_path) as site:
        wire = Wire(site, connection)
        assert stored_files(wire) == ["clip.mkv"]
        assert wire.ask("HEAD", "/box/clip.mkv")[0] == 404
        assert wire.ask("PUT", "/box/clip.mkv", b"evidence", If_None_Match="*")[0] == 201
        assert wire.ask("GET", "/box/clip.mkv")[2] == b"evidence"
        assert count(wire, "object.stored") == 1
        with site.database.read() as session:
            assert list(events.check(session)) == []


def test_a_large_upload_takes_little_memory_and_holds_no_transaction(tmp_path: Path) -> None:
    with running(tmp_path) as site:
        connection = site.connection()
    with started(tmp_path) as (process, url):
        wire = Wire(at(url), connection)
        wire.ask("PUT", "/box")
        before = peak_bytes(process.pid)
        size_bytes = 128 * MIB
        begun = wire.half("/box/big", f"Content-Length: {size_bytes}", b"")
        block = os.urandom(MIB)
        for number in range(size_bytes // MIB):
            begun.sendall(block)
            if number == 64:
                assert wire.ask("PUT", "/box", X_Container_Meta_While="uploading")[0] == 202
        assert status_of(begun) == 201
        begun.close()
        assert peak_bytes(process.pid) - before < 48 * MIB


def test_parallel_uploads_of_one_object_store_it_once(site: ReceiverSite) -> None:
    wire, data = Wire(site, site.connection()), os.urandom(MIB)
    wire.ask("PUT", "/box")
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(wire.ask("PUT", "/box/x", data)[0])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 6
    assert (count(wire, "object.stored"), count(wire, "object.changed")) == (1, 5)
    assert stored_files(wire) == ["x"]
    with site.database.read() as session:
        assert list(events.check(session)) == []


def at(url: str) -> ReceiverSite:
    """Point at a receiver in another process."""
    return ReceiverSite(url, None, None, None)  # type: ignore[arg-type]


class started:  # noqa: N801 - reads as a word in ``with``
    """A receiver in a process of its own."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        here = Path(__file__).parent
        program = f"import sys; sys.path.insert(0, {str(here)!r}); import conftest, receiver_site; receiver_site.main()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, str(data_dir), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> tuple[subprocess.Popen[str], str]:
        assert self._process.stdout is not None
        return self._process, self._process.stdout.readline().strip()

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def wait_until(true: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)
