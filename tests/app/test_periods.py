"""Ramadan and weeks of exams: proposed, published, taken back, with what becomes of lessons."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    ExamEffect,
    Lesson,
    LessonState,
    Level,
    Message,
    MessageKind,
    MessageState,
    Period,
    PeriodKind,
    PeriodStarts,
    Zone,
)
from app.services import days_off, period_starts, periods
from app.services.calendar_changes import LessonsWouldChange
from app.services.days_off import NewDayOff
from app.services.errors import Conflict, Invalid, NotFound
from app.services.examining import Rule
from app.services.lessons import extend_lessons
from app.services.periods import NewPeriod
from tests.support import people
from tests.support.groups import active_group
from tests.support.programmes import programme_at

DAYS = (date(2027, 2, 8), date(2027, 3, 8))
BLACKOUT = (17 * 60 + 15, 20 * 60)
RAMADAN = NewPeriod(PeriodKind.RAMADAN, "Ramadan", *DAYS, blackout=BLACKOUT)
LONG = ("mon 14:00-22:00", "tue 14:00-22:00")


time = programme_at(datetime(2027, 1, 27, 12, tzinfo=UTC))
"""Wednesday, noon."""


def group_at(
    *starts: tuple[str, str], windows: tuple[str, ...] = LONG, tutor_id: int | None = None
) -> int:
    household = people.make_household(windows=windows)
    request = household.pupils[0].requests[0]
    with transaction():
        request.lessons_per_week = len(starts)
    tutor_id = tutor_id or people.make_tutor(windows=windows, most=9)
    return active_group(tutor_id, [request.id], starts=starts).id


def planned(group_id: int) -> list[str]:
    rows = select(Lesson.wall_start).where(
        Lesson.state == LessonState.PLANNED, Lesson.group_id == group_id
    )
    return [f"{wall:%m-%d %H:%M}" for wall in db.session.scalars(rows.order_by(Lesson.wall_start))]


def told() -> int:
    rows = select(Message.id).where(
        Message.kind.in_((MessageKind.CANCELLATION, MessageKind.CHANGE)),
        Message.state == MessageState.PLANNED,
    )
    return len(db.session.scalars(rows).all())


def stored(new: NewPeriod, agreed: int = 0) -> int:
    return periods.store_period(new, None, agreed=agreed)[0].id


def starts_of(group_id: int) -> list[object]:
    return list(db.session.scalars(select(PeriodStarts).filter_by(group_id=group_id)).one().starts)


def test_ramadan_is_proposed_with_hours_around_the_sunset_of_the_zones() -> None:
    proposal = periods.ramadan_to_set()
    assert proposal is not None
    assert (proposal.days, proposal.blackout) == (DAYS, (17 * 60 + 15, 20 * 60))
    with transaction():
        db.session.add(Zone(name="Dakhla", key="dakhla", latitude=23.7, longitude=-15.9))
    later = periods.ramadan_to_set()
    assert later is not None
    assert later.blackout[0] > proposal.blackout[0], "the sun sets later in the west"
    assert later.blackout[1] > proposal.blackout[1]
    stored(RAMADAN)
    after = periods.ramadan_to_set()
    assert after is not None
    assert after.days[0] == date(2028, 1, 28)


def test_lessons_stay_until_other_times_are_published_and_then_move_for_the_period_alone(
    time: time_machine.Traveller,
) -> None:
    group_id = group_at(("mon", "18:00"))
    ramadan = stored(RAMADAN)
    before = planned(group_id)
    assert before == ["02-01 18:00", "02-08 18:00", "02-15 18:00", "02-22 18:00"]
    assert period_starts.propose_starts(ramadan, None) == 1
    assert starts_of(group_id) == [["mon", "16:00"]]
    assert planned(group_id) == before
    (new,) = starts_of(group_id)
    with pytest.raises(LessonsWouldChange):
        period_starts.publish_starts(ramadan, None)
    effects = period_starts.preview_publication(ramadan)
    assert (len(effects.moved), len(effects.cancelled)) == (3, 0)
    period_starts.publish_starts(ramadan, None, agreed=3)
    hour = new[1]  # type: ignore[index]
    moved = ["02-01 18:00", f"02-08 {hour}", f"02-15 {hour}", f"02-22 {hour}"]
    assert planned(group_id) == moved
    assert told() == 2, "one message to the family, one to the volunteer"
    lesson = db.session.scalars(
        select(Lesson).where(Lesson.wall_start >= datetime(2027, 2, 8)).order_by(Lesson.id)
    ).first()
    assert lesson is not None
    assert (lesson.slot_start, lesson.version) == (lesson.wall_start, 2)
    time.move_to(datetime(2027, 2, 20, 12, tzinfo=UTC))
    assert [extend_lessons(), extend_lessons()] == [3, 0]
    assert planned(group_id)[4:] == [f"03-01 {hour}", f"03-08 {hour}", "03-15 18:00"]


def test_period_that_goes_gives_the_old_times_back_and_nobody_hears_of_either() -> None:
    group_id = group_at(("mon", "18:00"))
    before = planned(group_id)
    ramadan = stored(RAMADAN)
    period_starts.propose_starts(ramadan, None)
    period_starts.publish_starts(ramadan, None, agreed=3)
    periods.remove_period(ramadan, None, agreed=3)
    assert planned(group_id) == before
    assert told() == 0
    assert db.session.scalars(select(PeriodStarts)).all() == []


def test_lessons_without_another_time_are_not_held_in_the_hours_around_iftar() -> None:
    alone = group_at(("mon", "18:00"), windows=("mon 18:00-20:00",))
    ramadan = stored(RAMADAN)
    period_starts.propose_starts(ramadan, None)
    assert starts_of(alone) == [None]
    (row,) = period_starts.concerned(periods.get_period(ramadan))
    assert (row.old, row.new, row.is_missing) == ([["mon", "18:00"]], [], True)
    period_starts.publish_starts(ramadan, None, agreed=3)
    assert planned(alone) == ["02-01 18:00"]
    with pytest.raises(Invalid):
        period_starts.examine_starts(ramadan, alone, [["mon", "19:00"]])
    examined = period_starts.examine_starts(ramadan, alone, [["tue", "15:00"]])
    assert examined.broken == [Rule.TUTOR_HOURS, Rule.FAMILY_HOURS]
    with pytest.raises(Conflict):
        period_starts.set_starts(ramadan, alone, [["tue", "15:00"]], [], None)
    period_starts.set_starts(ramadan, alone, [["tue", "15:00"]], examined.broken, None)
    period_starts.publish_starts(ramadan, None)
    assert planned(alone) == ["02-01 18:00", "02-09 15:00", "02-16 15:00", "02-23 15:00"]


def test_two_groups_of_one_volunteer_do_not_get_the_same_hour() -> None:
    tutor = people.make_tutor(windows=LONG, most=9)
    first = group_at(("mon", "18:00"), tutor_id=tutor)
    second = group_at(("mon", "19:00"), tutor_id=tutor)
    stays = group_at(("mon", "16:00"), tutor_id=tutor)
    ramadan = stored(RAMADAN)
    assert period_starts.propose_starts(ramadan, None) == 2
    found = [starts_of(group)[0] for group in (first, second)]
    assert found[0] != found[1]
    assert ["mon", "16:00"] not in found
    examined = period_starts.examine_starts(ramadan, first, [["mon", "16:00"]])
    assert Rule.TUTOR_BUSY in examined.stopping
    effects = period_starts.preview_publication(ramadan)
    period_starts.publish_starts(ramadan, None, agreed=effects.touched)
    assert planned(stays)[1] == "02-08 16:00"


def test_dismissed_group_keeps_its_time_and_has_no_lessons_then() -> None:
    group_id = group_at(("mon", "18:00"))
    ramadan = stored(RAMADAN)
    period_starts.propose_starts(ramadan, None)
    period_starts.dismiss_starts(ramadan, group_id, None)
    assert period_starts.propose_starts(ramadan, None) == 0
    period_starts.publish_starts(ramadan, None, agreed=3)
    assert planned(group_id) == ["02-01 18:00"]


def test_lesson_that_people_cancelled_or_moved_is_not_made_again_at_the_other_time() -> None:
    group_id = group_at(("mon", "18:00"))
    cancelled, moved = db.session.scalars(
        select(Lesson).order_by(Lesson.wall_start).offset(1).limit(2)
    ).all()
    with transaction():
        cancelled.state, cancelled.cancel_reason = LessonState.CANCELLED, "ill"
        moved.wall_start = datetime(2027, 2, 17, 9)
        moved.starts_at = datetime(2027, 2, 17, 9, tzinfo=UTC)
    ramadan = stored(RAMADAN)
    period_starts.propose_starts(ramadan, None)
    (new,) = starts_of(group_id)
    period_starts.publish_starts(ramadan, None, agreed=1)
    hour = new[1]  # type: ignore[index]
    assert planned(group_id) == ["02-01 18:00", "02-17 09:00", f"02-22 {hour}"]
    assert extend_lessons() == 0
    periods.remove_period(ramadan, None, agreed=1)
    assert planned(group_id) == ["02-01 18:00", "02-17 09:00", "02-22 18:00"]


def test_exams_suspend_the_lessons_of_their_levels_and_give_them_back() -> None:
    group_id = group_at(("mon", "18:00"))
    levels = {row.code: row.id for row in db.session.scalars(select(Level))}
    exams = NewPeriod(
        PeriodKind.EXAMS, "Examens", date(2027, 2, 8), date(2027, 2, 14),
        effect=ExamEffect.SUSPEND, level_ids=[levels["2BAC"]],
    )  # fmt: skip
    other = stored(exams)
    assert len(planned(group_id)) == 4
    own = NewPeriod(
        PeriodKind.EXAMS, "Examens", date(2027, 2, 8), date(2027, 2, 14),
        effect=ExamEffect.SUSPEND, level_ids=[levels["3AC"], levels["2BAC"]],
    )  # fmt: skip
    with pytest.raises(LessonsWouldChange):
        stored(own)
    assert periods.preview_period(own).touched == 1
    suspended = stored(own, agreed=1)
    assert planned(group_id) == ["02-01 18:00", "02-15 18:00", "02-22 18:00"]
    assert told() == 2
    periods.remove_period(suspended, None)
    assert len(planned(group_id)) == 4
    assert told() == 0
    periods.remove_period(other, None)
    assert db.session.scalars(select(Period)).all() == []


def test_exams_double_the_lessons_and_tell_of_the_second_ones() -> None:
    group_id = group_at(("mon", "18:00"))
    exams = NewPeriod(
        PeriodKind.EXAMS, "Examens", date(2027, 2, 8), date(2027, 2, 21), effect=ExamEffect.DOUBLE
    )
    double = stored(exams)
    period_starts.propose_starts(double, None)
    assert starts_of(group_id) == [None, ["tue", "18:00"]]
    assert period_starts.publish_starts(double, None).made == 2
    assert planned(group_id) == [
        "02-01 18:00", "02-08 18:00", "02-09 18:00", "02-15 18:00", "02-16 18:00", "02-22 18:00",
    ]  # fmt: skip
    assert told() == 2
    assert extend_lessons() == 0
    periods.remove_period(double, None, agreed=2)
    assert len(planned(group_id)) == 4
    assert told() == 0


def test_day_off_within_ramadan_counts_where_the_lesson_is_then() -> None:
    group_id = group_at(("mon", "18:00"), windows=("mon 18:00-20:00", "tue 14:00-17:00"))
    ramadan = stored(RAMADAN)
    period_starts.propose_starts(ramadan, None)
    period_starts.publish_starts(ramadan, None, agreed=3)
    assert planned(group_id)[1] == "02-09 16:00"
    monday = NewDayOff("Lundi", "", "", date(2027, 2, 8), date(2027, 2, 8))
    days_off.add_day_off(monday, None)
    tuesday = NewDayOff("Mardi", "", "", date(2027, 2, 16), date(2027, 2, 16))
    days_off.add_day_off(tuesday, None, agreed=1)
    assert planned(group_id) == ["02-01 18:00", "02-09 16:00", "02-23 16:00"]


@pytest.mark.parametrize(
    "new",
    [
        NewPeriod(PeriodKind.RAMADAN, " ", *DAYS, blackout=BLACKOUT),
        NewPeriod(PeriodKind.RAMADAN, "R", DAYS[1], DAYS[0], blackout=BLACKOUT),
        NewPeriod(PeriodKind.RAMADAN, "R", DAYS[0], date(2027, 6, 1), blackout=BLACKOUT),
        NewPeriod(PeriodKind.RAMADAN, "R", *DAYS),
        NewPeriod(PeriodKind.RAMADAN, "R", *DAYS, blackout=(1200, 1000)),
        NewPeriod(PeriodKind.EXAMS, "E", *DAYS),
        NewPeriod(PeriodKind.EXAMS, "E", *DAYS, effect=ExamEffect.DOUBLE, level_ids=[]),
        NewPeriod(PeriodKind.EXAMS, "E", *DAYS, effect=ExamEffect.DOUBLE, level_ids=[999]),
    ],
)
def test_impossible_period_is_refused(new: NewPeriod) -> None:
    for refused in (periods.preview_period, stored):
        with pytest.raises(Invalid):
            refused(new)


def test_unknown_period_is_not_found() -> None:
    with pytest.raises(NotFound):
        periods.remove_period(9, None)
