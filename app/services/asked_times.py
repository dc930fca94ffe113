"""A family asks for another time of one lesson; its tutor says yes, which moves it, or no.

Only where nobody else comes to the lesson: else one family would move it for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Group,
    Lesson,
    LessonState,
    Membership,
    Question,
    QuestionKind,
    TutoringRequest,
)
from app.services import audit, telling
from app.services.change_policy import Act, Role, family, is_in_time, refuse_too_late, tutor
from app.services.changes import (
    clashes_of,
    comes_alone,
    lock_lesson,
    move_within,
    refuse_clashes,
)
from app.services.errors import Conflict, NotFound
from app.services.free_times import free_times
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.searches import end_questions, is_open, search_for
from scheduler import clock

MOST_TIMES: Final = 8
ANSWERED_BY: Final = timedelta(hours=3)
"""How long before the lesson, and before the time asked for, the tutor must have answered."""
YES, NO = 1, 2


def times_to_ask(lesson: Lesson, household_id: int) -> list[datetime]:
    """The wall times that a family may ask for; none where it may not, or nothing is free."""
    if not may_ask(lesson, household_id):
        return []
    return free_times(lesson, Role.FAMILY, MOST_TIMES)


def may_ask(lesson: Lesson, household_id: int) -> bool:
    """Whether a family can ask for another time of a lesson."""
    return (
        lesson.state is LessonState.PLANNED
        and is_in_time(Act.MOVE_LESSON, Role.FAMILY, lesson)
        and lesson.substitute_id is None
        and comes_alone(lesson, household_id)
    )


def ask_for_time(household_id: int, lesson_id: int, wall_start: datetime) -> Question:
    """Ask a lesson's tutor for another time; another wish before is forgotten."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        lesson = lock_lesson(lesson_id, family(household_id))
        refuse_too_late(Act.MOVE_LESSON, Role.FAMILY, lesson)
        if not may_ask(lesson, household_id) or search_for(lesson) is not None:
            raise Conflict(_l("The time of this lesson can't be changed here: ask to be called."))
        found = clashes_of(lesson, wall_start, Role.FAMILY)
        refuse_clashes(found, Act.MOVE_LESSON, Role.FAMILY, ())
        end_questions(_asks_for(lesson.id))
        question = Question(
            kind=QuestionKind.NEW_TIME,
            tutor_id=lesson.group.tutor_id,
            lesson_id=lesson.id,
            options=[["yes", wall_start.isoformat(timespec="minutes")], ["no"]],
            asked_at=clock.now(),
            expires_at=min(lesson.starts_at, clock.to_utc(wall_start, lesson.zone)) - ANSWERED_BY,
        )
        db.session.add(question)
        db.session.flush()
        telling.tell_question(question)
        _note("ask_for_time", lesson, {"household": household_id, "at": question.options[0][1]})
    return question


def answer_asked_time(
    question_id: int, accepts: bool, *, tutor_id: int | None = None
) -> Lesson | None:
    """Keep what a tutor says of a time that a family asked for: the lesson, once it is moved.

    Conflict where it is settled already, or something else took that time since. `tutor_id` names
    who answers on their own page.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        question = db.session.get(Question, question_id)
        if (
            question is None
            or question.kind is not QuestionKind.NEW_TIME
            or question.tutor_id is None
            or question.lesson_id is None
            or tutor_id not in (None, question.tutor_id)
        ):
            raise NotFound(_l("This question does not exist."))
        actor = tutor(question.tutor_id)
        lesson = lock_lesson(question.lesson_id, actor)
        db.session.refresh(question)
        if not is_open(question) or lesson.state is not LessonState.PLANNED:
            raise Conflict(_l("This is settled already, or it is too late."))
        question.answered_at = clock.now()
        question.answer = YES if accepts else NO
        _note("answer_asked_time", lesson, {"tutor": question.tutor_id, "agrees": accepts})
        if not accepts:
            return None
        db.session.flush()
        move_within(lesson, asked_time(question), actor)
    return lesson


def asked_time(question: Question) -> datetime:
    """The wall time that a family asked for."""
    return datetime.fromisoformat(question.options[0][1])


def asked_of(tutor_id: int) -> Sequence[Question]:
    """The times that families ask a tutor for and that wait for an answer, the oldest first."""
    return db.session.scalars(
        select(Question)
        .join(Question.lesson)
        .where(
            Question.kind == QuestionKind.NEW_TIME,
            Question.tutor_id == tutor_id,
            Question.answered_at.is_(None),
            Question.ended_at.is_(None),
            Question.expires_at > clock.now(),
            Lesson.state == LessonState.PLANNED,
        )
        .order_by(Question.id)
        .options(
            joinedload(Question.lesson)
            .joinedload(Lesson.group)
            .options(
                joinedload(Group.subject),
                selectinload(Group.memberships)
                .joinedload(Membership.request)
                .joinedload(TutoringRequest.pupil),
            )
        )
    ).all()


def asked_for(lesson_ids: Collection[int]) -> dict[int, Question]:
    """By lesson, the newest wish for another time of it, answered or not."""
    rows = db.session.scalars(
        select(Question)
        .where(
            Question.kind == QuestionKind.NEW_TIME,
            Question.tutor_id.is_not(None),
            Question.lesson_id.in_(lesson_ids),
        )
        .order_by(Question.id)
    )
    return {row.lesson_id: row for row in rows if row.lesson_id is not None}


def _asks_for(lesson_id: int) -> ColumnElement[bool]:
    return (Question.kind == QuestionKind.NEW_TIME) & (Question.lesson_id == lesson_id)


def _note(action: str, lesson: Lesson, detail: dict[str, object]) -> None:
    pupil_ids = [member.request.pupil_id for member in lesson.group.members]
    audit.note(action, f"lesson:{lesson.id}", None, pupil_ids=pupil_ids, detail=detail)
