"""Dated lessons: made four weeks ahead, cancelled, and kept right when time zone data change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import delete, func, select
from sqlalchemy.orm import joinedload, subqueryload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    DAYS,
    Coordinator,
    Group,
    GroupState,
    Lesson,
    LessonAnswer,
    LessonState,
    Membership,
    Pupil,
    TutorAbsence,
    TutoringRequest,
)
from app.services import audit
from app.services.errors import Conflict, Invalid, NotFound
from app.services.free_text import read_reason
from app.services.paging import Page, page_of
from app.services.programme import matching_rules
from app.services.reminders import cancel_reminders, plan_reminders
from app.services.scope import Scope
from app.services.terms import Days, is_in_term, term_days
from app.services.within import groups_within
from scheduler import clock
from scheduler.calendar import weekly_dates

AHEAD = timedelta(weeks=4)
SHORTEST_NOTICE = timedelta(hours=3)
"""A first lesson sooner than this would begin before its family could be reminded of it."""
PER_PAGE = 100


def plan_lessons(group: Group) -> list[Lesson]:
    """Make the lessons of the next four weeks that an active group lacks, with their reminders.

    Part of the caller's transaction. A lesson that was cancelled is not made again, and none is
    made on days on which the tutor is away, or outside the terms.
    """
    zone = current_app.config["N9RAW"].civil_zone
    away = _days_away([group.tutor_id]).get(group.tutor_id, [])
    known = set(db.session.scalars(select(Lesson.wall_start).where(Lesson.group_id == group.id)))
    made = [
        Lesson(
            group=group,
            wall_start=wall,
            zone=zone,
            tz_version=clock.tz_version(),
            starts_at=clock.to_utc(wall, zone),
            minutes=matching_rules().lesson_minutes,
        )
        for wall in _walls(group.starts, away, term_days())
        if wall not in known
    ]
    db.session.add_all(made)
    db.session.flush()
    plan_reminders(made)
    return made


def keep_lessons() -> None:
    """What the worker does for the calendar: follow the tz data, then make what is to come."""
    follow_tz_data()
    extend_lessons()


def extend_lessons() -> int:
    """Make the lessons that have come within four weeks; how many. Safe to call at any time."""
    made = 0
    for group_id in _groups_that_lack_lessons():
        with transaction():
            group = db.session.get_one(Group, group_id, with_for_update=True)
            if group.state is GroupState.ACTIVE:
                made += len(plan_lessons(group))
    return made


def _groups_that_lack_lessons() -> list[int]:
    """Found by reading alone: taking every group's lock each hour would hold up deliveries."""
    active = select(Group.id, Group.tutor_id, Group.starts).where(Group.state == GroupState.ACTIVE)
    groups = db.session.execute(active.order_by(Group.id)).all()
    away = _days_away({row.tutor_id for row in groups})
    terms = term_days()
    coming = select(Lesson.group_id, Lesson.wall_start).where(Lesson.starts_at > clock.now())
    known = {(row.group_id, row.wall_start) for row in db.session.execute(coming)}
    return [
        row.id
        for row in groups
        if any(
            (row.id, wall) not in known
            for wall in _walls(row.starts, away.get(row.tutor_id, []), terms)
        )
    ]


def restore_lessons(lessons: Collection[Lesson]) -> list[Lesson]:
    """Plan cancelled lessons again, with reminders, where each could be made today; which ones.

    What families said of them, they said before it changed: they are asked anew. Part of the
    caller's transaction, which has locked the lessons.
    """
    groups = {lesson.group for lesson in lessons if lesson.group.state is GroupState.ACTIVE}
    away = _days_away({group.tutor_id for group in groups})
    terms = term_days()
    possible = {
        group: set(_walls(group.starts, away.get(group.tutor_id, []), terms)) for group in groups
    }
    restored = [row for row in lessons if row.wall_start in possible.get(row.group, ())]
    for lesson in restored:
        lesson.state = LessonState.PLANNED
        lesson.version += 1
        lesson.cancelled_at = lesson.cancel_reason = None
        lesson.starts_at = clock.to_utc(lesson.wall_start, lesson.zone)
        lesson.tz_version = clock.tz_version()
    answered = LessonAnswer.lesson_id.in_([lesson.id for lesson in restored])
    db.session.execute(delete(LessonAnswer).where(answered))
    db.session.flush()
    plan_reminders(restored)
    return restored


def _days_away(tutor_ids: Collection[int]) -> dict[int, list[Days]]:
    """The days on which each of these tutors gives no lessons, as far as lessons are made."""
    today = clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone).date()
    rows = db.session.execute(
        select(TutorAbsence.tutor_id, TutorAbsence.first_day, TutorAbsence.last_day).where(
            TutorAbsence.last_day >= today
        )
    )
    away: dict[int, list[Days]] = {}
    for tutor_id, first, last in rows:
        if tutor_id in tutor_ids:
            away.setdefault(tutor_id, []).append((first, last))
    return away


def _walls(
    starts: Iterable[list[Any] | None], away: Collection[Days], terms: Collection[Days]
) -> list[datetime]:
    """The wall times of the next four weeks' lessons, within the terms, but for days away."""
    zone = current_app.config["N9RAW"].civil_zone
    now = clock.now()
    walls = weekly_dates(
        [(DAYS.index(start[0]), _minute(start[1])) for start in starts if start],
        after=clock.to_wall(now + SHORTEST_NOTICE, zone),
        until=clock.to_wall(now + AHEAD, zone),
    )
    return [
        wall
        for wall in walls
        if is_in_term(wall.date(), terms)
        and not any(first <= wall.date() <= last for first, last in away)
    ]


def follow_tz_data() -> int:
    """Derive future lessons again where tz data changed since; how many moved on the world's clock.

    The family's clock rules: the wall time stays, the instant moves, and so do its reminders.
    """
    moved = 0
    stale = select(Lesson.id).where(
        Lesson.tz_version != clock.tz_version(),
        Lesson.starts_at > clock.now(),
        Lesson.state == LessonState.PLANNED,
    )
    for lesson_id in db.session.scalars(stale.order_by(Lesson.id)).all():
        with transaction():
            lesson = db.session.get_one(Lesson, lesson_id, with_for_update=True)
            if lesson.state is not LessonState.PLANNED:
                continue
            instant = clock.to_utc(lesson.wall_start, lesson.zone)
            lesson.tz_version = clock.tz_version()
            if instant != lesson.starts_at:
                cancel_reminders([lesson])
                lesson.starts_at = instant
                lesson.version += 1
                db.session.flush()
                plan_reminders([lesson])
                audit.note("move_with_tz_data", f"lesson:{lesson.id}", None)
                moved += 1
    return moved


def cancel_lesson(
    lesson_id: int, reason: str, by: Coordinator | None = None, *, tutor_id: int | None = None
) -> Lesson:
    """Cancel a planned lesson with its reminders. `tutor_id` names the tutor who does it."""
    reason = read_reason(reason)
    if not reason:
        raise Invalid(_l("Say why the lesson is cancelled."))
    with transaction():
        lesson = db.session.get(Lesson, lesson_id, with_for_update=True)
        if lesson is None or (tutor_id is not None and lesson.group.tutor_id != tutor_id):
            raise NotFound(_l("This lesson does not exist."))
        if lesson.state is not LessonState.PLANNED:
            raise Conflict(_l("Only a planned lesson can be cancelled."))
        if lesson.starts_at <= clock.now():
            raise Conflict(_l("This lesson has begun already."))
        withdraw_lessons([lesson], reason)
        audit.note(
            "cancel_lesson",
            f"lesson:{lesson.id}",
            by,
            pupil_ids=[member.request.pupil_id for member in lesson.group.members],
            detail={"reason": reason} | _by_tutor(tutor_id),
        )
    return lesson


def withdraw_lessons(lessons: Collection[Lesson], reason: str) -> None:
    """Cancel lessons that the caller has locked; part of the caller's transaction."""
    for lesson in lessons:
        lesson.state = LessonState.CANCELLED
        lesson.version += 1
        lesson.cancelled_at = clock.now()
        lesson.cancel_reason = reason
    cancel_reminders(lessons)


def future_lessons(*group_ids: int) -> list[Lesson]:
    """Groups' planned lessons that are still to come, locked, in the order of their ids."""
    return list(
        db.session.scalars(
            select(Lesson)
            .where(
                Lesson.group_id.in_(group_ids),
                Lesson.state == LessonState.PLANNED,
                Lesson.starts_at > clock.now(),
            )
            .order_by(Lesson.id)
            .with_for_update()
        )
    )


def list_coming_lessons(days: int, scope: Scope, page_number: int) -> tuple[list[Lesson], Page]:
    """One page of the lessons of the next days in these zones, planned or cancelled, in order."""
    now = clock.now()
    coming = (
        Lesson.starts_at > now,
        Lesson.starts_at <= now + timedelta(days=days),
        groups_within(scope, Lesson.group_id),
    )
    total = db.session.scalar(select(func.count()).select_from(Lesson).where(*coming)) or 0
    page = page_of(total, page_number, PER_PAGE)
    lessons = list(
        db.session.scalars(
            select(Lesson)
            .where(*coming)
            .order_by(Lesson.starts_at, Lesson.id)
            .limit(page.size)
            .offset(page.first)
            .options(
                joinedload(Lesson.group).options(
                    joinedload(Group.tutor).lazyload("*"),
                    joinedload(Group.subject),
                    joinedload(Group.level),
                    subqueryload(Group.memberships)
                    .joinedload(Membership.request)
                    .joinedload(TutoringRequest.pupil)
                    .joinedload(Pupil.household)
                    .lazyload("*"),
                )
            )
        )
    )
    return lessons, page


def _by_tutor(tutor_id: int | None) -> dict[str, int]:
    return {} if tutor_id is None else {"tutor": tutor_id}


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return 60 * int(hours) + int(minutes)
