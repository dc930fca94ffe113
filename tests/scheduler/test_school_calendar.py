"""Terms, days off and special periods decide when a group's lessons are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import clock
from scheduler.calendar import Ban, SchoolCalendar, SpecialPeriod, Weekly
from scheduler.public_holidays import public_holidays, ramadans
from scheduler.sun import sunset

SUNDAY = datetime(2027, 2, 7)
MONTH = SUNDAY + timedelta(weeks=4)
RAMADAN = (date(2027, 2, 10), date(2027, 2, 24))
SIX = 18 * 60


def times(calendar: SchoolCalendar, *starts: tuple[int, int]) -> list[str]:
    found = calendar.slots(Weekly(1, 1, starts), SUNDAY, MONTH)
    return [f"{wall:%a %d %H:%M}" for wall in sorted(found.values())]


def test_period_moves_each_lesson_of_its_days_and_leaves_one_a_week() -> None:
    early = SpecialPeriod(1, RAMADAN, blackout=(1020, 1200), starts={1: ((0, 900),)})
    assert times(SchoolCalendar(periods=(early,)), (1, SIX)) == [
        "Tue 09 18:00",  # before it
        "Mon 15 15:00",
        "Mon 22 15:00",
        "Tue 02 18:00",
    ]


def test_other_groups_and_starts_keep_their_times_and_periods_may_add_some() -> None:
    for_another = SpecialPeriod(1, RAMADAN, starts={2: ((0, 900),)})
    assert times(SchoolCalendar(periods=(for_another,)), (1, SIX))[1] == "Tue 16 18:00"
    more = SpecialPeriod(2, RAMADAN, starts={1: (None, (3, 900))})
    assert times(SchoolCalendar(periods=(more,)), (1, SIX)) == [
        "Tue 09 18:00", "Thu 11 15:00", "Tue 16 18:00", "Thu 18 15:00", "Tue 23 18:00",
        "Tue 02 18:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wall", "ban"),
    [
        (datetime(2027, 2, 9, 18), None),
        (datetime(2027, 2, 10, 16), None),
        (datetime(2027, 2, 10, 16, 1), Ban.BLACKOUT),
        (datetime(2027, 2, 10, 19, 59), Ban.BLACKOUT),
        (datetime(2027, 2, 10, 20), None),
        (datetime(2027, 2, 12, 9), Ban.DAY_OFF),
        (datetime(2027, 2, 15, 9), Ban.EXAMS),
        (datetime(2027, 3, 1, 9), Ban.OUTSIDE_TERMS),
    ],
)
def test_lesson_is_banned_where_it_would_share_a_moment(wall: datetime, ban: Ban | None) -> None:
    calendar = SchoolCalendar(
        terms=((date(2027, 1, 1), date(2027, 2, 28)),),
        days_off=((date(2027, 2, 12), date(2027, 2, 12)),),
        periods=(
            SpecialPeriod(1, RAMADAN, blackout=(17 * 60, 20 * 60)),
            SpecialPeriod(2, (date(2027, 2, 15), date(2027, 2, 15)), frozenset({1}), suspends=True),
        ),
    )
    assert calendar.ban(wall, 60, 1) is ban
    assert calendar.ban(wall, 60, 2) is (None if ban is Ban.EXAMS else ban)


starts = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1439)), min_size=1, max_size=3)
days = st.integers(0, 40).map(lambda number: date(2027, 2, 1) + timedelta(days=number))


@given(
    starts,
    st.lists(st.none() | st.tuples(st.integers(0, 6), st.integers(0, 1439)), max_size=3),
    days,
    st.integers(0, 30),
)
def test_every_week_has_each_weekly_lesson_once_whatever_a_period_does(
    own: list[tuple[int, int]], other: list[tuple[int, int] | None], first: date, length: int
) -> None:
    period = SpecialPeriod(
        1, (first, first + timedelta(days=length)), starts={1: tuple(other[: len(own)])}
    )
    group = Weekly(1, 1, tuple(own))
    monday = datetime(2027, 2, 1)
    after, until = monday - timedelta(minutes=1), monday + timedelta(weeks=6, minutes=-1)
    plain = SchoolCalendar().slots(group, after, until)
    moved = SchoolCalendar(periods=(period,)).slots(group, after, until)
    assert moved.keys() == plain.keys()
    assert len(plain) == 6 * len(own)
    for place, wall in moved.items():
        assert wall.date() - place[0] < timedelta(days=7)
        if not period.days[0] <= plain[place].date() <= period.days[1]:
            assert wall == plain[place]


# --- the sun and the moon


@pytest.mark.parametrize(
    ("day", "at"),
    [
        (date(2027, 2, 8), "18:06"),
        (date(2027, 3, 8), "18:30"),
        (date(2026, 6, 21), "19:39"),
        (date(2026, 12, 21), "17:25"),
    ],
)
def test_sun_sets_over_khouribga_as_longer_calculations_say(day: date, at: str) -> None:
    """The hours of the `astral` library, release 3.2, to the minute."""
    expected = datetime.combine(day, time.fromisoformat(at), UTC)
    assert abs(sunset(day, 32.88, -6.91) - expected) <= timedelta(minutes=2)


def test_sunset_is_on_moroccan_clocks_as_the_law_of_its_day_has_them() -> None:
    """In Ramadan 2026 clocks still went back an hour; since 2026-09-20 they stay at UTC+0."""
    walls = {
        day: clock.to_wall(sunset(day, 32.88, -6.91), "Africa/Casablanca")
        for day in (date(2026, 2, 14), date(2026, 2, 20), date(2027, 2, 20))
    }
    assert [wall.hour for wall in walls.values()] == [19, 18, 18]


def test_sun_that_does_not_set_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not set"):
        sunset(date(2026, 6, 21), 70.0, 20.0)


def test_holidays_have_all_their_days_and_names_also_where_two_coincide() -> None:
    found = {one.key: one for one in public_holidays(date(2027, 8, 1), date(2027, 8, 31))}
    birthday = found["MA 2027 Prophet's Birthday"]
    assert (birthday.first_day, birthday.last_day) == (date(2027, 8, 14), date(2027, 8, 15))
    assert birthday.names["fr"] == "Anniversaire du prophète"
    assert birthday.estimated
    law = found["MA 2027 Oued Ed-Dahab Day"]
    assert (law.first_day, law.names["ar"], law.estimated) == (
        date(2027, 8, 14), "ذكرى استرجاع إقليم وادي الذهب", False,
    )  # fmt: skip


def test_two_ramadans_of_2030_are_two() -> None:
    assert ramadans(date(2030, 1, 1), date(2030, 12, 31)) == (
        (date(2030, 1, 5), date(2030, 2, 3)),
        (date(2030, 12, 26), date(2031, 1, 23)),
    )
