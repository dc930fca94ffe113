"""For the check alone: who teaches one subject at one level, and at what price, as sets.

A tutor is a bit of an integer here, by the place in `tutors`. Nothing is shared with the solver;
where a set only narrows down who is looked at one by one, it never leaves out anybody who counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from matching.problem import MINUTES_A_DAY, Household, Minute, Request, Tutor

Sets = dict[Minute, int]
Prices = Callable[[Tutor, int], tuple[int, Mapping[Minute, int]]]


class Candidates:
    """`starts` gives the starts inside each tutor's windows."""

    def __init__(self, tutors: list[Tutor], starts: Mapping[str, frozenset[Minute]]) -> None:
        self.tutors = tutors
        self.place = {tutor.id: i for i, tutor in enumerate(tutors)}
        self.agreed_later = 0
        self._tags: dict[str, int] = defaultdict(int)
        self._channels: dict[str, int] = defaultdict(int)
        self._languages: dict[str, int] = defaultdict(int)
        self._inside: Sets = defaultdict(int)
        self._giving: dict[int, int] = {}
        self._priced: dict[int, dict[int, tuple[int, Sets]]] = {}
        for i, tutor in enumerate(tutors):
            bit = 1 << i
            for sets, names in (
                (self._tags, tutor.tags),
                (self._channels, tutor.channels),
                (self._languages, tutor.languages),
            ):
                for name in names:
                    sets[name] |= bit
            if tutor.available is None:
                self.agreed_later |= bit
            for start in starts[tutor.id]:
                self._inside[start] |= bit

    def named(self, chosen: int) -> Iterator[Tutor]:
        while chosen:
            last = chosen.bit_length() - 1
            yield self.tutors[last]
            chosen ^= 1 << last

    def filter(
        self,
        request: Request,
        home: Household,
        starts: Iterable[Minute],
        vetoed: Iterable[str],
    ) -> tuple[int, str | None]:
        """The tutors left after every filter, or the reason why none is."""
        left = (1 << len(self.tutors)) - 1
        if not left:
            return 0, "no_tutor"
        for tag in request.needs:
            left &= self._tags.get(tag, 0)
        if not left:
            return 0, "needs_unmet"
        left &= _any(self._channels, home.channels)
        if not left:
            return 0, "no_common_channel"
        left &= _any(self._languages, home.languages)
        if not left:
            return 0, "no_common_language"
        lessons = request.lessons_per_week
        left &= self._giving_at_least(lessons)
        if not left:
            return 0, "too_few_lessons"
        if home.reachable is not None:
            left &= self.agreed_later | on_days(self._inside, starts, lessons)
        if not left:
            return 0, "no_common_time"
        for name in vetoed:
            left &= ~(1 << self.place[name]) if name in self.place else -1
        return (left, None) if left else (0, "vetoed")

    def _giving_at_least(self, lessons: int) -> int:
        if lessons not in self._giving:
            self._giving[lessons] = sum(
                1 << i for i, t in enumerate(self.tutors) if t.max_lessons_per_week >= lessons
            )
        return self._giving[lessons]

    def with_time_below(
        self,
        weight: int | None,
        request: Request,
        home: Household,
        starts: Iterable[Minute],
        prices: Prices,
    ) -> int:
        """Who might take the request into a new group at one of these starts, if pupils who
        weigh less than this (None: any) left; for 1, who can with nobody leaving."""
        lessons = request.lessons_per_week
        if lessons not in self._priced:
            self._priced[lessons] = self._price(lessons, prices)
        found = 0
        at: Sets = defaultdict(int)
        for price, (untimed, sets) in self._priced[lessons].items():
            if weight is not None and price >= weight:
                continue
            found |= untimed & (-1 if home.reachable is None else self.agreed_later)
            if home.reachable is None:
                continue
            if lessons == 1:
                found |= on_days(sets, starts, 1)
            else:
                for start in starts:
                    at[start] |= sets.get(start, 0)
        return found | on_days(at, starts, lessons)

    def _price(self, lessons: int, prices: Prices) -> dict[int, tuple[int, Sets]]:
        """By price, whom it buys lessons of, and at which starts."""
        lesson_price: dict[int, int] = defaultdict(int)
        start_price: dict[int, Sets] = defaultdict(lambda: defaultdict(int))
        for i, tutor in enumerate(self.tutors):
            least, of_starts = prices(tutor, lessons)
            lesson_price[least] |= 1 << i
            for start, price in of_starts.items():
                start_price[max(price, least)][start] |= 1 << i
        return {
            price: (lesson_price.get(price, 0), start_price.get(price, {}))
            for price in {*lesson_price, *start_price}
        }


def _any(sets: Mapping[str, int], names: Iterable[str]) -> int:
    found = 0
    for name in names:
        found |= sets.get(name, 0)
    return found


def on_days(sets: Mapping[Minute, int], starts: Iterable[Minute], days: int) -> int:
    """Who is in the sets of these starts on at least so many different days."""
    by_day: dict[int, int] = defaultdict(int)
    for start in starts:
        by_day[start // MINUTES_A_DAY] |= sets.get(start, 0)
    reached = [0] * days
    for today in by_day.values():
        for count in range(days - 1, 0, -1):
            reached[count] |= reached[count - 1] & today
        reached[0] |= today
    return reached[-1]
