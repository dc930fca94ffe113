"""Whether lessons were held, and who was there: noted once they have begun."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, case, delete, func, select
from sqlalchemy.orm import joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Attendance,
    Coordinator,
    Group,
    Lesson,
    LessonState,
    Membership,
    Pupil,
    Question,
    QuestionKind,
    Tutor,
    TutoringRequest,
)
from app.services import audit
from app.services.errors import Conflict, Invalid, NotFound
from app.services.flags import follow_note
from app.services.free_text import read_text
from app.services.given import given_by
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.lessons import lock_in_order
from app.services.own_clock import own_time
from app.services.paging import Page, page_of
from app.services.searches import end_questions
from scheduler import clock

LOOKED_BACK: Final = timedelta(weeks=4)
"""How far back a tutor sees their lessons, and may still note one."""
CHANGEABLE: Final = timedelta(days=14)
"""How long after it was first noted a tutor may correct a lesson; a coordinator always may."""
LONGEST_NOTE: Final = 1000
PER_PAGE: Final = 30
OUTCOMES: Final = (LessonState.HELD, LessonState.PUPIL_ABSENT, LessonState.NOT_HELD)
_BEGUN: Final = (LessonState.PLANNED, *OUTCOMES)


@dataclass(frozen=True, slots=True)
class PastLesson:
    """A lesson that has begun, who belonged to it, and the ids of the requests noted as absent."""

    lesson: Lesson
    members: list[Membership]
    absent: frozenset[int]

    @property
    def own(self) -> datetime | None:
        """The start on the tutor's clocks, where they differ from the family's."""
        lesson = self.lesson
        return own_time(lesson.given_by, lesson.starts_at, lesson.wall_start)

    @property
    def pupils(self) -> list[Pupil]:
        return [member.request.pupil for member in self.members]

    @property
    def is_noted(self) -> bool:
        return self.lesson.state is not LessonState.PLANNED

    @property
    def may_be_noted(self) -> bool:
        """Whether its tutor may still say how it went, or correct what was said."""
        return _is_open(self.lesson)


def members_at(lesson: Lesson) -> list[Membership]:
    """The seats that a lesson was for: accepted before it began, and not ended by then."""
    return [
        member
        for member in lesson.group.memberships
        if member.active_since is not None
        and member.active_since <= lesson.starts_at
        and (member.ended_at is None or member.ended_at > lesson.starts_at)
    ]


def count_unnoted(tutor: Tutor) -> int:
    """How many lessons of the last weeks wait for their tutor's word."""
    begun = _begun_lessons(tutor).where(Lesson.state == LessonState.PLANNED)
    return db.session.scalar(select(func.count()).select_from(begun.subquery())) or 0


def list_past_lessons(tutor: Tutor, page_number: int) -> tuple[list[PastLesson], Page]:
    """A page of a tutor's lessons of the last weeks: those not noted yet first, then the newest."""
    begun = _begun_lessons(tutor)
    total = db.session.scalar(select(func.count()).select_from(begun.subquery())) or 0
    page = page_of(total, page_number, PER_PAGE)
    return _read(begun.offset(page.first).limit(page.size)), page


def newest_unnoted(tutor: Tutor, most: int) -> list[PastLesson]:
    """The newest few of the lessons that wait for their tutor's word."""
    return _read(_begun_lessons(tutor).where(Lesson.state == LessonState.PLANNED).limit(most))


def get_past_lesson(lesson_id: int, *, tutor_id: int | None = None) -> PastLesson:
    """A lesson that has begun and was not cancelled; with `tutor_id`, one of that tutor's."""
    begun = select(Lesson).where(
        Lesson.id == lesson_id, Lesson.state.in_(_BEGUN), Lesson.starts_at <= clock.now()
    )
    if tutor_id is not None:
        begun = begun.where(given_by(tutor_id))
    for entry in _read(begun):
        return entry
    raise NotFound(_l("This lesson is not among those that have begun."))


def note_lesson(
    lesson_id: int,
    state: LessonState,
    absent_request_ids: Collection[int],
    note: str,
    *,
    tutor_id: int | None = None,
    by: Coordinator | None = None,
) -> Lesson:
    """Say how a lesson went, and who of a group was not there; said again, it is corrected.

    `tutor_id` is the tutor who says it, `by` the coordinator who does so instead. A tutor can for
    four weeks, and correct it for two more.
    """
    if state not in OUTCOMES:
        raise Invalid(_l("Say how the lesson went."))
    said = read_text(note, LONGEST_NOTE)
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        lesson = _locked(lesson_id, tutor_id)
        if lesson.starts_at > clock.now():
            raise Conflict(_l("This lesson has not begun yet."))
        if lesson.state not in _BEGUN:
            raise Conflict(_l("This lesson was cancelled."))
        if by is None and not _is_open(lesson):
            raise Conflict(_l("This can no longer be changed here. Ask a coordinator."))
        write_note(
            lesson,
            state,
            absent_request_ids,
            said,
            by,
            {} if tutor_id is None else {"tutor": tutor_id},
        )
    return lesson


def write_note(
    lesson: Lesson,
    state: LessonState,
    absent_request_ids: Collection[int],
    note: str | None,
    by: Coordinator | None,
    said_by: dict[str, int],
) -> None:
    """Write how a lesson went, with what follows of it: nobody is asked any more, flags are raised.

    Part of the caller's transaction, which holds the groups' lock and has locked the lesson.
    `said_by` names who says so in the trace.
    """
    seated = {member.request_id: member.request.pupil_id for member in members_at(lesson)}
    absent = _absent(state, set(seated), set(absent_request_ids))
    lesson.state = state
    lesson.note = note or None
    lesson.noted_at = lesson.noted_at or clock.now()
    db.session.execute(delete(Attendance).where(Attendance.lesson_id == lesson.id))
    if state is not LessonState.NOT_HELD:
        db.session.add_all(
            Attendance(lesson_id=lesson.id, request_id=number, present=number not in absent)
            for number in seated
        )
    end_questions(Question.kind == QuestionKind.WAS_IT_HELD, Question.lesson_id == lesson.id)
    audit.note(
        "note_lesson",
        f"lesson:{lesson.id}",
        by,
        pupil_ids=seated.values(),
        detail={"state": state.value, "absent": sorted(absent)} | said_by,
    )
    db.session.flush()
    follow_note(lesson)


def _absent(state: LessonState, seated: set[int], said: set[int]) -> set[int]:
    """The requests whose pupils were not there."""
    if state is LessonState.PUPIL_ABSENT:
        return seated
    if state is LessonState.NOT_HELD:
        return set()
    if not said <= seated:
        raise Invalid(_l("One of these pupils does not belong to this lesson."))
    if seated and said == seated:
        raise Invalid(_l("If nobody came, choose that instead."))
    return said


def _locked(lesson_id: int, tutor_id: int | None) -> Lesson:
    lesson = lock_in_order(lesson_id)
    if lesson is None or (tutor_id is not None and lesson.given_by.id != tutor_id):
        raise NotFound(_l("This lesson does not exist."))
    return lesson


def _is_open(lesson: Lesson) -> bool:
    now = clock.now()
    if lesson.noted_at is not None:
        return now < lesson.noted_at + CHANGEABLE
    return now < lesson.starts_at + LOOKED_BACK


def _begun_lessons(tutor: Tutor) -> Select[Lesson]:
    now = clock.now()
    return (
        select(Lesson)
        .where(
            given_by(tutor.id),
            Lesson.state.in_(_BEGUN),
            Lesson.starts_at <= now,
            Lesson.starts_at > now - LOOKED_BACK,
        )
        .order_by(
            case((Lesson.state == LessonState.PLANNED, 0), else_=1),
            Lesson.starts_at.desc(),
            Lesson.id.desc(),
        )
    )


def _read(statement: Select[Lesson]) -> list[PastLesson]:
    """The lessons of a statement, with all that pages say of them."""
    lessons = db.session.scalars(
        statement.options(
            joinedload(Lesson.substitute),
            joinedload(Lesson.group).options(
                joinedload(Group.tutor),
                joinedload(Group.subject),
                joinedload(Group.level),
                selectinload(Group.memberships)
                .joinedload(Membership.request)
                .joinedload(TutoringRequest.pupil),
            ),
        )
    ).all()
    absent: dict[int, set[int]] = {}
    rows = select(Attendance.lesson_id, Attendance.request_id).where(
        Attendance.lesson_id.in_([lesson.id for lesson in lessons]), Attendance.present.is_(False)
    )
    for lesson_id, request_id in db.session.execute(rows):
        absent.setdefault(lesson_id, set()).add(request_id)
    return [
        PastLesson(lesson, members_at(lesson), frozenset(absent.get(lesson.id, ())))
        for lesson in lessons
    ]
