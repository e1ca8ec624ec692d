"""Where a simulated camera is: it walks in a circle for ever."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final

from ..camera_volume.recording import Location, Track, TrackPoint

_LATITUDE: Final = 55.7185
_LONGITUDE: Final = 13.2250
_RADIUS_METRES: Final = 100
_METRES_PER_SECOND: Final = 1.4
_METRES_PER_DEGREE: Final = 111_320.0


def walk(start: datetime, stop: datetime) -> Track:
    """Walk in a circle of a hundred metres, one position a second."""
    times = [start + index * timedelta(seconds=1) for index in range(int((stop - start).total_seconds()) + 1)]
    return Track(coordinate_entries=tuple(_point(start, time) for time in times))


def _point(start: datetime, time: datetime) -> TrackPoint:
    place = location(start, time)
    return TrackPoint(
        location_wkt=f"POINT({place.longitude:.6f} {place.latitude:.6f})",
        seconds_from_start=(time - start).total_seconds(),
        timestamp=time,
    )


def location(start: datetime, time: datetime) -> Location:
    """Tell where the walk that began at ``start`` is at ``time``."""
    angle = (time - start).total_seconds() * _METRES_PER_SECOND / _RADIUS_METRES
    north, east = _RADIUS_METRES * math.sin(angle), _RADIUS_METRES * math.cos(angle)
    latitude = _LATITUDE + north / _METRES_PER_DEGREE
    longitude = _LONGITUDE + east / (_METRES_PER_DEGREE * math.cos(math.radians(_LATITUDE)))
    return Location(latitude=round(latitude, 6), longitude=round(longitude, 6), accuracy=5.0, time=time)
