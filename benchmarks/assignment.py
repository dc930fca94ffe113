"""Assignment on tutor seats: one linear assignment, by scipy.

Every start of a tutor is a place for one request; so is each weekly lesson of a tutor without
times. Each request is assigned to one place, with the most weight in all. That knows neither the
tutors' weekly lessons nor phones nor groups: conflicts are resolved afterwards, the heaviest
request first; who then finds neither room nor a seat in the tutor's group at that time is dropped.
A second weekly lesson is put where there is room. (With as many seats at a start as a group may
have, less is left in the end: requests for different subjects meet in one lesson.)
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from benchmarks.seating import Seating
from matching.rules import Option
from matching.slots import bits
from matching.timetable import Starts

UNTIMED = -1  # and below: the lessons of a tutor without times

Place = tuple[int, int]  # tutor, start on the grid


def assign_to_seats(seating: Seating) -> None:
    """Seat those whose assignment holds."""
    _Assignment(seating).run()


class _Assignment:
    def __init__(self, seating: Seating) -> None:
        self.seating = seating
        self.table = seating.table
        self.waiting = seating.waiting()
        self.column: dict[Place, int] = {}
        self.option: dict[tuple[int, int], Option] = {}

    def run(self) -> None:
        heaviest_first = sorted(
            self._assigned(), key=lambda one: (-self.seating.weight(one[0]), one)
        )
        for r, place in heaviest_first:
            self._seat(r, *place)

    def _assigned(self) -> list[tuple[int, Place]]:
        """Requests and their seats; each may stay without one, in a column of its own."""
        if not self.waiting:
            return []
        rows: list[int] = []
        columns: list[int] = []
        for row, r in enumerate(self.waiting):
            for place in self._places(r):
                rows.append(row)
                columns.append(self.column.setdefault(place, len(self.column)))
        count = len(self.waiting)
        nobody = len(self.column) + np.arange(count)
        gain = np.array([2 * self.seating.weight(r) for r in self.waiting])
        values = np.concatenate([gain[np.array(rows, dtype=np.int64)], np.ones(count, np.int64)])
        cells = (np.concatenate([rows, np.arange(count)]), np.concatenate([columns, nobody]))
        graph = csr_array((values, cells), shape=(count, len(self.column) + count))
        seats = min_weight_full_bipartite_matching(graph, maximize=True)[1]
        places = list(self.column)
        pairs = zip(self.waiting, seats.tolist(), strict=True)
        return [(r, places[seat]) for r, seat in pairs if seat < len(places)]

    def _places(self, r: int) -> list[Place]:
        places: list[Place] = []
        for option in self.seating.options(r):
            self.option[r, option.tutor] = option
            if option.timed:
                free = self.table.home_mask(r, self.table.free_mask(option))
                places += [(option.tutor, start) for start in bits(free)]
            else:
                lessons = self.table.lessons_left(option.tutor)
                places += [(option.tutor, UNTIMED - n) for n in range(lessons)]
        return places

    def _seat(self, r: int, tutor: int, start: int) -> None:
        option = self.option[r, tutor]
        minute = None if start <= UNTIMED else start * self.table.rules.grid.every

        def there(starts: Starts | None) -> bool:
            return minute is None if starts is None else minute in starts

        for group in self.seating.joinable(r, [option]):
            if there(group.starts):
                self.table.join(r, group)
                return
        for starts in self.table.openings(r, option):
            if there(starts):
                self.seating.open(r, option, starts)
                return
