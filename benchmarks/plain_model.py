"""Plain CP-SAT: the whole problem as one model, written down as it stands, and 40 seconds.

A boolean says whether a group is open (tutor, starts, subject, level, channel, language), and one
for each request that could be in it whether it is. At most one group a request, max_group requests
a group and none in a closed one; a tutor's groups don't overlap and have no more lessons than the
tutor gives; at each moment a household's seats are no more than its phones. No hint, nothing left
out for being needless, CP-SAT's own parameters.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from benchmarks.seating import Seating
from matching.problem import MINUTES_A_WEEK
from matching.rules import Option
from matching.timetable import OpenGroup, Starts

# 90,000 (1,000 pupils) take 0.7 GB and 250,000 take 1.3 GB in the search; 2 GB are allowed.
MOST_BOOLEANS = 300_000

Kind = tuple[str, str, int]
Key = tuple[int, Kind, Starts | None, str, str]  # tutor, kind, starts, channel, language
Var = cp_model.IntVar


class TooLarge(Exception):
    """The model would have more booleans than fit in the memory allowed."""


@dataclass(slots=True)
class _Class:
    """A group that could be open, and the requests that could be in it."""

    opened: Var
    members: dict[int, Var] = field(default_factory=dict)


def solve_plainly(seating: Seating, seconds: float) -> None:
    """Seat whom CP-SAT seats; raises TooLarge."""
    _PlainModel(seating).solve(seconds)


class _PlainModel:
    def __init__(self, seating: Seating) -> None:
        self.seating = seating
        self.table = seating.table
        self.rules = seating.table.rules
        self.model = cp_model.CpModel()
        self.classes: dict[Key, _Class] = {}
        self.joins: dict[OpenGroup, dict[int, Var]] = defaultdict(dict)
        self.groups_of: dict[int, list[tuple[Key, Var]]] = defaultdict(list)
        self.choices: dict[int, list[Var]] = defaultdict(list)
        self.seats: dict[tuple[str, int], list[tuple[Starts, Var]]] = defaultdict(list)
        self.booleans = 0

    def solve(self, seconds: float) -> None:
        for r in self.seating.waiting():
            for option in self.seating.options(r):
                self._add_classes(r, option)
            for group in self.seating.joinable(r, self.seating.options(r)):
                self._add_seat(r, self.joins[group], group.starts)
        self._limit_requests()
        self._limit_groups()
        self._limit_tutors()
        self._limit_homes()
        self.model.maximize(
            sum(self.seating.weight(r) * sum(seats) for r, seats in self.choices.items())
        )
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        if solver.solve(self.model) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self._take(solver)

    # --- booleans

    def _boolean(self) -> Var:
        self.booleans += 1
        if self.booleans > MOST_BOOLEANS:
            raise TooLarge
        return self.model.new_bool_var("")

    def _add_classes(self, r: int, option: Option) -> None:
        for starts in self.table.openings(r, option):
            for channel in option.channels:
                for language in option.languages:
                    kind = self.rules.subject_key(r)
                    self._add_member(r, (option.tutor, kind, starts, channel, language))

    def _add_member(self, r: int, key: Key) -> None:
        if key not in self.classes:
            self.classes[key] = _Class(self._boolean())
            self.groups_of[key[0]].append((key, self.classes[key].opened))
        self._add_seat(r, self.classes[key].members, key[2])

    def _add_seat(self, r: int, members: dict[int, Var], starts: Starts | None) -> None:
        members[r] = self._boolean()
        self.choices[r].append(members[r])
        if starts is not None:
            self.seats["home", self.rules.home[r]].append((starts, members[r]))
            self.seats["pupil", self.rules.pupil[r]].append((starts, members[r]))

    # --- rules

    def _limit_requests(self) -> None:
        for seats in self.choices.values():
            self.model.add_at_most_one(seats)

    def _limit_groups(self) -> None:
        for key, one in self.classes.items():
            most = self.rules.channels[key[3]].max_group
            self.model.add(sum(one.members.values()) <= most * one.opened)
        for group, members in self.joins.items():
            self.model.add(sum(members.values()) <= self.table.seats_left(group))

    def _limit_tutors(self) -> None:
        for tutor, groups in self.groups_of.items():
            lessons = sum(key[1][2] * opened for key, opened in groups)
            self.model.add(lessons <= self.table.lessons_left(tutor))
            timed = [(key[2], opened) for key, opened in groups if key[2] is not None]
            for going_on in self._at_each_moment(timed, []).values():
                self.model.add_at_most_one(going_on)

    def _limit_homes(self) -> None:
        for (whose, number), seats in self.seats.items():
            most = self.rules.phones[number] if whose == "home" else 1
            taken = self._taken(whose, number)
            for moment, going_on in self._at_each_moment(seats, taken).items():
                pinned = sum(self._goes_on(start, moment) for start in taken)
                self.model.add(sum(going_on) <= most - pinned)

    def _taken(self, whose: str, number: int) -> list[int]:
        """The lessons that pinned requests of this household or pupil attend."""
        of = self.rules.home if whose == "home" else self.rules.pupil
        return [
            start
            for r, group in self.table.group_of.items()
            if of[r] == number
            for start in group.starts or ()
        ]

    def _at_each_moment(
        self, timed: list[tuple[Starts, Var]], taken: list[int]
    ) -> dict[int, list[Var]]:
        """The booleans whose lessons go on at each moment at which one starts."""
        by_start: dict[int, list[Var]] = defaultdict(list)
        for starts, boolean in timed:
            for start in starts:
                by_start[start].append(boolean)
        return {
            moment: [
                boolean
                for start, booleans in by_start.items()
                if self._goes_on(start, moment)
                for boolean in booleans
            ]
            for moment in (*by_start, *taken)
        }

    def _goes_on(self, start: int, moment: int) -> bool:
        return (moment - start) % MINUTES_A_WEEK < self.rules.grid.lesson

    # --- what was found

    def _take(self, solver: cp_model.CpSolver) -> None:
        for (tutor, _, starts, channel, language), one in self.classes.items():
            members = [r for r, seat in one.members.items() if solver.boolean_value(seat)]
            if members:
                group = self.table.open(members[0], tutor, channel, language, starts)
                for r in members[1:]:
                    self.table.join(r, group)
        for group, joining in self.joins.items():
            for r, seat in joining.items():
                if solver.boolean_value(seat):
                    self.table.join(r, group)
