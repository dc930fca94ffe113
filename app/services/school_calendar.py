"""The school calendar as it stands: terms, days off and special periods, and what they forbid."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, TypeVar

from sqlalchemy import select

from app.extensions import db
from app.models import (
    DAYS,
    DayOff,
    DayOffState,
    ExamEffect,
    Group,
    Period,
    PeriodKind,
    PeriodStarts,
    PeriodStartsState,
)
from app.services.terms import OUTSIDE_TERMS, term_days
from scheduler.calendar import Ban, SchoolCalendar, SpecialPeriod, Start, Weekly

T = TypeVar("T", DayOff, Period)

ON_DAY_OFF: Final = "no lessons are held on this day off"
IN_EXAMS: Final = "no lessons are held in these weeks of exams"
IN_BLACKOUT: Final = "no lessons are held at this hour in Ramadan"
NOT_DOUBLED: Final = "lessons are not doubled in these weeks of exams any more"
REASONS: Final = {
    Ban.OUTSIDE_TERMS: OUTSIDE_TERMS,
    Ban.DAY_OFF: ON_DAY_OFF,
    Ban.EXAMS: IN_EXAMS,
    Ban.BLACKOUT: IN_BLACKOUT,
    Ban.NOT_DOUBLED: NOT_DOUBLED,
}
"""The reasons stored with lessons that the calendar cancels; pages put them in words. What nobody
but the calendar cancelled, the calendar gives back."""


def read_calendar() -> SchoolCalendar:
    """What holds today: of days off the confirmed ones, of periods those that are published."""
    days_off = db.session.execute(
        select(DayOff.first_day, DayOff.last_day)
        .where(DayOff.state == DayOffState.CONFIRMED)
        .order_by(DayOff.first_day, DayOff.id)
    )
    return SchoolCalendar(
        terms=tuple(term_days()),
        days_off=tuple((first, last) for first, last in days_off),
        periods=_published_periods(),
    )


def touching(table: type[T], first: date, last: date) -> list[T]:
    """All that touch the days between two, whatever their state, in the order of time."""
    return list(
        db.session.scalars(
            select(table)
            .where(table.last_day >= first, table.first_day <= last)
            .order_by(table.first_day, table.id)
        )
    )


def weekly_of(group: Group) -> Weekly:
    """A group as the calendar sees it."""
    return weekly(group.id, group.level_id, group.starts)


def weekly(group_id: int, level_id: int, starts: list[list[Any] | None]) -> Weekly:
    """As `weekly_of`, from a group's columns."""
    return Weekly(group_id, level_id, read_starts(starts))


def read_starts(starts: list[list[Any] | None]) -> tuple[Start | None, ...]:
    """Weekly starts as rows keep them, such as ["mon", "18:00"], as (0, 1080)."""
    return tuple(
        None if start is None else (DAYS.index(start[0]), _minute(start[1])) for start in starts
    )


def special(period: Period, starts: dict[int, tuple[Start | None, ...]]) -> SpecialPeriod:
    """A period as the calendar sees it once it is published with these times of groups."""
    blackout = None
    if period.blackout_from is not None and period.blackout_until is not None:
        blackout = (period.blackout_from, period.blackout_until)
    return SpecialPeriod(
        id=period.id,
        days=(period.first_day, period.last_day),
        level_ids=None if period.level_ids is None else frozenset(period.level_ids),
        suspends=period.effect is ExamEffect.SUSPEND,
        blackout=blackout if period.kind is PeriodKind.RAMADAN else None,
        starts=starts,
    )


def _published_periods() -> tuple[SpecialPeriod, ...]:
    # Read anew each time: whoever waited for a lock must not see what it was before.
    periods = db.session.scalars(
        select(Period)
        .where(Period.published_at.is_not(None))
        .order_by(Period.first_day, Period.id)
        .execution_options(populate_existing=True)
    ).all()
    rows = db.session.execute(
        select(PeriodStarts.period_id, PeriodStarts.group_id, PeriodStarts.starts).where(
            PeriodStarts.period_id.in_([period.id for period in periods]),
            PeriodStarts.state == PeriodStartsState.PUBLISHED,
        )
    )
    starts: dict[int, dict[int, tuple[Start | None, ...]]] = {}
    for period_id, group_id, given in rows:
        starts.setdefault(period_id, {})[group_id] = read_starts(given)
    return tuple(special(period, starts.get(period.id, {})) for period in periods)


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return 60 * int(hours) + int(minutes)
