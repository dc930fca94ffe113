"""Days off: proposed, confirmed, moved, dismissed, with what becomes of lessons and who hears."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select

from app.extensions import db
from app.models import (
    DayOff,
    DayOffState,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
)
from app.services import changes, days_off
from app.services.calendar_changes import LessonsWouldChange, Outcome
from app.services.days_off import NewDayOff
from app.services.errors import Conflict, Invalid, NotFound
from app.services.lessons import extend_lessons
from app.services.school_calendar import ON_DAY_OFF
from tests.support import people
from tests.support.groups import active_group
from tests.support.lessons import monday_group, planned_days, reminders_owed
from tests.support.programmes import programme_at

WINTER = NewDayOff("Vacances d’hiver", "عطلة الشتاء", "", date(2026, 12, 12), date(2026, 12, 22))
MONDAYS = ["2026-12-07", "2026-12-14", "2026-12-21", "2026-12-28"]


time = programme_at(datetime(2026, 12, 1, 12, tzinfo=UTC))
"""Tuesday, noon."""


def told() -> list[tuple[str, str]]:
    """To whom open messages about cancelled lessons go, and their kinds."""
    rows = db.session.scalars(
        select(Message).where(
            Message.kind.in_((MessageKind.CANCELLATION, MessageKind.CHANGE)),
            Message.state == MessageState.PLANNED,
        )
    )
    return sorted(("tutor" if row.tutor_id else "household", row.kind.value) for row in rows)


def only() -> DayOff:
    return db.session.scalars(select(DayOff)).one()


def test_school_holidays_cancel_their_lessons_once_these_were_seen_and_tell_each_once() -> None:
    monday_group()
    seen = days_off.preview_day_off((WINTER.first_day, WINTER.last_day))
    assert [str(lesson.wall_start.date()) for lesson, _ban in seen.cancelled] == MONDAYS[1:3]
    with pytest.raises(LessonsWouldChange):
        days_off.add_day_off(WINTER, None)
    assert planned_days() == MONDAYS
    assert days_off.add_day_off(WINTER, None, agreed=2) == Outcome(cancelled=2, made=0)
    assert planned_days() == [MONDAYS[0], MONDAYS[3]]
    assert told() == [("household", "cancellation"), ("tutor", "cancellation")]
    assert reminders_owed(LessonState.CANCELLED) == 0
    reasons = select(Lesson.cancel_reason).where(Lesson.state == LessonState.CANCELLED)
    assert set(db.session.scalars(reasons)) == {ON_DAY_OFF}
    assert (only().name_en, only().state) == ("Vacances d’hiver", DayOffState.CONFIRMED)


def test_holidays_that_go_give_back_what_they_cancelled_and_nothing_else_and_nobody_hears() -> None:
    monday_group()
    by_hand = db.session.scalars(
        select(Lesson).where(Lesson.wall_start == datetime(2026, 12, 14, 18))
    ).one()
    changes.cancel_lesson(by_hand.id, "fête")
    heard = told()
    days_off.add_day_off(WINTER, None, agreed=1)
    assert planned_days() == [MONDAYS[0], MONDAYS[3]]
    assert days_off.dismiss_day_off(only().id, None) == Outcome(cancelled=0, made=1)
    assert planned_days() == [MONDAYS[0], *MONDAYS[2:]]
    assert told() == heard, "what is again as it was known is told to nobody"
    assert db.session.scalars(select(DayOff)).all() == []


def test_changed_days_cancel_some_and_give_others_back() -> None:
    monday_group()
    days_off.add_day_off(WINTER, None, agreed=2)
    later = NewDayOff("Vacances", "", "", date(2026, 12, 20), date(2026, 12, 30))
    outcome = days_off.change_day_off(only().id, later, None, agreed=1)
    assert outcome == Outcome(cancelled=1, made=1)
    assert planned_days() == MONDAYS[:2]


def test_no_lesson_is_made_on_a_day_off(time: time_machine.Traveller) -> None:
    days_off.add_day_off(WINTER, None)
    monday_group()
    assert planned_days() == [MONDAYS[0], MONDAYS[3]]
    time.move_to(datetime(2026, 12, 10, 12, tzinfo=UTC))
    assert [extend_lessons(), extend_lessons()] == [1, 0]
    assert planned_days() == [MONDAYS[0], MONDAYS[3], "2027-01-04"]


def test_public_holidays_come_once_the_fixed_ones_confirmed_the_others_as_estimates() -> None:
    assert days_off.propose_public_holidays() == 12
    assert days_off.propose_public_holidays() == 0
    rows = db.session.scalars(select(DayOff).order_by(DayOff.first_day)).all()
    assert [(row.name_en, str(row.first_day), row.state.value) for row in rows[:6]] == [
        ("New Year's Day", "2027-01-01", "confirmed"),
        ("Proclamation of Independence Day", "2027-01-11", "confirmed"),
        ("Amazigh New Year", "2027-01-14", "confirmed"),
        ("Eid al-Fitr", "2027-03-09", "proposed"),
        ("Labor Day", "2027-05-01", "confirmed"),
        ("Eid al-Adha", "2027-05-16", "proposed"),
    ]
    assert (rows[3].name_fr, rows[3].name_ar) == ("Fête de la rupture du jeûne", "عيد الفطر")
    assert [row.estimated for row in rows[:6]] == [False, False, False, True, False, True]


def test_fixed_holiday_on_which_lessons_stand_waits_for_a_word(
    time: time_machine.Traveller,
) -> None:
    time.move_to(datetime(2026, 12, 20, 12, tzinfo=UTC))
    monday_group()
    assert "2027-01-11" in planned_days()
    days_off.propose_public_holidays()
    waiting = days_off.to_confirm()
    assert [(row.name_en, row.estimated) for row in waiting] == [
        ("Proclamation of Independence Day", False)
    ]
    assert "2027-01-11" in planned_days()
    days = (waiting[0].first_day, waiting[0].last_day)
    assert days_off.confirm_day_off(waiting[0].id, days, None, agreed=1).cancelled == 1
    assert "2027-01-11" not in planned_days()


def test_estimate_is_asked_about_five_weeks_before_and_lessons_are_held_until_it_is_confirmed(
    time: time_machine.Traveller,
) -> None:
    days_off.propose_public_holidays()
    time.move_to(datetime(2027, 2, 1, 12, tzinfo=UTC))
    assert days_off.to_confirm() == []
    time.move_to(datetime(2027, 2, 15, 12, tzinfo=UTC))
    (eid,) = days_off.to_confirm()
    group = active_group(
        people.make_tutor(windows=("wed 18:00-20:00",)),
        [people.make_household(windows=("wed 18:00-20:00",)).pupils[0].requests[0].id],
        starts=[("wed", "18:00")],
    )
    assert group.state.value == "active"
    assert "2027-03-10" in planned_days()
    moved = (date(2027, 3, 10), date(2027, 3, 11))
    assert days_off.confirm_day_off(eid.id, moved, None, agreed=1) == Outcome(1, 0)
    assert "2027-03-10" not in planned_days()
    assert days_off.to_confirm() == []
    assert [str(row.first_day) for row in days_off.coming_days_off()] == ["2027-03-10"]


def test_dismissed_holiday_is_not_proposed_again_and_can_be_confirmed_after_all() -> None:
    days_off.propose_public_holidays()
    row = db.session.scalars(select(DayOff).where(DayOff.name_en == "Eid al-Fitr")).one()
    days_off.dismiss_day_off(row.id, None)
    assert days_off.propose_public_holidays() == 0
    assert row.state.value == "dismissed"
    days_off.confirm_day_off(row.id, (row.first_day, row.last_day), None)
    assert row.state.value == "confirmed"


def test_days_that_cannot_be_are_refused() -> None:
    days_off.propose_public_holidays()
    rows = {row.name_en: row for row in db.session.scalars(select(DayOff))}
    far = (date(2027, 3, 20), date(2027, 3, 21))
    with pytest.raises(Invalid):
        days_off.confirm_day_off(rows["Eid al-Fitr"].id, far, None)
    with pytest.raises(Invalid):
        days_off.confirm_day_off(rows["Labor Day"].id, (date(2027, 5, 2), date(2027, 5, 2)), None)
    with pytest.raises(Conflict):
        days_off.change_day_off(rows["Labor Day"].id, WINTER, None)
    for first, last in (
        (date(2027, 2, 2), date(2027, 2, 1)),
        (date(27, 2, 2), date(27, 2, 3)),
        (date(2027, 2, 1), date(2027, 6, 1)),
    ):
        with pytest.raises(Invalid):
            days_off.add_day_off(NewDayOff("x", "", "", first, last), None)
    for name in (" ", "T" * 81):
        new = NewDayOff(name, "", "", WINTER.first_day, WINTER.last_day)
        with pytest.raises(Invalid):
            days_off.add_day_off(new, None)
    with pytest.raises(NotFound):
        days_off.dismiss_day_off(999, None)
