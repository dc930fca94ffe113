"""What a change of the calendar does to lessons: compared, shown before, then done.

What the calendar allows after the change is held against the lessons that stand: those that it
forbids are cancelled, those to which it gives another time are moved, those that it alone had
cancelled come back, those that are lacking are made. Nobody's own cancellation is undone by it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload, selectinload, subqueryload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Group,
    GroupState,
    Lesson,
    LessonState,
    Membership,
    TutorAbsence,
    TutoringRequest,
)
from app.services import telling
from app.services.ending import lock_groups
from app.services.errors import Conflict
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.lessons import (
    AHEAD,
    SHORTEST_NOTICE,
    extend_lessons,
    is_astray,
    move_lessons,
    plan_lessons,
    put_at,
    restore_lessons,
    withdraw_lessons,
)
from app.services.reminders import Recipient, lock_recipients, recipients_of
from app.services.school_calendar import IN_BLACKOUT, REASONS, read_calendar, weekly_of
from app.services.searches import end_searches
from app.services.unheld import Standing
from scheduler import clock
from scheduler.calendar import WEEK, Ban, SchoolCalendar, minute_of

_SEAT_WITH_PUPIL = joinedload(Membership.request).joinedload(TutoringRequest.pupil).lazyload("*")
_ASIDE = timedelta(microseconds=1)
"""Slots are unique in a group: while lessons change places, each is put where none can be."""


class LessonsWouldChange(Conflict):
    """A change of the calendar would touch other lessons than those that were agreed to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change of the calendar did to lessons."""

    cancelled: int
    made: int
    """Those that came back, and those that were lacking."""
    moved: int = 0


@dataclass(slots=True)
class Effects:
    """What a change of the calendar means for the lessons to come."""

    cancelled: list[tuple[Lesson, Ban]] = field(default_factory=list)
    moved: list[tuple[Lesson, datetime]] = field(default_factory=list)
    """With the wall time at which each is then held."""
    unheld: list[tuple[Lesson, TutorAbsence | None]] = field(default_factory=list)
    """Those that are cancelled since they can't be held at the time that they would get: the tutor
    is away, or (None) somebody has another lesson then."""
    back: list[Lesson] = field(default_factory=list)
    slots: dict[Lesson, datetime] = field(default_factory=dict)
    """The slot that each stands for from then on, where that is another."""
    walls: dict[Lesson, datetime] = field(default_factory=dict)
    """The wall time of each from then on, cancelled ones too, where that is another."""

    @property
    def touched(self) -> int:
        """How many lessons that stand are cancelled or moved."""
        return self.ending + len(self.moved)

    @property
    def ending(self) -> int:
        """How many of them are cancelled."""
        return len(self.cancelled) + len(self.unheld)


def preview(after: Callable[[SchoolCalendar], SchoolCalendar]) -> Effects:
    """What would become of the lessons to come if the calendar changed so; in order of time."""
    before = read_calendar()
    lessons = db.session.scalars(
        _lessons_to_come().options(
            joinedload(Lesson.group).options(
                joinedload(Group.tutor).lazyload("*"),
                joinedload(Group.subject),
                # One question for however many groups.
                subqueryload(Group.memberships).options(_SEAT_WITH_PUPIL),
            ),
            joinedload(Lesson.substitute).lazyload("*"),
        )
    ).all()
    found = compare(before, after(before), lessons)
    found.cancelled.sort(key=lambda entry: (entry[0].starts_at, entry[0].id))
    found.moved.sort(key=lambda entry: (entry[0].starts_at, entry[0].id))
    return found


def change_calendar(change: Callable[[], None], agreed: int) -> Outcome:
    """Make a change of the calendar with all that follows for lessons, and tell whom it concerns.

    `agreed` is how many lessons the person saw that it cancels or moves; LessonsWouldChange at
    another number.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        # Whoever makes lessons holds their group: none is made by the calendar of before.
        active = db.session.scalars(
            select(Group).where(Group.state == GroupState.ACTIVE).order_by(Group.id)
        ).all()
        lock_groups(active)
        before = read_calendar()
        change()
        db.session.flush()
        lessons = db.session.scalars(
            _lessons_to_come()
            .with_for_update(of=Lesson)
            .options(
                selectinload(Lesson.group).selectinload(Group.memberships).options(_SEAT_WITH_PUPIL)
            )
        ).all()
        after = read_calendar()
        effects = compare(before, after, lessons)
        if effects.touched != agreed:
            raise LessonsWouldChange(
                _l("The lessons that this changes are others by now. Look at them again.")
            )
        known = {(row.group_id, effects.slots.get(row, row.slot_start)) for row in lessons}
        gaining = [group for group in active if _has_more(group, before, after, known)]
        made = _apply(effects, gaining)
    return Outcome(effects.ending, made + extend_lessons(), len(effects.moved))


def _lessons_to_come() -> Select[Lesson]:
    """Lessons that are to come, or stand for a slot to come, whatever became of them."""
    return (
        select(Lesson)
        .join(Lesson.group)
        .where(
            or_(Lesson.starts_at > clock.now(), Lesson.slot_start > _wall_now()),
            Group.state == GroupState.ACTIVE,
        )
        .order_by(Lesson.id)
    )


# --- comparing


def compare(before: SchoolCalendar, after: SchoolCalendar, lessons: Iterable[Lesson]) -> Effects:
    """What becomes of lessons, which are all that are to come, as one calendar follows another."""
    effects = Effects()
    by_group: dict[Group, list[Lesson]] = {}
    for lesson in lessons:
        by_group.setdefault(lesson.group, []).append(lesson)
    for group, own in by_group.items():
        for lesson, slot in _next_slots(group, own, before, after).items():
            _compare_lesson(effects, after, lesson, slot)
    _find_unheld(effects, by_group)
    return effects


def _find_unheld(effects: Effects, lessons: Mapping[Group, Collection[Lesson]]) -> None:
    """Tell those lessons apart that can't be held where they would be moved, or come back."""
    changing = {lesson for lesson, _ in (*effects.cancelled, *effects.moved)}
    standing = Standing(
        lesson
        for of_group in lessons.values()
        for lesson in of_group
        if lesson.state is LessonState.PLANNED and lesson not in changing
    )
    moved, effects.moved = effects.moved, []
    for lesson, wall in moved:
        # Who was to stand in said yes to another time.
        tutor_id = lesson.group.tutor_id
        absence = standing.absence(tutor_id, wall)
        if absence is not None or standing.meets(lesson, wall, tutor_id):
            effects.unheld.append((lesson, absence))
        else:
            effects.moved.append((lesson, wall))
            standing.add(lesson, wall, tutor_id)
    back, effects.back = effects.back, []
    for lesson in sorted(back, key=lambda row: (is_astray(row), row.id)):
        wall, tutor_id = effects.walls.get(lesson, lesson.wall_start), lesson.given_by.id
        if (
            wall > _wall_now() + SHORTEST_NOTICE
            and standing.absence(tutor_id, wall) is None
            and not standing.meets(lesson, wall, tutor_id)
        ):
            effects.back.append(lesson)
            standing.add(lesson, wall, tutor_id)


def _next_slots(
    group: Group, lessons: Collection[Lesson], before: SchoolCalendar, after: SchoolCalendar
) -> dict[Lesson, datetime | None]:
    """The slot that each lesson of a group stands for after the change; None for one that the
    calendar had added and no longer has, or that stands aside for another's.

    A lesson keeps its slot where the new one is too near to be told of, or has a lesson already.
    """
    known = [lesson.slot_start for lesson in lessons]
    first, last = min(known) - timedelta(minutes=1), max(known)
    were = before.slots(weekly_of(group), first, last)
    place_at = {wall: place for place, wall in were.items()}
    will_be = after.slots(weekly_of(group), first - WEEK, last + WEEK)
    earliest = _wall_now() + SHORTEST_NOTICE
    wanted: dict[Lesson, datetime | None] = {}
    for lesson in lessons:
        place = place_at.get(lesson.slot_start)
        slot = lesson.slot_start if place is None else will_be.get(place)
        too_near = slot is not None and slot < earliest
        wanted[lesson] = lesson.slot_start if too_near else slot
    taken = {lesson.slot_start for lesson, slot in wanted.items() if slot == lesson.slot_start}
    for lesson, slot in wanted.items():
        if slot is not None and slot != lesson.slot_start:
            if slot in taken:
                wanted[lesson] = lesson.slot_start
            taken.add(slot)
    return wanted


def _compare_lesson(
    effects: Effects, after: SchoolCalendar, lesson: Lesson, slot: datetime | None
) -> None:
    is_planned = lesson.state is LessonState.PLANNED and lesson.starts_at > clock.now()
    if slot is None:
        start = (lesson.slot_start.weekday(), minute_of(lesson.slot_start))
        stands_aside = start in weekly_of(lesson.group).starts
        if is_planned and not stands_aside:
            effects.cancelled.append((lesson, Ban.NOT_DOUBLED))
        elif is_planned and lesson.wall_start == lesson.slot_start:
            effects.cancelled.append((lesson, Ban.BLACKOUT))
        return
    level_id = lesson.group.level_id
    wall = lesson.wall_start
    other_slot = slot != lesson.slot_start
    # One that people moved by themselves stays where they put it, as long as it may.
    if other_slot and (wall == lesson.slot_start or after.ban(wall, lesson.minutes, level_id)):
        wall = slot
    if other_slot:
        effects.slots[lesson] = slot
    if lesson.starts_at <= clock.now():
        return
    if wall != lesson.wall_start:
        effects.walls[lesson] = wall
    ban = after.ban(wall, lesson.minutes, level_id)
    if is_planned and ban is not None:
        effects.cancelled.append((lesson, ban))
    elif is_planned and wall != lesson.wall_start:
        effects.moved.append((lesson, wall))
    elif ban is None and lesson.cancel_reason in REASONS.values():
        effects.back.append(lesson)


# --- doing


def _has_more(
    group: Group,
    before: SchoolCalendar,
    after: SchoolCalendar,
    known: Collection[tuple[int, datetime]],
) -> bool:
    """Whether a group gets lessons of which nobody knows yet: besides its weekly ones, or at
    another time than these, at which none stood."""
    now = _wall_now()
    were, are = (calendar.slots(weekly_of(group), now, now + AHEAD) for calendar in (before, after))
    return any(
        were.get(place) != wall and (group.id, wall) not in known for place, wall in are.items()
    )


def _apply(effects: Effects, gaining: Collection[Group]) -> int:
    """Cancel, move, give back and add as compared, in the caller's transaction; how many came."""
    unheld = [lesson for lesson, _absence in effects.unheld]
    cancelled = [*(lesson for lesson, _ban in effects.cancelled), *unheld]
    moved = [lesson for lesson, _wall in effects.moved]
    changed = [*cancelled, *moved, *effects.back]
    # All at once: locking one part after the other could meet others who lock in order.
    lock_recipients(
        {person for lesson in changed for person in recipients_of(lesson)}
        | {person for group in gaining for person in _people_of(group)}
        | {Recipient("tutor", lesson.group.tutor_id) for lesson in (*moved, *unheld)}
    )
    known = telling.remember(changed)
    _give_slots(effects.slots)
    for ban in Ban:
        withdraw_lessons([lesson for lesson, why in effects.cancelled if why is ban], REASONS[ban])
    for lesson in (*moved, *unheld):
        # Who was to stand in, or was asked, said yes to another time; so did the family that asked.
        lesson.substitute = lesson.absence_id = None
    end_searches(moved)
    move_lessons(dict(effects.moved))
    for lesson, absence in effects.unheld:
        # The end of the days off gives it back, or a later change of the calendar.
        lesson.absence_id = None if absence is None else absence.id
        withdraw_lessons([lesson], IN_BLACKOUT if absence is None else absence.reason)
    for lesson, wall in effects.walls.items():
        if lesson not in moved:
            put_at(lesson, wall)
    restored = restore_lessons(effects.back)
    added = [lesson for group in gaining for lesson in plan_lessons(group)]
    telling.tell_changes([*cancelled, *moved, *restored, *added], known)
    return len(restored) + len(added)


def _people_of(group: Group) -> set[Recipient]:
    homes = {member.request.pupil.household_id for member in group.members}
    return {Recipient("tutor", group.tutor_id)} | {Recipient("household", home) for home in homes}


def _give_slots(slots: dict[Lesson, datetime]) -> None:
    for aside in (_ASIDE, timedelta(0)):
        for lesson, slot in slots.items():
            lesson.slot_start = slot + aside
        db.session.flush()


def _wall_now() -> datetime:
    return clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone)
