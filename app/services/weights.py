"""How much a request counts in the matching: more as its level's exam comes near."""

from __future__ import annotations

from datetime import date
from typing import Final

from flask import current_app

from app.models import Level
from scheduler import clock

RISES_FOR_WEEKS: Final = 16
FULL_FOR_WEEKS: Final = 4
RESTS_FOR_WEEKS: Final = 8
_STEPS: Final = RISES_FOR_WEEKS - FULL_FOR_WEEKS


def weight_on(level: Level, day: date) -> int:
    """What a request at this level counts on a day.

    Long before the exam that is the level's weight. From 16 weeks before on it rises week by week
    by a twelfth of itself, rounded down, and is double from 4 weeks before to the day of the exam.
    For 8 weeks after it counts 1, since that exam is over. Then, and where no date is known, it is
    the level's weight: who comes to the level now has the next exam ahead.
    """
    if not level.exam or level.exam_on is None:
        return level.weight
    left = (level.exam_on - day).days
    if left < 0:
        return 1 if -left <= 7 * RESTS_FOR_WEEKS else level.weight
    weeks_left = -(-left // 7)
    steps = min(max(RISES_FOR_WEEKS - weeks_left, 0), _STEPS)
    return level.weight + level.weight * steps // _STEPS


def weight_today(level: Level) -> int:
    """What a request at this level counts today, by the programme's calendar."""
    zone = current_app.config["N9RAW"].civil_zone
    return weight_on(level, clock.to_wall(clock.now(), zone).date())
