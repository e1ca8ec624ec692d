"""The location track of a received recording: read with care, drawn true to scale, shown with a table."""

from __future__ import annotations

import json
import math
import re
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from bodyworn.errors import TrackUnreadable
from bodyworn.services import received_recordings, track_map
from bodyworn.services.received_track import TrackPoint, parse
from bodyworn.services.track_map import draw
from delivery import START, SentRecording, send, track_json
from hypothesis import given, strategies as st
from receiver_site import ReceiverSite, running

DEGREES = st.floats(-90, 90)


def at(seconds: float, latitude: float, longitude: float) -> TrackPoint:
    return TrackPoint(START + timedelta(seconds=seconds), latitude, longitude)


def entry(wkt: str, **more: object) -> dict[str, object]:
    return {"LocationWKT": wkt, **more}


def parsed(*entries: object) -> list[TrackPoint]:
    return list(parse("track", json.dumps({"CoordinateEntries": entries}).encode(), START).points)


# --- reading ---------------------------------------------------------------------------------------------------------


def test_points_are_put_in_order_of_time() -> None:
    track = parse("track", track_json([(64, 55.1, 13.2), (0, 55.0, 13.0), (2, 55.05, 13.1)]), START)
    assert [point.latitude for point in track.points] == [55.0, 55.05, 55.1]
    assert track.points[-1] == at(64, 55.1, 13.2)


def test_seconds_count_where_an_entry_has_no_time_of_its_own() -> None:
    told = entry("POINT(13.2 55.7)", SecondsFromStart=5.5, Timestamp="2024-03-01T10:15:09Z")
    untold = entry("POINT(13.2 55.7)", SecondsFromStart=5.5)
    naive = entry("POINT(13.2 55.7)", SecondsFromStart=7, Timestamp="2024-03-01T10:15:09")
    assert parsed(untold, naive, told) == [at(5.5, 55.7, 13.2), at(7, 55.7, 13.2), at(9, 55.7, 13.2)]


@pytest.mark.parametrize(
    "wrong",
    [
        entry("POINT(13.2 95)", SecondsFromStart=1),
        entry("POINT(213.2 55)", SecondsFromStart=1),
        entry("POINT(nan nan)", SecondsFromStart=1),
        entry("POINT EMPTY", SecondsFromStart=1),
        entry("LINESTRING(1 2, 3 4)", SecondsFromStart=1),
        entry("POINT(13.2 55)"),
        entry("POINT(13.2 55)", SecondsFromStart=1e300),
        {},
    ],
)
def test_an_entry_that_tells_no_place_or_no_time_is_left_out_and_counted(wrong: dict[str, object]) -> None:
    document = {"CoordinateEntries": [wrong, entry("POINT Z (13.2 55.7 80)", SecondsFromStart=1)]}
    track = parse("track", json.dumps(document).encode(), START)
    assert (list(track.points), track.left_out) == ([at(1, 55.7, 13.2)], 1)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"CoordinateEntries": 3}', b"\xff", b"[" * 100_000, b"<xml/>"])
def test_what_is_no_track_is_refused(data: bytes) -> None:
    with pytest.raises(TrackUnreadable):
        parse("track", data, START)


# --- drawing ---------------------------------------------------------------------------------------------------------


def test_lengths_on_the_map_are_lengths_on_the_ground_in_every_direction() -> None:
    north = 1000 / (math.radians(1) * 6_371_008.8)
    east = north / math.cos(math.radians(55))
    drawn = draw([at(0, 55, 13), at(10, 55 + north, 13), at(20, 55 + north, 13 + east)])
    assert drawn is not None
    corner = drawn.runs[0]
    metres_per_unit = drawn.scale.metres / drawn.scale.length
    assert math.dist((corner[0].x, corner[0].y), (corner[1].x, corner[1].y)) * metres_per_unit == pytest.approx(
        1000, 0.01
    )
    assert math.dist((corner[1].x, corner[1].y), (corner[2].x, corner[2].y)) * metres_per_unit == pytest.approx(
        1000, 0.01
    )
    assert corner[1].y < corner[0].y
    assert corner[2].x > corner[1].x


def test_the_scale_is_a_round_number() -> None:
    for metres in (3, 80, 1_234, 56_789):
        drawn = draw([at(0, 0, 0), at(10, metres / 111_195, 0)])
        assert drawn is not None
        digits = f"{drawn.scale.metres:.9f}".replace(".", "").strip("0")
        assert digits in ("1", "2", "5")
        assert 60 <= drawn.scale.length <= track_map.WIDTH / 4


@given(st.lists(st.tuples(st.floats(0, 1e6), DEGREES, DEGREES.map(lambda degrees: degrees * 2)), min_size=1))
def test_everything_is_within_the_drawing(points: list[tuple[float, float, float]]) -> None:
    drawn = draw([at(*point) for point in sorted(points)])
    assert drawn is not None
    for spot in [*drawn.spots, *drawn.marks]:
        assert 0 <= spot.x <= track_map.WIDTH
        assert 0 <= spot.y <= track_map.HEIGHT


def test_a_camera_that_stood_still_is_one_place_in_the_middle() -> None:
    drawn = draw([at(seconds, 55, 13) for seconds in range(5)])
    assert drawn is not None
    assert {(spot.x, spot.y) for spot in drawn.spots} == {(400.0, 250.0)}
    assert draw([]) is None


def test_a_track_across_the_180th_meridian_stays_in_one_piece() -> None:
    drawn = draw([at(0, 10, 179.999), at(1, 10, -179.999)])
    assert drawn is not None
    assert drawn.last.x > drawn.first.x
    assert drawn.scale.metres < 100


def test_a_gap_in_time_is_no_known_way() -> None:
    drawn = draw([at(0, 55, 13), at(10, 55.001, 13), at(100, 55.002, 13), at(110, 55.003, 13)])
    assert drawn is not None
    assert [len(run) for run in drawn.runs] == [2, 2]
    ((before, after),) = drawn.unknown
    assert (before.at, after.at) == (START + timedelta(seconds=10), START + timedelta(seconds=100))


def test_a_long_track_is_thinned_and_keeps_its_ends() -> None:
    points = [at(seconds, 55 + seconds / 1e6, 13) for seconds in range(43_200)]
    drawn = draw(points)
    assert drawn is not None
    assert len(drawn.spots) <= 1501
    assert (drawn.first.at, drawn.last.at) == (points[0].at, points[-1].at)


def test_a_place_between_two_positions_is_found_by_the_time() -> None:
    drawn = draw([at(0, 55, 13), at(10, 55.001, 13)])
    assert drawn is not None
    assert drawn.place_at(START + timedelta(seconds=5)).y == 250
    assert drawn.place_at(START - timedelta(seconds=5)).y == drawn.first.y
    assert drawn.place_at(START + timedelta(seconds=50)).y == drawn.last.y


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverSite]:
    with running(tmp_path_factory.mktemp("receiver")) as site:
        yield site


def page_of(site: ReceiverSite, recording: SentRecording, *, encrypt: bool = False) -> str:
    """Send a recording and fetch its page."""
    connection = site.connection(want_encryption=encrypt)
    with site.client(connection) as client:
        send(client, connection, recording)
    with site.database.read() as session:
        (row,) = received_recordings.list_recordings(session, recording.serial).rows
    with urllib.request.urlopen(f"{site.url}/bodyworn/received/{row.id}", timeout=10) as answered:
        return str(answered.read().decode())


@pytest.mark.feature("REC-8")
@pytest.mark.parametrize("encrypt", [False, True])
def test_the_page_draws_the_track_and_lists_its_positions(site: ReceiverSite, encrypt: bool) -> None:
    track = [(seconds, 55.7185 + seconds / 1e5, 13.225) for seconds in range(250)]
    serial = f"TRACK{encrypt:d}"
    page = page_of(site, SentRecording(serial, {"20240301_101500_7CF7.mkv": (b"clip", 0, 60)}, track), encrypt=encrypt)
    assert '<svg class="bw-map"' in page
    assert len(re.findall(r"<tr><td data-th=\"Time\">", page)) == 84
    assert "One position in 3 is listed" in page
    assert "55.718500°" in page
    assert "Start 10:15:00" in page
    assert "End 10:19:09" in page
    assert page.count('data-bw-seek="57.0"') == 1  # a position within the clip leads there, a later one nowhere
    assert 'data-bw-seek="63.0"' not in page
    assert "http://" not in page.partition('<svg class="bw-map"')[2].partition("</svg>")[0]


def test_a_track_that_is_none_is_said_so_and_the_page_stays(site: ReceiverSite) -> None:
    page = page_of(site, SentRecording("TRACKBAD", {"20240301_101500_7CF7.mkv": (b"clip", 0, 60)}, b"no track"))
    assert "cannot be read as a location track" in page
    assert "Download the track" in page
    assert "<video" in page


def test_a_recording_without_a_track_has_no_map(site: ReceiverSite) -> None:
    page = page_of(site, SentRecording("NOTRACK1", {"20240301_101500_7CF7.mkv": (b"clip", 0, 60)}))
    assert "Location track" not in page


def test_nothing_of_the_map_comes_from_elsewhere(site: ReceiverSite) -> None:
    static = Path(received_recordings.__file__).parent.parent / "static"
    for file in static.glob("*.js"):
        assert not re.search(r"https?://", file.read_text()), file.name
