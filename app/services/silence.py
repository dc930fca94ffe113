"""Lessons of which nobody says how they went: asked about once, after their end.

Where every family had said that it can't come, nobody is asked: that is noted by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Lesson,
    LessonAnswer,
    LessonState,
    Question,
    QuestionKind,
    Tutor,
)
from app.services import telling
from app.services.attendance import LOOKED_BACK, members_at, write_note
from app.services.errors import Conflict, NotFound
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.lessons import lock_in_order
from app.services.reminders import Recipient, zone_of
from app.services.searches import is_open, stop_texts
from scheduler import clock
from scheduler.reminders import is_quiet

ASKED_AFTER: Final = timedelta(hours=2)
"""How long after the end of a lesson somebody is asked."""
ANSWERED_WITHIN: Final = timedelta(days=7)
"""How long the question holds; then the lesson is on the coordinators' desk."""
YES, NO = 1, 2
_OPTIONS: Final = ["held", "not_held"]


def ask_whether_held() -> int:
    """What the worker does for silent lessons: note what was foretold, ask of the rest; how many.

    Safe with any number of workers: each lesson is looked at again under its lock.
    """
    done = 0
    now = clock.now()
    silent = select(Lesson.id, Lesson.starts_at, Lesson.minutes).where(
        Lesson.state == LessonState.PLANNED,
        Lesson.asked_at.is_(None),
        Lesson.starts_at <= now - ASKED_AFTER,
        Lesson.starts_at > now - LOOKED_BACK,
    )
    for lesson_id, starts_at, minutes in db.session.execute(silent.order_by(Lesson.id)).all():
        if _is_over(starts_at, minutes):
            with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
                lesson = lock_in_order(lesson_id)
                done += lesson is not None and _ask(lesson)
    return done


def answer_held(
    question_id: int,
    held: bool,
    *,
    tutor_id: int | None = None,
    household_id: int | None = None,
) -> Lesson:
    """Note a lesson as whoever was asked says: held, or not.

    Of a lesson that was held, all were there but for who had said that they can't come. Conflict
    where it was noted before, or the question is too old. `tutor_id`, or `household_id`, names who
    answers on a page.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        question = db.session.get(Question, question_id)
        if (
            question is None
            or question.kind is not QuestionKind.WAS_IT_HELD
            or question.lesson_id is None
            or tutor_id not in (None, question.tutor_id)
            or household_id not in (None, question.household_id)
        ):
            raise NotFound(_l("This question does not exist."))
        lesson = lock_in_order(question.lesson_id)
        assert lesson is not None, "a question goes with its lesson"
        db.session.refresh(question)
        if not is_open(question) or lesson.state is not LessonState.PLANNED:
            raise Conflict(_l("Thank you! This lesson has been noted already."))
        question.answered_at = clock.now()
        question.answer = YES if held else NO
        stop_texts([question])
        _write(lesson, held, _who_says(question))
    return lesson


def _ask(lesson: Lesson) -> bool:
    """Ask about a lesson, or note what was foretold; whether that was to be done now."""
    if lesson.state is not LessonState.PLANNED or lesson.asked_at is not None:
        return False
    members = members_at(lesson)
    households = sorted({member.request.pupil.household_id for member in members})
    foretold = _said_no(lesson)
    if households and foretold.issuperset(households):
        lesson.asked_at = clock.now()
        write_note(lesson, LessonState.PUPIL_ABSENT, (), None, None, {})
        return True
    tutor = lesson.given_by
    by_family = not can_be_asked(tutor)
    whom = (
        [Recipient("household", number) for number in households if number not in foretold]
        if by_family
        else [Recipient("tutor", tutor.id)]
    )
    if any(is_quiet(clock.now(), zone_of(one)) for one in whom):
        return False
    lesson.asked_at = clock.now()
    for recipient in whom:
        question = Question(
            kind=QuestionKind.WAS_IT_HELD,
            lesson_id=lesson.id,
            options=_OPTIONS,
            asked_at=clock.now(),
            expires_at=clock.now() + ANSWERED_WITHIN,
            **recipient.columns,
        )
        db.session.add(question)
        db.session.flush()
        telling.tell_question(question)
    return True


def can_be_asked(tutor: Tutor) -> bool:
    """Whether a message gets to a tutor: they may come in, and want messages."""
    return tutor.may_sign_in and tutor.messages_stopped_at is None


def _is_over(starts_at: datetime, minutes: int) -> bool:
    return starts_at + timedelta(minutes=minutes) + ASKED_AFTER <= clock.now()


def _said_no(lesson: Lesson) -> set[int]:
    """The families that had said that they can't come."""
    said = select(LessonAnswer.household_id).where(
        LessonAnswer.lesson_id == lesson.id, LessonAnswer.coming.is_(False)
    )
    return set(db.session.scalars(said))


def _write(lesson: Lesson, held: bool, said_by: dict[str, int]) -> None:
    foretold = _said_no(lesson)
    members = members_at(lesson)
    absent = {m.request_id for m in members if m.request.pupil.household_id in foretold}
    if len(absent) == len(members):
        # It was held all the same, so somebody was there.
        absent = set()
    state = LessonState.HELD if held else LessonState.NOT_HELD
    write_note(lesson, state, absent if held else (), None, None, said_by)


def _who_says(question: Question) -> dict[str, int]:
    if question.tutor_id is not None:
        return {"tutor": question.tutor_id}
    return {} if question.household_id is None else {"household": question.household_id}
