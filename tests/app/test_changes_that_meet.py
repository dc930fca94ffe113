"""Changes of lessons that meet each other: the calendar, days off, substitutes, moved lessons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import ExamEffect, Lesson, LessonState, PeriodKind
from app.services import (
    absences,
    asked_times,
    by_hand,
    calendar_changes,
    calendar_year,
    change_policy,
    changes,
    days_off,
    group_moves,
    lessons,
    period_starts,
    periods,
    substitution,
    suspension,
)
from app.services.clashes import Clash
from app.services.days_off import NewDayOff
from app.services.errors import Conflict
from app.services.examining import Rule
from app.services.periods import NewPeriod
from scheduler.calendar import Ban
from tests.support import people
from tests.support.groups import active_group
from tests.support.programmes import programme_at
from tests.support.telling import send_texts

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
clock = programme_at(datetime(2027, 1, 27, 12, tzinfo=UTC))

DAYS = ("mon", "tue", "wed", "thu")
LONG = tuple(f"{day} 14:00-22:00" for day in DAYS)
RAMADAN = NewPeriod(
    PeriodKind.RAMADAN, "Ramadan", date(2027, 2, 8), date(2027, 3, 8), blackout=(1035, 1200)
)


def taught(tutor: int, *starts: tuple[str, str], windows: tuple[str, ...] = LONG) -> int:
    home = people.make_household(windows=windows)
    return active_group(tutor, [home.pupils[0].requests[0].id], starts=list(starts)).id


def on(group_id: int, day: date) -> Lesson:
    db.session.rollback()
    rows = db.session.scalars(select(Lesson).where(Lesson.group_id == group_id)).all()
    return next(row for row in rows if row.slot_start.date() == day)


def publish(period_id: int) -> None:
    period_starts.propose_starts(period_id, None)
    touched = period_starts.preview_publication(period_id).touched
    period_starts.publish_starts(period_id, None, agreed=touched)


def store(new: NewPeriod, period_id: int | None = None) -> int:
    touched = periods.preview_period(new, period_id).touched
    return periods.store_period(new, None, period_id=period_id, agreed=touched)[0].id


def test_calendar_moves_no_lesson_to_a_day_on_which_its_volunteer_is_away() -> None:
    tutor = people.make_tutor(windows=("mon 18:00-19:00", "tue 14:00-17:00"), most=9)
    group = taught(tutor, ("mon", "18:00"))
    absence_day = date(2027, 2, 9)
    absences.plan_absence(tutor, absence_day, absence_day, "ill")
    period_id = store(RAMADAN)
    period_starts.propose_starts(period_id, None)
    shown = period_starts.preview_publication(period_id)
    assert [(row.slot_start.day, why and why.reason) for row, why in shown.unheld] == [(8, "ill")]
    assert [row.slot_start.day for row, _wall in shown.moved] == [15, 22]
    done = period_starts.publish_starts(period_id, None, agreed=shown.touched)
    assert (done.cancelled, done.moved) == (1, 2)
    lesson = on(group, absence_day)
    assert (lesson.state, lesson.cancel_reason) == (LessonState.CANCELLED, "ill")
    assert on(group, date(2027, 2, 16)).state is LessonState.PLANNED
    (absence,) = absences.list_absences(tutor)
    absences.take_absence_back(tutor, absence.id)
    lesson = on(group, absence_day)
    assert lesson.state is LessonState.PLANNED
    assert lesson.wall_start.date() == absence_day


def test_calendar_gives_a_lesson_that_it_moves_back_to_the_groups_own_volunteer() -> None:
    own, other = people.make_tutor(windows=LONG, most=9), people.make_tutor(windows=LONG, most=9)
    group = taught(own, ("mon", "18:00"))
    taught(other, ("mon", "16:00"))
    lesson = on(group, date(2027, 2, 8))
    substitution.give_by_hand(lesson.id, other, people.make_coordinator())
    publish(store(RAMADAN))
    lesson = on(group, date(2027, 2, 8))
    assert lesson.wall_start == datetime(2027, 2, 8, 16)
    assert lesson.given_by.id == own


def test_no_time_of_a_period_is_one_at_which_the_volunteer_stands_in_for_another() -> None:
    own, other = people.make_tutor(windows=LONG, most=9), people.make_tutor(windows=LONG, most=9)
    group = taught(own, ("mon", "18:00"), windows=("mon 16:00-19:00",))
    stood_in = on(taught(other, ("mon", "16:00")), date(2027, 2, 8))
    substitution.give_by_hand(stood_in.id, own, people.make_coordinator())
    publish(store(RAMADAN))
    planned = db.session.scalars(
        select(Lesson).where(
            Lesson.group_id == group,
            Lesson.state == LessonState.PLANNED,
            Lesson.wall_start >= datetime(2027, 2, 8),
        )
    ).all()
    assert planned == []


def test_longer_period_puts_nobody_into_two_lessons() -> None:
    tutor = people.make_tutor(windows=LONG, most=9)
    group, other = taught(tutor, ("mon", "18:00")), taught(tutor, ("tue", "18:00"))
    short = NewPeriod(PeriodKind.RAMADAN, "R", date(2027, 2, 8), date(2027, 2, 14), (1035, 1200))
    period_id = store(short)
    publish(period_id)
    moved = on(other, date(2027, 2, 16))
    changes.move_lesson(moved.id, datetime(2027, 2, 15, 16), change_policy.tutor(tutor))
    longer = NewPeriod(PeriodKind.RAMADAN, "R", date(2027, 2, 8), date(2027, 2, 15), (1035, 1200))
    shown = periods.preview_period(longer, period_id)
    assert [(row.group_id, why) for row, why in shown.unheld] == [(group, None)]
    assert (shown.ending, shown.moved) == (1, [])
    store(longer, period_id)
    lesson = on(group, date(2027, 2, 15))
    assert lesson.state is LessonState.CANCELLED
    assert on(other, date(2027, 2, 16)).state is LessonState.PLANNED
    changes.cancel_lesson(moved.id, "ill", tutor_id=tutor)
    back = calendar_changes.preview(lambda calendar: calendar).back
    assert [row.id for row in back] == [lesson.id]


def test_doubled_lesson_is_at_no_hour_to_which_one_of_its_group_was_moved() -> None:
    tutor = people.make_tutor(windows=LONG, most=9)
    group = taught(tutor, ("mon", "18:00"), windows=("mon 18:00-19:00", "tue 18:00-19:00"))
    moved = on(group, date(2027, 2, 8))
    changes.move_lesson(moved.id, datetime(2027, 2, 9, 18), change_policy.tutor(tutor))
    days = (date(2027, 2, 8), date(2027, 2, 14))
    publish(store(NewPeriod(PeriodKind.EXAMS, "E", *days, effect=ExamEffect.DOUBLE)))
    held = select(Lesson.id).where(Lesson.wall_start == datetime(2027, 2, 9, 18))
    assert db.session.scalars(held).all() == [moved.id]


def test_lesson_put_back_is_not_given_by_somebody_who_may_no_longer() -> None:
    own, other = people.make_tutor(windows=LONG), people.make_tutor(windows=LONG)
    lesson = on(taught(own, ("mon", "18:00")), date(2027, 2, 8))
    substitution.give_by_hand(lesson.id, other, people.make_coordinator())
    changes.cancel_lesson(lesson.id, "no electricity", None)
    suspension.suspend_tutor(other, "a worry", None)
    restored = changes.restore_lesson(lesson.id, None)
    assert restored.given_by.id == own


def test_lesson_that_the_calendar_gives_back_is_not_given_by_somebody_who_is_away() -> None:
    own, other = people.make_tutor(windows=LONG), people.make_tutor(windows=LONG)
    lesson = on(taught(own, ("mon", "18:00")), date(2027, 2, 8))
    substitution.give_by_hand(lesson.id, other, people.make_coordinator())
    days = (date(2027, 2, 8), date(2027, 2, 8))
    days_off.add_day_off(NewDayOff("Fermé", "", "", *days), None, agreed=1)
    absences.plan_absence(other, *days, "ill")
    (row,) = days_off.list_days_off(*days)
    days_off.dismiss_day_off(row.id, None)
    assert on(lesson.group_id, days[0]).state is LessonState.CANCELLED


def test_days_off_give_back_no_two_lessons_of_one_hour() -> None:
    tutor = people.make_tutor(windows=LONG, most=9)
    group, other = taught(tutor, ("mon", "18:00")), taught(tutor, ("tue", "18:00"))
    moved = on(other, date(2027, 2, 9))
    changes.move_lesson(moved.id, datetime(2027, 2, 10, 18), change_policy.tutor(tutor))
    days = (date(2027, 2, 10), date(2027, 2, 10))
    days_off.add_day_off(NewDayOff("Fermé", "", "", *days), None, agreed=1)
    group_moves.move_group(group, [["wed", "18:00"]], tutor_id=tutor)
    (row,) = days_off.list_days_off(*days)
    days_off.dismiss_day_off(row.id, None)
    planned = db.session.scalars(
        select(Lesson.group_id).where(
            Lesson.state == LessonState.PLANNED, Lesson.wall_start == datetime(2027, 2, 10, 18)
        )
    ).all()
    assert planned == [group]


def test_nobody_comes_after_all_who_took_another_lesson_at_that_hour() -> None:
    own, other = people.make_tutor(windows=LONG, most=9), people.make_tutor(windows=LONG)
    lesson = on(taught(own, ("mon", "18:00")), date(2027, 2, 8))
    second = on(taught(own, ("tue", "18:00")), date(2027, 2, 9))
    people.make_tutor(windows=LONG)
    substitution.give_by_hand(lesson.id, other, people.make_coordinator())
    changes.move_lesson(second.id, datetime(2027, 2, 8, 18), change_policy.tutor(own))
    changes.find_substitute(lesson.id, "ill", other)
    with pytest.raises(Conflict):
        substitution.come_after_all(lesson.id, tutor_id=own)


def test_group_that_moves_for_good_meets_at_its_new_time_also_in_ramadan() -> None:
    tutor = people.make_tutor(windows=LONG, most=9)
    group = taught(tutor, ("mon", "18:00"))
    publish(store(RAMADAN))
    assert on(group, date(2027, 2, 8)).wall_start == datetime(2027, 2, 8, 16)
    group_moves.move_group(group, [["tue", "16:00"]], tutor_id=tutor)
    starts = select(Lesson.wall_start).where(Lesson.group_id == group).order_by(Lesson.wall_start)
    assert db.session.scalars(starts).all() == [
        datetime(2027, 2, day, 16) for day in (2, 9, 16, 23)
    ]


@pytest.mark.parametrize("day", [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59)])
def test_days_that_no_calendar_has_are_no_times(day: datetime) -> None:
    home = people.make_household(windows=LONG)
    tutor = people.make_tutor(windows=LONG)
    group = active_group(tutor, [home.pupils[0].requests[0].id])
    lesson = on(group.id, date(2027, 2, 8))
    with pytest.raises(Conflict):
        asked_times.ask_for_time(home.id, lesson.id, day)
    found = changes.clashes_of(lesson, day, change_policy.Role.COORDINATOR)
    assert Clash.NO_LESSONS in found


def test_page_of_another_time_says_of_any_day_what_stands_against_it(app: Flask) -> None:
    lesson = on(taught(people.make_tutor(windows=LONG), ("mon", "18:00")), date(2027, 2, 8))
    people.make_coordinator()
    address = f"/coordinator/lessons/{lesson.id}/move"
    client = app.test_client()
    people.sign_in(client)
    for day in ("0001-01-01", "9999-12-31"):
        answer = client.get(address, query_string={"day": day, "hour": "23:59"})
        assert answer.status_code == 200
        assert client.post(address, data={"day": day, "hour": "23:59"}).status_code == 409


def test_group_accepted_in_ramadan_stands_aside_where_another_was_put_and_gets_a_time_too(
    clock: time_machine.Traveller,
) -> None:
    tutor = people.make_tutor(windows=("mon 16:00-19:00", "tue 16:00-19:00"), most=9)
    taught(tutor, ("mon", "18:00"), windows=("mon 16:00-19:00",))
    ramadan = store(RAMADAN)
    publish(ramadan)
    clock.move_to(datetime(2027, 2, 9, 12, tzinfo=UTC))
    lessons.extend_lessons()
    later = taught(tutor, ("mon", "16:00"))
    evening = taught(people.make_tutor(windows=LONG), ("mon", "18:00"))
    assert held(later) == held(evening) == []
    assert lessons.extend_lessons() == 0
    assert [row.id for row in calendar_year.to_decide().periods] == [ramadan]
    rows = {row.group.id: row for row in period_starts.concerned(periods.get_period(ramadan))}
    assert (rows[later].state, rows[later].old) == (None, [["mon", "16:00"]])
    assert period_starts.propose_starts(ramadan, None) == 2
    send_texts()
    done = period_starts.publish_starts(ramadan, None)
    assert done.made == 8
    assert held(later) == ["02-09 16:00", "02-16 16:00", "02-23 16:00", "03-02 16:00"]
    assert held(evening) == ["02-15 16:00", "02-22 16:00", "03-01 16:00", "03-08 16:00"]
    assert len(send_texts()) == 4, "two families and two volunteers, in one message each"
    assert calendar_year.to_decide().periods == []


def test_longer_ramadan_takes_the_lessons_that_stand_aside_in_it(
    clock: time_machine.Traveller,
) -> None:
    tutor = people.make_tutor(windows=LONG, most=9)
    moved = taught(tutor, ("mon", "18:00"), windows=("mon 16:00-19:00",))
    ramadan = store(RAMADAN)
    publish(ramadan)
    clock.move_to(datetime(2027, 2, 16, 12, tzinfo=UTC))
    lessons.extend_lessons()
    later = taught(tutor, ("mon", "16:00"))
    assert held(later) == ["03-15 16:00"]
    longer = replace(RAMADAN, last_day=date(2027, 3, 16))
    shown = periods.preview_period(longer, ramadan)
    assert [(row.group_id, ban) for row, ban in shown.cancelled] == [(later, Ban.BLACKOUT)]
    store(longer, ramadan)
    assert held(later) == []
    assert held(moved)[-1] == "03-15 16:00"
    store(RAMADAN, ramadan)
    assert held(later) == ["03-15 16:00"]
    assert held(moved)[-1] == "03-15 18:00"


def held(group_id: int) -> list[str]:
    db.session.rollback()
    rows = select(Lesson.wall_start).where(
        Lesson.group_id == group_id, Lesson.state == LessonState.PLANNED
    )
    return [f"{wall:%m-%d %H:%M}" for wall in db.session.scalars(rows.order_by(Lesson.wall_start))]


def test_nobody_joins_a_group_that_meets_another_of_theirs_in_ramadan() -> None:
    tutor = people.make_tutor(windows=LONG, most=9)
    moved = taught(tutor, ("mon", "18:00"), windows=("mon 16:00-19:00",))
    home = people.make_household(pupils=[("Hiba Touil", "3AC", ["maths", "english"])], windows=LONG)
    maths, english = home.pupils[0].requests
    other = people.make_tutor(windows=LONG, teaches=[("english", "3AC")])
    active_group(other, [english.id], starts=[("mon", "16:00")])
    publish(store(RAMADAN))
    assert held(moved)[1] == "02-08 16:00"
    with pytest.raises(Conflict, match="Ramadan"):
        by_hand.place_in_group(moved, maths.id, list(Rule), None)
    assert held(moved)[1] == "02-08 16:00"
