"""Why a request is not served, and whose leaving would make room for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matching.plan import Exchange, Unserved
from matching.rules import Option
from matching.slots import bits
from matching.timetable import OpenGroup, Starts, Timetable


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

    def tell(self, r: int) -> Unserved:
        name = self.rules.requests[r].id
        tutors, reason = self.rules.filtered(r)
        if reason is not None:
            return Unserved(name, reason)
        options = [option for t in tutors if (option := self.rules.option(r, int(t)))]
        if any(self._addable_but_for_home(r, option) for option in options):
            return Unserved(name, "phone_busy")
        room = self._lightest(r, options)
        holders = [option for option in options if room is None or option.tutor == room.tutor]
        held_by = sorted({m for option in holders for m in self._holders(r, option)})
        return Unserved(name, "taken", self._names(held_by), self._exchange(room))

    def _names(self, requests: Iterable[int]) -> tuple[str, ...]:
        return tuple(self.rules.requests[m].id for m in requests)

    def _exchange(self, room: Room | None) -> Exchange | None:
        return None if room is None else Exchange(self._names(room.out), room.weight)

    def _addable_but_for_home(self, r: int, option: Option) -> bool:
        """Whether the request could be added if its household had no other lesson."""
        table = self.table
        for group in self._alike(r, option):
            away = self._pupil_taken_elsewhere(r, group.starts or ())
            if table.seats_left(group) > 0 and table.fits(option, group) and not away:
                return True
        lessons = self.rules.requests[r].lessons_per_week
        if table.lessons_left(option.tutor) < lessons:
            return False
        if not option.timed:
            return True
        free = 0
        for bit in bits(table.free_mask(option)):
            if not self._pupil_taken_elsewhere(r, (bit * self.grid.every,)):
                free |= 1 << bit
        return self.grid.days(free) >= lessons

    def _pupil_taken_elsewhere(self, r: int, starts: Starts) -> bool:
        return any(self.table.pupil_taken(r, start, other_homes_only=True) for start in starts)

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

    def _lightest(self, r: int, options: list[Option]) -> Room | None:
        best: Room | None = None
        lightest = 1  # weights are positive integers
        for option in options:
            room = self._room(r, option)
            if room is not None and (best is None or room.weight < best.weight):
                best = room
                if best.weight <= lightest:
                    break
        return best

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


def _least(masks: set[int]) -> set[int]:
    """The masks that contain no other one."""
    return {m for m in masks if not any(other != m and other & m == other for other in masks)}
