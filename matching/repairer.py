"""A plan for a problem that has changed, which changes few of the pairs that still stand."""

from __future__ import annotations

import math
import time

from matching.account import account, levels_of
from matching.exchanges import Exchanges
from matching.found import Report
from matching.objective import worth
from matching.plan import Plan
from matching.problem import Problem
from matching.reasons import why_unserved
from matching.search import fill
from matching.size import fits_model
from matching.standing import Standing, stand
from matching.stop import MaxRuntime, Stop
from matching.timetable import Timetable

# Where nobody says when to stop.
USUAL_SECONDS = 5.0
USUAL_TRIES = 100
USUAL_TRIES_A_CHANGE = 8

# An iteration is a hundredth of a second of CP-SAT's clock; so many exchanges take as long.
TRIES_AN_ITERATION = 30

# Below this, loading CP-SAT is not worth its time.
LEAST_SECONDS = 1.0


def repair(
    problem: Problem, plan: Plan, limit: int, stop: Stop | None, seed: int, report: Report
) -> Plan:
    """See `matching.repair`."""
    if limit < 0:
        raise ValueError(f"a limit of {limit} changes: must not be negative")
    began = time.monotonic()
    repairing = Repairing(stand(problem, plan), limit, stop, report)
    repairing.exchange()
    repairing.prove(seed)
    table = repairing.table
    value = worth(table)
    levels = levels_of(table, value, {}, {})
    report("reasons", repairing.weight, None)
    unserved = why_unserved(table)
    clocked = not math.isinf(repairing.stop.left(0).seconds)
    seconds = round(time.monotonic() - began, 2) if clocked else None
    return account(table, value, levels, repairing.impossible, unserved, (), seconds, seed)


class Repairing:
    """One repair under way; `table` is the best so far."""

    def __init__(self, standing: Standing, limit: int, stop: Stop | None, report: Report) -> None:
        self.table: Timetable = standing.table
        self.rules = self.table.rules
        self.pairs = standing.pairs
        self.impossible = standing.impossible
        self.limit = limit
        self.most_tries = math.inf
        if stop is None:
            self.most_tries = USUAL_TRIES + USUAL_TRIES_A_CHANGE * limit
        self.stop = MaxRuntime(USUAL_SECONDS) if stop is None else stop
        self.report = report
        self.used = 0.0
        self.reached = 0

    @property
    def weight(self) -> int:
        return sum(self.rules.requests[r].weight for r in self.table.group_of)

    def exchange(self) -> None:
        """Seat who can be seated, then exchange seats for what is worth most."""
        self.report("greedy", self.weight, None)
        fill(self.table)
        self.reached = self.weight
        self.report("greedy", self.reached, None)
        exchanges = Exchanges(self.table, self.pairs, self.limit, self._going, self._gain)
        exchanges.run()
        self.used = exchanges.tries / TRIES_AN_ITERATION

    def _gain(self, weight: int) -> None:
        self.reached += weight
        self.report("weight_served", self.reached, None)

    def _going(self, tries: int) -> bool:
        left = self.stop.left(tries / TRIES_AN_ITERATION, self.reached)
        return tries < self.most_tries and not left.nothing

    def prove(self, seed: int) -> None:
        """Where the problem is small enough, find the best there is within the limit."""
        left = self.stop.left(self.used, self.reached)
        if left.iterations <= 0 or left.seconds < LEAST_SECONDS or not fits_model(self.rules):
            return
        from matching.within_limit import WithinLimit

        climb = WithinLimit(self.table, self.pairs, self.limit, self.stop, seed, self.report)
        climb.used = self.used
        self.table = climb.climb().table
        fill(self.table)
