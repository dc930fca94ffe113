"""What families say of lessons to come: that they will be there, or that they can't."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import GroupState, Lesson, LessonAnswer, LessonState, Pupil
from app.services import audit
from app.services.errors import Conflict, NotFound
from app.services.reminders import Recipient, cancel_reminders, lock_recipients, plan_reminders
from scheduler import clock


def answer_lesson(household_id: int, lesson_id: int, *, coming: bool) -> Lesson:
    """Keep what a family says of a lesson until it begins; the last word counts.

    Whoever can't come is reminded no more; whoever can after all is reminded again. The lesson
    itself stays: its tutor, and other families, decide on it.
    """
    with transaction():
        lesson = db.session.get(Lesson, lesson_id, with_for_update=True)
        if lesson is None or not _pupils_in(lesson, household_id):
            raise NotFound(_l("This lesson does not exist."))
        if lesson.state is not LessonState.PLANNED:
            raise Conflict(_l("This lesson is cancelled."))
        if lesson.starts_at <= clock.now():
            raise Conflict(_l("This lesson has begun already."))
        keep_answer(lesson, household_id, coming=coming)
    return lesson


def keep_answer(lesson: Lesson, household_id: int, *, coming: bool) -> None:
    """As `answer_lesson`, part of a transaction that has locked the lesson, which is to come."""
    family = Recipient("household", household_id)
    lock_recipients([family])
    answer = db.session.get(LessonAnswer, (lesson.id, household_id), populate_existing=True)
    if answer is not None and answer.coming == coming:
        return
    if answer is None:
        answer = LessonAnswer(lesson_id=lesson.id, household_id=household_id)
        db.session.add(answer)
    answer.coming = coming
    answer.answered_at = clock.now()
    db.session.flush()
    if coming:
        plan_reminders([lesson], only=[family])
    else:
        cancel_reminders([lesson], only=[family])
    audit.note(
        "answer_lesson",
        f"lesson:{lesson.id}",
        None,
        pupil_ids=[pupil.id for pupil in _pupils_in(lesson, household_id)],
        detail={"household": household_id, "coming": coming},
    )


def answers_of(household_id: int, lesson_ids: Collection[int]) -> dict[int, bool]:
    """What a family said of these lessons: by lesson, whether it will be there."""
    said = select(LessonAnswer.lesson_id, LessonAnswer.coming).where(
        LessonAnswer.household_id == household_id, LessonAnswer.lesson_id.in_(lesson_ids)
    )
    return {row.lesson_id: row.coming for row in db.session.execute(said)}


def _pupils_in(lesson: Lesson, household_id: int) -> list[Pupil]:
    """The family's children who take part in a lesson by now."""
    if lesson.group.state is not GroupState.ACTIVE:
        return []
    seated = (m.request.pupil for m in lesson.group.members if m.active_since is not None)
    return [pupil for pupil in seated if pupil.household_id == household_id]
