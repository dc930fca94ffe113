"""The week as it is in a special period, and the free times that are left in it for a group.

The rules are the matching's: its problem says whose hours and telephones there are, its grid which
starts fit and which meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import or_, select

import matching
from app.extensions import db
from app.i18n import format_minute
from app.models import DAYS, ExamEffect, Group, Lesson, LessonState, Period
from app.services.groups import list_live_groups
from app.services.problem import build_problem
from app.services.school_calendar import aside_in, blackout_of, read_starts
from matching.problem import MINUTES_A_DAY, Minute
from matching.slots import Grid
from scheduler import clock
from scheduler.calendar import Start, minute_of, overlaps

Starts = list[list[Any] | None]


@dataclass(frozen=True, slots=True)
class _Taken:
    """A lesson of the week, and who is in it."""

    group_id: int
    minute: Minute
    tutor: str
    requests: frozenset[str]


class PeriodWeek:
    """All groups in force at the times that they have in a period; read once.

    `given` are the other times of groups, by their ids, as rows keep them.
    """

    def __init__(self, period: Period, given: Mapping[int, Starts]) -> None:
        problem = matching.read_problem(build_problem())
        self.grid: Final = Grid(problem.lesson_minutes, problem.start_every)
        self.groups: Final = {group.id: group for group in list_live_groups()}
        self._blackout: Final = blackout_of(period)
        self._aside: Final = aside_in(period)
        self._adds = period.effect is ExamEffect.DOUBLE
        self._tutors = {tutor.id: tutor for tutor in problem.tutors}
        self._homes = {home.id: home for home in problem.households}
        self._requests = {request.id: request for request in problem.requests}
        self._allowed = self._not_banned()
        self._weeks = {
            group.id: self._as_held(group, given.get(group.id, ()))
            for group in self.groups.values()
        }
        self._dated = list(self._moved_or_given_by_others(period))

    def propose(self, groups: Iterable[Group]) -> dict[int, Starts]:
        """Other times for these groups, as rows keep them; those with the least choice first."""
        found = {}
        for group in sorted(groups, key=self._choice):
            own = read_starts(group.starts)
            if self._adds:
                starts = [None] * len(own) + [self._place(group, old) for old in own]
            else:
                starts = [
                    self._place(group, start)
                    if start and (self.is_banned(start) or place in self._aside.get(group.id, ()))
                    else None
                    for place, start in enumerate(own)
                ]
            found[group.id] = starts
        return found

    def is_banned(self, start: Start) -> bool:
        """Whether no lesson may be held at this time of any day of the period."""
        return self._blackout is not None and overlaps(start[1], self.grid.lesson, self._blackout)

    def clashes(self, group: Group) -> bool:
        """Whether one of a group's times in the period is banned, or meets another lesson of
        somebody whom it needs, or another of its own.
        """
        week = self._weeks[group.id]
        if any(self.grid.overlap(a, b) for i, a in enumerate(week) for b in week[:i]):
            return True
        taken = self._taken_mask(group)
        return any(
            self._meets(group, minute) if mask is None else bool(mask & taken)
            for minute in week
            for mask in [self.grid.mask_of([minute])]
        )

    # --- looking for one

    def _place(self, group: Group, old: Start | None) -> list[Any] | None:
        """Take the free time that is nearest to an old one, where there is any."""
        if old is None or (self._adds and self._has_enough(group)):
            return None
        was = old[0] * MINUTES_A_DAY + old[1]
        free = self.grid.starts(self._free(group))
        if not free:
            return None
        new = min(free, key=lambda start: _distance(start, was))
        self._weeks[group.id].append(new)
        return [DAYS[new // MINUTES_A_DAY], format_minute(new % MINUTES_A_DAY)]

    def _choice(self, group: Group) -> tuple[int, int]:
        return self._free(group).bit_count(), group.id

    def _has_enough(self, group: Group) -> bool:
        """Whether the tutor gives as many lessons a week as they want to."""
        of_tutor = [one for one in self.groups.values() if one.tutor_id == group.tutor_id]
        lessons = sum(len(self._weeks[one.id]) for one in of_tutor)
        return lessons >= self._tutors[f"T{group.tutor_id}"].max_lessons_per_week

    def _free(self, group: Group) -> int:
        """The starts that suit everybody and meet nothing, on days on which the group is free."""
        hours = [self._tutors[f"T{group.tutor_id}"].available]
        hours += [home.reachable for home in self._homes_of(group)]
        mask = self._allowed
        for windows in hours:
            # Where hours are agreed by telephone, so is another time.
            mask &= self.grid.inside(windows) if windows is not None else 0
        for day in {minute // MINUTES_A_DAY for minute in self._weeks[group.id]}:
            mask &= ~self._day(day)
        return mask & ~self._taken_mask(group)

    def _taken_mask(self, group: Group) -> int:
        mask = 0
        for minute in self._busy(group):
            mask |= self.grid.around(minute)
        return mask

    def _meets(self, group: Group, minute: Minute) -> bool:
        return any(self.grid.overlap(minute, other) for other in self._busy(group))

    def _busy(self, group: Group) -> Iterator[Minute]:
        """When the tutor, a pupil or a family's last telephone is in another lesson."""
        tutor = f"T{group.tutor_id}"
        names = self._names(group)
        pupils = {self._requests[name].pupil for name in names}
        weekly = [one for one in self._weekly() if one.group_id != group.id]
        others = [*weekly, *self._dated]  # its own too, where they were moved
        for one in others:
            if one.tutor == tutor or pupils & {self._requests[n].pupil for n in one.requests}:
                yield one.minute
        for home in self._homes_of(group):
            seats = [
                one.minute
                for one in others
                for name in one.requests
                if self._requests[name].household == home.id
            ]
            own = sum(self._requests[name].household == home.id for name in names)
            limit = max(1, home.phones - own + 1)
            for minute in seats:
                if self.grid.crowded(minute, seats, limit):
                    yield minute

    def _weekly(self) -> Iterator[_Taken]:
        for group in self.groups.values():
            for minute in self._weeks[group.id]:
                yield _Taken(group.id, minute, f"T{group.tutor_id}", self._names(group))

    # --- what is there

    def _as_held(self, group: Group, given: Iterable[list[Any] | None]) -> list[Minute]:
        """When a group meets in the period: banned times are none."""
        other = read_starts(list(given))
        week = []
        for number, start in enumerate(read_starts(group.starts)):
            replaced = other[number] if number < len(other) else None
            if replaced is not None:
                week.append(replaced)
            elif (
                start is not None
                and not self.is_banned(start)
                and number not in self._aside.get(group.id, ())
            ):
                week.append(start)
        week += [start for start in other[len(group.starts) :] if start is not None]
        return [day * MINUTES_A_DAY + minute for day, minute in week]

    def _moved_or_given_by_others(self, period: Period) -> Iterator[_Taken]:
        rows = db.session.scalars(
            select(Lesson).where(
                Lesson.state == LessonState.PLANNED,
                Lesson.starts_at > clock.now(),
                or_(Lesson.wall_start != Lesson.slot_start, Lesson.substitute_id.is_not(None)),
            )
        )
        for row in rows:
            if period.first_day <= row.wall_start.date() <= period.last_day:
                minute = row.wall_start.weekday() * MINUTES_A_DAY + minute_of(row.wall_start)
                group = self.groups.get(row.group_id)
                if group is not None:
                    yield _Taken(group.id, minute, f"T{row.given_by.id}", self._names(group))

    def _not_banned(self) -> int:
        every = (1 << self.grid.size) - 1
        mask = 0
        for start in self.grid.starts(every):
            if not self.is_banned((start // MINUTES_A_DAY, start % MINUTES_A_DAY)):
                mask |= 1 << (start // self.grid.every)
        return mask

    def _day(self, day: int) -> int:
        return ((1 << self.grid.starts_a_day) - 1) << (day * self.grid.starts_a_day)

    def _names(self, group: Group) -> frozenset[str]:
        names = {f"R{member.request_id}" for member in group.members}
        return frozenset(names & self._requests.keys())

    def _homes_of(self, group: Group) -> list[Any]:
        names = sorted({self._requests[name].household for name in self._names(group)})
        return [self._homes[name] for name in names]


def _distance(one: Minute, other: Minute) -> tuple[int, int, Minute]:
    """How far a time is from an old one: by days first, then by the hour."""
    days = (one // MINUTES_A_DAY - other // MINUTES_A_DAY) % len(DAYS)
    return (
        min(days, len(DAYS) - days),
        abs(one % MINUTES_A_DAY - other % MINUTES_A_DAY),
        one,
    )
