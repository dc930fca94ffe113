"""Why a request is not served, and whose leaving would make room for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matching.market import Kind, Market
from matching.plan import Exchange, Unserved
from matching.prices import Prices, Tariff
from matching.problem import Minute
from matching.rules import Option
from matching.slots import bits
from matching.teachers import union
from matching.timetable import OpenGroup, Starts, Timetable

# Where every one of thousands of tutors is taken, no more of them are looked at.
ENOUGH_HOLDERS = 100

LIGHTEST = 1  # weights are positive integers


def why_unserved(table: Timetable) -> list[Unserved]:
    """The reason for every request that has no seat, in the problem's order."""
    teller = Teller(table)
    return [teller.tell(r) for r in range(len(table.rules.requests)) if r not in table.group_of]


@dataclass(frozen=True, slots=True)
class Room:
    """What has to leave one tutor for a request to be admitted."""

    tutor: int
    weight: int
    out: tuple[int, ...]


class Teller:
    def __init__(self, table: Timetable) -> None:
        self.table = table
        self.rules = table.rules
        self.grid = table.rules.grid
        self._tariff = Tariff(table)
        self._markets: dict[Kind, Market] = {}
        self._prices: dict[Kind, Prices] = {}

    def tell(self, r: int) -> Unserved:
        name = self.rules.requests[r].id
        passing, reason = self.rules.teachers(r).passing(r)
        if reason is not None:
            return Unserved(name, reason)
        market = self._market(r)
        if self._addable_but_for_home(r, market, passing):
            return Unserved(name, "phone_busy")
        room = self._lightest(r, market, passing)
        tutors = market.teachers.names(passing) if room is None else [room.tutor]
        return Unserved(name, "taken", self._held_by(r, tutors), self._exchange(room))

    def _market(self, r: int) -> Market:
        kind = self.rules.subject_key(r)
        if kind not in self._markets:
            self._markets[kind] = Market(self.table, kind, self.rules.teachers(r))
        return self._markets[kind]

    def _option(self, r: int, t: int) -> Option:
        option = self.rules.option(r, t)
        assert option is not None, "a tutor who passes the filters has an option"
        return option

    def _held_by(self, r: int, tutors: list[int]) -> tuple[str, ...]:
        found: set[int] = set()
        for t in tutors:
            if len(found) >= ENOUGH_HOLDERS:
                break
            found.update(self._holders(r, self._option(r, t)))
        return self._names(sorted(found))

    def _names(self, requests: Iterable[int]) -> tuple[str, ...]:
        return tuple(self.rules.requests[m].id for m in requests)

    def _exchange(self, room: Room | None) -> Exchange | None:
        return None if room is None else Exchange(self._names(room.out), room.weight)

    def _addable_but_for_home(self, r: int, market: Market, passing: int) -> bool:
        """Whether the request could be added if its household had no other lesson."""
        starts = self.rules.home_starts[self.rules.home[r]]
        if starts and self.table.pupil_seats(r):
            every = self.grid.every
            starts = tuple(
                start for start in starts if not self._pupil_taken_elsewhere(r, start * every)
            )
        seat = next(market.joinable(r, passing, starts), None)
        return seat is not None or market.openable(passing, starts)

    def _pupil_taken_elsewhere(self, r: int, start: Minute) -> bool:
        return self.table.pupil_taken(r, start, other_homes_only=True)

    def _alike(self, r: int, option: Option) -> list[OpenGroup]:
        """The tutor's groups that teach what the request asks, as often a week."""
        key = self.rules.subject_key(r)
        return [group for group in self.table.groups_of[option.tutor] if group.key == key]

    def _holders(self, r: int, option: Option) -> list[int]:
        """Who has the lessons of this tutor that the request could have had."""
        groups = self.table.groups_of[option.tutor]
        if (
            option.timed
            and self.table.lessons_left(option.tutor) >= self.rules.requests[r].lessons_per_week
        ):
            groups = [group for group in groups if self._busy(group) & option.mask]
        return [m for group in groups for m in group.members]

    def _busy(self, group: OpenGroup) -> int:
        mask = 0
        for start in group.starts or ():
            mask |= self.grid.around(start)
        return mask

    # --- exchange: the least weight of one tutor's pupils whose leaving would admit

    def _lightest(self, r: int, market: Market, passing: int) -> Room | None:
        """The lightest room of all tutors, looked for from the lowest price up.

        Near the household prices say too much, since its own lessons could make way; there the
        tutors are looked at one by one, unless something as light as can be was found before.
        """
        near = self._near_home(r, market) & passing
        best = self._lightest_by_price(r, market, passing & ~near)
        if best is None or best.weight > LIGHTEST:
            for t in market.teachers.names(near):
                best = _lighter(best, self._room(r, self._option(r, t)))
        return best

    def _lightest_by_price(self, r: int, market: Market, left: int) -> Room | None:
        best: Room | None = None
        kind = self.rules.subject_key(r)
        if kind not in self._prices:
            self._prices[kind] = Prices(market, self._tariff)
        for price, tutors in self._prices[kind].cheapest(r, self.table.free_starts(r)):
            if best is not None and best.weight <= price:
                break
            for i in bits(tutors & left):
                t = market.teachers.tutors[i]
                best = _lighter(best, self._room(r, self._option(r, t)))
                if best is not None and best.weight <= price:
                    return best
            left &= ~tutors
        return best

    def _near_home(self, r: int, market: Market) -> int:
        """The tutors who give lessons to the household or the pupil."""
        seats = {**self.table.home_seats(r), **self.table.pupil_seats(r)}
        tutors = {self.table.group_of[m].tutor for m in seats}
        return union(1 << market.teachers.place[t] for t in tutors if t in market.teachers.place)

    def _room(self, r: int, option: Option) -> Room | None:
        rooms = [
            room
            for group in self._alike(r, option)
            if self.table.fits(option, group) and (room := self._room_in(r, group)) is not None
        ]
        opened = self._room_to_open(r, option)
        if opened is not None:
            rooms.append(opened)
        return min(rooms, key=lambda room: (room.weight, room.out), default=None)

    def _weight(self, members: tuple[int, ...] | list[int]) -> int:
        return sum(self.rules.requests[m].weight for m in members)

    def _room_in(self, r: int, group: OpenGroup) -> Room | None:
        """The lightest members whose leaving lets the request join the group.

        The pupil itself must not sit there twice, enough of its household must leave for a
        phone to be free, and enough of all for a seat.
        """
        rules = self.rules
        by_weight = sorted(group.members, key=lambda m: (rules.requests[m].weight, m))
        out: list[int] = []
        if group.starts is not None:
            out = [m for m in by_weight if rules.pupil[m] == rules.pupil[r]]
            siblings = [m for m in by_weight if rules.home[m] == rules.home[r]]
            phones = self._phones_lacking(r, group.starts, set(siblings), len(siblings))
            if phones is None or self._pupil_busy_beside(r, group.starts, set(out)):
                return None
            lacking = phones - sum(m in siblings for m in out)
            out += [m for m in siblings if m not in out][: max(0, lacking)]
        seats = len(group.members) - rules.channels[group.channel].max_group + 1 - len(out)
        out += [m for m in by_weight if m not in out][: max(0, seats)]
        return Room(group.tutor, self._weight(out), tuple(sorted(out)))

    def _phones_lacking(self, r: int, starts: Starts, apart: set[int], sitting: int) -> int | None:
        """How many of `sitting` seats at these starts must go for a phone to be free.

        `apart` are those seats. None if a phone would be lacking even without them.
        """
        elsewhere = [
            other
            for m, seats in self.table.home_seats(r).items()
            if m not in apart
            for other in seats
        ]
        phones = self.rules.phones[self.rules.home[r]]
        for staying in range(sitting, -1, -1):
            if phones > staying and not any(
                self.grid.crowded(start, elsewhere, phones - staying) for start in starts
            ):
                return sitting - staying
        return None

    def _pupil_busy_beside(self, r: int, starts: Starts, leaving: set[int]) -> bool:
        return any(
            self.grid.overlap(start, other)
            for m, seats in self.table.pupil_seats(r).items()
            if m not in leaving
            for other in seats
            for start in starts
        )

    def _room_to_open(self, r: int, option: Option) -> Room | None:
        """The lightest groups of the tutor whose end makes time for a new one."""
        groups = self.table.groups_of[option.tutor]
        weights = [self._weight(group.members) for group in groups]
        lessons = self.rules.requests[r].lessons_per_week
        closing = self._closings(r, option, groups) if option.timed else {0}
        best: tuple[int, int] | None = None
        for mask in closing:
            mask = self._close_for_lessons(mask, groups, weights, option.tutor, lessons)
            found = sum(weights[i] for i in bits(mask)), mask
            if best is None or found < best:
                best = found
        if best is None:
            return None
        out = sorted(m for i in bits(best[1]) for m in groups[i].members)
        return Room(option.tutor, best[0], tuple(out))

    def _closings(self, r: int, option: Option, groups: list[OpenGroup]) -> set[int]:
        """Sets of groups, as bits, each of which frees enough days for the request's lessons.

        Each day offers what would have to close for each of its starts; the days are combined
        one by one, by how many lessons have found a place.
        """
        lessons = self.rules.requests[r].lessons_per_week
        found: list[set[int]] = [{0}, *(set() for _ in range(lessons))]
        for part in self.grid.by_day(option.mask):
            offers = self._offers_of_day(r, part, groups)
            for count in range(lessons, 0, -1):
                for mask in found[count - 1]:
                    found[count].update(mask | offer for offer in offers)
                found[count] = _least(found[count])
        return found[lessons]

    def _offers_of_day(self, r: int, part: int, groups: list[OpenGroup]) -> set[int]:
        offers = set()
        for bit in bits(part):
            start = bit * self.grid.every
            closing = 0
            leaving: set[int] = set()
            for i, group in enumerate(groups):
                if any(self.grid.overlap(start, other) for other in group.starts or ()):
                    closing |= 1 << i
                    leaving.update(group.members)
            if closing in offers or self._phones_lacking(r, (start,), leaving, 0) is None:
                continue
            if not self._pupil_busy_beside(r, (start,), leaving):
                offers.add(closing)
        return _least(offers)

    def _close_for_lessons(
        self, mask: int, groups: list[OpenGroup], weights: list[int], t: int, lessons: int
    ) -> int:
        """Add the lightest groups to close until the tutor can give that many more lessons."""
        closed = sum(groups[i].lessons for i in bits(mask))
        lacking = lessons - self.table.lessons_left(t) - closed
        if lacking <= 0:
            return mask
        best = {0: (0, mask)}
        for i, group in enumerate(groups):
            if mask >> i & 1:
                continue
            for had, (weight, chosen) in list(best.items()):
                have = min(lacking, had + group.lessons)
                found = weight + weights[i], chosen | 1 << i
                if have not in best or found < best[have]:
                    best[have] = found
        return best[lacking][1]


def _lighter(one: Room | None, other: Room | None) -> Room | None:
    """The lighter of two rooms, the first if they weigh the same."""
    if one is None or other is None:
        return one or other
    return other if other.weight < one.weight else one


def _least(masks: set[int]) -> set[int]:
    """The masks that contain no other one."""
    return {m for m in masks if not any(other != m and other & m == other for other in masks)}
