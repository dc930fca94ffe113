"""The lessons of one week or day, as a timetable shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload, lazyload, subqueryload

from app.extensions import db
from app.models import Group, Household, Lesson, Membership, Pupil, TutoringRequest
from app.services.paging import Page, page_of
from app.services.scope import Scope
from app.services.vetting_term import today
from app.services.within import WITHOUT_HOURS, groups_within

MOST_IN_A_WEEK: Final = 120
"""Lessons up to which a week is shown whole; a fuller one is shown day by day."""
PER_PAGE: Final = 60


@dataclass(frozen=True, slots=True)
class TableLesson:
    """A lesson, and the children who had their place in it when it began."""

    lesson: Lesson
    pupils: list[Pupil]


@dataclass(frozen=True, slots=True)
class TableDay:
    """A day of the week; its lessons are in the order of their times."""

    day: date
    total: int
    lessons: list[TableLesson]
    """Empty where another day is shown."""


@dataclass(frozen=True, slots=True)
class WeekTable:
    """Seven days from a Monday. Where they hold too much for one page, one of them is shown."""

    first_day: date
    days: list[TableDay]
    shown: date | None
    """The one day that is shown; None where all are."""
    page: Page
    """Of that day's lessons."""
    today: date

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(days=6)

    @property
    def previous(self) -> date:
        return self.first_day - timedelta(days=7)

    @property
    def next(self) -> date:
        return self.first_day + timedelta(days=7)

    @property
    def total(self) -> int:
        return sum(day.total for day in self.days)

    @property
    def pupils(self) -> list[Pupil]:
        """All children of the lessons that are shown."""
        return [pupil for day in self.days for entry in day.lessons for pupil in entry.pupils]


def read_week(
    wanted: date,
    scope: Scope,
    *,
    zone_id: int | None = None,
    day: date | None = None,
    page_number: int = 1,
) -> WeekTable:
    """The week that `wanted` is in, for these zones or one of them.

    `day` asks for one day alone, as does a week with too many lessons for one page.
    """
    first = wanted - timedelta(days=wanted.weekday())
    days = [first + timedelta(days=number) for number in range(7)]
    kept = _kept(scope, zone_id)
    totals = _totals(days, kept)
    shown = day if day in days else None
    if shown is None and sum(totals.values()) > MOST_IN_A_WEEK:
        shown = _busy_day(days, totals)
    page = page_of(totals.get(shown, 0) if shown else 0, page_number, PER_PAGE)
    entries = _entries([shown] if shown else days, kept, page if shown else None)
    by_day: dict[date, list[TableLesson]] = {}
    for entry in entries:
        by_day.setdefault(entry.lesson.wall_start.date(), []).append(entry)
    return WeekTable(
        first,
        [TableDay(one, totals.get(one, 0), by_day.get(one, [])) for one in days],
        shown,
        page,
        today(),
    )


def lessons_between(first: date, last: date, *conditions: ColumnElement[bool]) -> Any:
    """The statement of the lessons of some days, in order, with all that a table says of them."""
    return (
        select(Lesson)
        .where(*_starts_within(first, last), *conditions)
        .order_by(Lesson.wall_start, Lesson.id)
        .options(
            joinedload(Lesson.substitute).options(lazyload("*")),
            joinedload(Lesson.group).options(
                joinedload(Group.tutor).options(lazyload("*")),
                joinedload(Group.subject),
                joinedload(Group.level),
                subqueryload(Group.memberships)
                .joinedload(Membership.request)
                .joinedload(TutoringRequest.pupil)
                .joinedload(Pupil.household)
                .options(*WITHOUT_HOURS, joinedload(Household.zone)),
            ),
        )
    )


def pupils_of(lesson: Lesson) -> list[Pupil]:
    """The children who had a place in the group when the lesson began, or have it today."""
    return [
        seat.request.pupil
        for seat in lesson.group.memberships
        if seat.active_since is not None
        and (seat.ended_at is None or seat.active_since < lesson.starts_at < seat.ended_at)
    ]


def _kept(scope: Scope, zone_id: int | None) -> ColumnElement[bool]:
    if zone_id is None:
        return groups_within(scope, Lesson.group_id)
    one = Scope(frozenset({zone_id}) if scope.includes(zone_id) else frozenset())
    return groups_within(one, Lesson.group_id)


def _totals(days: Sequence[date], kept: ColumnElement[bool]) -> dict[date, int]:
    totals: dict[date, int] = {}
    counted = db.session.execute(
        select(Lesson.wall_start, func.count())
        .where(*_starts_within(days[0], days[-1]), kept)
        .group_by(Lesson.wall_start)
    )
    for wall_start, number in counted:
        totals[wall_start.date()] = totals.get(wall_start.date(), 0) + number
    return totals


def _busy_day(days: Sequence[date], totals: dict[date, int]) -> date:
    """Today, or else the first day that has lessons."""
    now = today()
    return now if now in days else next(day for day in days if totals.get(day))


def _entries(
    days: Sequence[date], kept: ColumnElement[bool], page: Page | None
) -> list[TableLesson]:
    statement = lessons_between(days[0], days[-1], kept)
    if page is not None:
        statement = statement.limit(page.size).offset(page.first)
    return [TableLesson(lesson, pupils_of(lesson)) for lesson in db.session.scalars(statement)]


def _starts_within(first: date, last: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    midnight = time()
    return (
        Lesson.wall_start >= datetime.combine(first, midnight),
        Lesson.wall_start < datetime.combine(last + timedelta(days=1), midnight),
    )
