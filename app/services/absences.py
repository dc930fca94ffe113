"""Days on which a volunteer gives no lessons: planned with what they cancel, and taken back.

Days are those of the families' calendar, by which lessons are dated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    LIVE_GROUPS,
    Coordinator,
    Group,
    Lesson,
    LessonState,
    Membership,
    Tutor,
    TutorAbsence,
    TutoringRequest,
)
from app.services import audit, change_policy, telling
from app.services.change_policy import Act, Role, is_in_time
from app.services.changes import telling_of
from app.services.ending import lock_groups
from app.services.errors import Conflict, Invalid, NotFound
from app.services.free_text import read_reason
from app.services.given import given_by
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.lessons import restore_lessons, withdraw_lessons
from app.services.reminders import plan_reminders
from app.services.school_calendar import REASONS, read_calendar
from app.services.searches import end_searches
from app.services.substitution import seek as seek_substitute
from app.services.vetting_term import today
from scheduler import clock

LONGEST = timedelta(days=42)
"""Who is away for longer pauses, so that the pupils can have somebody else."""
FURTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class PlannedAbsence:
    """An absence, and what it does or would do to lessons, in the order of time."""

    first_day: date
    last_day: date
    lessons: list[Lesson]
    """Those that it cancels, or gives back."""
    sought: list[Lesson] = field(default_factory=list)
    """Those for which somebody else is looked for: first of all, those that the tutor would have
    given in another's place."""


def list_absences(tutor_id: int) -> list[TutorAbsence]:
    """A tutor's absences that are not over, the next first."""
    return list(
        db.session.scalars(
            select(TutorAbsence)
            .where(TutorAbsence.tutor_id == tutor_id, TutorAbsence.last_day >= today())
            .order_by(TutorAbsence.first_day)
        )
    )


def preview_absence(
    tutor_id: int, first_day: date, last_day: date, *, seek: bool = False
) -> PlannedAbsence:
    """What an absence would do; Invalid or Conflict where there can be none on these days.

    With `seek`, somebody else is looked for wherever there is time for it.
    """
    _check(tutor_id, first_day, last_day)
    lessons = db.session.scalars(
        _given(tutor_id)
        .order_by(Lesson.starts_at, Lesson.id)
        .options(
            joinedload(Lesson.group).options(
                joinedload(Group.subject),
                selectinload(Group.memberships)
                .joinedload(Membership.request)
                .joinedload(TutoringRequest.pupil),
            )
        )
    )
    return _divided(_within(lessons, first_day, last_day), first_day, last_day, seek=seek)


def plan_absence(
    tutor_id: int,
    first_day: date,
    last_day: date,
    reason: str,
    by: Coordinator | None = None,
    *,
    seek: bool = False,
) -> PlannedAbsence:
    """Plan days away: their lessons are cancelled with the reminders, or somebody else is looked
    for (`seek`); none is made on them. Those concerned are told.

    `by` is the coordinator who does it for the tutor; None where the tutor does.
    """
    reason = read_reason(reason)
    if not reason:
        raise Invalid(_l("Say why you are away.") if by is None else _l("Say why."))
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        _check(tutor_id, first_day, last_day)
        _lock_live_groups(tutor_id)
        given = db.session.scalars(
            _given(tutor_id).order_by(Lesson.id).with_for_update(of=Lesson)
        ).all()
        planned = _divided(_within(given, first_day, last_day), first_day, last_day, seek=seek)
        absence = TutorAbsence(
            tutor_id=tutor_id,
            first_day=first_day,
            last_day=last_day,
            reason=reason,
            created_at=clock.now(),
        )
        db.session.add(absence)
        db.session.flush()
        who = change_policy.tutor(tutor_id) if by is None else change_policy.coordinator(by)
        with telling_of(planned.lessons, who):
            for lesson in planned.lessons:
                lesson.absence_id = absence.id
            withdraw_lessons(planned.lessons, reason)
        tutor = db.session.get_one(Tutor, tutor_id)
        for lesson in planned.sought:
            if lesson.substitute_id is None:
                lesson.absence_id = absence.id
            seek_substitute(lesson, tutor)
        _note("plan_absence", absence, [*planned.lessons, *planned.sought], by)
    return planned


def take_absence_back(
    tutor_id: int, absence_id: int, by: Coordinator | None = None
) -> PlannedAbsence:
    """Be there after all: what was cancelled and is still to come is planned again, nobody else is
    looked for, and those concerned are told.

    The lessons of it; those that were never made are made within the hour, as all others are.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        absence = db.session.get(TutorAbsence, absence_id, with_for_update=True)
        if absence is None or absence.tutor_id != tutor_id:
            raise NotFound(_l("These days off are no longer planned."))
        _lock_live_groups(tutor_id)
        cancelled = _cancelled_by(absence)
        sought = _still_sought(absence)
        known = telling.remember([*cancelled, *sought])
        calendar = read_calendar()
        for lesson in (*cancelled, *sought):
            lesson.absence_id = None
            ban = calendar.ban(lesson.wall_start, lesson.minutes, lesson.group.level_id)
            if lesson in cancelled and lesson.starts_at > clock.now() and ban is not None:
                # From here on the calendar alone stands against it, and may give it back.
                lesson.cancel_reason = REASONS[ban]
        db.session.delete(absence)
        db.session.flush()
        end_searches([*cancelled, *sought])
        restored = restore_lessons(cancelled)
        plan_reminders(sought)
        who = change_policy.tutor(tutor_id) if by is None else change_policy.coordinator(by)
        telling.tell_changes([*restored, *sought], known, but=who.untold)
        _note("take_absence_back", absence, restored, by)
        return _planned(absence, restored)


def _given(tutor_id: int) -> Select[Lesson]:
    """The planned lessons to come that a tutor gives, in another's place too."""
    return select(Lesson).where(
        given_by(tutor_id),
        Lesson.state == LessonState.PLANNED,
        Lesson.starts_at > clock.now(),
    )


def _divided(
    lessons: Iterable[Lesson], first_day: date, last_day: date, *, seek: bool
) -> PlannedAbsence:
    """Which are cancelled, and for which somebody else is looked for.

    Those of others are not the tutor's to cancel: their search decides.
    """
    planned = PlannedAbsence(first_day, last_day, [])
    for lesson in lessons:
        in_time = is_in_time(Act.FIND_SUBSTITUTE, Role.TUTOR, lesson)
        if lesson.substitute_id is not None or (seek and in_time):
            planned.sought.append(lesson)
        else:
            planned.lessons.append(lesson)
    return planned


def _still_sought(absence: TutorAbsence) -> list[Lesson]:
    """The lessons of these days that nobody has taken yet; locked."""
    return list(
        db.session.scalars(
            select(Lesson)
            .where(
                Lesson.absence_id == absence.id,
                Lesson.state == LessonState.PLANNED,
                Lesson.substitute_id.is_(None),
                Lesson.starts_at > clock.now(),
            )
            .order_by(Lesson.id)
            .with_for_update()
        )
    )


def _planned(absence: TutorAbsence, lessons: list[Lesson]) -> PlannedAbsence:
    ordered = sorted(lessons, key=lambda lesson: (lesson.starts_at, lesson.id))
    return PlannedAbsence(absence.first_day, absence.last_day, ordered)


def _check(tutor_id: int, first_day: date, last_day: date) -> None:
    if last_day < first_day:
        raise Invalid(_l("The last day must not be before the first."))
    if first_day < today():
        raise Invalid(_l("The first day is over already."))
    if last_day > today() + FURTHEST:
        raise Invalid(_l("That is more than a year ahead."))
    if last_day - first_day >= LONGEST:
        raise Invalid(_l("For more than six weeks, pause instead."))
    overlaps = select(TutorAbsence.id).where(
        TutorAbsence.tutor_id == tutor_id,
        TutorAbsence.first_day <= last_day,
        TutorAbsence.last_day >= first_day,
    )
    if db.session.scalar(overlaps.limit(1)) is not None:
        raise Conflict(_l("You are away on some of these days already."))


def _within(lessons: Iterable[Lesson], first_day: date, last_day: date) -> list[Lesson]:
    return [lesson for lesson in lessons if first_day <= lesson.wall_start.date() <= last_day]


def _lock_live_groups(tutor_id: int) -> list[Group]:
    """The tutor's groups, locked: so does whoever makes lessons."""
    groups = db.session.scalars(
        select(Group)
        .where(Group.tutor_id == tutor_id, Group.state.in_(LIVE_GROUPS))
        .order_by(Group.id)
    ).all()
    lock_groups(groups)
    return list(groups)


def _cancelled_by(absence: TutorAbsence) -> list[Lesson]:
    """The lessons that an absence cancelled, or kept from being planned again; locked."""
    return list(
        db.session.scalars(
            select(Lesson)
            .where(
                Lesson.group_id.in_(select(Group.id).where(Group.tutor_id == absence.tutor_id)),
                Lesson.state == LessonState.CANCELLED,
                or_(
                    Lesson.absence_id == absence.id,
                    Lesson.cancel_reason.in_(REASONS.values()) & (Lesson.starts_at > clock.now()),
                ),
            )
            .order_by(Lesson.id)
            .with_for_update()
        )
    )


def _note(
    action: str, absence: TutorAbsence, lessons: list[Lesson], by: Coordinator | None = None
) -> None:
    audit.note(
        action,
        f"tutor:{absence.tutor_id}",
        by,
        pupil_ids=[member.request.pupil_id for row in lessons for member in row.group.members],
        detail=({"tutor": absence.tutor_id} if by is None else {})
        | {
            "first_day": str(absence.first_day),
            "last_day": str(absence.last_day),
            "reason": absence.reason,
            "lessons": [lesson.id for lesson in lessons],
        },
    )
