"""From a weekly start to dated lessons."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

WEEK = timedelta(days=7)
DAY_MINUTES = 24 * 60


def weekly_dates(
    starts: Iterable[tuple[int, int]], after: datetime, until: datetime
) -> list[datetime]:
    """Every wall time (naive) of the weekly starts with after < it <= until, in order.

    A start is (day 0..6 from Monday, minute of the day below 1440).
    """
    found = []
    monday = datetime.combine(after.date(), time()) - timedelta(days=after.weekday())
    for day, minute in starts:
        if not (0 <= day <= 6 and 0 <= minute < DAY_MINUTES):
            raise ValueError(f"no weekly start: day {day}, minute {minute}")
        wall = monday + timedelta(days=day, minutes=minute)
        while wall <= until:
            if wall > after:
                found.append(wall)
            wall += WEEK
    return sorted(found)
