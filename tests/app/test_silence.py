"""Lessons of which nobody says how they went: asked about once, or noted as was foretold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    Attendance,
    Household,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Question,
    QuestionKind,
    Tutor,
)
from app.services import attendance, silence
from app.services.desk import read_decisions
from app.services.errors import Conflict
from app.services.lesson_answers import answer_lesson
from app.services.scope import EVERYWHERE
from tests.support import people
from tests.support.groups import active_group
from tests.support.programmes import programme_at

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
FIRST = datetime(2026, 11, 2, 17, tzinfo=UTC)
EVENINGS = ("mon 17:00-20:00",)


clock = programme_at(MONDAY)


@pytest.fixture
def tutor() -> int:
    return people.make_tutor(windows=EVENINGS)


def lesson_of(tutor_id: int, *families: Household) -> Lesson:
    """The first lesson of a group: 17:00 to 18:00."""
    requests = [family.pupils[0].requests[0].id for family in families]
    group = active_group(tutor_id, requests, starts=[("mon", "17:00")])
    ordered = select(Lesson).where(Lesson.group_id == group.id).order_by(Lesson.starts_at)
    return db.session.scalars(ordered.limit(1)).one()


def family() -> Household:
    return people.make_household(windows=EVENINGS)


def questions() -> list[Question]:
    db.session.rollback()
    held = select(Question).where(Question.kind == QuestionKind.WAS_IT_HELD)
    return list(db.session.scalars(held.order_by(Question.id)))


def test_tutor_is_asked_once_two_hours_after_the_end(
    tutor: int, clock: time_machine.Traveller
) -> None:
    lesson = lesson_of(tutor, family())
    clock.move_to(FIRST + timedelta(hours=2, minutes=59))
    assert silence.ask_whether_held() == 0
    clock.shift(timedelta(minutes=1))
    assert silence.ask_whether_held() == 1
    assert silence.ask_whether_held() == 0
    (question,) = questions()
    assert (question.tutor_id, question.lesson_id, question.options) == (
        tutor,
        lesson.id,
        ["held", "not_held"],
    )
    message = db.session.get_one(Message, question.message_id)
    assert (message.kind, message.tutor_id) == (MessageKind.QUESTION, tutor)


def test_nobody_is_asked_at_night(tutor: int, clock: time_machine.Traveller) -> None:
    lesson_of(tutor, family())
    clock.move_to(FIRST + timedelta(hours=5))
    assert silence.ask_whether_held() == 0
    clock.move_to(datetime(2026, 11, 3, 8, tzinfo=UTC))
    assert silence.ask_whether_held() == 1


def test_yes_notes_a_lesson_without_those_who_had_said_no(
    tutor: int, clock: time_machine.Traveller
) -> None:
    coming, absent = family(), family()
    lesson = lesson_of(tutor, coming, absent)
    answer_lesson(absent.id, lesson.id, coming=False)
    clock.move_to(FIRST + timedelta(hours=3))
    silence.ask_whether_held()
    noted = silence.answer_held(questions()[0].id, True)
    assert (noted.state, noted.noted_at) == (LessonState.HELD, FIRST + timedelta(hours=3))
    assert {row.request_id: row.present for row in db.session.scalars(select(Attendance))} == {
        coming.pupils[0].requests[0].id: True,
        absent.pupils[0].requests[0].id: False,
    }
    with pytest.raises(Conflict):
        silence.answer_held(questions()[0].id, False)


def test_no_notes_that_it_was_not_held(tutor: int, clock: time_machine.Traveller) -> None:
    lesson_of(tutor, family())
    clock.move_to(FIRST + timedelta(hours=3))
    silence.ask_whether_held()
    assert silence.answer_held(questions()[0].id, False).state is LessonState.NOT_HELD
    assert db.session.scalars(select(Attendance)).all() == []


def test_lesson_to_which_nobody_was_to_come_is_noted_by_itself(
    tutor: int, clock: time_machine.Traveller
) -> None:
    at_home = family()
    lesson = lesson_of(tutor, at_home)
    answer_lesson(at_home.id, lesson.id, coming=False)
    clock.move_to(FIRST + timedelta(hours=3))
    assert silence.ask_whether_held() == 1
    assert questions() == []
    assert db.session.get_one(Lesson, lesson.id).state is LessonState.PUPIL_ABSENT


def test_families_are_asked_where_the_tutor_cannot_be(
    tutor: int, clock: time_machine.Traveller
) -> None:
    first, second, absent = family(), family(), family()
    lesson = lesson_of(tutor, first, second, absent)
    answer_lesson(absent.id, lesson.id, coming=False)
    with transaction():
        db.session.get_one(Tutor, tutor).messages_stopped_at = MONDAY
    clock.move_to(FIRST + timedelta(hours=3))
    silence.ask_whether_held()
    assert [question.household_id for question in questions()] == [first.id, second.id]
    silence.answer_held(questions()[1].id, True)
    with pytest.raises(Conflict):
        silence.answer_held(questions()[0].id, False)


def test_word_of_the_tutor_stops_the_question(tutor: int, clock: time_machine.Traveller) -> None:
    lesson = lesson_of(tutor, family())
    clock.move_to(FIRST + timedelta(hours=3))
    silence.ask_whether_held()
    attendance.note_lesson(lesson.id, LessonState.HELD, [], "", tutor_id=tutor)
    (question,) = questions()
    assert question.ended_at == FIRST + timedelta(hours=3)
    assert db.session.get_one(Message, question.message_id).state is MessageState.CANCELLED
    with pytest.raises(Conflict):
        silence.answer_held(question.id, False)


def test_a_week_of_silence_is_the_coordinators_matter(
    tutor: int, clock: time_machine.Traveller
) -> None:
    lesson = lesson_of(tutor, family())
    clock.move_to(FIRST + timedelta(hours=3))
    silence.ask_whether_held()
    clock.shift(timedelta(days=7))
    assert read_decisions(EVERYWHERE).not_noted.total == 0
    clock.shift(timedelta(minutes=1))
    assert [row.id for row in read_decisions(EVERYWHERE).not_noted.first] == [lesson.id]
