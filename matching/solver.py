"""From a problem to a plan: pins, a first fill, CP-SAT where the problem is small enough for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from matching.account import account, levels_of
from matching.advice import advise
from matching.objective import worth
from matching.pins import take_pins
from matching.plan import LevelValue, Plan
from matching.problem import Problem
from matching.reasons import why_unserved
from matching.rules import Rules
from matching.search import fill
from matching.size import fits_model
from matching.stop import Left, Stop
from matching.timetable import Timetable

# Below this, loading CP-SAT is not worth its time.
LEAST_SECONDS = 1.0

Report = Callable[[str, int | None, int | None], None]


def solve(problem: Problem, stop: Stop, seed: int, report: Report) -> Plan:
    """See `matching.solve`."""
    began = time.monotonic()
    rules = Rules(problem)
    table = Timetable(rules)
    impossible = take_pins(table)
    report("greedy", _weight(table), None)
    fill(table)
    report("greedy", _weight(table), None)
    clocked = not math.isinf(stop.left(0).seconds)
    bounds: dict[str, LevelValue] = {}
    proved: dict[str, bool] = {}
    if _worth_improving(rules, stop.left(0)):
        from matching.levels import Levels

        found = Levels(table, stop, seed, report).climb()
        table, bounds, proved = found.table, found.bounds, found.proved
        fill(table)
    clocked = clocked or not math.isinf(stop.left(0).seconds)
    value = worth(table)
    levels = levels_of(table, value, bounds, proved)
    bound = levels[0].bound
    assert isinstance(bound, int)
    report("reasons", _weight(table), bound)
    unserved = why_unserved(table)
    report("advice", _weight(table), bound)
    advice = advise(table)
    seconds = round(time.monotonic() - began, 2) if clocked else None
    return account(table, value, levels, impossible, unserved, advice, seconds, seed)


def _weight(table: Timetable) -> int:
    return sum(table.rules.requests[r].weight for r in table.group_of)


def _worth_improving(rules: Rules, left: Left) -> bool:
    if left.iterations <= 0 or left.seconds < LEAST_SECONDS:
        return False
    return fits_model(rules)
