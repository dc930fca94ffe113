"""Whose leaving would make room for a request: the lightest pupils of one tutor."""

from __future__ import annotations

from dataclasses import dataclass

from matching.market import Kind, Market
from matching.prices import Load, Prices, Tariff, Weighed
from matching.rules import Option
from matching.slots import bits
from matching.teachers import union
from matching.timetable import OpenGroup, Starts, Timetable

LIGHTEST = 1  # weights are positive integers


@dataclass(frozen=True, slots=True)
class Room:
    """What has to leave one tutor for a request to be admitted."""

    tutor: int
    weight: int
    out: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Asker:
    """A request that asks for room.

    `free` are the starts that the household has for it while nobody of it leaves (`starts` the
    same in a row, None if times are agreed later), `near` the tutors who give timed lessons to
    the household or the pupil: if their pupils leave, there are more.
    """

    r: int
    lessons: int
    free: int
    starts: tuple[int, ...] | None
    near: frozenset[int]


class Rooms:
    def __init__(self, table: Timetable) -> None:
        self.table = table
        self.rules = table.rules
        self.grid = table.rules.grid
        self.tariff = Tariff(table)
        self._prices: dict[Kind, Prices] = {}

    def lightest(self, r: int, market: Market, passing: int) -> Room | None:
        """The lightest room of all tutors, looked for from the lowest price up.

        Near the household prices say too much, since its own lessons could make way; there the
        tutors are looked at one by one, unless something as light as can be was found before.
        """
        asker = self._asker(r)
        place = market.teachers.place
        near = passing & union([1 << place[t] for t in asker.near if t in place])
        best = self._lightest_by_price(asker, market, passing & ~near)
        if best is None or best.weight > LIGHTEST:
            for t in market.teachers.names(near):
                best = self._room(asker, t, best) or best
        return best

    def _asker(self, r: int) -> Asker:
        rules, table = self.rules, self.table
        home = rules.home[r]
        mask, starts = rules.home_mask[home] or 0, rules.home_starts[home]
        free = table.home_mask(r, mask)
        if free != mask:
            starts = tuple(bits(free))
        seats = {**table.home_seats(r), **table.pupil_seats(r)}
        near = frozenset([table.group_of[m].tutor for m in seats])
        return Asker(r, rules.requests[r].lessons_per_week, free, starts, near)

    def _lightest_by_price(self, asker: Asker, market: Market, left: int) -> Room | None:
        kind = market.kind
        if kind not in self._prices:
            self._prices[kind] = Prices(market, self.tariff)
        prices = self._prices[kind]
        starts = asker.starts
        best: Room | None = None
        for price, tutors in prices.cheapest(asker.r, starts):
            if best is not None and best.weight <= price:
                break
            for i in bits(tutors & left):
                best = self._room(asker, market.teachers.tutors[i], best, price) or best
                if best is not None and best.weight <= price:
                    return best
            left &= ~tutors
            if price >= LIGHTEST:
                # Nearly all have found room by now; of the others few ever will.
                left &= prices.affordable(asker.r, starts)
                if not left:
                    break
        return best

    # --- one tutor, exactly

    def _room(self, asker: Asker, t: int, beaten: Room | None, least: int = 0) -> Room | None:
        """The tutor's lightest room, if there is one lighter than what is to be beaten.

        None weighs less than `least`.
        """
        option = self.rules.option(asker.r, t)
        assert option is not None, "a tutor who passes the filters has an option"
        load = self.tariff.load(t)
        best = beaten
        key = self.rules.subject_key(asker.r)
        for group in load.groups:
            if group.key == key and self.table.fits(option, group):
                best = _lighter(best, self._room_in(asker, group))
                if best is not None and best.weight <= least:
                    return best
        limit = None if best is None else best.weight
        best = _lighter(best, self._room_to_open(asker, option, load, limit))
        return None if best is beaten else best

    def _weight(self, members: list[int]) -> int:
        return sum([self.rules.requests[m].weight for m in members])

    # --- a seat in a group

    def _room_in(self, asker: Asker, group: OpenGroup) -> Room | None:
        """The lightest members whose leaving lets the request join the group."""
        out: list[int] | None = []
        by_weight = sorted(group.members, key=lambda m: (self.rules.requests[m].weight, m))
        if group.starts is not None:
            if group.tutor in asker.near:
                out = self._own_to_leave(asker.r, group, by_weight)
            elif group.mask is None or group.mask & ~asker.free:
                out = None
        if out is None:
            return None
        seats = len(group.members) - self.rules.channels[group.channel].max_group + 1 - len(out)
        out += [m for m in by_weight if m not in out][: max(0, seats)]
        return Room(group.tutor, self._weight(out), tuple(sorted(out)))

    def _own_to_leave(self, r: int, group: OpenGroup, by_weight: list[int]) -> list[int] | None:
        """Who must leave the group for the household's sake, or None if that is not enough.

        The pupil itself must not sit there twice, and enough of its household must leave for a
        phone to be free.
        """
        rules = self.rules
        starts = group.starts or ()
        out = [m for m in by_weight if rules.pupil[m] == rules.pupil[r]]
        siblings = [m for m in by_weight if rules.home[m] == rules.home[r]]
        phones = self._phones_lacking(r, starts, set(siblings), len(siblings))
        if phones is None or self._pupil_busy_beside(r, starts, set(out)):
            return None
        lacking = phones - sum(m in siblings for m in out)
        return out + [m for m in siblings if m not in out][: max(0, lacking)]

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

    # --- a new group

    def _room_to_open(
        self, asker: Asker, option: Option, load: Load, limit: int | None
    ) -> Room | None:
        """The lightest groups of the tutor whose end makes time for a new one."""
        closings = [(0, 0)]
        if option.timed:
            closings = self._closings(asker, option, load, limit)
        left = self.table.lessons_left(option.tutor)
        best: Weighed | None = None
        for found in closings:
            found = load.closed_for(asker.lessons - left, found)
            if best is None or found < best:
                best = found
        if best is None:
            return None
        out = sorted(m for i in bits(best[1]) for m in load.groups[i].members)
        return Room(option.tutor, best[0], tuple(out))

    def _closings(
        self, asker: Asker, option: Option, load: Load, limit: int | None
    ) -> list[Weighed]:
        """Sets of groups, each of which frees enough days for the request's lessons.

        Each day offers what would have to close for each of its starts; the days are combined
        one by one, by how many lessons have found a place. What is not below the limit is left
        out.
        """
        mask = option.mask
        if option.tutor not in asker.near:
            mask &= asker.free
        found: list[set[int]] = [{0}, *(set() for _ in range(asker.lessons))]
        for part in self.grid.by_day(mask) if asker.lessons > 1 else [mask]:
            offers = self._offers_of_day(asker, option.tutor, part, load)
            if limit is not None:
                offers = {one for one in offers if _weight_of(one, load) < limit}
            for count in range(asker.lessons, 0, -1) if offers else ():
                new = {chosen | offer for chosen in found[count - 1] for offer in offers}
                found[count] = _least(found[count] | new)
        weighed = [(_weight_of(chosen, load), chosen) for chosen in found[asker.lessons]]
        return [one for one in weighed if limit is None or one[0] < limit]

    def _offers_of_day(self, asker: Asker, t: int, part: int, load: Load) -> set[int]:
        """The sets of groups, as bits, whose end frees one of these starts."""
        parts = {0: part}
        for i, busy in enumerate(load.busy):
            if part & busy:
                parts = _split(parts, 1 << i, busy)
        if t not in asker.near:
            return _least(set(parts))
        return _least({one for one in parts if self._suits_home(asker.r, parts[one], one, load)})

    def _suits_home(self, r: int, starts: int, closing: int, load: Load) -> bool:
        """Whether phone and pupil are free at one of these starts once those groups have ended."""
        leaving = {m for i in bits(closing) for m in load.groups[i].members}
        return any(
            self._phones_lacking(r, (start,), leaving, 0) is not None
            and not self._pupil_busy_beside(r, (start,), leaving)
            for start in self.grid.starts(starts)
        )


def _lighter(one: Room | None, other: Room | None) -> Room | None:
    """The lighter of two rooms, the first if they weigh the same."""
    if one is None or other is None:
        return one or other
    return other if other.weight < one.weight else one


def _weight_of(chosen: int, load: Load) -> int:
    return sum([load.weights[i] for i in bits(chosen)])


def _split(parts: dict[int, int], bit: int, busy: int) -> dict[int, int]:
    """The starts by what must close, after the group with this bit was found busy at some."""
    split: dict[int, int] = {}
    for closing, starts in parts.items():
        if starts & ~busy:
            split[closing] = starts & ~busy
        if starts & busy:
            split[closing | bit] = starts & busy
    return split


def _least(masks: set[int]) -> set[int]:
    """The masks that contain no other one."""
    if len(masks) < 2:
        return masks
    return {m for m in masks if not any(other != m and other & m == other for other in masks)}
