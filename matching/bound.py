"""An upper bound on the weight that any plan serves, proved by prices.

Suppose that everything has a price: a seat for a request at a time, and a household's phone
at a time. A request gains its weight less what its lessons cost where they are cheapest, or
nothing; a tutor gains the seats sold to the best members of the best groups; a phone gains its
price. Every plan splits the weight it serves among these three, so that no plan serves more than
their gains together, whatever the prices are. `verify` adds them up. Good prices are sought by
`matching.price_search`, which shares nothing with `verify` but `home_times`
and `without_pins`.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, product

import numpy as np
from numpy.typing import NDArray

from matching.problem import Problem, Tutor, Window
from matching.rules import Names, Rules
from matching.slots import bits

# Times of groups that have no start: of tutors without times, who take everybody, and of
# tutors with times, who take only households without.
LATER, LATER_HOME = -1, -2

Kind = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices that prove a bound; none is negative, and all are whole numbers.

    `unit` is the price of one weight. `seat` has, for each request of the problem `without_pins`
    in order, a price for each of the `home_times` of its household; `phone` has, for each household
    in order, a price for each of its times (at `LATER` it is not asked for).
    """

    unit: int
    seat: NDArray[np.int64]
    phone: NDArray[np.int64]


def can_keep_tutor(rules: Rules, r: int) -> bool:
    """Whether the previous tutor could serve the request again, alone in the world."""
    previous = rules.requests[r].previous_tutor
    if previous is None:
        return False
    if r in rules.pins:
        return rules.pins[r].tutor == previous
    teachers = rules.teachers(r)
    place = teachers.place.get(rules.tutor_index[previous])
    return place is not None and bool(teachers.passing(r)[0] >> place & 1)


def home_times(rules: Rules) -> list[tuple[int, ...]]:
    """When each household could have lessons: the starts on the grid that some tutor offers, as
    bits of the grid's masks, ascending, then the times without a start."""
    offered = 0
    for mask in rules.tutor_mask:
        offered |= mask or 0
    return [
        (LATER, LATER_HOME) if mask is None else (*bits(mask & offered), LATER)
        for mask in rules.home_mask
    ]


def without_pins(problem: Problem) -> tuple[Problem, int]:
    """A problem without pins, and some weight: together no less can be served than with pins.

    What a pin names is added to what its tutor and household have, for everybody. Where that
    can't be said by windows (starts off the grid, or where times are not given), the request is
    taken out and its weight counts in full.
    """
    tutors = {tutor.id: tutor for tutor in problem.tutors}
    homes = {home.id: home for home in problem.households}
    requests = {request.id: request for request in problem.requests}
    beyond = 0
    for pin in problem.pins:
        request = requests[pin.request]
        tutor, home = tutors[pin.tutor], homes[request.household]
        starts = pin.starts or ()
        timed = tutor.available is not None and home.reachable is not None
        if starts and not (timed and all(start % problem.start_every == 0 for start in starts)):
            beyond += request.weight
            del requests[pin.request]
            continue
        windows = tuple(Window(start, start + problem.lesson_minutes) for start in starts)
        channel, language = _named(pin.channel), _named(pin.language)
        requests[request.id] = replace(request, needs=())
        tutors[tutor.id] = replace(
            tutor,
            available=None if tutor.available is None else tutor.available + windows,
            channels=tutor.channels + channel,
            languages=tutor.languages + language,
        )
        homes[home.id] = replace(
            home,
            reachable=None if home.reachable is None else home.reachable + windows,
            channels=home.channels + channel,
            languages=home.languages + language,
        )
    unpinned = replace(
        problem,
        tutors=tuple(tutors.values()),
        households=tuple(homes.values()),
        requests=tuple(requests.values()),
        pins=(),
        vetoes=(),
    )
    return unpinned, beyond


def _named(name: str | None) -> Names:
    return () if name is None else (name,)


def unpinned_rules(rules: Rules) -> tuple[Rules, int]:
    """The same for rules, which are returned as they are if there are no pins."""
    if not rules.problem.pins:
        return rules, 0
    problem, beyond = without_pins(rules.problem)
    return Rules(problem), beyond


def verify(rules: Rules, prices: Prices) -> int:
    """The most weight that any plan serves, as far as these prices prove it.

    Vetoes are not looked at. Raises ValueError if the prices are not made for this problem.
    """
    unpinned, beyond = unpinned_rules(rules)
    return beyond + _Proof(unpinned, prices).total() // prices.unit


class _Proof:
    """Adds up what requests, phones and tutors gain; plain integers, of any size."""

    def __init__(self, rules: Rules, prices: Prices) -> None:
        self.rules = rules
        self.unit = prices.unit
        self.times = home_times(rules)
        self.lesson = -(-rules.grid.lesson // rules.grid.every)  # starts that a lesson covers
        self.seat = _dealt(prices.seat, [len(self.times[h]) for h in rules.home])
        self.phone = _dealt(prices.phone, [len(times) for times in self.times])
        if self.unit < 1:
            raise ValueError("the price of one weight must be positive")
        self.most = sum(request.lessons_per_week for request in rules.requests)

    def total(self) -> int:
        return self._phones() + self._requests() + self._tutors()

    def _phones(self) -> int:
        return sum(
            self.rules.phones[h] * sum(price for time, price in self._timed(h))
            for h in range(len(self.times))
        )

    def _timed(self, h: int) -> Iterator[tuple[int, int]]:
        """The household's starts, with the price of a phone at each."""
        return ((t, p) for t, p in zip(self.times[h], self.phone[h], strict=True) if t >= 0)

    def _requests(self) -> int:
        """What requests gain: nothing, if the cheapest lessons cost more than their weight."""
        total = 0
        at_home = [self._phone_prices(h) for h in range(len(self.times))]
        for r, request in enumerate(self.rules.requests):
            cost = self._cheapest(r, at_home[self.rules.home[r]])
            total += max(0, request.weight * self.unit - cost)
        return total

    def _phone_prices(self, h: int) -> list[int]:
        """For each time of the household, the price of a phone during the whole lesson."""
        price = dict(self._timed(h))
        if not any(price.values()):
            return [0] * len(self.times[h])
        return [
            sum(price.get(time + i, 0) for i in range(self.lesson)) if time >= 0 else 0
            for time in self.times[h]
        ]

    def _cheapest(self, r: int, at_home: Sequence[int]) -> int:
        """The least price of all weekly lessons, on different days or all without a start."""
        lessons = self.rules.requests[r].lessons_per_week
        if lessons == 1:
            return min(seat + phone for seat, phone in zip(self.seat[r], at_home, strict=True))
        later: list[int] = []
        days: dict[int, int] = {}
        times = self.times[self.rules.home[r]]
        for time, seat, phone in zip(times, self.seat[r], at_home, strict=True):
            if time < 0:
                later.append(lessons * seat)
            else:
                day = time // self.rules.grid.starts_a_day
                days[day] = min(seat + phone, days.get(day, seat + phone))
        if len(days) < lessons:
            return min(later)
        return min(*later, sum(sorted(days.values())[:lessons]))

    def _tutors(self) -> int:
        """What tutors gain: each start is filled by the best of all groups."""
        rules = self.rules
        best: list[dict[int, int]] = [{} for _ in rules.tutors]
        asking: dict[Kind, list[int]] = defaultdict(list)
        for r in range(len(rules.requests)):
            asking[rules.subject_key(r)].append(r)
        for kind, requests in asking.items():
            groups = _Groups(self, requests)
            for t in rules.teachers_of.get(kind[:2], ()):
                if rules.tutors[t].max_lessons_per_week >= kind[2]:
                    groups.offer(rules.tutors[t], rules.tutor_mask[t], best[t])
        return sum(self._lessons(t, worth) for t, worth in enumerate(best))

    def _lessons(self, t: int, worth: dict[int, int]) -> int:
        """The most that lessons of the tutor are worth which don't overlap."""
        most = min(self.rules.tutors[t].max_lessons_per_week, self.most)
        later = max(worth.get(LATER, 0), worth.get(LATER_HOME, 0))
        starts = sorted(time for time in worth if time >= 0 and worth[time] > 0)
        # best[i][n]: of n lessons at the most, within the first i starts
        width = min(most, len(starts)) + 1
        best = [[0] * width]
        for i, start in enumerate(starts):
            free = sum(other <= start - self.lesson for other in starts[:i])
            best.append(best[i][:])
            for n in range(1, width):
                best[-1][n] = max(best[i][n], best[free][n - 1] + worth[start])
        return max(value + (most - n) * later for n, value in enumerate(best[-1]))


class _Groups:
    """What groups of one subject, level and number of weekly lessons are worth, by the lesson."""

    def __init__(self, proof: _Proof, requests: Sequence[int]) -> None:
        self.rules = rules = proof.rules
        self.asked_tags = frozenset(tag for r in requests for tag in rules.requests[r].needs)
        # For channel, language and needs: the prices of seats at each time.
        self.asking: dict[Names, dict[frozenset[str], dict[int, list[int]]]] = {}
        self._best: dict[tuple[Names, Names, frozenset[str]], dict[int, int]] = {}
        self._worths: dict[tuple[int, Names, frozenset[str]], int] = {}
        for r in requests:
            home = rules.problem.households[rules.home[r]]
            needs = frozenset(rules.requests[r].needs)
            seats = zip(proof.times[rules.home[r]], proof.seat[r], strict=True)
            priced = [(time, price) for time, price in seats if price]
            for way in product({*home.channels}, {*home.languages}):
                by_needs = self.asking.setdefault(way, {})
                prices = by_needs.setdefault(needs, defaultdict(list))
                for time, price in priced:
                    prices[time].append(price)

    def offer(self, tutor: Tutor, mask: int | None, best: dict[int, int]) -> None:
        """Raises what is `best` at each time of the tutor to what these groups are worth."""
        tags = self.asked_tags.intersection(tutor.tags)
        profile = tutor.channels, tutor.languages, tags
        known = self._best.setdefault(profile, {})
        for time in (LATER,) if mask is None else (*bits(mask), LATER_HOME):
            if time not in known:
                ways = product(tutor.channels, tutor.languages)
                known[time] = max(self._worth(time, way, tags) for way in ways)
            best[time] = max(known[time], best.get(time, 0))

    def _worth(self, time: int, way: Names, tags: frozenset[str]) -> int:
        """The highest prices of seats that one lesson by a tutor with these tags may sell."""
        worth = self._worths.get((time, way, tags))
        if worth is None:
            by_needs = self.asking.get(way, {})
            prices = [by_needs[needs].get(time, ()) for needs in by_needs if needs <= tags]
            most = self.rules.channels[way[0]].max_group
            worth = sum(heapq.nlargest(most, chain.from_iterable(prices)))
            self._worths[time, way, tags] = worth
        return worth


def _dealt(prices: NDArray[np.int64], counts: Sequence[int]) -> list[list[int]]:
    """The prices of each owner, from one array of all."""
    if len(prices) != sum(counts):
        raise ValueError(f"{len(prices)} prices, but there are {sum(counts)} things to price")
    if len(prices) and prices.min() < 0:
        raise ValueError("a price is negative")
    left = iter(prices.tolist())
    return [list(islice(left, n)) for n in counts]
