"""What missed lessons raise: a flag for a pupil absent twice, a new match after three not held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from app.extensions import db
from app.models import (
    Flag,
    FlagKind,
    Group,
    GroupState,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    RequestState,
    TutoringRequest,
)
from app.services import attendance, flags
from app.services.errors import Conflict
from app.services.lessons import withdraw_lessons
from app.services.problem import build_problem
from app.services.scope import EVERYWHERE, Scope
from tests.support import people
from tests.support.groups import active_group
from tests.support.programmes import programme_at

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
HELD, ABSENT, NOT_HELD = LessonState.HELD, LessonState.PUPIL_ABSENT, LessonState.NOT_HELD


clock = programme_at(MONDAY)


@pytest.fixture
def tutor() -> int:
    return people.make_tutor()


@pytest.fixture
def requests() -> list[int]:
    return [people.make_household().pupils[0].requests[0].id for _ in range(2)]


@pytest.fixture
def lessons(tutor: int, requests: list[int], clock: time_machine.Traveller) -> list[int]:
    """The four lessons of a group of two, all of them begun."""
    group = active_group(tutor, requests)
    ordered = select(Lesson.id).where(Lesson.group_id == group.id).order_by(Lesson.starts_at)
    found = list(db.session.scalars(ordered))
    clock.move_to(MONDAY + timedelta(days=22))
    return found


def note(lesson_id: int, state: LessonState, *absent: int) -> None:
    attendance.note_lesson(lesson_id, state, absent, "", by=None)


def raised() -> list[tuple[FlagKind, int | None, int]]:
    db.session.rollback()
    rows = db.session.scalars(select(Flag).order_by(Flag.id))
    return [(row.kind, row.request_id, row.lesson_id) for row in rows]


def test_two_absences_in_a_row_raise_a_flag_once(lessons: list[int], requests: list[int]) -> None:
    hiba, _sara = requests
    note(lessons[0], HELD, hiba)
    assert raised() == []
    note(lessons[1], HELD, hiba)
    assert raised() == [(FlagKind.ABSENCES, hiba, lessons[1])]
    note(lessons[2], HELD, hiba)
    assert raised() == [(FlagKind.ABSENCES, hiba, lessons[1])]


def test_lessons_cancelled_or_not_held_neither_count_nor_interrupt(
    lessons: list[int], requests: list[int]
) -> None:
    hiba, sara = requests
    note(lessons[0], ABSENT)
    note(lessons[1], NOT_HELD)
    withdraw_lessons([db.session.get_one(Lesson, lessons[2])], "ill")
    db.session.commit()
    note(lessons[3], HELD, sara)
    assert raised() == [(FlagKind.ABSENCES, sara, lessons[3])]
    note(lessons[3], ABSENT)
    assert {request for _kind, request, _lesson in raised()} == {hiba, sara}


def test_correcting_a_note_takes_the_flag_back(lessons: list[int], requests: list[int]) -> None:
    hiba, _sara = requests
    note(lessons[0], HELD, hiba)
    note(lessons[1], HELD, hiba)
    note(lessons[0], HELD)
    assert raised() == []
    note(lessons[0], HELD, hiba)
    assert [kind for kind, *_rest in raised()] == [FlagKind.ABSENCES]


def test_flag_is_closed_once_and_not_raised_again_for_the_same_series(
    lessons: list[int], requests: list[int]
) -> None:
    hiba, _sara = requests
    by = people.make_coordinator()
    note(lessons[0], HELD, hiba)
    note(lessons[1], HELD, hiba)
    (flag,) = flags.first_flags(EVERYWHERE).first
    assert flags.first_flags(Scope(frozenset({0}))).total == 0
    flags.close_flag(flag.id, "called the family", by)
    with pytest.raises(Conflict):
        flags.close_flag(flag.id, "again", by)
    note(lessons[2], HELD, hiba)
    assert (flags.first_flags(EVERYWHERE).total, len(raised())) == (0, 1)


def test_three_lessons_not_held_reopen_the_match(
    lessons: list[int], requests: list[int], clock: time_machine.Traveller
) -> None:
    clock.move_to(MONDAY + timedelta(days=15))
    for number in lessons[:2]:
        note(number, NOT_HELD)
    group = db.session.scalars(select(Group)).one()
    assert (group.state, raised()) == (GroupState.ACTIVE, [])
    db.session.execute(update(Message).values(state=MessageState.DELIVERED))
    db.session.commit()
    note(lessons[2], NOT_HELD)
    assert raised() == [(FlagKind.NOT_HELD, None, lessons[2])]
    assert group.state is GroupState.ENDED
    states = [row.state for row in db.session.scalars(select(TutoringRequest))]
    assert states == [RequestState.WAITING, RequestState.WAITING]
    assert {row["id"] for row in build_problem()["requests"]} == {f"R{one}" for one in requests}
    coming = [row.state for row in db.session.scalars(select(Lesson)) if row.id not in lessons[:3]]
    assert set(coming) == {LessonState.CANCELLED}
    told = select(Message.household_id).where(Message.kind == MessageKind.LESSONS_END)
    assert len(db.session.scalars(told).all()) == 2
    # A late note on a group that has ended raises nothing more.
    note(lessons[2], HELD)
    assert [kind for kind, *_rest in raised()] == [FlagKind.NOT_HELD]


def test_silence_on_a_lesson_ends_the_series(lessons: list[int]) -> None:
    for number in (lessons[0], lessons[1], lessons[3]):
        note(number, NOT_HELD)
    assert raised() == []
    note(lessons[2], NOT_HELD)
    assert [kind for kind, *_rest in raised()] == [FlagKind.NOT_HELD]
