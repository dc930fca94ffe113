"""A weekly start becomes dates."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.calendar import weekly_dates

SATURDAY_EVENING = datetime(2026, 11, 21, 20)


def test_four_weeks_of_two_lessons() -> None:
    found = weekly_dates(
        [(2, 18 * 60), (0, 18 * 60 + 30)],
        after=SATURDAY_EVENING,
        until=SATURDAY_EVENING + timedelta(weeks=4),
    )
    assert [f"{wall:%a %d %H:%M}" for wall in found] == [
        "Mon 23 18:30", "Wed 25 18:00", "Mon 30 18:30", "Wed 02 18:00",
        "Mon 07 18:30", "Wed 09 18:00", "Mon 14 18:30", "Wed 16 18:00",
    ]  # fmt: skip


def test_start_at_the_very_beginning_is_left_out_and_at_the_end_is_in() -> None:
    start = (5, 20 * 60)
    week = timedelta(weeks=1)
    assert weekly_dates([start], SATURDAY_EVENING, SATURDAY_EVENING + week) == [
        SATURDAY_EVENING + week
    ]


@pytest.mark.parametrize("start", [(7, 0), (-1, 0), (0, 1440), (0, -1)])
def test_impossible_start_is_refused(start: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no weekly start"):
        weekly_dates([start], SATURDAY_EVENING, SATURDAY_EVENING)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1439)), unique=True, max_size=7),
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
    st.integers(1, 8),
)
def test_every_start_comes_once_a_week(
    starts: list[tuple[int, int]], after: datetime, weeks: int
) -> None:
    found = weekly_dates(starts, after, after + timedelta(weeks=weeks))
    assert len(found) == len(starts) * weeks
    assert found == sorted(set(found))
    for wall in found:
        assert (wall.weekday(), wall.hour * 60 + wall.minute) in starts
