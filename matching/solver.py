"""From a problem to a plan: pins, a first fill, then CP-SAT, or local search where it is large."""

from __future__ import annotations

import math
import time

from matching.account import account, levels_of
from matching.advice import advise
from matching.found import Found, Report
from matching.objective import worth
from matching.pins import take_pins
from matching.plan import Plan
from matching.problem import Problem
from matching.reasons import why_unserved
from matching.rules import Rules
from matching.search import fill
from matching.size import fits_model
from matching.stop import Stop
from matching.timetable import Timetable

# Below this, loading CP-SAT is not worth its time.
LEAST_SECONDS = 1.0


def solve(problem: Problem, stop: Stop, seed: int, report: Report, levels: int) -> Plan:
    """See `matching.solve`."""
    began = time.monotonic()
    rules = Rules(problem)
    table = Timetable(rules)
    impossible = take_pins(table)
    report("greedy", _weight(table), None)
    fill(table)
    report("greedy", _weight(table), None)
    left = stop.left(0)
    clocked = not math.isinf(left.seconds)
    found = Found(table)
    if left.iterations > 0 and left.seconds >= LEAST_SECONDS:
        found = _improved(table, stop, seed, report, levels, clocked)
        fill(found.table)
    table = found.table
    clocked = clocked or not math.isinf(stop.left(0).seconds)
    value = worth(table)
    accounts = levels_of(table, value, found.bounds, found.proved)
    bound = accounts[0].bound
    assert isinstance(bound, int)
    report("reasons", value.weight, bound)
    unserved = why_unserved(table)
    report("advice", value.weight, bound)
    advice = advise(table)
    seconds = round(time.monotonic() - began, 2) if clocked else None
    return account(table, value, accounts, impossible, unserved, advice, seconds, seed)


def _improved(
    table: Timetable, stop: Stop, seed: int, report: Report, levels: int, clocked: bool
) -> Found:
    """By CP-SAT if the problem is small enough for it, else by local search."""
    if fits_model(table.rules):
        from matching.levels import Levels

        return Levels(table, stop, seed, report).climb(levels)
    from matching.arrays import fits_arrays
    from matching.bounding import Bounding

    if not fits_arrays(table.rules):
        return Found(table)
    from matching.local_search import LocalSearch

    with Bounding(table.rules, clocked) as bounding:
        search = LocalSearch(table, stop, seed, report, bounding.now)
        found = search.climb(levels)
    report("bound", _weight(found.table), bounding.now(search.used))
    bound = bounding.verified()
    if bound is not None:
        found.bounds["weight_served"] = bound
    return found


def _weight(table: Timetable) -> int:
    return sum(table.rules.requests[r].weight for r in table.group_of)
