"""A group moved for good: its lessons go with it, none lost, none doubled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    DayOff,
    DayOffKind,
    DayOffState,
    Group,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Reminder,
)
from app.services import change_policy, changes, group_moves
from app.services.errors import Conflict, Invalid, NotFound
from app.services.examining import Rule
from app.services.lessons import extend_lessons
from tests.support import people
from tests.support.groups import active_group
from tests.support.programmes import programme_at

WEDNESDAY = datetime(2026, 11, 4, 9, tzinfo=UTC)
HOURS = tuple(f"{day} 16:00-21:00" for day in ("mon", "tue", "wed", "thu"))


clock = programme_at(WEDNESDAY)


@pytest.fixture
def tutor() -> int:
    return people.make_tutor(windows=HOURS, most=9)


def taught(tutor: int, *starts: tuple[str, str], windows: tuple[str, ...] = HOURS) -> Group:
    home = people.make_household(windows=windows)
    with transaction():
        home.pupils[0].requests[0].lessons_per_week = len(starts)
    return active_group(tutor, [home.pupils[0].requests[0].id], starts=list(starts))


def days(group_id: int, state: LessonState = LessonState.PLANNED) -> list[tuple[int, int, int]]:
    """(month, day, hour) of a group's lessons, in order."""
    db.session.rollback()
    rows = select(Lesson).where(Lesson.group_id == group_id, Lesson.state == state)
    return sorted(
        (r.wall_start.month, r.wall_start.day, r.wall_start.hour) for r in db.session.scalars(rows)
    )


def test_later_lessons_go_with_the_group_and_this_week_stays(
    tutor: int, clock: time_machine.Traveller
) -> None:
    group = taught(tutor, ("thu", "18:00"))
    before = {row.id for row in db.session.scalars(select(Lesson))}
    assert days(group.id) == [(11, 5, 18), (11, 12, 18), (11, 19, 18), (11, 26, 18)]
    preview = group_moves.preview_move(group.id, [["tue", "17:00"]])
    assert (len(preview.walls), preview.may_tutor) == (3, True)
    group_moves.move_group(group.id, [["tue", "17:00"]], tutor_id=tutor)
    moved = [(11, 5, 18), (11, 10, 17), (11, 17, 17), (11, 24, 17), (12, 1, 17)]
    assert days(group.id) == moved
    assert extend_lessons() == 0
    rows = db.session.scalars(select(Lesson).order_by(Lesson.slot_start)).all()
    assert before < {row.id for row in rows}
    assert [row.version for row in rows] == [1, 2, 2, 2, 1]
    assert rows[0].slot_start == datetime(2026, 11, 3, 17)
    owed = select(Reminder.lesson_version).where(
        Reminder.lesson_id == rows[1].id, Reminder.cancelled_at.is_(None)
    )
    assert db.session.scalars(owed).all() == [2] * 4
    clock.shift(timedelta(weeks=1))
    assert extend_lessons() == 1
    assert days(group.id) == [*moved, (12, 8, 17)]


def test_two_weekly_lessons_change_places(tutor: int) -> None:
    group = taught(tutor, ("mon", "18:00"), ("thu", "18:00"))
    group_moves.move_group(group.id, [["thu", "18:00"], ["mon", "18:00"]], tutor_id=tutor)
    assert days(group.id)[:5] == [
        (11, 5, 18), (11, 9, 18), (11, 12, 18), (11, 16, 18), (11, 19, 18),
    ]  # fmt: skip
    assert extend_lessons() == 0
    assert len(set(days(group.id))) == len(days(group.id))


def test_cancelled_and_moved_lessons_keep_what_became_of_them(tutor: int) -> None:
    group = taught(tutor, ("thu", "18:00"))
    rows = db.session.scalars(select(Lesson).order_by(Lesson.starts_at)).all()
    second, third = rows[1].id, rows[2].id
    changes.cancel_lesson(second, "ill", tutor_id=tutor)
    changes.move_lesson(third, datetime(2026, 11, 18, 19), change_policy.tutor(tutor))
    group_moves.move_group(group.id, [["tue", "17:00"]], tutor_id=tutor)
    assert days(group.id) == [(11, 5, 18), (11, 18, 19), (11, 24, 17), (12, 1, 17)]
    assert days(group.id, LessonState.CANCELLED) == [(11, 10, 17)]
    assert extend_lessons() == 0


def test_new_times_on_days_off_are_off_and_those_away_from_them_come_back(tutor: int) -> None:
    for day in (12, 17):
        with transaction():
            db.session.add(
                DayOff(
                    kind=DayOffKind.SCHOOL, state=DayOffState.CONFIRMED,
                    name_fr="F", name_ar="F", name_en="F",
                    first_day=date(2026, 11, day), last_day=date(2026, 11, day),
                )
            )  # fmt: skip
    group = taught(tutor, ("thu", "18:00"))
    assert days(group.id) == [(11, 5, 18), (11, 19, 18), (11, 26, 18)]
    group_moves.move_group(group.id, [["tue", "17:00"]], tutor_id=tutor)
    assert days(group.id) == [(11, 5, 18), (11, 10, 17), (11, 24, 17), (12, 1, 17)]
    assert days(group.id, LessonState.CANCELLED) == [(11, 17, 17)]


def test_families_hear_of_the_weekly_time_and_not_of_each_lesson(tutor: int) -> None:
    group = taught(tutor, ("thu", "18:00"))
    with transaction():
        for message in db.session.scalars(
            select(Message).where(
                Message.kind.in_([MessageKind.NEW_GROUP, MessageKind.GROUP_OFFER])
            )
        ):
            message.state = MessageState.DELIVERED
    group_moves.move_group(group.id, [["tue", "17:00"]], by=None)
    told = db.session.scalars(
        select(Message).where(
            Message.state == MessageState.PLANNED, Message.kind == MessageKind.CHANGE
        )
    ).all()
    assert sorted((bool(row.household_id), len(row.notices)) for row in told) == [
        (False, 1),
        (True, 1),
    ]


def test_tutor_needs_everybodys_hours_and_a_coordinator_overrules_them(tutor: int) -> None:
    group = taught(tutor, ("mon", "18:00"), windows=("mon 16:00-21:00",))
    with pytest.raises(Conflict):
        group_moves.move_group(group.id, [["tue", "18:00"]], tutor_id=tutor)
    with pytest.raises(Conflict):
        group_moves.move_group(group.id, [["tue", "18:00"]])
    group_moves.move_group(group.id, [["tue", "18:00"]], [Rule.FAMILY_HOURS])
    assert db.session.get_one(Group, group.id).starts == [["tue", "18:00"]]


def test_nobody_is_put_into_two_lessons_by_the_week_or_on_one_day(tutor: int) -> None:
    group = taught(tutor, ("mon", "18:00"))
    other = taught(tutor, ("tue", "18:00"))
    with pytest.raises(Conflict):
        group_moves.move_group(group.id, [["tue", "18:00"]], list(Rule))
    row = db.session.scalars(
        select(Lesson).where(Lesson.wall_start == datetime(2026, 11, 17, 18))
    ).one()
    changes.move_lesson(row.id, datetime(2026, 11, 18, 18), change_policy.tutor(tutor))
    preview = group_moves.preview_move(group.id, [["wed", "18:00"]])
    assert preview.taken == [datetime(2026, 11, 18, 18)]
    with pytest.raises(Conflict):
        group_moves.move_group(group.id, [["wed", "18:00"]], list(Rule))
    assert other.id != group.id


def test_what_is_no_move_is_refused(tutor: int) -> None:
    group = taught(tutor, ("mon", "18:00"))
    with pytest.raises(Invalid):
        group_moves.move_group(group.id, [["mon", "18:00"]])
    with pytest.raises(Invalid):
        group_moves.move_group(group.id, [["tue", "18:00"], ["wed", "18:00"]])
    with pytest.raises(NotFound):
        group_moves.move_group(group.id, [["tue", "18:00"]], tutor_id=tutor + 1)
