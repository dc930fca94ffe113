"""A first plan, fast: the scarcest requests first, each into an open group if one has a seat.

Nobody who sits is moved, so what is left out in the end could not be added.
"""

from __future__ import annotations

import numpy as np

from matching.rules import Option
from matching.timetable import OpenGroup, Starts, Timetable

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
        self._demand: dict[tuple[str, str, int], list[int]] = {}
        self._contention = np.zeros(len(self.rules.tutors))

    def run(self) -> None:
        for r in self._scarcest_first():
            self._serve(r)

    def _scarcest_first(self) -> list[int]:
        """Fewest chances for their weight first; counts demand and contention on the way."""
        scarcity = {}
        for r in self.waiting:
            weight = self.rules.requests[r].weight
            tutors, _ = self.rules.filtered(r)
            self._contention[tutors] += weight
            mask = self.rules.home_mask[self.rules.home[r]]
            chances = 0
            for t in tutors:
                theirs = self.rules.tutor_mask[t]
                timed = mask is not None and theirs is not None
                chances += (mask & theirs).bit_count() if timed else UNTIMED_STARTS
            if chances:
                scarcity[r] = chances / weight
                self._count_demand(r, mask)
        return sorted(scarcity, key=lambda r: (scarcity[r], r))

    def _count_demand(self, r: int, mask: int | None) -> None:
        key = self.rules.subject_key(r)
        if key not in self._demand:
            self._demand[key] = [0] * self.rules.grid.size
        if mask is not None:
            demand = self._demand[key]
            for start in self.rules.grid.starts(mask):
                demand[start // self.rules.grid.every] += 1

    def _serve(self, r: int) -> None:
        tutors = {int(t) for t in self.rules.filtered(r)[0]}
        group = self._group_to_join(r, tutors)
        if group is not None:
            self.table.join(r, group)
            return
        lessons = self.rules.subject_key(r)[2]
        best = None
        for t in sorted(tutors):
            if self.table.lessons_left(t) < lessons:
                continue
            option = self.rules.option(r, t)
            if option is None:
                continue
            found = self._best_opening(r, option)
            if found is not None:
                score, starts = found
                if best is None or score > best[0]:
                    best = score, option, starts
        if best is not None:
            _, option, starts = best
            self.table.open(r, option.tutor, option.channels[0], option.languages[0], starts)

    def _group_to_join(self, r: int, tutors: set[int]) -> OpenGroup | None:
        """Of the groups with a seat for the request, the one with the fewest left."""
        best = None
        mine = self.rules.home_mask[self.rules.home[r]]
        for group in self.table.with_key.get(self.rules.subject_key(r), ()):
            left = self.table.seats_left(group)
            if left <= 0 or group.tutor not in tutors or (best and left >= best[0]):
                continue
            if group.mask is not None and mine is not None and group.mask & ~mine:
                continue
            option = self.rules.option(r, group.tutor)
            if option is not None and self.table.can_join(r, option, group):
                best = left, group
        return best[1] if best else None

    def _best_opening(
        self, r: int, option: Option
    ) -> tuple[tuple[int, float], Starts | None] | None:
        """The times at which most others could join, and how good they are."""
        calm = -float(self._contention[option.tutor])
        room = self.rules.channels[option.channels[0]].max_group
        if not option.timed:
            return (room, calm), None
        grid = self.rules.grid
        demand = self._demand[self.rules.subject_key(r)]
        mask = self.table.home_mask(r, self.table.free_mask(option))
        best_of_days = [
            max((demand[start // grid.every], -start) for start in grid.starts(part))
            for part in grid.by_day(mask)
        ]
        lessons = self.rules.subject_key(r)[2]
        if len(best_of_days) < lessons:
            return None
        chosen = sorted(best_of_days, reverse=True)[:lessons]
        starts = tuple(sorted(-start for _, start in chosen))
        return (min(room, chosen[-1][0]), calm), starts
