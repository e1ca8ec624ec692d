"""A track drawn as a map, without tiles and so without a network: lines and places on a plane, north up.

The plane touches the earth in the middle of the track (equirectangular), which keeps shapes and lengths true within
what somebody can walk or drive. Colours and words are the page's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from .received_track import TrackPoint

WIDTH = 800
HEIGHT = 500
_MARGIN = 60
#: A camera that stood still is shown on this many metres, at least.
_LEAST_METRES = 30.0
_EARTH_RADIUS_METRES = 6_371_008.8
#: Positions farther apart in time are not joined by a line that claims to know the way.
_GAP = timedelta(seconds=30)
#: More would not be seen, and make the page slow.
_MOST_SPOTS = 1500
_MOST_MARKS = 6
_LEAST_BETWEEN_MARKS = 110.0
_MARK_EVERY_SECONDS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


@dataclass(frozen=True)
class Spot:
    """A position on the drawing, and when."""

    x: float
    y: float
    at: datetime


@dataclass(frozen=True)
class Scale:
    """How long a number of metres is on the drawing."""

    metres: float
    length: float


@dataclass(frozen=True)
class TrackMap:
    """Everything that is drawn; lengths are in units of the drawing."""

    #: Stretches without a gap in time.
    runs: Sequence[Sequence[Spot]]
    #: Pairs of spots between which nothing is known.
    unknown: Sequence[tuple[Spot, Spot]]
    #: Moments written beside the track.
    marks: Sequence[Spot]
    scale: Scale
    grid_x: Sequence[float]
    grid_y: Sequence[float]

    @property
    def first(self) -> Spot:
        """Where it begins."""
        return self.runs[0][0]

    @property
    def last(self) -> Spot:
        """Where it ends."""
        return self.runs[-1][-1]

    @property
    def spots(self) -> Sequence[Spot]:
        """All positions that are drawn, in order of time."""
        return [spot for run in self.runs for spot in run]

    def place_at(self, moment: datetime) -> Spot:
        """Find the position at a moment: between two neighbours, or at the nearer end."""
        spots = self.spots
        for before, after in pairwise(spots):
            if before.at <= moment <= after.at:
                return _between(before, after, moment)
        return spots[0] if moment < spots[0].at else spots[-1]


def draw(points: Sequence[TrackPoint]) -> TrackMap | None:
    """Draw a track whose points are in order of time; None where there is no point."""
    if not points:
        return None
    plane = _Plane(points)
    every = math.ceil(len(points) / _MOST_SPOTS)
    runs = [_thinned([plane.spot(point) for point in run], every) for run in _runs(points)]
    scale = plane.scale()
    return TrackMap(
        runs=runs,
        unknown=[(before[-1], after[0]) for before, after in pairwise(runs)],
        marks=list(_marks(runs)),
        scale=scale,
        grid_x=_grid(WIDTH, scale.length),
        grid_y=_grid(HEIGHT, scale.length),
    )


class _Plane:
    """Turns degrees into places on the drawing."""

    def __init__(self, points: Sequence[TrackPoint]) -> None:
        latitudes = [point.latitude for point in points]
        # relative to the first point, so that a track across the 180th meridian stays in one piece
        self._reference = points[0].longitude
        longitudes = [self._longitude(point) for point in points]
        self._middle_latitude = (min(latitudes) + max(latitudes)) / 2
        self._middle_longitude = (min(longitudes) + max(longitudes)) / 2
        self._metres_per_degree = math.radians(1) * _EARTH_RADIUS_METRES
        self._shrink = max(math.cos(math.radians(self._middle_latitude)), 1e-6)
        self._units_per_metre = self._fit(latitudes, longitudes)

    def spot(self, point: TrackPoint) -> Spot:
        """Place a point."""
        east = (self._longitude(point) - self._middle_longitude) * self._shrink * self._metres_per_degree
        north = (point.latitude - self._middle_latitude) * self._metres_per_degree
        x, y = WIDTH / 2 + east * self._units_per_metre, HEIGHT / 2 - north * self._units_per_metre
        return Spot(round(x, 1), round(y, 1), point.at)

    def scale(self) -> Scale:
        """Choose a round length that fits into a quarter of the drawing."""
        most_metres = WIDTH / 4 / self._units_per_metre
        power = 10.0 ** math.floor(math.log10(most_metres))
        metres = max(factor * power for factor in (1, 2, 5) if factor * power <= most_metres)
        return Scale(metres, round(metres * self._units_per_metre, 1))

    def _longitude(self, point: TrackPoint) -> float:
        return (point.longitude - self._reference + 180) % 360 - 180

    def _fit(self, latitudes: Sequence[float], longitudes: Sequence[float]) -> float:
        height = (max(latitudes) - min(latitudes)) * self._metres_per_degree
        width = (max(longitudes) - min(longitudes)) * self._metres_per_degree * self._shrink
        return min(
            (WIDTH - 2 * _MARGIN) / max(width, _LEAST_METRES), (HEIGHT - 2 * _MARGIN) / max(height, _LEAST_METRES)
        )


def _runs(points: Sequence[TrackPoint]) -> Iterator[Sequence[TrackPoint]]:
    begin = 0
    for index, (before, after) in enumerate(pairwise(points), 1):
        if after.at - before.at > _GAP:
            yield points[begin:index]
            begin = index
    yield points[begin:]


def _thinned(run: Sequence[Spot], every: int) -> Sequence[Spot]:
    """Take one in so many, and the last in any case."""
    return run if every == 1 else [*run[:-1:every], run[-1]]


def _marks(runs: Sequence[Sequence[Spot]]) -> Iterator[Spot]:
    """Choose round moments along what is known of the way, none beside another."""
    first, last = runs[0][0], runs[-1][-1]
    seconds = (last.at - first.at).total_seconds()
    every = next((step for step in _MARK_EVERY_SECONDS if seconds / step <= _MOST_MARKS), 24 * 3600)
    written = [first, last]
    for before, after in (pair for run in runs for pair in pairwise(run)):
        due = after.at.timestamp() // every * every
        if not before.at.timestamp() < due <= after.at.timestamp():
            continue
        spot = _between(before, after, datetime.fromtimestamp(due, after.at.tzinfo))
        if all(math.dist((spot.x, spot.y), (other.x, other.y)) >= _LEAST_BETWEEN_MARKS for other in written):
            written.append(spot)
            yield spot


def _between(before: Spot, after: Spot, moment: datetime) -> Spot:
    whole = (after.at - before.at).total_seconds()
    part = (moment - before.at).total_seconds() / whole if whole else 0.0
    return Spot(
        round(before.x + (after.x - before.x) * part, 1), round(before.y + (after.y - before.y) * part, 1), moment
    )


def _grid(size: float, step: float) -> Sequence[float]:
    """Place lines a scale's length apart, so that they fall on the middle."""
    count = math.ceil(size / step)
    places = (size / 2 + (index - count // 2) * step for index in range(count + 1))
    return [round(place, 1) for place in places if 0 < place < size]
