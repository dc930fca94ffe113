"""Why a request is not served, and who holds what it could have had."""

from __future__ import annotations

from collections.abc import Iterable

from matching.market import Kind, Market
from matching.plan import Exchange, Unserved
from matching.room import Room, Rooms
from matching.timetable import Timetable

# Where every one of thousands of tutors is taken, no more of them are looked at.
ENOUGH_HOLDERS = 100


def why_unserved(table: Timetable) -> list[Unserved]:
    """The reason for every request that has no seat, in the problem's order.

    None of them may be such that it could be added while nobody moves.
    """
    teller = Teller(table)
    return [teller.tell(r) for r in range(len(table.rules.requests)) if r not in table.group_of]


class Teller:
    def __init__(self, table: Timetable) -> None:
        self.table = table
        self.rules = table.rules
        self._rooms = Rooms(table)
        self._markets: dict[Kind, Market] = {}

    def tell(self, r: int) -> Unserved:
        name = self.rules.requests[r].id
        passing, reason = self.rules.teachers(r).passing(r)
        if reason is not None:
            return Unserved(name, reason)
        market = self._market(r)
        if self._addable_but_for_home(r, market, passing):
            return Unserved(name, "phone_busy")
        room = self._rooms.lightest(r, market, passing)
        tutors = market.teachers.names(passing) if room is None else [room.tutor]
        return Unserved(name, "taken", self._held_by(r, tutors), self._exchange(room))

    def _market(self, r: int) -> Market:
        kind = self.rules.subject_key(r)
        if kind not in self._markets:
            self._markets[kind] = Market(self.table, kind, self.rules.teachers(r))
        return self._markets[kind]

    def _addable_but_for_home(self, r: int, market: Market, passing: int) -> bool:
        """Whether the request could be added if its household had no other lesson.

        As things are it could not, or it would not have been left out.
        """
        rules = self.rules
        home = rules.home[r]
        if not self.table.home_seats(r):
            return False
        starts = rules.home_starts[home]
        if starts and any(rules.home[seat] != home for seat in self.table.pupil_seats(r)):
            every = rules.grid.every
            starts = tuple(
                start
                for start in starts
                if not self.table.pupil_taken(r, start * every, other_homes_only=True)
            )
        return market.openable(passing, starts) or any(market.joinable(r, passing, starts))

    def _held_by(self, r: int, tutors: list[int]) -> tuple[str, ...]:
        found: set[int] = set()
        for t in tutors:
            if len(found) >= ENOUGH_HOLDERS:
                break
            found.update(self._holders(r, t))
        return self._names(sorted(found))

    def _holders(self, r: int, t: int) -> list[int]:
        """Who has the lessons of this tutor that the request could have had."""
        load = self._rooms.tariff.load(t)
        mine, theirs = self.rules.tutor_mask[t], self.rules.home_mask[self.rules.home[r]]
        common: int | None = None
        if (
            mine is not None
            and theirs is not None
            and self.table.lessons_left(t) >= self.rules.requests[r].lessons_per_week
        ):
            common = mine & theirs
        return [
            m
            for group, busy in zip(load.groups, load.busy, strict=True)
            if common is None or common & busy
            for m in group.members
        ]

    def _names(self, requests: Iterable[int]) -> tuple[str, ...]:
        return tuple([self.rules.requests[m].id for m in requests])

    def _exchange(self, room: Room | None) -> Exchange | None:
        return None if room is None else Exchange(self._names(room.out), room.weight)
