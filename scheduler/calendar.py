"""From weekly starts to dated lessons: by terms, days off, Ramadan and weeks of exams.

Plain values: what the calendar says is read from elsewhere and told to these functions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum

WEEK = timedelta(days=7)
DAY_MINUTES = 24 * 60

Days = tuple[date, date]
"""A first and a last day, both of them part of it."""
Start = tuple[int, int]
"""Day 0..6 from Monday, minute of the day below 1440."""
Place = tuple[date, str, int]
"""One lesson of a group: the Monday of its week, whose start it is (OWN, or a period's), and
which of those. It stays the same lesson when the calendar gives it another time."""
OWN = "own"


class Ban(Enum):
    """Why no lesson is held at a time."""

    OUTSIDE_TERMS = "outside terms"
    DAY_OFF = "day off"
    EXAMS = "exams"
    BLACKOUT = "blackout"
    NOT_DOUBLED = "not doubled"
    """It was the second lesson of a week of exams that has none any more."""


@dataclass(frozen=True, slots=True)
class Weekly:
    """A group as the calendar sees it; None for a start that is not agreed yet."""

    group_id: int
    level_id: int
    starts: tuple[Start | None, ...]


@dataclass(frozen=True, slots=True)
class SpecialPeriod:
    """Weeks in which lessons are held otherwise; both ends are part of it."""

    id: int
    days: Days
    level_ids: frozenset[int] | None = None
    """The levels that it concerns; None for all."""
    suspends: bool = False
    blackout: tuple[int, int] | None = None
    """Minutes of the day between which no lesson goes on."""
    starts: Mapping[int, tuple[Start | None, ...]] = field(default_factory=dict)
    """By group, in place of its weekly starts; None keeps that one. More are added to them."""
    aside: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """By group, which of its weekly starts fall away, since somebody is in another lesson then."""

    def bans(self, wall: datetime, minutes: int, level_id: int) -> Ban | None:
        """Why it keeps a lesson of so many minutes from being held then."""
        if not is_within(wall.date(), [self.days]):
            return None
        if self.level_ids is not None and level_id not in self.level_ids:
            return None
        if self.suspends:
            return Ban.EXAMS
        if self.blackout is not None and overlaps(minute_of(wall), minutes, self.blackout):
            return Ban.BLACKOUT
        return None


@dataclass(frozen=True, slots=True)
class SchoolCalendar:
    """All that makes days different."""

    terms: tuple[Days, ...] = ()
    """Where there are none, lessons are held all year."""
    days_off: tuple[Days, ...] = ()
    periods: tuple[SpecialPeriod, ...] = ()

    def ban(self, wall: datetime, minutes: int, level_id: int) -> Ban | None:
        """Why no lesson may be held at a wall time; None where one may."""
        if self.terms and not is_within(wall.date(), self.terms):
            return Ban.OUTSIDE_TERMS
        if is_within(wall.date(), self.days_off):
            return Ban.DAY_OFF
        bans = (period.bans(wall, minutes, level_id) for period in self.periods)
        return next((ban for ban in bans if ban is not None), None)

    def slots(self, group: Weekly, after: datetime, until: datetime) -> dict[Place, datetime]:
        """When a group's lessons are, with after < it <= until; held or not.

        A period moves those that would otherwise be on one of its days, wherever in the same week
        it puts them, so that a week has each of them once.
        """
        found = {}
        monday = datetime.combine(after.date(), time()) - timedelta(days=after.weekday()) - WEEK
        while monday <= until + WEEK:
            found.update(self._week(group, monday))
            monday += WEEK
        return {place: wall for place, wall in found.items() if after < wall <= until}

    def _week(self, group: Weekly, monday: datetime) -> dict[Place, datetime]:
        week = {}
        for number, start in enumerate(group.starts):
            if start is not None:
                wall = self._moved(group, monday, number, dated(monday, start))
                if wall is not None:
                    week[monday.date(), OWN, number] = wall
        for period in self.periods:
            more = period.starts.get(group.group_id, ())[len(group.starts) :]
            for number, start in enumerate(more):
                if start is not None and is_within(dated(monday, start).date(), [period.days]):
                    week[monday.date(), f"period {period.id}", number] = dated(monday, start)
        return week

    def _moved(
        self, group: Weekly, monday: datetime, number: int, wall: datetime
    ) -> datetime | None:
        for period in self.periods:
            other = period.starts.get(group.group_id, ())[number : number + 1]
            if other and other[0] is not None and is_within(wall.date(), [period.days]):
                return dated(monday, other[0])
            if number in period.aside.get(group.group_id, ()) and is_within(
                wall.date(), [period.days]
            ):
                return None
        return wall


def weekly_dates(starts: Iterable[Start], after: datetime, until: datetime) -> list[datetime]:
    """Every wall time (naive) of the weekly starts with after < it <= until, in order."""
    slots = SchoolCalendar().slots(Weekly(0, 0, tuple(starts)), after, until)
    return sorted(slots.values())


def dated(monday: datetime, start: Start) -> datetime:
    """The wall time of a weekly start in the week that begins at `monday`."""
    day, minute = start
    if not (0 <= day <= 6 and 0 <= minute < DAY_MINUTES):
        raise ValueError(f"no weekly start: day {day}, minute {minute}")
    return monday + timedelta(days=day, minutes=minute)


def is_within(day: date, stretches: Collection[Days]) -> bool:
    """Whether a day is in one of the stretches."""
    return any(first <= day <= last for first, last in stretches)


def overlaps(minute: int, minutes: int, blackout: tuple[int, int]) -> bool:
    """Whether a lesson from a minute of the day on shares a moment with a stretch of that day."""
    begins, ends = blackout
    return minute < ends and begins < minute + minutes


def minute_of(wall: datetime) -> int:
    """The minute of the day."""
    return wall.hour * 60 + wall.minute
