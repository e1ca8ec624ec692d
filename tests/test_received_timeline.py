"""The timeline of a received recording: clips in their order with gaps, bookmarks at their moments, links to each."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import pytest
from bodyworn.services import received_recordings
from bodyworn.services.received import store_of
from bodyworn.services.received_timeline import Timeline, timeline_of
from delivery import START, SentBookmark, SentRecording, put, send
from receiver_site import ReceiverSite, running

ONE, TWO, THREE = "20240301_101500_7CF7.mkv", "20240301_101510_7CF7.mkv", "20240301_101516_7CF7.mp4"
CLIPS = {TWO: (b"two", 10, 6), ONE: (b"one", 0, 6), THREE: (b"three", 16, 14)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverSite]:
    with running(tmp_path_factory.mktemp("receiver")) as site:
        yield site


def sent(site: ReceiverSite, recording: SentRecording, **more: bytes) -> str:
    """Send a recording; gives its id."""
    connection = site.connection()
    with site.client(connection) as client:
        send(client, connection, recording)
    with site.database.read() as session:
        (row,) = received_recordings.list_recordings(session, recording.serial).rows
        return row.id


def laid_out(site: ReceiverSite, recording_id: str) -> Timeline:
    with site.database.read() as session:
        container = received_recordings.find_container(session, recording_id)
        store = store_of(site.runtime.receiver_store().root, container.account_id)
        recording = received_recordings.get_recording(session, recording_id)
        return timeline_of(session, store, site.runtime.secrets, container, recording)


def page(site: ReceiverSite, recording_id: str, query: str = "") -> str:
    with urllib.request.urlopen(f"{site.url}/bodyworn/received/{recording_id}{query}", timeout=10) as answered:
        return str(answered.read().decode())


@pytest.mark.feature("REC-8")
def test_clips_stand_in_order_of_time_with_the_gaps_between_and_after_them(site: ReceiverSite) -> None:
    timeline = laid_out(site, sent(site, SentRecording("ORDER001", CLIPS, seconds=95)))
    assert [clip.part.name for clip in timeline.clips] == [ONE, TWO, THREE]
    assert [(gap.at_seconds, gap.length) for gap in timeline.gaps] == [
        (6.0, timedelta(seconds=4)),
        (30.0, timedelta(seconds=65)),
    ]
    assert (timeline.start, timeline.seconds) == (START, 95.0)


def test_a_bookmark_tells_its_moment_text_category_and_tags(site: ReceiverSite) -> None:
    bookmarks = [
        SentBookmark(12, "Sees the car – ABC", ("5", "Traffic, minor"), [("case", "12"), ("urgent", ""), ("a", "b:c")]),
        SentBookmark(3),
    ]
    timeline = laid_out(site, sent(site, SentRecording("MARKED01", CLIPS, bookmarks=bookmarks)))
    bare, full = timeline.bookmarks
    assert (bare.at_seconds, bare.text, bare.category, list(bare.tags)) == (3.0, "", "", [])
    assert (full.at_seconds, full.text, full.category) == (12.0, "Sees the car – ABC", "Traffic, minor")
    assert list(full.tags) == [("case", "12"), ("urgent", ""), ("a", "b:c")]
    assert [entry.kind for entry in timeline.entries][:4] == ["clip", "bookmark", "gap", "clip"]


def test_a_moment_is_found_in_its_clip_and_nowhere_else(site: ReceiverSite) -> None:
    timeline = laid_out(site, sent(site, SentRecording("SEEK0001", CLIPS)))
    found = {at: timeline.seek(at) for at in (0.0, 5.5, 16.0, 29.5)}
    assert {at: (seek.clip, seek.offset_seconds) for at, seek in found.items() if seek} == {
        0.0: (ONE, 0.0),
        5.5: (ONE, 5.5),
        16.0: (THREE, 0.0),
        29.5: (THREE, 13.5),
    }
    for nowhere in (None, -1.0, 8.0, 31.0, float("nan"), float("inf")):
        assert timeline.seek(nowhere) is None


@pytest.mark.feature("REC-8")
def test_links_work_without_javascript(site: ReceiverSite) -> None:
    recording_id = sent(site, SentRecording("LINKS001", CLIPS, bookmarks=[SentBookmark(12, "Here")]))
    shown = page(site, recording_id)
    assert f'href="/bodyworn/received/{recording_id}?at=12.0#part-2"' in shown
    assert "#t=" not in shown
    asked = page(site, recording_id, "?at=12.0")
    (source,) = re.findall(r'<source src="([^"]*#t=[^"]*)"', asked)
    assert source == f"/bodyworn/received/{recording_id}/{TWO}#t=2.0"
    for nowhere in ("?at=8", "?at=-1", "?at=nan", "?at=x", "?at="):
        assert "#t=" not in page(site, recording_id, nowhere)


def test_a_clip_that_tells_no_time_is_not_on_the_timeline_and_still_played(site: ReceiverSite) -> None:
    connection = site.connection()
    container = "5f8a3c1e-8a52-4a0e-9f0b-3f3d3c5d7a11_UNTIMED1_20240301T101500Z"
    with site.client(connection) as client:
        client.put_container(container, {"StartTime": str(int(START.timestamp()))})
        put(client, container, "clip.mkv", b"clip")
    with site.database.read() as session:
        (row,) = received_recordings.list_recordings(session, "UNTIMED1").rows
    timeline = laid_out(site, row.id)
    assert (list(timeline.clips), timeline.seconds) == ([], 0.0)
    assert page(site, row.id).count("<video") == 1


def test_a_bookmark_that_is_no_text_or_too_long_harms_nothing(site: ReceiverSite) -> None:
    connection = site.connection()
    recording = SentRecording("ODDTEXT1", CLIPS)
    container = "5f8a3c1e-8a52-4a0e-9f0b-3f3d3c5d7a11_ODDTEXT1_20240301T101500Z"
    with site.client(connection) as client:
        client.put_container(container, {})
        put(
            client,
            container,
            "bookmark_1",
            b"<script>alert(1)</script>\xff",
            StartTime="2024-03-01T10:15:02Z",
            Tags=";:;",
        )
        put(client, container, "bookmark_2", b"x" * 70_000, StartTime="soon")
        send(client, connection, recording)
    with site.database.read() as session:
        (row,) = received_recordings.list_recordings(session, "ODDTEXT1").rows
    shown = page(site, row.id)
    assert "<script>alert" not in shown
    assert "bookmark_2 is too large to be shown here." in shown
    first = {bookmark.name: bookmark for bookmark in laid_out(site, row.id).bookmarks}["bookmark_1"]
    assert first.text.endswith("\N{REPLACEMENT CHARACTER}")
    assert list(first.tags) == []
