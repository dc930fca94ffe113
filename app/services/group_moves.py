"""A group's weekly times move for good: its lessons go with them, from the next week on.

Each lesson keeps its row. What is still this week is held when it was to be, and stands for the new
time of this week; so do lessons that people moved by themselves, or for which somebody stands in.
What the calendar alone had cancelled, or forbids at the new time, follows the calendar.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Coordinator,
    Group,
    GroupState,
    Lesson,
    LessonState,
    Period,
    PeriodKind,
    PeriodStarts,
    TutorAbsence,
)
from app.services import audit, telling
from app.services.change_policy import Act, Actor, Hours, coordinator, policy_of, tutor
from app.services.clashes import Clash, by_day, surroundings
from app.services.errors import Conflict, Invalid, NotFound
from app.services.examining import Examination, Rule, examine_move
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.lessons import (
    move_lessons,
    plan_lessons,
    put_at,
    restore_lessons,
    withdraw_lessons,
)
from app.services.programme import matching_rules
from app.services.reminders import lock_recipients, recipients_of
from app.services.school_calendar import REASONS, blackout_of, read_calendar, read_starts, weekly_of
from app.services.searches import end_searches
from scheduler import clock
from scheduler.calendar import WEEK, Place, SchoolCalendar, Weekly, dated, is_within, overlaps

_ASIDE: Final = timedelta(microseconds=1)
"""Slots are unique in a group: while lessons change places, each is put where none can be."""


@dataclass(frozen=True, slots=True)
class MovePreview:
    """What moving a group for good would break, and which lessons would go with it."""

    examined: Examination
    walls: dict[Lesson, datetime]
    """The planned lessons that move, with their new wall times."""
    taken: list[datetime]
    """The new times at which somebody is in another lesson of that day."""
    by_night: bool

    @property
    def may_tutor(self) -> bool:
        """Whether a tutor may do it without a coordinator."""
        return not (self.examined.broken or self.taken or self.by_night)


def preview_move(group_id: int, starts: list[list[str]]) -> MovePreview:
    """What would come of it; NotFound, Conflict or Invalid where it can't be at all."""
    group = db.session.get(Group, group_id)
    if group is None:
        raise NotFound(_l("This group does not exist."))
    return _preview(group, starts, _lessons(group))


def move_group(
    group_id: int,
    starts: list[list[str]],
    overruled: Collection[Rule] = (),
    by: Coordinator | None = None,
    *,
    tutor_id: int | None = None,
) -> Group:
    """Meet at other times of the week from the next week on; told to those concerned.

    `overruled` are the broken rules that a coordinator saw and overrules. Conflict where something
    else stands against it; a tutor overrules nothing.
    """
    actor = coordinator(by) if tutor_id is None else tutor(tutor_id)
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        group = db.session.get(Group, group_id, with_for_update=True)
        if group is None or tutor_id not in (None, group.tutor_id):
            raise NotFound(_l("This group does not exist."))
        lessons = _lessons(group, lock=True)
        preview = _preview(group, starts, lessons)
        _refuse(preview, actor, overruled)
        before = group.starts
        # All at once: locking one part after the other could meet others who lock in order.
        lock_recipients({one for lesson in lessons for one in recipients_of(lesson)})
        _move_lessons(group, starts, lessons)
        telling.tell_group_change(group, before, but=actor.untold)
        _note(group, before, preview, actor)
    return group


def _preview(group: Group, starts: list[list[str]], lessons: Collection[Lesson]) -> MovePreview:
    if group.state is not GroupState.ACTIVE:
        raise Conflict(_l("Only a group in which lessons are held can be moved."))
    if [list(start) for start in starts] == group.starts:
        raise Invalid(_l("These are the times of the group already."))
    examined = examine_move(group, starts)
    walls = {
        lesson: wall
        for lesson, wall in _new_walls(group, starts, lessons).items()
        if lesson.state is LessonState.PLANNED
    }
    minutes = matching_rules().lesson_minutes
    monday = datetime.combine(_next_monday(), time())
    days = [dated(monday, start) for start in read_starts([*starts]) if start is not None]
    return MovePreview(
        examined=examined,
        walls=walls,
        taken=_taken(walls),
        by_night=not all(by_day(wall, minutes) for wall in days),
    )


def _refuse(preview: MovePreview, actor: Actor, overruled: Collection[Rule]) -> None:
    if preview.examined.stopping:
        raise Conflict(_l("A rule stands against this that nobody can overrule."))
    if preview.taken:
        raise Conflict(
            _l("On one of the coming days somebody has another lesson then: move that one first.")
        )
    if policy_of(Act.MOVE_GROUP, actor.role).hours is Hours.STOP:
        if not preview.may_tutor:
            raise Conflict(_l("This time does not suit everybody: ask your coordinator."))
    elif not set(preview.examined.overrulable) <= set(overruled):
        raise Conflict(_l("Tick each broken rule that you overrule."))


def _lessons(group: Group, *, lock: bool = False) -> list[Lesson]:
    """All lessons of a group that stand for this week or a later one, whatever became of them."""
    this_week = datetime.combine(_next_monday(), time()) - WEEK
    statement = (
        select(Lesson)
        .where(Lesson.group_id == group.id, Lesson.slot_start >= this_week)
        .order_by(Lesson.id)
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return list(db.session.scalars(statement))


def _new_slots(
    group: Group, starts: list[list[str]], lessons: Collection[Lesson]
) -> dict[Lesson, datetime]:
    """The slot that each lesson stands for from then on, where that is another."""
    if not lessons:
        return {}
    calendar = read_calendar()
    first = min(lesson.slot_start for lesson in lessons) - timedelta(minutes=1)
    last = max(lesson.slot_start for lesson in lessons)
    before = weekly_of(group)
    were = {wall: place for place, wall in calendar.slots(before, first, last).items()}
    after = Weekly(before.group_id, before.level_id, read_starts([*starts]))
    calendar = _after_the_move(calendar, group, starts)
    will_be = calendar.slots(after, first - WEEK, last + WEEK)
    places = {
        lesson: were[lesson.slot_start]
        for lesson in lessons
        if lesson.slot_start in were and were[lesson.slot_start] in will_be
    }
    moved = {lesson: will_be[place] for lesson, place in places.items()}
    moved |= _slots_of_this_week([row for row in moved if places[row][0] < _next_monday()], will_be)
    changed = {lesson: slot for lesson, slot in moved.items() if slot != lesson.slot_start}
    staying = {lesson.slot_start for lesson in lessons if lesson not in changed}
    if not staying.isdisjoint(changed.values()):
        raise Conflict(_l("The group has another lesson at one of these times."))
    return changed


def _in_ramadan(group: Group, starts: list[list[str]]) -> dict[PeriodStarts, list[Any]]:
    """What becomes of a group's other times in Ramadan: one that stood for an old time goes, where
    the new one is not forbidden then.
    """
    minutes = matching_rules().lesson_minutes
    rows = db.session.scalars(
        select(PeriodStarts)
        .join(PeriodStarts.period)
        .where(PeriodStarts.group_id == group.id, Period.kind == PeriodKind.RAMADAN)
        .order_by(PeriodStarts.period_id)
    )
    found: dict[PeriodStarts, list[Any]] = {}
    for row in rows:
        blackout = blackout_of(row.period)
        found[row] = [
            None
            if new is not None
            and list(starts[place]) != group.starts[place]
            and not (blackout and overlaps(new[1], minutes, blackout))
            else row.starts[place]
            for place, new in enumerate(read_starts([*starts])[: len(row.starts)])
        ]
    return found


def _after_the_move(
    calendar: SchoolCalendar, group: Group, starts: list[list[str]]
) -> SchoolCalendar:
    given = {row.period_id: read_starts(new) for row, new in _in_ramadan(group, starts).items()}
    return replace(
        calendar,
        periods=tuple(
            replace(one, starts={**one.starts, group.id: given[one.id]})
            if one.id in given and group.id in one.starts
            else one
            for one in calendar.periods
        ),
    )


def _slots_of_this_week(
    lessons: Collection[Lesson], will_be: Mapping[Place, datetime]
) -> dict[Lesson, datetime]:
    """Which of this week's new slots each of its lessons stands for, where each stays as it was.

    First those that are still to come, so that no lesson more is made this week.
    """
    now = clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone)
    monday = _next_monday() - WEEK
    free = [wall for place, wall in will_be.items() if place[:2] == (monday, "own")]
    found = {row: row.slot_start for row in lessons if row.slot_start in free}
    rest = sorted(set(free).difference(found.values()), key=lambda wall: (wall <= now, wall))
    left = [row for row in lessons if row not in found]
    return found | dict(zip(left, rest, strict=False))


def _new_walls(
    group: Group, starts: list[list[str]], lessons: Collection[Lesson]
) -> dict[Lesson, datetime]:
    """The wall times of the lessons that go with the group, cancelled ones too."""
    monday = _next_monday()
    return {
        lesson: slot
        for lesson, slot in _new_slots(group, starts, lessons).items()
        if lesson.slot_start.date() >= monday
        and lesson.state in (LessonState.PLANNED, LessonState.CANCELLED)
        and lesson.wall_start == lesson.slot_start
        and lesson.substitute_id is None
    }


def _taken(walls: dict[Lesson, datetime]) -> list[datetime]:
    """Those of the new times at which somebody is in a lesson of another group."""
    if not walls:
        return []
    days = [wall.date() for wall in walls.values()]
    around = surroundings(next(iter(walls)), min(days), max(days), beside_own_group=True)
    busy = {Clash.TUTOR_BUSY, Clash.PUPIL_BUSY, Clash.PHONE_BUSY}
    return sorted(wall for wall in walls.values() if busy.intersection(around.busy_at(wall)))


def _move_lessons(group: Group, starts: list[list[str]], lessons: Collection[Lesson]) -> None:
    slots = _new_slots(group, starts, lessons)
    walls = _new_walls(group, starts, lessons)
    for aside in (_ASIDE, timedelta(0)):
        for lesson, slot in slots.items():
            lesson.slot_start = slot + aside
        db.session.flush()
    for row, given in _in_ramadan(group, starts).items():
        row.starts = given
    group.starts = [list(start) for start in starts]
    calendar, away = read_calendar(), _days_away(group.tutor_id)
    planned = {row: wall for row, wall in walls.items() if row.state is LessonState.PLANNED}
    held = {row: wall for row, wall in planned.items() if not _barred(row, wall, calendar, away)}
    end_searches(planned)
    move_lessons(held)
    for lesson, wall in walls.items():
        if lesson in held:
            continue
        put_at(lesson, wall)
        absence = next((one for one in away if one.first_day <= wall.date() <= one.last_day), None)
        ban = calendar.ban(wall, lesson.minutes, group.level_id)
        if lesson in planned:
            why = REASONS[ban] if ban is not None else absence.reason if absence else ""
            lesson.absence_id = absence.id if absence else None
            withdraw_lessons([lesson], why)
    kept_away = (*REASONS.values(),)
    restore_lessons(
        [
            row
            for row in walls
            if row not in planned and (row.cancel_reason in kept_away or row.absence_id is not None)
        ]
    )
    db.session.flush()
    plan_lessons(group)


def _barred(
    lesson: Lesson, wall: datetime, calendar: SchoolCalendar, away: Collection[TutorAbsence]
) -> bool:
    """Whether the calendar, or the tutor's days off, stand against a new time."""
    return calendar.ban(wall, lesson.minutes, lesson.group.level_id) is not None or is_within(
        wall.date(), [(one.first_day, one.last_day) for one in away]
    )


def _days_away(tutor_id: int) -> list[TutorAbsence]:
    return list(db.session.scalars(select(TutorAbsence).where(TutorAbsence.tutor_id == tutor_id)))


def _next_monday() -> date:
    today = clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone).date()
    return today + timedelta(days=7 - today.weekday())


def _note(group: Group, before: list[Any], preview: MovePreview, actor: Actor) -> None:
    broken = [rule.value for rule in preview.examined.broken]
    audit.note(
        "move_group",
        f"group:{group.id}",
        actor.by,
        pupil_ids=[member.request.pupil_id for member in group.members],
        detail={"before": before, "starts": group.starts}
        | ({"overruled": broken} if broken else {})
        | actor.trace,
    )
