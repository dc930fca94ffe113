"""Days off: what they cancel, what is not made on them, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.models import (
    AuditEntry,
    Lesson,
    LessonAnswer,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Reminder,
    Term,
    TutorAbsence,
    TutoringRequest,
)
from app.services import absences, term_changes
from app.services.changes import cancel_lesson
from app.services.errors import Conflict, Invalid, NotFound
from app.services.groups import accept_group, end_group
from app.services.lessons import extend_lessons
from app.services.term_changes import NewTerm
from tests.support import people
from tests.support.groups import active_group, offer_group

THURSDAY = datetime(2026, 10, 29, 9, tzinfo=UTC)
SECOND, FIFTEENTH = date(2026, 11, 2), date(2026, 11, 15)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(THURSDAY, tick=False) as coordinates:
        yield coordinates


@pytest.fixture(autouse=True)
def programme(app: Flask, clock: time_machine.Coordinates) -> Iterator[None]:
    with app.app_context():
        people.make_programme()
        yield


@pytest.fixture
def tutor() -> int:
    return people.make_tutor(windows=("mon 17:00-21:00",))


def family() -> int:
    return people.make_household().pupils[0].requests[0].id


def days_of(state: LessonState) -> list[date]:
    db.session.rollback()
    rows = select(Lesson).where(Lesson.state == state).order_by(Lesson.starts_at)
    return [lesson.wall_start.date() for lesson in db.session.scalars(rows)]


def open_reminders(lesson_id: int) -> int:
    rows = select(Reminder).where(Reminder.lesson_id == lesson_id, Reminder.cancelled_at.is_(None))
    return len(db.session.scalars(rows).all())


def test_days_off_are_told_before_and_cancel_their_lessons_alone(tutor: int) -> None:
    other = people.make_tutor(name="Ilyas Sabri")
    active_group(tutor, [family()])
    active_group(other, [family()])
    told = absences.preview_absence(tutor, SECOND, FIFTEENTH)
    assert [row.wall_start.date() for row in told.lessons] == [SECOND, date(2026, 11, 9)]
    assert days_of(LessonState.CANCELLED) == []
    done = absences.plan_absence(tutor, SECOND, FIFTEENTH, " exams ")
    assert [row.id for row in done.lessons] == [row.id for row in told.lessons]
    assert {(row.cancel_reason, row.version) for row in done.lessons} == {("exams", 2)}
    assert days_of(LessonState.CANCELLED) == [SECOND, date(2026, 11, 9)]
    assert len(days_of(LessonState.PLANNED)) == 2 + 4
    assert [open_reminders(row.id) for row in done.lessons] == [0, 0]
    act = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "plan_absence")).one()
    assert (act.subject, act.coordinator_id, len(act.pupil_ids)) == (f"tutor:{tutor}", None, 1)
    assert act.detail == {
        "tutor": tutor,
        "first_day": "2026-11-02",
        "last_day": "2026-11-15",
        "reason": "exams",
        "lessons": [row.id for row in done.lessons],
    }


def test_message_that_spoke_of_nothing_else_is_cancelled(tutor: int) -> None:
    active_group(tutor, [family()], starts=[("fri", "18:00")])
    tomorrow = date(2026, 10, 30)
    absences.plan_absence(tutor, tomorrow, tomorrow, "ill")
    due = select(Message.state).where(
        Message.kind.in_((MessageKind.LESSON_24H, MessageKind.LESSON_2H)),
        Message.due_at < THURSDAY + timedelta(days=2),
    )
    assert set(db.session.scalars(due)) == {MessageState.CANCELLED}


def test_no_lesson_is_made_on_days_off(tutor: int, clock: time_machine.Coordinates) -> None:
    absences.plan_absence(tutor, date(2026, 11, 9), date(2026, 11, 9), "ill")
    active_group(tutor, [family()])
    expected = [date(2026, 11, 2), date(2026, 11, 16), date(2026, 11, 23)]
    assert days_of(LessonState.PLANNED) == expected
    assert extend_lessons() == 0
    absences.plan_absence(tutor, date(2026, 11, 30), date(2026, 12, 6), "holidays")
    clock.shift(timedelta(weeks=2))
    assert extend_lessons() == 1
    assert days_of(LessonState.PLANNED) == [*expected, date(2026, 12, 7)]


def test_days_off_taken_back_give_back_what_is_still_to_come(
    tutor: int, clock: time_machine.Coordinates
) -> None:
    request_id = family()
    active_group(tutor, [request_id])
    done = absences.plan_absence(tutor, SECOND, FIFTEENTH, "exams")
    first, second = (row.id for row in done.lessons)
    household = db.session.get_one(TutoringRequest, request_id).pupil.household_id
    with transaction():
        db.session.add(
            LessonAnswer(
                lesson_id=second, household_id=household, coming=False, answered_at=THURSDAY
            )
        )
    clock.move_to(datetime(2026, 11, 2, 15, 30, tzinfo=UTC))  # too late to tell of 18:00
    absence = absences.list_absences(tutor)[0]
    back = absences.take_absence_back(tutor, absence.id)
    assert [row.id for row in back.lessons] == [second]
    lesson = db.session.get_one(Lesson, second)
    assert (lesson.state, lesson.version, lesson.cancelled_at, lesson.cancel_reason) == (
        LessonState.PLANNED,
        3,
        None,
        None,
    )
    assert open_reminders(second) == 4
    assert db.session.scalars(select(LessonAnswer)).all() == []
    assert db.session.get_one(Lesson, first).state is LessonState.CANCELLED
    assert db.session.scalars(select(TutorAbsence)).all() == []
    with pytest.raises(NotFound):
        absences.take_absence_back(tutor, absence.id)


def test_what_was_cancelled_for_another_reason_stays_so(tutor: int) -> None:
    group = active_group(tutor, [family()])
    first = db.session.scalars(select(Lesson.id).order_by(Lesson.starts_at)).first()
    assert first is not None
    cancel_lesson(first, "the family travels")
    absences.plan_absence(tutor, SECOND, FIFTEENTH, "exams")
    absences.take_absence_back(tutor, absences.list_absences(tutor)[0].id)
    assert days_of(LessonState.CANCELLED) == [SECOND]
    absences.plan_absence(tutor, SECOND, FIFTEENTH, "exams")
    end_group(group.id, "moved away")
    back = absences.take_absence_back(tutor, absences.list_absences(tutor)[0].id)
    assert back.lessons == []
    assert days_of(LessonState.PLANNED) == []


def test_offer_accepted_meanwhile_has_no_lesson_on_days_off(tutor: int) -> None:
    offered = offer_group(tutor, [family()])
    assert absences.plan_absence(tutor, SECOND, SECOND, "ill").lessons == []
    accept_group(offered.id, tutor_id=tutor)
    assert SECOND not in days_of(LessonState.PLANNED)
    back = absences.take_absence_back(tutor, absences.list_absences(tutor)[0].id)
    assert back.lessons == []
    assert extend_lessons() == 1
    assert days_of(LessonState.PLANNED)[0] == SECOND


AUTUMN = NewTerm("Automne", date(2026, 9, 7), date(2026, 12, 18))
CUT_SHORT = NewTerm("Automne", date(2026, 9, 7), date(2026, 11, 5))


def store_term(new: NewTerm) -> None:
    term_id = db.session.scalar(select(Term.id))
    cancels = term_changes.preview_terms(new, term_id).touched
    term_changes.store_term(new, None, term_id=term_id, agreed=cancels)


def test_term_that_comes_back_after_days_off_gives_back_their_lessons(tutor: int) -> None:
    active_group(tutor, [family()])
    made = days_of(LessonState.PLANNED)
    absences.plan_absence(tutor, date(2026, 11, 9), FIFTEENTH, "exams")
    store_term(CUT_SHORT)
    back = absences.take_absence_back(tutor, absences.list_absences(tutor)[0].id)
    assert back.lessons == []
    store_term(AUTUMN)
    assert days_of(LessonState.PLANNED) == made


def test_days_off_taken_back_give_back_what_a_longer_term_could_not(tutor: int) -> None:
    active_group(tutor, [family()])
    made = days_of(LessonState.PLANNED)
    store_term(CUT_SHORT)
    absences.plan_absence(tutor, date(2026, 11, 9), FIFTEENTH, "exams")
    store_term(AUTUMN)
    assert date(2026, 11, 9) not in days_of(LessonState.PLANNED)
    back = absences.take_absence_back(tutor, absences.list_absences(tutor)[0].id)
    assert [row.wall_start.date() for row in back.lessons] == [date(2026, 11, 9)]
    assert days_of(LessonState.PLANNED) == made


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 11, 3), date(2026, 11, 2)),
        (date(2026, 10, 28), date(2026, 11, 2)),
        (date(2027, 10, 30), date(2027, 10, 31)),
        (date(2026, 11, 2), date(2026, 12, 14)),
    ],
    ids=["backwards", "past", "far", "long"],
)
def test_days_that_can_not_be_off_are_refused(tutor: int, first: date, last: date) -> None:
    for plan in (
        lambda: absences.preview_absence(tutor, first, last),
        lambda: absences.plan_absence(tutor, first, last, "exams"),
    ):
        with pytest.raises(Invalid):
            plan()
    assert db.session.scalars(select(TutorAbsence)).all() == []


def test_days_off_need_a_reason_and_are_planned_once(tutor: int) -> None:
    with pytest.raises(Invalid):
        absences.plan_absence(tutor, SECOND, FIFTEENTH, "  ")
    absences.plan_absence(tutor, SECOND, FIFTEENTH, "exams")
    with pytest.raises(Conflict):
        absences.preview_absence(tutor, FIFTEENTH, FIFTEENTH)
    other, planned = people.make_tutor(name="Ilyas Sabri"), absences.list_absences(tutor)[0].id
    with pytest.raises(NotFound):
        absences.take_absence_back(other, planned)
    assert len(absences.list_absences(tutor)) == 1


def test_days_are_those_of_the_families_clock(tutor: int, clock: time_machine.Coordinates) -> None:
    active_group(tutor, [family()], starts=[("mon", "23:30")])
    clock.move_to(datetime(2026, 11, 1, 9, tzinfo=UTC))
    # In Dubai that lesson is on Tuesday the third.
    assert absences.preview_absence(tutor, date(2026, 11, 3), date(2026, 11, 3)).lessons == []
    monday = absences.preview_absence(tutor, SECOND, SECOND).lessons
    assert [row.wall_start for row in monday] == [datetime(2026, 11, 2, 23, 30)]
