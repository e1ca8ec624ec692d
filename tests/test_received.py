"""What was received, as people see and play it: lists, pages, and ranges of plain and encrypted content."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bodyworn.crypto.content import ContentEncryption
from bodyworn.crypto.key_object import open_for_destination
from bodyworn.destination.client import Client
from bodyworn.destination.connection_file import ConnectionFile
from bodyworn.destination.names import key_name
from bodyworn.errors import ContentDamaged
from bodyworn.services import received_recordings
from bodyworn.services.playback import DecryptedContent, StoredContent, answer, open_content, parse_range
from bodyworn.services.received import moment_of
from bodyworn.simulator.media import Scene, make_clip
from bodyworn.store import Store
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings, strategies as st
from receiver_site import ReceiverSite, running

USER = "5f8a3c1e-8a52-4a0e-9f0b-3f3d3c5d7a11"
START = 1709288100
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverSite]:
    with running(tmp_path_factory.mktemp("receiver")) as site:
        yield site


def md5_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def put(client: Client, container: str, name: str, data: bytes, **metadata: str) -> None:
    client.put_object(container, name, data, size_bytes=len(data), md5=md5_of(data), metadata=metadata)


def deliver(
    site: ReceiverSite,
    clips: dict[str, bytes],
    *,
    serial: str = "B8A44F000001",
    connection: ConnectionFile | None = None,
    complete: bool = True,
    **metadata: str,
) -> str:
    """Send a recording, encrypted where the connection file asks for it; give the address of its page."""
    connection = connection or site.connection()
    container = f"{USER}_{serial}_20240301T101500Z"
    with site.client(connection) as client:
        client.put_container("Users", {})
        put(client, "Users", USER, b"", Active="True", Name="Anna Bérg", UserID="17")
        client.put_container(
            container, {"UserID": USER, "StartTime": str(START), "StopTime": str(START + 95), **metadata}
        )
        for name, data in clips.items():
            for sent, sent_data in encrypted(connection, name, data).items():
                put(client, container, sent, sent_data, StartTime=str(START), StopTime=str(START + 60))
        if complete:
            client.post_container(container, {"Status": "Complete"})
    with site.database.read() as session:
        (row,) = received_recordings.list_recordings(session, serial).rows
    return f"{site.url}/bodyworn/received/{row.id}"


def encrypted(connection: ConnectionFile, name: str, data: bytes) -> dict[str, bytes]:
    """Encrypt a clip as a body worn system does, if the connection file asks for it."""
    if connection.public_key_pem is None:
        return {name: data}
    encryption = ContentEncryption.new(name, connection.public_key_pem, connection.public_key_id or "", None)
    ciphertext = b"".join(encryption.encrypt([data]))
    key = encryption.key_object(hashlib.sha256(ciphertext).hexdigest())
    return {key_name(name): key, name: ciphertext}


def get(address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answered:
            return answered.status, dict(answered.headers), answered.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


# --- ranges ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=0-", (0, 100)),
        ("bytes=0-99", (0, 100)),
        ("bytes=99-200", (99, 1)),
        ("bytes=-1", (99, 1)),
        ("bytes=-500", (0, 100)),
        ("bytes=100-", (100, 0)),
        ("bytes=100-200", (100, 0)),
        ("bytes=-0", (100, 0)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=1-2,5-6", None),
        ("items=1-2", None),
        ("bytes=٣-٤", None),
        ("", None),
    ],
)
def test_a_range_means_a_part_nothing_or_is_ignored(wanted: str, expected: tuple[int, int] | None) -> None:
    span = parse_range(wanted, 100)
    assert (span and (span.first, span.size_bytes)) == expected


def test_nothing_of_an_empty_file_is_there() -> None:
    for wanted in ("bytes=0-", "bytes=-1", "bytes=0-0"):
        span = parse_range(wanted, 0)
        assert span is not None
        assert span.size_bytes == 0


@pytest.fixture(scope="module")
def key_pair() -> tuple[bytes, bytes]:
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private_pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private_pem, private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.feature("REC-8")
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200) | st.integers(0, 40).map(lambda n: os.urandom(MIB - 20 + n)), choose=st.data())
def test_every_range_of_plain_and_of_encrypted_content_is_that_part_of_the_plaintext(
    key_pair: tuple[bytes, bytes], tmp_path_factory: pytest.TempPathFactory, data: bytes, choose: st.DataObject
) -> None:
    first = choose.draw(st.integers(0, len(data) + 5))
    last = choose.draw(st.none() | st.integers(first, len(data) + 20))
    wanted = f"bytes={first}-{'' if last is None else last}"
    private_pem, public_pem = key_pair
    encryption = ContentEncryption.new("clip.mkv", public_pem, "id", None)
    ciphertext = b"".join(encryption.encrypt([data[:MIB], data[MIB:]]))
    key = encryption.key_object(hashlib.sha256(ciphertext).hexdigest())
    file = tmp_path_factory.getbasetemp() / "content"
    for stored, opens in ((data, False), (ciphertext, True)):
        file.write_bytes(stored)
        opened = file.open("rb")
        content = DecryptedContent(opened, open_for_destination(key, private_pem)) if opens else StoredContent(opened)
        try:
            assert content.size_bytes == len(data)
            part = answer(content, wanted)
            expected = data[first : None if last is None else last + 1]
            assert b"".join(part.blocks) == expected
            assert (part.status, part.headers["Content-Length"]) == (206 if expected else 416, str(len(expected)))
            assert b"".join(answer(content, None).blocks) == data
        finally:
            content.close()


def test_ciphertext_of_an_impossible_length_is_refused_and_its_file_closed(
    tmp_path: Path, key_pair: tuple[bytes, bytes]
) -> None:
    encryption = ContentEncryption.new("x", key_pair[1], "id", None)
    ciphertext = b"".join(encryption.encrypt([b"clip"]))
    opened = open_for_destination(encryption.key_object("0" * 64), key_pair[0])
    store = Store(tmp_path / "store")
    store.write_bytes("box", "x", ciphertext[:-1])
    with pytest.raises(ContentDamaged):
        open_content(store, "box", "x", opened)


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"starttime": "1709288100"}, datetime(2024, 3, 1, 10, 15, tzinfo=UTC)),
        ({"starttimeiso": "2024-03-01T11:15:00+01:00"}, datetime(2024, 3, 1, 10, 15, tzinfo=UTC)),
        ({"starttime": "2024-03-01T10:15:00Z"}, datetime(2024, 3, 1, 10, 15, tzinfo=UTC)),
        ({"starttime": "never", "starttimeiso": "2024-03-01T10:15:00Z"}, datetime(2024, 3, 1, 10, 15, tzinfo=UTC)),
        ({"starttimeiso": "2024-03-01T10:15:00"}, None),
        ({"starttime": "nan"}, None),
        ({"starttime": "1e300"}, None),
        ({"starttime": "99999999999999"}, None),
        ({}, None),
    ],
)
def test_a_time_is_read_in_every_spelling_that_is_one(metadata: dict[str, str], expected: datetime | None) -> None:
    assert moment_of(metadata, "starttime") == expected


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.feature("REC-8")
def test_a_received_recording_is_listed_and_shown_with_its_digests(site: ReceiverSite) -> None:
    data = os.urandom(1000)
    address = deliver(site, {"20240301_101500_7CF7.mkv": data}, serial="LISTED01", BWCModel="W800")
    status, _, listed = get(f"{site.url}/bodyworn/received?q=anna")
    assert (status, "Anna Bérg (17)" in listed.decode(), "LISTED01" in listed.decode()) == (200, True, True)
    status, _, shown = get(address)
    page = shown.decode()
    assert status == 200
    for expected in (hashlib.sha256(data).hexdigest(), md5_of(data), "W800", "20240301_101500_7CF7.mkv", "<video"):
        assert expected in page
    assert get(f"{site.url}/bodyworn/received?q=nobody-of-this-name")[2].decode().count("No recording matches") == 1


@pytest.mark.feature("REC-8")
def test_a_clip_is_played_in_parts_and_downloaded_under_its_name(site: ReceiverSite) -> None:
    data = os.urandom(5000)
    address = deliver(site, {"20240301_101500_7CF7.mkv": data, "20240301_101500_7CF8.avi": data}, serial="PLAYED01")
    clip = f"{address}/20240301_101500_7CF7.mkv"
    status, headers, part = get(clip, Range="bytes=100-199")
    assert (status, part, headers["Content-Type"]) == (206, data[100:200], "video/x-matroska")
    assert headers["Content-Disposition"].startswith("inline")
    assert headers["X-Content-Type-Options"] == "nosniff"
    status, headers, whole = get(f"{clip}?download=1")
    assert (status, whole) == (200, data)
    assert headers["Content-Disposition"] == "attachment; filename=20240301_101500_7CF7.mkv"
    assert get(address)[2].decode().count("<span>20240301_101500_7CF7.mkv downloaded</span>") == 1
    status, headers, whole = get(f"{address}/20240301_101500_7CF8.avi")
    assert (whole, headers["Content-Type"]) == (data, "application/octet-stream")
    assert headers["Content-Disposition"].startswith("attachment")
    page = get(address)[2].decode()
    assert "Browsers cannot play this kind of clip" in page
    assert page.count("<video") == 1


@pytest.mark.feature("REC-4")
def test_an_encrypted_clip_plays_decrypted_here_and_stays_encrypted_over_the_interface(site: ReceiverSite) -> None:
    connection, data, name = site.connection(want_encryption=True), os.urandom(3 * MIB + 5), "20240301_101500_7CF7.mp4"
    address = deliver(site, {name: data}, serial="SECRET01", connection=connection)
    assert get(f"{address}/{name}")[2] == data
    status, headers, part = get(f"{address}/{name}", Range="bytes=2000000-2000099")
    assert (status, part) == (206, data[2_000_000:2_000_100])
    assert headers["Content-Range"] == f"bytes 2000000-2000099/{len(data)}"
    with site.client(connection) as client:
        ciphertext = client.get_object(f"{USER}_SECRET01_20240301T101500Z", name, 4 * MIB)
    assert data[:64] not in ciphertext
    assert get(f"{address}/{name}?stored=1")[2] == ciphertext
    assert "arrived encrypted" in get(address)[2].decode()


def test_without_the_private_key_the_page_says_so_and_gives_what_it_has(site: ReceiverSite) -> None:
    encrypting, other, name = site.connection(want_encryption=True), site.connection(), "20240301_101500_7CF7.mkv"
    clips = encrypted(encrypting, name, b"clip")
    address = deliver(site, clips, serial="NOKEY001", connection=other)
    page = get(address)[2].decode()
    assert "The key that opens this clip is not on this machine" in page
    assert "<video" not in page
    assert get(f"{address}/{name}")[0] == 400
    assert get(f"{address}/{name}?stored=1")[2] == clips[name]


def test_nothing_that_was_sent_becomes_part_of_the_page(site: ReceiverSite) -> None:
    evil = "<script>alert(1)</script>"
    address = deliver(site, {"%22onerror=alert(1) x.mkv": b"1"}, serial="EVIL0001", Note=evil, TriggerOn=evil)
    for page in (get(address)[2].decode(), get(f"{site.url}/bodyworn/received?q={'%3Cscript%3E'}")[2].decode()):
        assert "<script>alert" not in page
        assert '"onerror' not in page
    assert "&lt;script&gt;" in get(address)[2].decode()


def test_a_recording_that_is_still_arriving_says_so(site: ReceiverSite) -> None:
    address = deliver(site, {}, serial="COMING01", complete=False)
    assert "Arriving" in get(address)[2].decode()


def test_what_is_not_there_is_404(site: ReceiverSite) -> None:
    address = deliver(site, {"20240301_101500_7CF7.mkv": b"1"}, serial="ABSENT01")
    for missing in (f"{site.url}/bodyworn/received/nothing", f"{address}/other.mkv", f"{address}/..%2f..%2fkeys"):
        assert get(missing)[0] == 404


def test_directories_are_no_recordings(site: ReceiverSite) -> None:
    with site.client() as client:
        for name in ("Users", "Devices", "System", "scratch"):
            client.put_container(name, {"Status": "Complete"})
    with site.database.read() as session:
        rows = received_recordings.list_recordings(session).rows
    assert all(row.user and row.camera for row in rows)


def test_only_who_may_see_recordings_sees_received_ones(site: ReceiverSite, monkeypatch: pytest.MonkeyPatch) -> None:
    address = deliver(site, {"20240301_101500_7CF7.mkv": b"1"}, serial="CLOSED01")
    monkeypatch.setattr(site.host, "permissions", {"bodyworn.view"})
    for path in (f"{site.url}/bodyworn/received", address, f"{address}/20240301_101500_7CF7.mkv"):
        assert get(path)[0] == 403


# --- a real browser --------------------------------------------------------------------------------------------------

_PLAY = """async video => {
  video.muted = true;
  const loaded = new Promise((done, failed) => { video.onloadedmetadata = done; video.onerror = failed; });
  if (video.readyState < 1) await loaded;
  video.currentTime = 4;
  await new Promise(done => { video.onseeked = done; });
  return [video.videoWidth, Math.round(video.duration), Math.round(video.currentTime)];
}"""


@pytest.mark.feature("REC-8")
@pytest.mark.flaky(reruns=2)  # a busy machine makes a real browser late now and then
def test_chromium_plays_and_seeks_matroska_and_mp4_plain_and_encrypted(site: ReceiverSite, tmp_path: Path) -> None:
    pytest.importorskip("av")
    playwright = pytest.importorskip("playwright.sync_api")
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("there is no Chromium")
    scene = Scene("B8A44F000001", "Anna", datetime(2024, 3, 1, 10, 15, tzinfo=UTC), 320, 180, 300_000)
    clips = {}
    for number, suffix in enumerate(("mkv", "mp4")):
        make_clip(tmp_path / f"clip.{suffix}", scene, seconds=6)
        clips[f"20240301_101500_000{number}.{suffix}"] = (tmp_path / f"clip.{suffix}").read_bytes()
    broken = {"20240301_101500_0002.mkv": b"no video at all"}
    addresses = [
        deliver(site, {**clips, **broken}, serial="SEEN0001"),
        deliver(site, clips, serial="SEEN0002", connection=site.connection(want_encryption=True)),
    ]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        for address in addresses:
            page.goto(address)
            for name in clips:
                video = page.locator(f"video[aria-label*='{name}']")
                assert video.evaluate(_PLAY) == [320, 6, 4]
        page.goto(addresses[0])
        notice = page.locator("[data-bw-unplayable]:visible")
        notice.wait_for(timeout=5000)
        assert notice.count() == 1
        assert re.search("cannot play", notice.inner_text())
        browser.close()
