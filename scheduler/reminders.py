"""When a reminder may leave: how long before its lesson, never at night, never too late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from scheduler import clock

QUIET_FROM = time(21)
QUIET_UNTIL = time(8)
EVENING = time(20, 30)
NIGHT = (QUIET_FROM, QUIET_UNTIL)
MORNING = time(9)
"""What is changed at night about lessons before the next of these is told at once."""
NOTICE = timedelta(minutes=30)
"""A reminder that waits for the morning must still be this long before its lesson."""

SHARED_WITHIN = timedelta(hours=2)
"""Lessons that start within this time of each other share one reminder of the same day."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long before a lesson a reminder leaves, and from when on it is of no use."""

    ahead: timedelta
    useless: timedelta


DAY_BEFORE = Timing(ahead=timedelta(hours=24), useless=timedelta(hours=2))
HOURS_BEFORE = Timing(ahead=timedelta(hours=2), useless=timedelta(minutes=15))


def is_quiet(instant: datetime, zone: str, hours: tuple[time, time] = NIGHT) -> bool:
    """Whether people of a zone are left in peace at that instant: from 21:00 to 08:00."""
    wall = clock.to_wall(instant, zone).time()
    begin, end = hours
    return begin <= wall < end if begin <= end else wall >= begin or wall < end


def next_waking(instant: datetime, zone: str, hours: tuple[time, time] = NIGHT) -> datetime:
    """The first instant from this one on that is not quiet."""
    if not is_quiet(instant, zone, hours):
        return instant
    wall = clock.to_wall(instant, zone)
    day = wall.date() + timedelta(days=1 if wall.time() >= hours[1] else 0)
    return clock.to_utc(datetime.combine(day, hours[1]), zone)


def is_before_morning(starts_at: datetime, instant: datetime, zone: str) -> bool:
    """Whether a lesson is still to come, and before the next 09:00: news of it can't wait."""
    wall = clock.to_wall(instant, zone)
    day = wall.date() + timedelta(days=1 if wall.time() >= MORNING else 0)
    return instant <= starts_at < clock.to_utc(datetime.combine(day, MORNING), zone)


def due_at(timing: Timing, starts_at: datetime, zone: str) -> datetime:
    """When the reminder of a lesson leaves.

    One that falls into quiet hours goes at 08:00 if the lesson is at least 30 minutes later, else
    at 20:30 the evening before.
    """
    wanted = starts_at - timing.ahead
    morning = next_waking(wanted, zone)
    if morning == wanted or starts_at - morning >= NOTICE:
        return morning
    wall = clock.to_wall(wanted, zone)
    evening = wall.date() - timedelta(days=0 if wall.time() >= QUIET_FROM else 1)
    return clock.to_utc(datetime.combine(evening, EVENING), zone)


def expires_at(timing: Timing, starts_at: datetime) -> datetime:
    """The instant from which the reminder of a lesson may not leave any more."""
    return starts_at - timing.useless


def share_by_day(starts: Sequence[datetime], zone: str) -> list[list[int]]:
    """Positions of the instants that share a text, by the zone's calendar day; earliest first."""
    order = sorted(range(len(starts)), key=lambda place: starts[place])
    shared: list[list[int]] = []
    for place in order:
        day = clock.to_wall(starts[place], zone).date()
        if shared and clock.to_wall(starts[shared[-1][0]], zone).date() == day:
            shared[-1].append(place)
        else:
            shared.append([place])
    return shared


def share_by_hours(starts: Sequence[datetime]) -> list[list[int]]:
    """Positions of the instants that share a text: within two hours of the first of them."""
    order = sorted(range(len(starts)), key=lambda place: starts[place])
    shared: list[list[int]] = []
    for place in order:
        if shared and starts[place] - starts[shared[-1][0]] <= SHARED_WITHIN:
            shared[-1].append(place)
        else:
            shared.append([place])
    return shared
