"""How large the CP-SAT model of a problem would be, counted before it is built."""

from __future__ import annotations

from math import comb

from matching.rules import Option, Rules

# Booleans for request and place; beyond this a model is too slow to help and too large to hold.
MOST_PLACES = 8_000


def fits_model(rules: Rules) -> bool:
    places = 0
    for r in range(len(rules.requests)):
        for option in rules.options(r):
            places += _choices(rules, option, rules.requests[r].lessons_per_week)
        if places > MOST_PLACES:
            return False
    return True


def _choices(rules: Rules, option: Option, lessons: int) -> int:
    """At most so many ways to choose the starts of a request's lessons."""
    if not option.timed or option.fixed is not None:
        return 1
    days = [part.bit_count() for part in rules.grid.by_day(option.mask)]
    if lessons == 1:
        return sum(days)
    choices: int = comb(len(days), lessons) * max(days, default=0) ** lessons
    return choices
