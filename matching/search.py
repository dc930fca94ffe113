"""A first plan, fast: the scarcest requests first, each into an open group if one has a seat.

Nobody who sits is moved, so what is left out in the end could not be added.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from matching.market import Kind, Market
from matching.slots import bits
from matching.teachers import Teachers
from matching.timetable import OpenGroup, Timetable

# A tutor without times gives lessons at as many starts as a usual week has.
UNTIMED_STARTS = 5


def fill(table: Timetable) -> None:
    """Serve every request that can be added to the timetable while nobody moves."""
    Greedy(table).run()


class Greedy:
    def __init__(self, table: Timetable) -> None:
        self.table = table
        self.rules = table.rules
        self.waiting = [r for r in range(len(self.rules.requests)) if r not in table.group_of]
        self._demand: dict[Kind, list[int]] = {}
        self._contention = np.zeros(len(self.rules.tutors), dtype=np.int64)
        self._calmest_first: dict[tuple[str, str], Teachers] = {}
        self._markets: dict[Kind, Market] = {}
        self._markets_of: dict[int, list[tuple[Market, int]]] = defaultdict(list)

    def run(self) -> None:
        for r in self._scarcest_first():
            self._serve(r)

    # --- in which order

    def _scarcest_first(self) -> list[int]:
        """Fewest chances for their weight first; counts demand and contention on the way."""
        scarcity = {}
        met: dict[Teachers, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for r in self.waiting:
            teachers = self.rules.teachers(r)
            passing = teachers.passing(r)[0]
            if not passing:
                continue
            weight = self.rules.requests[r].weight
            sets, weights = met[teachers]
            sets.append(passing)
            weights.append(weight)
            scarcity[r] = self._chances(r, teachers, passing) / weight
            self._count_demand(r)
        for teachers, (sets, weights) in met.items():
            self._contention[teachers.tutors] += teachers.counted(sets, weights)
        return sorted(scarcity, key=lambda r: (scarcity[r], r))

    def _chances(self, r: int, teachers: Teachers, passing: int) -> int:
        starts = self.rules.home_starts[self.rules.home[r]]
        if starts is None:
            return UNTIMED_STARTS * passing.bit_count()
        chances = UNTIMED_STARTS * (passing & teachers.untimed).bit_count()
        for start in starts:
            chances += (passing & teachers.at[start]).bit_count()
        return chances

    def _count_demand(self, r: int) -> None:
        kind = self.rules.subject_key(r)
        if kind not in self._demand:
            self._demand[kind] = [0] * self.rules.grid.size
        demand = self._demand[kind]
        for start in self.rules.home_starts[self.rules.home[r]] or ():
            demand[start] += 1

    # --- where to

    def _serve(self, r: int) -> None:
        market = self._market(self.rules.subject_key(r))
        passing = market.teachers.passing(r)[0]
        starts = self.table.free_starts(r)
        group = next(market.joinable(r, passing, starts), None)
        if group is not None:
            self.table.join(r, group)
            market.joined(group)
            return
        opening = self._best_opening(market, r, passing, starts)
        if opening is not None:
            self._open(r, *opening)

    def _market(self, kind: Kind) -> Market:
        if kind not in self._markets:
            taught = kind[:2]
            if taught not in self._calmest_first:
                tutors = self.rules.teachers_of.get(taught, ())
                order = sorted(tutors, key=lambda t: (self._contention[t], t))
                self._calmest_first[taught] = Teachers(self.rules, order)
            market = Market(self.table, kind, self._calmest_first[taught])
            self._markets[kind] = market
            for i, t in enumerate(market.teachers.tutors):
                self._markets_of[t].append((market, i))
        return self._markets[kind]

    def _open(self, r: int, t: int, starts: tuple[int, ...] | None) -> None:
        option = self.rules.option(r, t)
        assert option is not None, "a tutor who passes the filters has an option"
        group: OpenGroup = self.table.open(r, t, option.channels[0], option.languages[0], starts)
        busy = 0
        for start in starts or ():
            busy |= self.rules.grid.around(start)
        for market, i in self._markets_of[t]:
            market.occupied(i, t, busy)
        self._markets[group.key].add(group)

    def _best_opening(
        self, market: Market, r: int, passing: int, starts: tuple[int, ...] | None
    ) -> tuple[int, tuple[int, ...] | None] | None:
        """The calmest of the tutors with whom most others could join, and the times."""
        able = passing & market.able
        if not able:
            return None
        rooms = self._rooms(market, r, able)
        best: dict[int, int] = defaultdict(int)
        untimed = able if starts is None else able & market.teachers.untimed
        for room, tutors in rooms:
            if tutors & untimed:
                best[room] |= tutors & untimed
        order: list[int] = []
        if starts:
            demand = self._demand[market.kind]
            order = sorted(starts, key=lambda start: (-demand[start], start))
            self._rate_starts(market, able, order, rooms, best)
        if not best:
            return None
        first = next(bits(best[max(best)]))
        t = market.teachers.tutors[first]
        if untimed >> first & 1:
            return t, None
        return t, self._times(market, first, order)

    def _rooms(self, market: Market, r: int, able: int) -> list[tuple[int, int]]:
        """The most seats of a group on the roomiest shared channel, and whose it is."""
        home = self.rules.problem.households[self.rules.home[r]]
        rooms = []
        for channel in self.rules.roomiest_first(home.channels):
            tutors = able & market.teachers.on_channel.get(channel, 0)
            if tutors:
                rooms.append((self.rules.channels[channel].max_group, tutors))
                able ^= tutors
        return rooms

    def _rate_starts(
        self,
        market: Market,
        able: int,
        order: list[int],
        rooms: list[tuple[int, int]],
        best: dict[int, int],
    ) -> None:
        """Add to `best` who could open a group of how many, starts most in demand first.

        Of every tutor each day's first free start counts, and of these as many as there are
        lessons; the least demand among them says how many might come.
        """
        demand = self._demand[market.kind]
        a_day = self.rules.grid.starts_a_day
        days = [0] * 7
        reached = [able, *[0] * market.lessons]  # by the number of days
        roomiest = rooms[0][0]
        for start in order:
            if best and min(roomiest, demand[start]) < max(best):
                return
            day = start // a_day
            new = market.free[start] & able & ~days[day]
            if not new:
                continue
            days[day] |= new
            before = reached[-1]
            for count in range(market.lessons, 0, -1):
                reached[count] |= reached[count - 1] & new
            newly = reached[-1] & ~before
            if newly:
                for room, tutors in rooms:
                    if tutors & newly:
                        best[min(room, demand[start])] |= tutors & newly

    def _times(self, market: Market, i: int, order: list[int]) -> tuple[int, ...]:
        """The first free starts of the i-th teacher, one a day."""
        grid = self.rules.grid
        chosen: dict[int, int] = {}
        for start in order:
            if market.free[start] >> i & 1:
                chosen.setdefault(start // grid.starts_a_day, start)
            if len(chosen) == market.lessons:
                break
        return tuple(sorted(start * grid.every for start in chosen.values()))
