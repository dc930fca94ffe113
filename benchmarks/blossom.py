"""Blossom in rounds: a maximum-weight matching after the other, by networkx.

In each round every waiting request may be matched with a tutor, for a new lesson, or with an open
group, for one more seat. So each tutor opens at most one group a round, and each group grows by
one; a seat in an open group counts for a little more, since it costs nobody's lesson. Two matches
of one round can want the same phone: the heavier one has it, the other waits for the next round.
Rounds end when one seats nobody.
"""

from __future__ import annotations

from collections import Counter

import networkx as nx

from benchmarks.seating import Seating
from matching.rules import Option
from matching.timetable import OpenGroup, Starts

Node = tuple[str, int]


def match_in_rounds(seating: Seating) -> None:
    """Seat whom the rounds match."""
    while _Round(seating).seat_matched():
        pass


class _Round:
    def __init__(self, seating: Seating) -> None:
        self.seating = seating
        self.table = seating.table
        self.tutors: dict[tuple[int, int], Option] = {}
        self.groups: dict[int, OpenGroup] = {}
        self.demand: dict[tuple[str, str, int], Counter[int]] = {}

    def seat_matched(self) -> int:
        """Returns how many were seated."""
        matched = nx.max_weight_matching(self._graph())
        pairs = [(a[1], b) if a[0] == "request" else (b[1], a) for a, b in matched]
        pairs.sort(key=lambda pair: (-self.seating.weight(pair[0]), pair[0]))
        return sum(self._seat(r, node) for r, node in pairs)

    def _graph(self) -> nx.Graph:
        graph = nx.Graph()
        for r in self.seating.waiting():
            weight = 4 * self.seating.weight(r)
            options = self.seating.options(r)
            for group in self.seating.joinable(r, options):
                self.groups[id(group)] = group
                graph.add_edge(("request", r), ("group", id(group)), weight=weight + 1)
            for option in options:
                if next(self.table.openings(r, option), False) is not False:
                    self.tutors[r, option.tutor] = option
                    graph.add_edge(("request", r), ("tutor", option.tutor), weight=weight)
            self._count_demand(r)
        return graph

    def _count_demand(self, r: int) -> None:
        demand = self.demand.setdefault(self.table.rules.subject_key(r), Counter())
        demand.update(self.table.free_starts(r) or ())

    def _seat(self, r: int, node: Node) -> bool:
        kind, number = node
        if kind == "tutor":
            return self._open(r, self.tutors[r, number])
        group = self.groups[number]
        if group.starts is not None and not self.table.home_free(r, group.starts):
            return False
        self.table.join(r, group)
        return True

    def _open(self, r: int, option: Option) -> bool:
        """Open a group when most of those waiting for the same could come."""
        demand = self.demand[self.table.rules.subject_key(r)]
        every = self.table.rules.grid.every

        def visitors(starts: Starts | None) -> int:
            return sum(demand[start // every] for start in starts or ())

        openings = list(self.table.openings(r, option))
        if not openings:
            return False
        self.seating.open(r, option, max(openings, key=visitors))
        return True
