"""The school calendar as it stands: terms, days off and special periods, and what they forbid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

from flask import current_app
from sqlalchemy import select

from app.extensions import db
from app.models import (
    DAYS,
    LIVE_GROUPS,
    DayOff,
    DayOffState,
    ExamEffect,
    Group,
    Membership,
    Period,
    PeriodKind,
    PeriodStarts,
    PeriodStartsState,
    Pupil,
    TutoringRequest,
)
from app.services.period_meetings import GroupInForce, Meeting, Starts, meetings
from app.services.programme import matching_rules
from app.services.terms import OUTSIDE_TERMS, term_days
from scheduler import clock
from scheduler.calendar import Ban, SchoolCalendar, SpecialPeriod, Start, Weekly, overlaps

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


@dataclass(frozen=True, slots=True)
class Week:
    """What a period's times are held against: the groups in force, and how long lessons are."""

    groups: list[GroupInForce]
    minutes: int


def special(
    period: Period, starts: Mapping[int, Starts], week: Week | None = None
) -> SpecialPeriod:
    """A period as the calendar sees it once it is published with these times of groups.

    `week` saves reading it anew where several periods are asked for.
    """
    return SpecialPeriod(
        id=period.id,
        days=(period.first_day, period.last_day),
        level_ids=None if period.level_ids is None else frozenset(period.level_ids),
        suspends=period.effect is ExamEffect.SUSPEND,
        blackout=blackout_of(period),
        starts=starts,
        aside=_aside(period, starts, week),
    )


def blackout_of(period: Period) -> tuple[int, int] | None:
    """The minutes of the day between which no lesson goes on in a period, if there are such."""
    if period.kind is not PeriodKind.RAMADAN:
        return None
    if period.blackout_from is None or period.blackout_until is None:
        return None
    return period.blackout_from, period.blackout_until


def aside_in(period: Period) -> Mapping[int, frozenset[int]]:
    """By group, which of its weekly times stand aside in a period; none before it is published.

    Also those for which the group has got another time by now.
    """
    given = next((given for row, given in _published() if row.id == period.id), {})
    return _aside(period, given, None)


def meetings_in_periods() -> set[tuple[int, Meeting]]:
    """By period, the times of groups in it that meet those which it has given to others."""
    published = [row for row in _published() if _is_of_use(*row)]
    if not published:
        return set()
    week = _read_week()
    return {
        (period.id, meeting)
        for period, given in published
        for meeting in meetings(given, week.groups, week.minutes)
    }


def _aside(
    period: Period, given: Mapping[int, Starts], week: Week | None
) -> dict[int, frozenset[int]]:
    if not _is_of_use(period, given):
        return {}
    week = week or _read_week()
    blackout = blackout_of(period)
    starts = {group.id: group.starts for group in week.groups}
    found: dict[int, set[int]] = {}
    for group_id, place in meetings(given, week.groups, week.minutes, of_own=True):
        start = starts[group_id][place]
        # What is forbidden is not held anyway, and says so.
        if start is not None and not (blackout and overlaps(start[1], week.minutes, blackout)):
            found.setdefault(group_id, set()).add(place)
    return {group_id: frozenset(places) for group_id, places in found.items()}


def _is_of_use(period: Period, given: Mapping[int, Starts]) -> bool:
    """Whether a period has given groups times, and is not over."""
    zone = current_app.config["N9RAW"].civil_zone
    today = clock.to_wall(clock.now(), zone).date()
    return period.last_day >= today and any(any(starts) for starts in given.values())


def _read_week() -> Week:
    return Week(_groups_in_force(), matching_rules().lesson_minutes)


def _groups_in_force() -> list[GroupInForce]:
    seats = db.session.execute(
        select(Membership.group_id, Pupil.household_id)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .where(Membership.ended_at.is_(None))
    )
    homes: dict[int, set[int]] = {}
    for group_id, household_id in seats:
        homes.setdefault(group_id, set()).add(household_id)
    groups = db.session.execute(
        select(Group.id, Group.tutor_id, Group.starts)
        .where(Group.state.in_(LIVE_GROUPS))
        .order_by(Group.id)
    )
    return [
        GroupInForce(row.id, row.tutor_id, read_starts(row.starts), frozenset(homes[row.id]))
        for row in groups
        if row.id in homes
    ]


def _published_periods() -> tuple[SpecialPeriod, ...]:
    published = _published()
    week = _read_week() if any(_is_of_use(*row) for row in published) else None
    return tuple(special(period, given, week) for period, given in published)


def _published() -> list[tuple[Period, dict[int, Starts]]]:
    """The published periods with the other times of groups."""
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
    starts: dict[int, dict[int, Starts]] = {}
    for period_id, group_id, given in rows:
        starts.setdefault(period_id, {})[group_id] = read_starts(given)
    return [(period, starts.get(period.id, {})) for period in periods]


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return 60 * int(hours) + int(minutes)
