"""Dated lessons: made four weeks ahead, cancelled, and kept right when time zone data change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import joinedload, subqueryload

from app.database import transaction
from app.extensions import db
from app.models import (
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
from app.services import audit, telling
from app.services.clashes import surroundings
from app.services.paging import Page, page_of
from app.services.programme import matching_rules
from app.services.reminders import (
    Recipient,
    cancel_reminders,
    plan_reminders,
    recipients_of,
)
from app.services.school_calendar import read_calendar, weekly, weekly_of
from app.services.scope import Scope
from app.services.searches import end_searches
from app.services.within import groups_within
from scheduler import clock
from scheduler.calendar import Days, SchoolCalendar, Weekly, is_within

AHEAD = timedelta(weeks=4)
SHORTEST_NOTICE = timedelta(hours=3)
"""A first lesson sooner than this would begin before its family could be reminded of it."""
PER_PAGE = 100


def plan_lessons(group: Group) -> list[Lesson]:
    """Make the lessons of the next four weeks that an active group lacks, with their reminders.

    Part of the caller's transaction, which holds the group. A lesson that was cancelled or moved is
    not made again, and none is made on days on which the tutor is away, or where the calendar
    allows none.
    """
    zone = current_app.config["N9RAW"].civil_zone
    minutes = matching_rules().lesson_minutes
    away = _days_away([group.tutor_id]).get(group.tutor_id, [])
    known = set(db.session.scalars(select(Lesson.slot_start).where(Lesson.group_id == group.id)))
    made = [
        Lesson(
            group=group,
            wall_start=wall,
            zone=zone,
            tz_version=clock.tz_version(),
            starts_at=clock.to_utc(wall, zone),
            minutes=minutes,
        )
        for wall in _walls(weekly_of(group), minutes, away, read_calendar())
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
    active = select(Group.id, Group.tutor_id, Group.level_id, Group.starts).where(
        Group.state == GroupState.ACTIVE
    )
    groups = db.session.execute(active.order_by(Group.id)).all()
    minutes = matching_rules().lesson_minutes
    away = _days_away({row.tutor_id for row in groups})
    calendar = read_calendar()
    # By the slot: a lesson that was moved stands for it wherever it is.
    coming = select(Lesson.group_id, Lesson.slot_start).where(Lesson.slot_start > _wall_now())
    known = {(row.group_id, row.slot_start) for row in db.session.execute(coming)}
    return [
        row.id
        for row in groups
        if any(
            (row.id, wall) not in known
            for wall in _walls(
                weekly(row.id, row.level_id, row.starts),
                minutes,
                away.get(row.tutor_id, []),
                calendar,
            )
        )
    ]


def restore_lessons(lessons: Collection[Lesson]) -> list[Lesson]:
    """Plan cancelled lessons again, with reminders, where each could be made today; which ones.

    Not where somebody whom it needs has another lesson then, which was moved there meanwhile.
    What families said of them, they said before it changed: they are asked anew. Part of the
    caller's transaction, which has locked the lessons.
    """
    groups = {lesson.group for lesson in lessons if lesson.group.state is GroupState.ACTIVE}
    away = _days_away({row.given_by.id for row in lessons if row.group in groups})
    calendar = read_calendar()
    slots = {group: _slots_of(lessons, group, calendar) for group in groups}
    possible = [
        row
        for row in lessons
        if row.slot_start in slots.get(row.group, ())
        and row.wall_start > _wall_now() + SHORTEST_NOTICE
        and not is_within(row.wall_start.date(), away.get(row.given_by.id, []))
        and calendar.ban(row.wall_start, row.minutes, row.group.level_id) is None
    ]
    restored = []
    astray = _moved_or_given_by_others()
    # One after the other, those of the week first: two that come back can meet each other too.
    for lesson in sorted(possible, key=lambda row: (is_astray(row), row.id)):
        if (is_astray(lesson) or _meets(lesson, astray)) and is_taken(lesson):
            continue
        restored.append(lesson)
        lesson.state = LessonState.PLANNED
        lesson.version += 1
        lesson.cancelled_at = lesson.cancel_reason = None
        put_at(lesson, lesson.wall_start)
    forget_answers(restored)
    plan_reminders(restored)
    return restored


def _moved_or_given_by_others() -> list[tuple[datetime, datetime]]:
    """When the lessons to come go on that are not at the weekly time, or not the tutor's own."""
    rows = db.session.execute(
        select(Lesson.starts_at, Lesson.minutes).where(
            Lesson.state == LessonState.PLANNED,
            Lesson.starts_at > clock.now(),
            or_(Lesson.wall_start != Lesson.slot_start, Lesson.substitute_id.is_not(None)),
        )
    )
    return [(starts_at, starts_at + timedelta(minutes=minutes)) for starts_at, minutes in rows]


def is_astray(lesson: Lesson) -> bool:
    """Whether a lesson is not at its weekly time, or not given by the group's own tutor."""
    return lesson.wall_start != lesson.slot_start or lesson.substitute_id is not None


def _meets(lesson: Lesson, stretches: Iterable[tuple[datetime, datetime]]) -> bool:
    starts_at = clock.to_utc(lesson.wall_start, lesson.zone)
    ends_at = starts_at + timedelta(minutes=lesson.minutes)
    return any(begins < ends_at and starts_at < ends for begins, ends in stretches)


def is_taken(lesson: Lesson) -> bool:
    """Whether somebody whom a lesson needs is in another one at its time."""
    day = lesson.wall_start.date()
    return bool(surroundings(lesson, day, day).busy_at(lesson.wall_start))


def move_lessons(walls: Mapping[Lesson, datetime]) -> None:
    """Give planned lessons other wall times, under the next version, with new reminders.

    Families are asked anew whether they will be there. Part of the caller's transaction, which has
    locked the lessons.
    """
    cancel_reminders(walls)
    for lesson, wall in walls.items():
        lesson.version += 1
        put_at(lesson, wall)
    forget_answers(walls)
    plan_reminders(walls)


def put_at(lesson: Lesson, wall: datetime) -> None:
    """Set when a lesson is, by the clock of its families."""
    lesson.wall_start = wall
    lesson.starts_at = clock.to_utc(wall, lesson.zone)
    lesson.tz_version = clock.tz_version()


def forget_answers(lessons: Iterable[Lesson]) -> None:
    """Drop what families said of lessons before these changed."""
    answered = LessonAnswer.lesson_id.in_([lesson.id for lesson in lessons])
    db.session.execute(delete(LessonAnswer).where(answered))
    db.session.flush()


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
    group: Weekly, minutes: int, away: Collection[Days], calendar: SchoolCalendar
) -> list[datetime]:
    """The wall times of the next four weeks' lessons that may be held."""
    return [
        wall
        for wall in sorted(_slots(group, calendar))
        if calendar.ban(wall, minutes, group.level_id) is None and not is_within(wall.date(), away)
    ]


def _slots(group: Weekly, calendar: SchoolCalendar) -> set[datetime]:
    """When a group's lessons of the next four weeks are, held or not."""
    now = _wall_now()
    return set(calendar.slots(group, after=now + SHORTEST_NOTICE, until=now + AHEAD).values())


def _slots_of(lessons: Collection[Lesson], group: Group, calendar: SchoolCalendar) -> set[datetime]:
    """A group's slots as far as these lessons of it reach."""
    known = [lesson.slot_start for lesson in lessons if lesson.group is group]
    first, last = min(known), max(known)
    return set(calendar.slots(weekly_of(group), first - timedelta(minutes=1), last).values())


def _wall_now() -> datetime:
    return clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone)


def follow_tz_data() -> int:
    """Derive future lessons again where tz data changed since; how many moved on the world's clock.

    The family's clock rules: the wall time stays, the instant moves, and so do its reminders. For
    families nothing has changed; a volunteer whose own clock shows another time now is told.
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
                known = telling.remember([lesson])
                cancel_reminders([lesson])
                lesson.starts_at = instant
                lesson.version += 1
                db.session.flush()
                plan_reminders([lesson])
                telling.tell_changes([lesson], known, but=_whose_clock_is_the_same(lesson))
                audit.note("move_with_tz_data", f"lesson:{lesson.id}", None)
                moved += 1
    return moved


def _whose_clock_is_the_same(lesson: Lesson) -> set[Recipient]:
    """Those of a lesson who live by the families' clock."""
    abroad = Recipient("tutor", lesson.given_by.id) if lesson.given_by.time_zone else None
    return {person for person in recipients_of(lesson) if person != abroad}


def withdraw_lessons(lessons: Collection[Lesson], reason: str) -> None:
    """Cancel lessons that the caller has locked; part of the caller's transaction."""
    for lesson in lessons:
        lesson.state = LessonState.CANCELLED
        lesson.version += 1
        lesson.cancelled_at = clock.now()
        lesson.cancel_reason = reason
    end_searches(lessons)
    cancel_reminders(lessons)


def lock_in_order(lesson_id: int) -> Lesson | None:
    """A lesson, locked after its group: so does whoever makes lessons."""
    lesson = db.session.get(Lesson, lesson_id)
    if lesson is None:
        return None
    db.session.get(Group, lesson.group_id, with_for_update=True, populate_existing=True)
    return db.session.get(Lesson, lesson_id, with_for_update=True, populate_existing=True)


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
                joinedload(Lesson.substitute).lazyload("*"),
                joinedload(Lesson.group).options(
                    joinedload(Group.tutor).lazyload("*"),
                    joinedload(Group.subject),
                    joinedload(Group.level),
                    subqueryload(Group.memberships)
                    .joinedload(Membership.request)
                    .joinedload(TutoringRequest.pupil)
                    .joinedload(Pupil.household)
                    .lazyload("*"),
                ),
            )
        )
    )
    return lessons, page
