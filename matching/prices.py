"""What room would cost: the least weight that has to leave, tutor by tutor and start by start.

A price is never above the true cost of making room there, nor is a seat of the request's own
household counted; so whoever looks at the cheapest first, exactly, may stop at the first price
that is no lower than what was found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from matching.market import Market, Starts
from matching.slots import bits
from matching.teachers import columns, on_days, union
from matching.timetable import OpenGroup, Timetable

NOBODY = 0


class Tariff:
    """The prices of every tutor's time, once for all markets."""

    def __init__(self, table: Timetable) -> None:
        self.table = table
        self.rules = table.rules
        self._lightest: dict[int, int] = {}
        self._of_start: dict[int, dict[int, int]] = {}

    def weight(self, group: OpenGroup) -> int:
        return sum(self.rules.requests[m].weight for m in group.members)

    def of_lessons(self, t: int, lessons: int) -> int:
        """The price of that many more lessons a week."""
        if self.table.lessons_left(t) >= lessons:
            return NOBODY
        if t not in self._lightest:
            weights = (self.weight(group) for group in self.table.groups_of[t])
            self._lightest[t] = min(weights, default=NOBODY)
        return self._lightest[t]

    def of_starts(self, t: int) -> dict[int, int]:
        """By price, the starts inside the tutor's windows on which that weight lies."""
        if t not in self._of_start:
            weights: dict[int, int] = {}
            for group in self.table.groups_of[t]:
                weight = self.weight(group)
                for start in bits(self._ruled_out(group)):
                    weights[start] = weights.get(start, 0) + weight
            left = self.rules.tutor_mask[t] or 0
            prices: dict[int, int] = defaultdict(int)
            for start, weight in weights.items():
                if left >> start & 1:
                    prices[weight] |= 1 << start
                    left ^= 1 << start
            self._of_start[t] = {**prices, NOBODY: left}
        return self._of_start[t]

    def _ruled_out(self, group: OpenGroup) -> int:
        return union(self.rules.grid.around(start) for start in group.starts or ())


class Prices:
    """The prices of one market: sets of its tutors for a new group, of its groups for a seat."""

    def __init__(self, market: Market, tariff: Tariff) -> None:
        self.market = market
        self.rules = market.rules
        masks: dict[int, list[int]] = {}
        count = len(market.teachers.tutors)
        self._lessons: dict[int, int] = defaultdict(int)
        self._seats: dict[int, int] = defaultdict(int)
        for i, t in enumerate(market.teachers.tutors):
            lessons = tariff.of_lessons(t, market.lessons)
            self._lessons[lessons] |= 1 << i
            for price, mask in tariff.of_starts(t).items():
                masks.setdefault(max(price, lessons), [0] * count)[i] |= mask
        size = self.rules.grid.size
        self._starts = {price: columns(found, size) for price, found in masks.items()}
        for i, group in enumerate(market.groups):
            self._seats[self._seat(group)] |= 1 << i
        self.known = sorted({*self._starts, *self._lessons, *self._seats})

    def _seat(self, group: OpenGroup) -> int:
        """The price of a seat: the lightest member, if there is none left."""
        if self.market.table.seats_left(group) > 0:
            return NOBODY
        return min(self.rules.requests[m].weight for m in group.members)

    def cheapest(self, r: int, starts: Starts) -> Iterator[tuple[int, int]]:
        """Prices, ascending, each with some of the tutors who may make room at that price."""
        groups = self.market.suitable(r, starts)
        place = self.market.teachers.place
        at = [0] * self.rules.grid.size if self.market.lessons > 1 else []
        for price in self.known:
            tutors = self._lessons.get(price, 0)
            if starts is not None:
                tutors &= self.market.teachers.untimed
                tutors |= self._with_time(price, starts, at)
            yield price, tutors
            for i in bits(groups & self._seats.get(price, 0)):
                yield price, 1 << place[self.market.groups[i].tutor]

    def _with_time(self, price: int, starts: Sequence[int], at: list[int]) -> int:
        """Who may make time at this price; `at` gathers what lower prices gave."""
        priced = self._starts.get(price)
        if priced is None:
            return 0
        if self.market.lessons == 1:
            return on_days(priced, starts, 1, self.rules.grid.starts_a_day)
        for start in starts:
            at[start] |= priced[start]
        return on_days(at, starts, self.market.lessons, self.rules.grid.starts_a_day)
