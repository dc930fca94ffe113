"""Ruin and recreate, level by level, for problems too large for CP-SAT.

A trial picks a request that waits, closes about three quarters of the groups of a few tutors who
could serve it, inserts everybody anew, and is kept or undone. The loops are those of
`matching.compiled`; here is what they are given: for how long, how much loss they may accept,
and which requests are worth moving.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from matching import compiled
from matching.arrays import NONE, PREVIOUS, WEIGHT, Arrays, Ints
from matching.bound import can_keep_tutor
from matching.compiled import GROUP, KEPT, PINNED, SERVABLE, SERVED, SPENT, WAITING, Seats
from matching.found import Found, Report
from matching.seating import seats_of, timetable_of
from matching.stop import Left, Stop
from matching.timetable import Timetable

TRIALS_AN_ITERATION = 100

# What a level may use of what is left when it begins; the last takes all.
SHARES = {"weight_served": 0.88, "zones": 0.5, "kept": 0.4, "cost": 1.0}
# Where nothing limits the search: so many iterations for every request.
UNLIMITED = {"weight_served": 1.0, "zones": 0.2, "kept": 0.2, "cost": 0.4}
# A level below the first ends after so many iterations for every target without a gain.
PATIENCE = 0.08
LEAST_PATIENCE = 30

# Losses that are accepted, in weights of a light request, at the beginning and towards the end.
# A search of more than so many trials for every request may begin warmer.
WARM, WARMEST, COOL = 0.4, 0.9, 0.1
SHORT = 60
COLD_FROM = 0.95  # the part of the time after which no loss is accepted
QUANTILES = 512  # of the losses drawn from
FRACTION = 1 << 20  # their logarithms are rounded to so many parts: the same on every machine

# The best is kept aside, by copying all, at most once in an iteration for so many requests.
REQUESTS_A_COPY = 5_000


class LocalSearch:
    """One climb through the levels, from a timetable to a better one."""

    def __init__(
        self,
        table: Timetable,
        stop: Stop,
        seed: int,
        report: Report,
        bound: Callable[[int], int | None],
    ) -> None:
        self.table = table
        self.rules = table.rules
        self.stop = stop
        self.report = report
        self.used = 0
        self.arrays = Arrays(table.rules)
        self.given = self.arrays.given
        self.seats = seats_of(self.arrays, table, seed)
        self.bound = bound
        self._told: tuple[str, int, int | None] | None = None

    def climb(self, levels: int) -> Found:
        """Improve so many levels, in order, until nothing is left to spend."""
        improving = (self._weight, self._zones, self._kept, self._cost)
        for improve in improving[:levels]:
            if self.left().nothing:
                break
            improve()
            # Else the next level would not know, and not keep, what could still be added.
            compiled.insert_all(self.given, self.seats)
        return Found(timetable_of(self.arrays, self.seats, self.table))

    def left(self) -> Left:
        return self.stop.left(self.used, int(self.seats.value[SERVED]), self.bound(self.used))

    # --- the levels

    def _weight(self) -> None:
        spent = self._spending("weight_served")
        unit = self._light()
        between = 1 + len(self.rules.requests) // REQUESTS_A_COPY
        best, copied = _copy(self.seats), self.used
        while (part := spent()) < 1 and self.seats.counts[WAITING]:
            losses = _losses(unit * self._warmth(part))
            compiled.improve(self.given, self.seats, TRIALS_AN_ITERATION, losses)
            self.used += 1
            if self._serves_more_than(best) and self.used >= copied + between:
                best, copied = _copy(self.seats), self.used
            self._tell("weight_served", int(best.value[SERVED]), self.bound(self.used))
        if not self._serves_more_than(best):
            self.seats = best

    def _warmth(self, part: float) -> float:
        """How much loss to accept after this part of the time of the first level."""
        if part >= COLD_FROM:
            return 0.0
        trials = TRIALS_AN_ITERATION * self.used / max(part, 0.01) / len(self.rules.requests)
        warm = min(WARMEST, WARM * math.cbrt(max(1.0, trials / SHORT)))
        return float(warm * (COOL / warm) ** part)

    def _serves_more_than(self, best: Seats) -> bool:
        return bool(self.seats.value[SERVED] > best.value[SERVED])

    def _light(self) -> int:
        """The weight of a request that is lighter than most."""
        weights = self.given.request[self.seats.sits[:, SERVABLE] == 1, WEIGHT]
        return int(np.sort(weights)[len(weights) // 4]) if len(weights) else 1

    def _zones(self) -> None:
        if len(self.arrays.zones) > 1:
            everybody = np.flatnonzero(self.seats.sits[:, SERVABLE] == 1)
            self._refine("zones", compiled.ZONES, everybody)

    def _kept(self) -> None:
        wishes = [
            r
            for r in np.flatnonzero(self.given.request[:, PREVIOUS] != NONE).tolist()
            if not self.seats.sits[r, PINNED] and can_keep_tutor(self.rules, r)
        ]
        self._refine("kept", compiled.PREVIOUS_TUTORS, np.array(wishes, dtype=np.int64))

    def _cost(self) -> None:
        compiled.keep_account_of_costs(self.given, self.seats)
        sits = self.seats.sits
        targets = np.flatnonzero((sits[:, GROUP] != NONE) & (sits[:, PINNED] == 0))
        self._refine("cost", compiled.COSTS, targets)

    def _refine(self, phase: str, level: int, targets: Ints) -> None:
        """Improve a level for its part of the time, or until it doesn't get better any more."""
        if not len(targets):
            return
        spent = self._spending(phase)
        best, since = self._reached(level), self.used
        patience = max(LEAST_PATIENCE, PATIENCE * len(targets))
        while spent() < 1 and self.used < since + patience:
            compiled.refine(self.given, self.seats, TRIALS_AN_ITERATION, level, targets)
            self.used += 1
            now = self._reached(level)
            if now > best:
                best, since = now, self.used
            self._tell(phase, abs(best[-1][0]), None)

    def _reached(self, level: int) -> tuple[tuple[int, ...], ...]:
        """What the levels have, down to this one; the more the better."""
        value = self.seats.value
        shares = np.sort(compiled.FULL * self.seats.zone_served // self.given.asked)
        reached = (
            (int(value[SERVED]),),
            tuple(shares.tolist()),
            (int(value[KEPT]),),
            (-int(value[SPENT]),),
        )
        return reached[: level + 1]

    def _tell(self, phase: str, best: int, bound: int | None) -> None:
        if self._told != (phase, best, bound):
            self._told = phase, best, bound
            self.report(phase, best, bound)

    # --- time

    def _spending(self, phase: str) -> Callable[[], float]:
        """How much of what the level may use is used, from 0 to 1."""
        before, first, share = self.used, self.left(), SHARES[phase]
        unlimited = math.isinf(first.seconds) and math.isinf(first.iterations)
        most = max(1.0, UNLIMITED[phase] * len(self.rules.requests))

        def spent() -> float:
            left = self.left()
            if left.nothing:
                return 1.0
            if unlimited:
                return (self.used - before) / most
            return max(
                _part(share, first.seconds, left.seconds),
                _part(share, first.iterations, left.iterations),
            )

        return spent


def _part(share: float, first: float, now: float) -> float:
    """How much of a share of what was left at first is used; a stop may also give some back."""
    return 0.0 if math.isinf(first) else (first - now) / (share * first)


def _copy(seats: Seats) -> Seats:
    return Seats(*(array.copy() for array in seats))  # type: ignore[arg-type]


def _losses(warmth: float) -> Ints:
    """Losses to draw from: as annealing accepts them, warmth x -ln(a number from 0 to 1)."""
    quantile = (np.arange(QUANTILES) + 0.5) / QUANTILES
    parts = np.rint(-np.log(quantile) * FRACTION).astype(np.int64)
    losses: Ints = parts * int(warmth * FRACTION) // (FRACTION * FRACTION)
    return losses
