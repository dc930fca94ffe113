"""What stands against a lesson's being held at another time.

One place for all that moves, restores or gives lessons. Whoever changes something by it holds the
lock ONE_CHANGE_OF_GROUPS_AT_A_TIME from before it asks until the commit, so that two changes can't
both take one hour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from flask import current_app
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.extensions import db
from app.models import (
    LIVE_GROUPS,
    Group,
    GroupState,
    Household,
    HouseholdWindow,
    Lesson,
    LessonState,
    Membership,
    Pupil,
    Tutor,
    TutorAbsence,
    TutoringRequest,
    TutorWindow,
)
from app.services.given import given_by
from app.services.school_calendar import read_calendar, weekly_of
from scheduler import clock
from scheduler.calendar import Days, SchoolCalendar, is_within


class Clash(StrEnum):
    """What can stand against a time, in the order in which a page says it."""

    TOO_SOON = "too_soon"
    NO_LESSONS = "no_lessons"
    """Outside the terms, on a day off, in exams that suspend lessons, around iftar."""
    TUTOR_AWAY = "tutor_away"
    TUTOR_BUSY = "tutor_busy"
    PUPIL_BUSY = "pupil_busy"
    PHONE_BUSY = "phone_busy"
    TOO_FAR = "too_far"
    NIGHT = "night"
    TUTOR_HOURS = "tutor_hours"
    FAMILY_HOURS = "family_hours"


STOPS: Final = frozenset(
    {
        Clash.TOO_SOON,
        Clash.NO_LESSONS,
        Clash.TUTOR_AWAY,
        Clash.TUTOR_BUSY,
        Clash.PUPIL_BUSY,
        Clash.PHONE_BUSY,
    }
)
"""What nobody can overrule: nobody is at two places at once, or learns of it after it was."""

EARLIEST: Final = time(7)
LATEST: Final = time(22)
"""Between these a lesson begins and ends, by the family's clock."""
MADE_AHEAD: Final = timedelta(weeks=4)
"""How far ahead lessons are made."""
_LONGEST: Final = timedelta(hours=4)
"""No lesson is longer (see the constraint on its minutes)."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """Someone's being in another lesson."""

    clash: Clash
    group_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that can stand against another time of one lesson, between two days; read once."""

    lesson: Lesson
    taken: list[_Taken]
    away: list[Days]
    calendar: SchoolCalendar
    tutor_hours: list[tuple[int, int, int]] | None
    """None where they are agreed by telephone, as are a family's."""
    family_hours: list[list[tuple[int, int, int]]]

    def clashes_at(self, wall: datetime, *, ahead: timedelta, within: timedelta) -> list[Clash]:
        """What stands against the lesson's starting at this wall time."""
        found = set(self._of_the_calendar(wall))
        found |= self.busy_at(wall)
        if clock.to_utc(wall, self.lesson.zone) < clock.now() + ahead:
            found.add(Clash.TOO_SOON)
        if abs(wall.date() - self.lesson.slot_start.date()) > within:
            found.add(Clash.TOO_FAR)
        if not by_day(wall, self.lesson.minutes):
            found.add(Clash.NIGHT)
        if self.tutor_hours is not None and not fits(wall, self.lesson.minutes, self.tutor_hours):
            found.add(Clash.TUTOR_HOURS)
        if any(not fits(wall, self.lesson.minutes, hours) for hours in self.family_hours):
            found.add(Clash.FAMILY_HOURS)
        return [clash for clash in Clash if clash in found]

    def busy_at(self, wall: datetime) -> set[Clash]:
        """Who would be in another lesson then."""
        starts_at = clock.to_utc(wall, self.lesson.zone)
        ends_at = starts_at + timedelta(minutes=self.lesson.minutes)
        return {
            one.clash for one in self.taken if one.starts_at < ends_at and starts_at < one.ends_at
        }

    def _of_the_calendar(self, wall: datetime) -> Iterable[Clash]:
        if self.calendar.ban(wall, self.lesson.minutes, self.lesson.group.level_id):
            yield Clash.NO_LESSONS
        if is_within(wall.date(), self.away):
            yield Clash.TUTOR_AWAY


def surroundings(
    lesson: Lesson, first: date, last: date, *, beside_own_group: bool = False
) -> Surroundings:
    """What stands around a lesson that is to be held between these days; both are part of it.

    `beside_own_group` leaves out the other lessons of its group, where all of them move.
    """
    tutor = lesson.given_by
    homes = _homes(lesson.group)
    own = lesson.group_id if beside_own_group else None
    taken = [
        *_dated(lesson, tutor.id, homes, first, last),
        *_still_to_be_made(lesson, tutor.id, homes, first, last),
    ]
    return Surroundings(
        lesson=lesson,
        taken=[one for one in taken if one.group_id != own],
        away=_days_away(tutor.id, first, last),
        calendar=read_calendar(),
        tutor_hours=_hours(tutor),
        family_hours=[hours for home in homes.values() if (hours := _hours(home)) is not None],
    )


def fits(wall: datetime, minutes: int, hours: Collection[tuple[int, int, int]]) -> bool:
    """Whether a lesson lies within one of the weekly windows."""
    start = 60 * wall.hour + wall.minute
    return any(
        day == wall.weekday() and begins <= start and start + minutes <= ends
        for day, begins, ends in hours
    )


def by_day(wall: datetime, minutes: int) -> bool:
    """Whether a lesson begins and ends between the hours at which lessons may be."""
    ends = wall + timedelta(minutes=minutes)
    return wall.time() >= EARLIEST and ends <= datetime.combine(wall.date(), LATEST)


def _homes(group: Group) -> dict[int, Household]:
    """The households of those who sit in a group or are offered a seat."""
    pupils = [member.request.pupil for member in group.members]
    return {pupil.household_id: pupil.household for pupil in pupils}


def _hours(who: Tutor | Household) -> list[tuple[int, int, int]] | None:
    windows: Collection[TutorWindow | HouseholdWindow] = who.windows
    if who.times_to_agree or not windows:
        return None
    return [window.as_window() for window in windows]


def _dated(
    lesson: Lesson, tutor_id: int, homes: Collection[int], first: date, last: date
) -> list[_Taken]:
    """The planned lessons of the tutor and of the households, moved ones where they are."""
    after, until = _instants(first, last)
    rows = db.session.scalars(
        select(Lesson)
        .where(
            Lesson.state == LessonState.PLANNED,
            Lesson.id != lesson.id,
            Lesson.starts_at > after - _LONGEST,
            Lesson.starts_at < until + _LONGEST,
            or_(given_by(tutor_id), Lesson.group_id.in_(_groups_of(homes))),
        )
        .order_by(Lesson.starts_at, Lesson.id)
        .options(_with_pupils(joinedload(Lesson.group)))
    )
    found = []
    for row in rows:
        ends_at = row.starts_at + timedelta(minutes=row.minutes)
        who = _who(lesson, row.group, (row.substitute_id or row.group.tutor_id) == tutor_id, homes)
        found += [_Taken(clash, row.group_id, row.starts_at, ends_at) for clash in who]
    return found


def _still_to_be_made(
    lesson: Lesson, tutor_id: int, homes: Collection[int], first: date, last: date
) -> list[_Taken]:
    """The weekly lessons that are not made yet: too far ahead, or of groups only offered so far."""
    groups = db.session.scalars(
        select(Group)
        .where(
            Group.state.in_(LIVE_GROUPS),
            or_(Group.tutor_id == tutor_id, Group.id.in_(_groups_of(homes))),
        )
        .order_by(Group.id)
        .options(_with_pupils())
    ).all()
    after, until = (clock.to_wall(one, lesson.zone) for one in _instants(first, last))
    made = db.session.execute(
        select(Lesson.group_id, Lesson.slot_start).where(
            Lesson.group_id.in_([group.id for group in groups]),
            Lesson.slot_start > after - _LONGEST,
            Lesson.slot_start < until + _LONGEST,
        )
    )
    known = set(made)
    calendar = read_calendar()
    made_until = clock.to_wall(clock.now() + MADE_AHEAD, lesson.zone)
    found = []
    for group in groups:
        for wall in calendar.slots(weekly_of(group), after - _LONGEST, until).values():
            if (group.id, wall) in known:
                continue
            if group.state is GroupState.ACTIVE and wall <= made_until:
                continue  # It would be there if it were held: a day off, or a first week.
            starts_at = clock.to_utc(wall, lesson.zone)
            ends_at = starts_at + timedelta(minutes=lesson.minutes)
            who = _who(lesson, group, group.tutor_id == tutor_id, homes)
            found += [_Taken(clash, group.id, starts_at, ends_at) for clash in who]
    return found


def _who(lesson: Lesson, other: Group, tutors_own: bool, homes: Collection[int]) -> Iterable[Clash]:
    """Whom of a lesson another group keeps busy."""
    if tutors_own:
        yield Clash.TUTOR_BUSY
    own = {member.request.pupil_id for member in lesson.group.members} if homes else set()
    for member in other.members:
        if member.request.pupil_id in own:
            yield Clash.PUPIL_BUSY
        elif member.request.pupil.household_id in homes:
            yield Clash.PHONE_BUSY


def _groups_of(homes: Collection[int]) -> Any:
    return (
        select(Membership.group_id)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .where(Membership.ended_at.is_(None), Pupil.household_id.in_(list(homes)))
    )


def _with_pupils(path: Any = None) -> Any:
    seats = selectinload if path is None else path.selectinload
    return seats(Group.memberships).joinedload(Membership.request).joinedload(TutoringRequest.pupil)


def _days_away(tutor_id: int, first: date, last: date) -> list[Days]:
    within: ColumnElement[bool] = (TutorAbsence.first_day <= last) & (
        TutorAbsence.last_day >= first
    )
    rows = db.session.execute(
        select(TutorAbsence.first_day, TutorAbsence.last_day).where(
            TutorAbsence.tutor_id == tutor_id, within
        )
    )
    return [(one, other) for one, other in rows]


def _instants(first: date, last: date) -> tuple[datetime, datetime]:
    zone = current_app.config["N9RAW"].civil_zone
    midnight = datetime.combine(last + timedelta(days=1), time())
    return clock.to_utc(datetime.combine(first, time()), zone), clock.to_utc(midnight, zone)
