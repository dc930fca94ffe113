"""A school year on one page: terms, days off and special periods by month, and what to decide."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from app.models import DayOff, ExamEffect, Period, Term
from app.services import days_off, periods
from app.services.period_starts import has_unpublished, wants_times
from app.services.periods import RamadanProposal
from app.services.terms import list_terms
from app.services.vetting_term import today
from scheduler.calendar import Days

Entry = Term | DayOff | Period


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """A school year by the months in which something begins."""

    days: Days
    months: list[list[Entry]]


@dataclass(frozen=True, slots=True)
class ToDecide:
    """What of the calendar waits for a coordinator."""

    days_off: list[DayOff]
    ramadan: RamadanProposal | None
    periods: list[Period]
    """Those whose other times are not published yet, or lack for groups that began since, and that
    have not passed."""

    @property
    def total(self) -> int:
        return len(self.days_off) + len(self.periods) + (self.ramadan is not None)


def read_year(day: date) -> CalendarYear:
    """The school year that a day is in."""
    first, last = days_off.school_year(day)
    entries: list[Entry] = [
        *(term for term in list_terms() if term.last_day >= first and term.first_day <= last),
        *days_off.list_days_off(first, last),
        *periods.list_periods(first, last),
    ]
    entries.sort(key=lambda entry: (entry.first_day, -entry.last_day.toordinal(), entry.id))
    months = groupby(entries, lambda entry: (entry.first_day.year, entry.first_day.month))
    return CalendarYear((first, last), [list(rows) for _month, rows in months])


def to_decide() -> ToDecide:
    """What is to be confirmed or published within the next five weeks."""
    ramadan = periods.ramadan_to_set()
    near = periods.list_periods(today(), today() + days_off.ASKED_FROM)
    return ToDecide(
        days_off=days_off.to_confirm(),
        ramadan=ramadan if ramadan is not None and periods.is_due(ramadan) else None,
        periods=[row for row in near if wants_times(row) and has_unpublished(row)],
    )


@dataclass(frozen=True, slots=True)
class Break:
    """Days without lessons, as families and volunteers are told of them."""

    name: str
    first_day: date
    last_day: date


def coming_breaks(level_ids: Collection[int], locale: str) -> list[Break]:
    """The days of the next four weeks on which pupils of these levels have no lessons, and why."""
    found = [
        Break(row.name_in(locale), row.first_day, row.last_day)
        for row in days_off.coming_days_off()
    ]
    for period in periods.list_periods(today(), today() + days_off.SHOWN_AHEAD):
        levels = level_ids if period.level_ids is None else {*level_ids} & {*period.level_ids}
        if period.effect is ExamEffect.SUSPEND and levels:
            found.append(Break(period.name, period.first_day, period.last_day))
    return sorted(found, key=lambda one: (one.first_day, one.last_day))
