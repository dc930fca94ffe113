"""Special periods: Ramadan, with hours that lessons keep clear of, and weeks of exams.

Ramadan begins by the sight of the moon, and so is only proposed here; what a coordinator stores is
what counts. Lessons follow a period once it is published: exams that suspend lessons at once, the
others with their other times (see period_starts).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import select

from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, ExamEffect, Level, Period, PeriodKind, Zone
from app.services import audit
from app.services.calendar_changes import Effects, Outcome, change_calendar, preview
from app.services.days_off import ASKED_FROM, school_year
from app.services.errors import Invalid, NotFound
from app.services.free_text import read_line
from app.services.school_calendar import special, touching
from app.services.term_changes import FIRST_YEAR, LAST_YEAR
from app.services.vetting_term import today
from scheduler import clock
from scheduler.calendar import DAY_MINUTES, Days, SchoolCalendar, SpecialPeriod
from scheduler.public_holidays import ramadans
from scheduler.sun import sunset

LONGEST_NAME: Final = 80
LONGEST: Final = timedelta(days=62)
BEFORE_SUNSET: Final = timedelta(minutes=45)
AFTER_SUNSET: Final = timedelta(minutes=90)
_ROUNDED_TO: Final = 15
_MIDDLE_OF_THE_PROGRAMME: Final = (32.88, -6.91)
"""Khouribga: where the sun is taken to set for zones of which the place is not known."""


@dataclass(frozen=True, slots=True)
class NewPeriod:
    """A period as it is to be: Ramadan with hours without lessons, or exams with their effect."""

    kind: PeriodKind
    name: str
    first_day: date
    last_day: date
    blackout: tuple[int, int] | None = None
    effect: ExamEffect | None = None
    level_ids: list[int] | None = None
    """None for all levels."""


@dataclass(frozen=True, slots=True)
class RamadanProposal:
    """A Ramadan as it is calculated, with hours around the breaking of the fast."""

    days: Days
    sunsets: tuple[int, int]
    """The earliest and the latest of the zones and days, as minutes of the day."""
    blackout: tuple[int, int]


def list_periods(first: date, last: date) -> list[Period]:
    """All that touch the days between two, in the order of time."""
    return touching(Period, first, last)


def get_period(period_id: int) -> Period:
    """One period; NotFound if there is none."""
    period = db.session.get(Period, period_id)
    if period is None:
        raise NotFound(_l("This period does not exist."))
    return period


def ramadan_to_set() -> RamadanProposal | None:
    """The next Ramadan of this school year or the next, where nobody has set it yet."""
    first, last = today(), school_year(today() + timedelta(days=365))[1]
    for days in ramadans(first - timedelta(days=30), last):
        if days[1] >= first and not any(
            period.kind is PeriodKind.RAMADAN for period in list_periods(*days)
        ):
            return propose_ramadan(days)
    return None


def is_due(proposal: RamadanProposal) -> bool:
    """Whether it is near enough to be asked about on the desk."""
    return proposal.days[0] <= today() + ASKED_FROM


def propose_ramadan(days: Days) -> RamadanProposal:
    """Hours to keep clear of in a Ramadan of these days, by the sunsets of the zones."""
    minutes = sorted(_minute(instant) for instant in _sunsets(days))
    earliest, latest = minutes[0], minutes[-1]
    begins = int(earliest - BEFORE_SUNSET.total_seconds() / 60) // _ROUNDED_TO * _ROUNDED_TO
    ends = -int(-(latest + AFTER_SUNSET.total_seconds() / 60) // _ROUNDED_TO) * _ROUNDED_TO
    blackout = max(begins, 0), min(ends, DAY_MINUTES)
    return RamadanProposal(days, (int(earliest), int(latest)), blackout)


def preview_period(new: NewPeriod, period_id: int | None = None) -> Effects:
    """What a period would do to lessons, new or in the place of the one with that id."""
    _check(new)
    old = None if period_id is None else get_period(period_id)
    if new.effect is not ExamEffect.SUSPEND and (old is None or old.published_at is None):
        # Its lessons change when its times are published.
        return preview(lambda calendar: _without(calendar, period_id))
    row = Period(id=period_id or 0)
    _write(row, new)
    return preview(
        lambda calendar: _with(
            _without(calendar, period_id), special(row, _starts(calendar, period_id))
        )
    )


def preview_removal(period_id: int) -> Effects:
    """What the end of a period would do to lessons."""
    return preview(lambda calendar: _without(calendar, period_id))


def store_period(
    new: NewPeriod, by: Coordinator | None, *, period_id: int | None = None, agreed: int = 0
) -> tuple[Period, Outcome]:
    """Add a period, or change the one with that id; `agreed` as in `change_calendar`."""
    kept: list[Period] = []

    def change() -> None:
        _check(new)
        period = Period() if period_id is None else get_period(period_id)
        if period_id is not None and period.kind is not new.kind:
            raise Invalid(_l("A period can’t become one of another kind."))
        _write(period, new)
        if new.effect is ExamEffect.SUSPEND and period.published_at is None:
            period.published_at = clock.now()
        db.session.add(period)
        db.session.flush()
        _note("add_period" if period_id is None else "change_period", period, by)
        kept.append(period)

    outcome = change_calendar(change, agreed)
    return kept[0], outcome


def remove_period(period_id: int, by: Coordinator | None, *, agreed: int = 0) -> Outcome:
    """Take a period away: lessons are as they were before it."""

    def change() -> None:
        period = get_period(period_id)
        _note("remove_period", period, by)
        db.session.delete(period)

    return change_calendar(change, agreed)


def _write(period: Period, new: NewPeriod) -> None:
    period.kind, period.name = new.kind, read_line(new.name)
    period.first_day, period.last_day = new.first_day, new.last_day
    period.blackout_from, period.blackout_until = new.blackout or (None, None)
    period.effect, period.level_ids = new.effect, new.level_ids


def _check(new: NewPeriod) -> None:
    if not 0 < len(read_line(new.name)) <= LONGEST_NAME:
        raise Invalid(_l("Give the period a name of at most 80 letters."))
    if new.last_day < new.first_day:
        raise Invalid(_l("The last day comes before the first."))
    if new.first_day.year < FIRST_YEAR or new.last_day.year > LAST_YEAR:
        raise Invalid(_l("Check the year of these days."))
    if new.last_day - new.first_day >= LONGEST:
        raise Invalid(_l("A period has two months at most."))
    if new.kind is PeriodKind.RAMADAN:
        _check_blackout(new.blackout)
    elif new.effect is None:
        raise Invalid(_l("Choose what becomes of lessons in these weeks."))
    levels = set(db.session.scalars(select(Level.id)))
    if new.level_ids is not None and (not new.level_ids or not levels.issuperset(new.level_ids)):
        raise Invalid(_l("Choose the levels that sit these exams."))


def _check_blackout(blackout: tuple[int, int] | None) -> None:
    if blackout is None or not 0 <= blackout[0] < blackout[1] <= DAY_MINUTES:
        raise Invalid(_l("Give hours of one day, the earlier one first."))


def _sunsets(days: Days) -> Iterable[datetime]:
    """The instants at which the sun sets in the zones, on the first, middle and last of the days.

    It sets earlier or later from day to day without turning, but for two turns a year.
    """
    known = db.session.execute(select(Zone.latitude, Zone.longitude)).all()
    places = {
        _MIDDLE_OF_THE_PROGRAMME if None in row else (row.latitude, row.longitude) for row in known
    }
    first, last = days
    for latitude, longitude in places or {_MIDDLE_OF_THE_PROGRAMME}:
        for number in range((last - first).days + 1):
            yield sunset(first + timedelta(days=number), latitude, longitude)


def _minute(instant: datetime) -> float:
    """The minute of the day on the programme's clocks."""
    wall = clock.to_wall(instant, current_app.config["N9RAW"].civil_zone)
    return wall.hour * 60 + wall.minute + wall.second / 60


def _without(calendar: SchoolCalendar, period_id: int | None) -> SchoolCalendar:
    return replace(calendar, periods=tuple(one for one in calendar.periods if one.id != period_id))


def _with(calendar: SchoolCalendar, period: SpecialPeriod) -> SchoolCalendar:
    return replace(calendar, periods=(*calendar.periods, period))


def _starts(calendar: SchoolCalendar, period_id: int | None) -> dict[int, Any]:
    found = (dict(one.starts) for one in calendar.periods if one.id == period_id)
    return next(found, {})


def _note(action: str, period: Period, by: Coordinator | None) -> None:
    audit.note(
        action,
        f"period:{period.id}",
        by,
        detail={
            "name": period.name,
            "days": [str(period.first_day), str(period.last_day)],
            "blackout": [period.blackout_from, period.blackout_until],
            "effect": period.effect,
            "levels": period.level_ids,
        },
    )
