"""When the sun sets: what special hours in Ramadan are proposed from.

The usual sunrise equation, good to two minutes or so between the polar circles; whoever fasts goes
by the muezzin, and a coordinator sets the hours.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import acos, cos, degrees, radians, sin

_NOON_OF_2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_HORIZON = -0.833
"""Where the sun's middle stands when its upper edge sinks, by refraction and radius; degrees."""
_TILT = 23.4397
_PERIHELION = 102.9372


def sunset(day: date, latitude: float, longitude: float) -> datetime:
    """The instant at which the sun sets on a day of that place; degrees north and east.

    ValueError where it does not set on that day.
    """
    days = (day - _NOON_OF_2000.date()).days - longitude / 360
    anomaly = radians((357.5291 + 0.98560028 * days) % 360)
    centre = 1.9148 * sin(anomaly) + 0.02 * sin(2 * anomaly) + 0.0003 * sin(3 * anomaly)
    along = radians((degrees(anomaly) + centre + _PERIHELION + 180) % 360)
    noon = days + 0.0053 * sin(anomaly) - 0.0069 * sin(2 * along)
    declination = sin(along) * sin(radians(_TILT))
    up = sin(radians(_HORIZON)) - sin(radians(latitude)) * declination
    down = cos(radians(latitude)) * (1 - declination**2) ** 0.5
    if abs(up) > abs(down):
        raise ValueError(f"the sun does not set at latitude {latitude} on {day}")
    return _NOON_OF_2000 + timedelta(days=noon + degrees(acos(up / down)) / 360)
