"""Another time for a lesson that nobody could give: asked of its families, who all must agree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Coordinator,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonAnswer,
    LessonState,
    Question,
    QuestionKind,
    Tutor,
)
from app.services import audit, telling
from app.services.clashes import surroundings
from app.services.errors import Conflict, NotFound
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.programme import matching_rules
from app.services.reminders import plan_reminders, recipients_of
from app.services.searches import end_questions, is_open
from app.services.vetting_term import is_vetted
from scheduler import clock

WITHIN: Final = timedelta(days=7)
"""How long after the lesson's own time another one is of use."""
NOTICE: Final = timedelta(hours=24)
"""How far ahead another time must be, so that it can be asked, agreed and told."""
ANSWERED_BY: Final = timedelta(hours=12)
"""How long before the new time the last family must have agreed."""
LONGEST_WAIT: Final = timedelta(days=2)
YES, NO = 1, 2


def propose_new_time(lesson: Lesson) -> datetime | None:
    """Ask a lesson's families whether it can be held at the next time that suits all; that time.

    None where there is no such time in the week after it: the families are called. Part of the
    transaction that cancelled the lesson.
    """
    families = _families(lesson)
    wall = next_time(lesson)
    if wall is None:
        telling.put_among_calls(families)
        return None
    now = clock.now()
    expires = min(now + LONGEST_WAIT, clock.to_utc(wall, lesson.zone) - ANSWERED_BY)
    for household_id in families:
        question = Question(
            kind=QuestionKind.NEW_TIME,
            household_id=household_id,
            lesson_id=lesson.id,
            options=[["yes", wall.isoformat(timespec="minutes")], ["no"]],
            asked_at=now,
            expires_at=expires,
        )
        db.session.add(question)
        db.session.flush()
        telling.tell_question(question)
    return wall


def next_time(lesson: Lesson) -> datetime | None:
    """The next wall time in the hours of the tutor and of all families that clashes with nothing.

    None also where somebody's hours are not known: such times are agreed by telephone.
    """
    group = lesson.group
    homes = [seat.request.pupil.household for seat in group.members]
    may = group.state is GroupState.ACTIVE and is_vetted(group.tutor) and homes
    if not may or not _has_hours(group.tutor) or not all(map(_has_hours, homes)):
        return None
    now = clock.now()
    first = clock.to_wall(now + NOTICE, lesson.zone).date()
    last = clock.to_wall(lesson.starts_at + WITHIN, lesson.zone)
    around = surroundings(lesson, first, last.date())
    own_days = _days_of(lesson)
    grid = timedelta(minutes=matching_rules().start_every)
    wall = datetime.combine(first, datetime.min.time())
    while wall <= last:
        if wall.date() in own_days:
            wall = datetime.combine(wall.date(), datetime.min.time()) + timedelta(days=1)
        elif around.clashes_at(wall, ahead=NOTICE, within=WITHIN):
            wall += grid
        else:
            return wall
    return None


def answer_new_time(
    question_id: int,
    accepts: bool,
    *,
    household_id: int | None = None,
    by: Coordinator | None = None,
) -> Lesson | None:
    """Keep what a family says of another time: the lesson once it is planned anew, else None.

    All families must agree; the first no ends it for all. Conflict where it is settled already, or
    something else took that time since. `household_id` names whose page it was answered on, `by`
    the coordinator to whom the family said it.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        question = db.session.get(Question, question_id)
        if (
            question is None
            or question.kind is not QuestionKind.NEW_TIME
            or question.household_id is None
            or question.lesson_id is None
            or household_id not in (None, question.household_id)
        ):
            raise NotFound(_l("This question does not exist."))
        lesson = db.session.get_one(Lesson, question.lesson_id, with_for_update=True)
        db.session.refresh(question)
        if not is_open(question) or lesson.state is not LessonState.CANCELLED:
            raise Conflict(_l("This is settled already. The coordinators can tell you more."))
        question.answered_at = clock.now()
        question.answer = YES if accepts else NO
        said = {"household": question.household_id, "agrees": accepts}
        _note("answer_new_time", lesson, said, by)
        if not accepts:
            _end(lesson)
            return None
        db.session.flush()
        if not _all_agree(lesson, question):
            return None
        wall = proposed_time(question)
        if not _is_free(lesson, wall):
            raise Conflict(_l("Something else is planned at that time by now."))
        _plan(lesson, wall, by)
    return lesson


def proposed_time(question: Question) -> datetime:
    """The wall time that a question proposes."""
    return datetime.fromisoformat(question.options[0][1])


def open_proposals(household_id: int) -> Sequence[Question]:
    """The questions of a family about new times that it can still answer, the first first."""
    return db.session.scalars(
        select(Question)
        .where(
            Question.household_id == household_id,
            Question.kind == QuestionKind.NEW_TIME,
            Question.answered_at.is_(None),
            Question.ended_at.is_(None),
            Question.expires_at > clock.now(),
        )
        .order_by(Question.id)
        .options(joinedload(Question.lesson).joinedload(Lesson.group).joinedload(Group.subject))
    ).all()


def end_old_proposals() -> int:
    """End the proposals that a family let pass, for all families of the lesson; how many."""
    over = select(Question.lesson_id).where(
        Question.kind == QuestionKind.NEW_TIME,
        Question.answered_at.is_(None),
        Question.ended_at.is_(None),
        Question.expires_at <= clock.now(),
    )
    lessons = sorted({number for number in db.session.scalars(over) if number is not None})
    for lesson_id in lessons:
        with transaction():
            _end(db.session.get_one(Lesson, lesson_id, with_for_update=True))
    return len(lessons)


def _plan(lesson: Lesson, wall: datetime, by: Coordinator | None) -> None:
    known = telling.remember([lesson])
    lesson.state = LessonState.PLANNED
    lesson.version += 1
    lesson.wall_start = wall
    lesson.starts_at = clock.to_utc(wall, lesson.zone)
    lesson.tz_version = clock.tz_version()
    lesson.cancelled_at = lesson.cancel_reason = lesson.absence_id = None
    lesson.substitute = None
    # What families said of it, they said of the other time.
    db.session.execute(delete(LessonAnswer).where(LessonAnswer.lesson_id == lesson.id))
    db.session.flush()
    plan_reminders([lesson])
    telling.tell_changes([lesson], known)
    _note("plan_at_new_time", lesson, {"at": wall.isoformat(timespec="minutes")}, by)


def _end(lesson: Lesson) -> None:
    end_questions(Question.kind == QuestionKind.NEW_TIME, Question.lesson_id == lesson.id)


def _all_agree(lesson: Lesson, question: Question) -> bool:
    """Whether each family that sits in the group by now said yes to this time."""
    said = db.session.scalars(
        select(Question.household_id).where(
            Question.lesson_id == lesson.id,
            Question.kind == QuestionKind.NEW_TIME,
            Question.asked_at == question.asked_at,
            Question.answer == YES,
        )
    ).all()
    return set(_families(lesson)) <= set(said)


def _is_free(lesson: Lesson, wall: datetime) -> bool:
    around = surroundings(lesson, wall.date(), wall.date())
    return (
        lesson.group.state is GroupState.ACTIVE
        and is_vetted(lesson.group.tutor)
        and wall.date() not in _days_of(lesson)
        and not around.clashes_at(wall, ahead=timedelta(), within=WITHIN)
    )


def _has_hours(who: Tutor | Household) -> bool:
    return not who.times_to_agree and bool(who.windows)


def _days_of(lesson: Lesson) -> set[date]:
    """The days on which the lesson's group meets otherwise: it meets once a day."""
    others = select(Lesson.wall_start).where(
        Lesson.group_id == lesson.group_id,
        Lesson.id != lesson.id,
        Lesson.state == LessonState.PLANNED,
    )
    return {wall.date() for wall in db.session.scalars(others)}


def _families(lesson: Lesson) -> list[int]:
    return [one.id for one in recipients_of(lesson) if one.table == "household"]


def _note(action: str, lesson: Lesson, detail: dict[str, Any], by: Coordinator | None) -> None:
    pupil_ids = [seat.request.pupil_id for seat in lesson.group.members]
    audit.note(action, f"lesson:{lesson.id}", by, pupil_ids=pupil_ids, detail=detail)
