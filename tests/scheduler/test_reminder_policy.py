"""When reminders may leave: design's rules, for every lesson and zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import clock
from scheduler.reminders import (
    DAY_BEFORE,
    HOURS_BEFORE,
    Timing,
    due_at,
    expires_at,
    is_quiet,
    next_waking,
    share_by_day,
    share_by_hours,
)

CASABLANCA = "Africa/Casablanca"


def at(text: str, zone: str = CASABLANCA) -> datetime:
    return clock.to_utc(datetime.fromisoformat(text), zone)


@pytest.mark.parametrize(
    ("timing", "lesson", "due"),
    [
        (DAY_BEFORE, "2026-12-01T18:00", "2026-11-30T18:00"),
        (HOURS_BEFORE, "2026-12-01T18:00", "2026-12-01T16:00"),
        # 2 h before falls into the night: at 08:00 if the lesson is half an hour later.
        (HOURS_BEFORE, "2026-12-01T09:30", "2026-12-01T08:00"),
        (HOURS_BEFORE, "2026-12-01T08:30", "2026-12-01T08:00"),
        # Otherwise at 20:30 the evening before.
        (HOURS_BEFORE, "2026-12-01T08:29", "2026-11-30T20:30"),
        (HOURS_BEFORE, "2026-12-01T07:00", "2026-11-30T20:30"),
        (HOURS_BEFORE, "2026-12-01T10:00", "2026-12-01T08:00"),
        # 21:00 is night, 20:59 is not.
        (DAY_BEFORE, "2026-12-01T20:59", "2026-11-30T20:59"),
        (DAY_BEFORE, "2026-12-01T21:00", "2026-12-01T08:00"),
        (DAY_BEFORE, "2026-12-01T07:30", "2026-11-30T08:00"),
        # From 21:00 on it is night until the lesson: the evening, though of the same day.
        (HOURS_BEFORE, "2026-12-01T23:00", "2026-12-01T20:30"),
    ],
)
def test_reminder_is_due(timing: Timing, lesson: str, due: str) -> None:
    assert due_at(timing, at(lesson), CASABLANCA) == at(due)


def test_lesson_of_2026_12_01_in_ain_kaicher_is_reminded_at_16_utc() -> None:
    lesson = clock.to_utc(datetime(2026, 12, 1, 18), CASABLANCA)
    assert due_at(HOURS_BEFORE, lesson, CASABLANCA) == datetime(2026, 12, 1, 16, tzinfo=UTC)


def test_reminders_expire_two_hours_and_a_quarter_of_an_hour_before() -> None:
    lesson = at("2026-12-01T18:00")
    assert expires_at(DAY_BEFORE, lesson) == at("2026-12-01T16:00")
    assert expires_at(HOURS_BEFORE, lesson) == at("2026-12-01T17:45")


instants = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
zones = st.sampled_from([CASABLANCA, "Europe/Paris", "America/Montreal", "Asia/Kolkata"])
timings = st.sampled_from([DAY_BEFORE, HOURS_BEFORE])


@given(instants, zones, timings)
def test_no_reminder_is_due_at_night_or_after_its_lesson(
    lesson: datetime, zone: str, timing: Timing
) -> None:
    due = due_at(timing, lesson, zone)
    assert not is_quiet(due, zone)
    assert due < expires_at(timing, lesson)
    assert lesson - due <= timing.ahead + timedelta(hours=13)


@given(instants, zones)
def test_waking_is_never_quiet_and_never_before(instant: datetime, zone: str) -> None:
    waking = next_waking(instant, zone)
    assert not is_quiet(waking, zone)
    assert timedelta(0) <= waking - instant <= timedelta(hours=12)
    if is_quiet(instant, zone):
        assert clock.to_wall(waking, zone).time() == time(8)


def test_lessons_of_a_day_share_by_the_familys_calendar() -> None:
    starts = [at("2026-12-01T18:00"), at("2026-11-30T23:30"), at("2026-12-01T00:30")]
    assert share_by_day(starts, CASABLANCA) == [[1], [2, 0]]


def test_lessons_within_two_hours_of_the_first_share() -> None:
    starts = [at("2026-12-01T18:00"), at("2026-12-01T20:00"), at("2026-12-01T20:30")]
    assert share_by_hours(starts) == [[0, 1], [2]]


@given(st.lists(instants, max_size=12))
def test_every_lesson_is_in_exactly_one_text(starts: list[datetime]) -> None:
    for shared in (share_by_day(starts, CASABLANCA), share_by_hours(starts)):
        assert sorted(place for places in shared for place in places) == list(range(len(starts)))
