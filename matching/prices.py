"""What room would cost: the least weight that has to leave, tutor by tutor and start by start.

A price is never above the true cost of making room there, nor is a seat of the request's own
household counted; so whoever looks at the cheapest first, exactly, may stop at the first price
that is no lower than what was found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matching.market import Market, Starts
from matching.slots import bits
from matching.teachers import columns, on_days, union
from matching.timetable import OpenGroup, Timetable

NOBODY = 0

Weighed = tuple[int, int]  # the weight of some of a tutor's groups, and which, as bits


@dataclass(frozen=True, slots=True)
class Load:
    """A tutor's groups: what each weighs, and the starts of the grid that it rules out."""

    groups: list[OpenGroup]
    weights: list[int]
    busy: list[int]

    def closed_for(self, lessons: int, closed: Weighed = (0, 0)) -> Weighed:
        """With the lightest groups closed as well that make up so many lessons with the others."""
        if lessons > 0:
            lessons -= sum([self.groups[i].lessons for i in bits(closed[1])])
        if lessons <= 0:
            return closed
        if lessons == 1 and not closed[1]:
            return min((weight, 1 << i) for i, weight in enumerate(self.weights))
        best = {0: closed}
        for i, group in enumerate(self.groups):
            if closed[1] >> i & 1:
                continue
            for had, (weight, before) in list(best.items()):
                have = min(lessons, had + group.lessons)
                found = weight + self.weights[i], before | 1 << i
                if have not in best or found < best[have]:
                    best[have] = found
        return best[lessons]


class Tariff:
    """The prices of every tutor's time, once for all markets."""

    def __init__(self, table: Timetable) -> None:
        self.table = table
        self.rules = table.rules
        self._loads: dict[int, Load] = {}
        self._of_lessons: dict[tuple[int, int], int] = {}
        self._of_start: dict[int, dict[int, int]] = {}

    def load(self, t: int) -> Load:
        if t not in self._loads:
            groups = self.table.groups_of[t]
            around = self.rules.grid.around
            requests = self.rules.requests
            self._loads[t] = Load(
                groups,
                [sum([requests[m].weight for m in group.members]) for group in groups],
                [union([around(start) for start in group.starts or ()]) for group in groups],
            )
        return self._loads[t]

    def of_lessons(self, t: int, lessons: int) -> int:
        """The price of that many more lessons a week."""
        lacking = lessons - self.table.lessons_left(t)
        if lacking <= 0 or lessons > self.rules.tutors[t].max_lessons_per_week:
            return NOBODY
        if (t, lacking) not in self._of_lessons:
            self._of_lessons[t, lacking] = self.load(t).closed_for(lacking)[0]
        return self._of_lessons[t, lacking]

    def of_starts(self, t: int) -> dict[int, int]:
        """By price, the starts inside the tutor's windows on which that weight lies."""
        if t not in self._of_start:
            load = self.load(t)
            prices = {NOBODY: self.rules.tutor_mask[t] or 0}
            for weight, busy in zip(load.weights, load.busy, strict=True):
                prices = _raised(prices, weight, busy)
            self._of_start[t] = prices
        return self._of_start[t]


def _raised(prices: dict[int, int], weight: int, busy: int) -> dict[int, int]:
    """The starts by price, after this weight was laid on the busy ones."""
    raised: dict[int, int] = {}
    for price, starts in prices.items():
        if starts & ~busy:
            raised[price] = raised.get(price, 0) | starts & ~busy
        if starts & busy:
            raised[price + weight] = raised.get(price + weight, 0) | starts & busy
    return raised


class Prices:
    """The prices of one market: sets of its tutors for a new group, of its groups for a seat."""

    def __init__(self, market: Market, tariff: Tariff) -> None:
        self.market = market
        self.rules = market.rules
        self._lessons: dict[int, int] = defaultdict(int)
        self._seats: dict[int, int] = defaultdict(int)
        self._masks: dict[int, dict[int, int]] = defaultdict(dict)
        self._starts: dict[int, list[int]] = {}
        for i, t in enumerate(market.teachers.tutors):
            lessons = tariff.of_lessons(t, market.lessons)
            self._lessons[lessons] |= 1 << i
            for price, mask in tariff.of_starts(t).items():
                masks = self._masks[max(price, lessons)]
                masks[i] = masks.get(i, 0) | mask
        for i, group in enumerate(market.groups):
            self._seats[self._seat(group)] |= 1 << i
        self._known = sorted({*self._masks, *self._lessons, *self._seats})

    def _seat(self, group: OpenGroup) -> int:
        """The price of a seat: the lightest member, if there is none left."""
        if self.market.table.seats_left(group) > 0:
            return NOBODY
        return min(self.rules.requests[m].weight for m in group.members)

    def affordable(self, r: int, starts: Starts) -> int:
        """The tutors who may make room at any price."""
        market = self.market
        tutors = market.teachers.everyone
        if starts is not None:
            a_day = self.rules.grid.starts_a_day
            timed = on_days(market.teachers.at, starts, market.lessons, a_day)
            tutors = market.teachers.untimed | timed
        place = market.teachers.place
        groups = bits(market.suitable(r, starts))
        return tutors | union([1 << place[market.groups[i].tutor] for i in groups])

    def cheapest(self, r: int, starts: Starts) -> Iterator[tuple[int, int]]:
        """Prices, ascending, each with some of the tutors who may make room at that price."""
        groups: int | None = None
        place = self.market.teachers.place
        at = [0] * self.rules.grid.size if self.market.lessons > 1 else []
        for price in self._known:
            if price == NOBODY and self.market.lessons == 1:
                continue  # where nobody has to leave, it would have been given the lesson
            tutors = self._lessons.get(price, 0)
            if starts is not None:
                tutors &= self.market.teachers.untimed
                tutors |= self._with_time(price, starts, at)
            if tutors:
                yield price, tutors
            seats = self._seats.get(price, 0)
            if seats and groups is None:
                groups = self.market.suitable(r, starts)
            for i in bits(seats & (groups or 0)):
                yield price, 1 << place[self.market.groups[i].tutor]

    def _with_time(self, price: int, starts: Sequence[int], at: list[int]) -> int:
        """Who may make time at this price; `at` gathers what lower prices gave."""
        if price not in self._masks:
            return 0
        priced = self._priced(price)
        if self.market.lessons == 1:
            return on_days(priced, starts, 1, self.rules.grid.starts_a_day)
        for start in starts:
            at[start] |= priced[start]
        return on_days(at, starts, self.market.lessons, self.rules.grid.starts_a_day)

    def _priced(self, price: int) -> list[int]:
        """Who could be had at this price, start by start; most prices are never asked for."""
        if price not in self._starts:
            count = len(self.market.teachers.tutors)
            masks = [self._masks[price].get(i, 0) for i in range(count)]
            self._starts[price] = columns(masks, self.rules.grid.size)
        return self._starts[price]
