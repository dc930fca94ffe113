"""The other times at which one lesson could be held: within everybody's hours, and free."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final

from flask import current_app

from app.models import Lesson
from app.services.change_policy import Act, Role, policy_of
from app.services.clashes import Surroundings, surroundings
from app.services.programme import matching_rules
from scheduler import clock

MOST_A_DAY: Final = 3


def free_times(lesson: Lesson, role: Role, most: int) -> list[datetime]:
    """Wall times at which somebody of that role could have a lesson instead, in order.

    They are the nearest ones, as far apart as a lesson is long, a few a day. None where neither
    side gave hours.
    """
    policy = policy_of(Act.MOVE_LESSON, role)
    ahead, within = policy.ahead or timedelta(0), policy.within or timedelta(0)
    day = lesson.slot_start.date()
    first, last = max(_today(), day - within), day + within
    around = surroundings(lesson, first, last)
    found: list[datetime] = []
    for number in range((last - first).days + 1):
        free = [
            wall
            for wall in _starts(around, first + timedelta(days=number))
            if wall != lesson.wall_start and not around.clashes_at(wall, ahead=ahead, within=within)
        ]
        found += _apart(free, timedelta(minutes=lesson.minutes))[:MOST_A_DAY]
    nearest = sorted(found, key=lambda wall: (abs(wall - lesson.wall_start), wall))
    return sorted(nearest[:most])


def _starts(around: Surroundings, day: date) -> Iterable[datetime]:
    """The starts that the hours of whoever gave some begin with, and those after them."""
    step = matching_rules().start_every
    known = [around.tutor_hours, *around.family_hours]
    begins = {
        minute
        for hours in known
        if hours is not None
        for of_day, start, end in hours
        if of_day == day.weekday()
        for minute in range(-(-start // step) * step, end, step)
    }
    midnight = datetime.combine(day, time())
    return [midnight + timedelta(minutes=minute) for minute in sorted(begins)]


def _apart(walls: Iterable[datetime], least: timedelta) -> list[datetime]:
    kept: list[datetime] = []
    for wall in walls:
        if not kept or wall - kept[-1] >= least:
            kept.append(wall)
    return kept


def _today() -> date:
    return clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone).date()
