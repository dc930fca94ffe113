"""Serving more by moving few: somebody leaves a seat, others take it, who left sits elsewhere.

An exchange makes some of one tutor's pupils leave (a group, one member of it, or another lesson of
the household that waits), seats those who wait where that makes room, and then those who left,
wherever nobody else has to move. It costs the pairs it changes. What promises the most weight
for each changed pair is tried first; no promise is too low.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from matching.slots import bits
from matching.standing import Seat, seat_of
from matching.timetable import OpenGroup, Timetable
from matching.vacancies import Vacancies
from matching.waiting import Waiting

# An exchange that changes no pair comes before all that do.
FOR_NOTHING = 1 << 20

# So many exchanges that are no better than the best found are tried before that is made: most
# promises are kept but for the weight of those who leave and find no other seat.
PATIENCE = 8

# How many moves a chain has at most, and how many requests are looked at to find one.
LONGEST_CHAIN = 3
MOST_LINKS = 200

Going = Callable[[int], bool]  # whether to go on after so many tries
Report = Callable[[int], None]  # told of every weight gained


class Promise(NamedTuple):
    """`rate` is minus the weight for each changed pair, so that the best comes first.

    All of one group leave, or one of them, for `wanting` if anybody, else for who can sit there.
    """

    rate: float
    number: int
    leaving: tuple[int, ...]
    only_one: bool = False
    wanting: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    gain: int
    cost: int

    @property
    def rate(self) -> float:
        return -self.gain * FOR_NOTHING if self.cost <= 0 else -self.gain / self.cost


class Exchanges:
    """`pairs` are the seats whose change counts; `limit` of them may be changed."""

    def __init__(
        self,
        table: Timetable,
        pairs: dict[int, Seat],
        limit: int,
        going: Going,
        report: Report,
    ) -> None:
        self.table = table
        self.rules = table.rules
        self.pairs = pairs
        self.left = limit
        self.going = going
        self.report = report
        self.tries = 0
        self.made = 0
        self.vacancies = Vacancies(table)
        self.staying = {r for r in pairs if not self._changed(r)}

    def run(self) -> None:
        """Make exchanges, the best first, until none is found, none may be made, or it is over."""
        made = -1
        while made < self.made and self.going(self.tries) and self._any_may_leave():
            made = self.made
            self.waiting = Waiting(self.vacancies)
            self._make_exchanges()
            if not self.left:
                break
            if made == self.made:
                self._make_chains()
        self.vacancies.top_up()

    def _any_may_leave(self) -> bool:
        """Whether anybody sits whom no pin and no limit holds."""
        return any(
            r not in self.rules.pins and (self.left > 0 or not self._pairs_among((r,)))
            for r in self.table.group_of
        )

    # --- exchanges

    def _make_exchanges(self) -> None:
        self._heap: list[Promise] = []
        self._numbers = count()
        for t in range(len(self.rules.tutors)):
            self._promise_tutor(t)
        for r in self.waiting.all:
            self._promise_home(r)
        while (found := self._find_best()) is not None:
            outcome, best = found
            tutor = self.table.group_of[best.leaving[0]].tutor
            self._exchange(best.leaving, best.wanting)
            self._keep(outcome)
            self._promise_tutor(tutor)

    def _promise_tutor(self, t: int) -> None:
        groups = self.table.groups_of[t]
        if not groups or not self.waiting.kinds(t):
            return
        at, later = self.waiting.most_at(t), self.waiting.most_later(t)
        for group in groups:
            members = tuple(sorted(group.members))
            if any(r in self.rules.pins for r in members):
                continue
            if self._pairs_among(members) <= self.left:
                most = max(later, self._most_by_closing(group, at)) * group.lessons
                self._promise(most, self._pairs_among(members), members)
            if len(members) > 1 and self.table.seats_left(group) == 0:
                cost = min(self._pairs_among((r,)) for r in members)
                self._promise(self.waiting.heaviest_for(group), cost, members, only_one=True)

    def _most_by_closing(self, group: OpenGroup, at: list[int]) -> int:
        """What a new group weighs at most, at the starts that closing this one makes free."""
        free = 0
        for start in group.starts or ():
            free |= self.rules.grid.around(start)
        if not self.table.lessons_left(group.tutor):
            free |= ~self.table.busy(group.tutor)
        free &= self.rules.tutor_mask[group.tutor] or 0
        return max((at[start] for start in bits(free)), default=0)

    def _promise_home(self, r: int) -> None:
        for other in self.table.home_seats(r):
            if other not in self.rules.pins:
                weight = self.rules.requests[r].weight
                self._promise(weight, self._pairs_among((other,)), (other,), wanting=r)

    def _pairs_among(self, leaving: tuple[int, ...]) -> int:
        return len(self.staying.intersection(leaving))

    def _promise(
        self,
        most: int,
        cost: int,
        leaving: tuple[int, ...],
        only_one: bool = False,
        wanting: int | None = None,
    ) -> None:
        if most > 0 and cost <= self.left:
            rate = Outcome(most, cost).rate
            heapq.heappush(
                self._heap, Promise(rate, next(self._numbers), leaving, only_one, wanting)
            )

    def _find_best(self) -> tuple[Outcome, Promise] | None:
        """The best exchange; or the best of those tried, once some more were no better."""
        best: tuple[Outcome, Promise] | None = None
        patience = PATIENCE
        while self._heap and patience and self.going(self.tries):
            if not self.left and self._heap[0].rate > -FOR_NOTHING:
                break
            if best is not None and best[0].rate <= self._heap[0].rate:
                break
            promise = heapq.heappop(self._heap)
            tried = self._try(promise) if self._may_be_made(promise) else None
            if tried is None:
                continue
            if best is None or tried[0].rate < best[0].rate:
                best, tried = tried, best
                patience = PATIENCE
            if tried is not None:
                patience -= 1
                heapq.heappush(self._heap, tried[1])
        return best

    def _may_be_made(self, promise: Promise) -> bool:
        group_of = self.table.group_of
        group = group_of.get(promise.leaving[0])
        if group is None or promise.wanting in group_of:
            return False
        if any(group_of.get(r) is not group for r in promise.leaving):
            return False
        return promise.only_one or self._pairs_among(promise.leaving) <= self.left

    def _try(self, promise: Promise) -> tuple[Outcome, Promise] | None:
        """The exchange as it would turn out, with the best one to leave if it is only one."""
        best: tuple[Outcome, Promise] | None = None
        choices = [(r,) for r in promise.leaving] if promise.only_one else [promise.leaving]
        choices = [leaving for leaving in choices if self._pairs_among(leaving) <= self.left]
        for leaving in choices:
            outcome = self._outcome(leaving, promise.wanting)
            self.vacancies.undo()
            if outcome is not None and (best is None or outcome.rate < best[0].rate):
                exact = Promise(outcome.rate, next(self._numbers), leaving, wanting=promise.wanting)
                best = outcome, exact
        return best

    def _outcome(self, leaving: tuple[int, ...], wanting: int | None) -> Outcome | None:
        """What the exchange gains and costs; None if it gains nothing or costs too much."""
        self.tries += 1
        self._exchange(leaving, wanting)
        outcome = self._tally()
        return outcome if outcome.gain > 0 and outcome.cost <= self.left else None

    def _tally(self) -> Outcome:
        """What the moves since the last that was kept gain, and how many pairs they change."""
        seen: set[int] = set()
        gain = cost = 0
        for r, group, joined in self.vacancies.moved:
            if r not in seen:
                seen.add(r)
                gain -= 0 if joined else self.rules.requests[r].weight
                cost -= r in self.pairs and (joined or seat_of(group) != self.pairs[r])
        for r in seen:
            gain += self.rules.requests[r].weight * (r in self.table.group_of)
            cost += self._changed(r)
        return Outcome(gain, cost)

    def _exchange(self, leaving: tuple[int, ...], wanting: int | None) -> None:
        tutors = [self.vacancies.leave(r).tutor for r in leaving]
        if wanting is not None:
            self.vacancies.take(wanting)
        self.waiting.fill(tutors[0])
        # Who waited before may have left, and have been seated with those who wait.
        gone = (r for r in leaving if r not in self.table.group_of)
        for r in sorted(gone, key=lambda r: (-self.rules.requests[r].weight, r)):
            self.vacancies.take(r)

    def _changed(self, r: int) -> bool:
        """Whether the request had a seat that counts and is not there."""
        group = self.table.group_of.get(r)
        return r in self.pairs and (group is None or seat_of(group) != self.pairs[r])

    def _keep(self, outcome: Outcome) -> None:
        moved = {r for r, _, _ in self.vacancies.moved}
        self.staying -= moved
        self.staying |= {r for r in moved & self.pairs.keys() if not self._changed(r)}
        self.vacancies.keep()
        self.left -= outcome.cost
        self.made += 1
        self.report(outcome.gain)

    # --- chains

    def _make_chains(self) -> None:
        """Seat those who wait, each by a chain of moves into the next one's seat."""
        for r in self.waiting.all:
            if not self.left or not self.going(self.tries):
                return
            if r not in self.table.group_of:
                self._make_chain(r)

    def _make_chain(self, r: int) -> None:
        """Look for the shortest chain, from the request over those whose seats it could have."""
        before: dict[int, int | None] = {r: None}
        links = [r]
        for _ in range(min(LONGEST_CHAIN, self.left)):
            following = []
            for link in links:
                for other in self._in_the_way(link):
                    if other in before:
                        continue
                    if len(before) > MOST_LINKS or not self.going(self.tries):
                        return
                    before[other] = link
                    following.append(other)
                    if self._move_along(other, before):
                        return
            links = following

    def _in_the_way(self, r: int) -> Iterator[int]:
        """Those without whom one of its tutors might take the request."""
        market = self.vacancies.market(r)
        passing = market.teachers.passing(r)[0]
        kind, home = market.kind, self.rules.home_mask[self.rules.home[r]]
        for t in market.teachers.names(passing):
            self.tries += 1
            mask = None if home is None else self.rules.tutor_mask[t]
            lessons_lack = self.table.lessons_left(t) < kind[2]
            # Whoever is told may leave for a try and come back, last in every list.
            for group in list(self.table.groups_of[t]):
                if group.key != kind and len(group.members) > 1:
                    continue
                if (
                    lessons_lack
                    or group.key == kind
                    or self._meet(group, (home or 0) & (mask or 0))
                ):
                    yield from [m for m in group.members if m not in self.rules.pins]

    def _meet(self, group: OpenGroup, starts: int) -> bool:
        return any(self.rules.grid.around(start) & starts for start in group.starts or ())

    def _move_along(self, last: int, before: dict[int, int | None]) -> bool:
        """Move the last of a chain to a free seat, and each of the others into the next's."""
        self.tries += 1
        chain = [last]
        while (link := before[chain[-1]]) is not None:
            chain.append(link)
        vacated = [self.vacancies.leave(r) for r in chain[:-1]]
        moves = zip(reversed(chain[1:]), reversed(vacated), strict=True)
        sit = self.vacancies.take_with
        if all(sit(r, group.tutor) for r, group in moves) and self.vacancies.take(last):
            outcome = self._tally()
            if outcome.cost <= self.left:
                self._keep(outcome)
                return True
        self.vacancies.undo()
        return False
