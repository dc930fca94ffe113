"""Time in which people can answer: nights, from 21:00 to 08:00, are none of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.waking import after_waking, latest_waking, waking_time

ZONE = "Africa/Casablanca"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of November 2026, when Morocco's clocks show UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (at(2, 9), at(2, 12), 3),
        (at(2, 20), at(3, 9), 2),
        (at(2, 23), at(3, 7), 0),
        (at(2, 9), at(4, 9), 26),
        (at(2, 12), at(2, 9), 0),
    ],
)
def test_waking_time_leaves_nights_out(start: datetime, end: datetime, hours: int) -> None:
    assert waking_time(start, end, ZONE) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        (at(2, 9), 3, at(2, 12)),
        (at(2, 9), 12, at(2, 21)),
        (at(2, 20), 6, at(3, 13)),
        (at(2, 23), 1, at(3, 9)),
        (at(2, 8), 27, at(4, 9)),
    ],
)
def test_a_turn_goes_on_after_the_night(start: datetime, hours: int, expected: datetime) -> None:
    assert after_waking(start, timedelta(hours=hours), ZONE) == expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (at(2, 12), at(2, 12)),
        (at(2, 22), at(2, 20, 30)),
        (at(3, 6), at(2, 20, 30)),
        (at(3, 8), at(3, 8)),
    ],
)
def test_what_lies_in_a_night_is_done_the_evening_before(
    instant: datetime, expected: datetime
) -> None:
    assert latest_waking(instant, ZONE) == expected
