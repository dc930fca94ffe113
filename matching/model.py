"""The whole problem as a CP-SAT model.

A *place* is a tutor with the starts of a group (or no starts, for times to be agreed later);
a *class* is a place with what its members have in common: subject, level, lessons a week,
channel and language. There is a boolean for each request and place, one for each class that
may be open, and, where a request could sit in several classes of one place, a seat for each,
which sum to the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from ortools.sat.python import cp_model

from matching.problem import MINUTES_A_WEEK
from matching.rules import Option
from matching.timetable import Starts, Timetable

Var = cp_model.IntVar
Linear = cp_model.LinearExprT


class Place(NamedTuple):
    tutor: int
    starts: Starts | None


class Class(NamedTuple):
    """`label` names the one group of a class whose members a pin keeps together untimed."""

    place: Place
    key: tuple[str, str, int]
    channel: str
    language: str
    label: str | None = None


class Model:
    """Variables and hard rules; the levels are put to `cp` by `matching.levels`."""

    def __init__(self, table: Timetable) -> None:
        self.rules = table.rules
        self.cp = cp_model.CpModel()
        self.seats: dict[int, dict[Class, Var]] = defaultdict(dict)
        self.at: dict[int, dict[Place, Var]] = defaultdict(dict)
        self.open: dict[Class, Var] = {}
        self.users: dict[Class, list[int]] = defaultdict(list)
        self.labels = self._labels()
        self._collect(table)
        self._drop_dominated()
        self._add_variables()
        self._add_rules()

    # --- which classes there may be

    def _labels(self) -> dict[int, str]:
        """The group name of the pinned requests that must stay with another one."""
        members = defaultdict(list)
        for r, pin in self.rules.pins.items():
            if pin.group is not None:
                members[pin.group].append(r)
        return {r: name for name, found in members.items() if len(found) > 1 for r in found}

    def _collect(self, table: Timetable) -> None:
        self._untimed_labels: dict[tuple[int, tuple[str, str, int]], set[str]] = defaultdict(set)
        for r, label in self.labels.items():
            for option in self.rules.options(r):
                if not option.timed:
                    self._untimed_labels[option.tutor, self.rules.subject_key(r)].add(label)
        for r in range(len(self.rules.requests)):
            for option in self.rules.options(r):
                self._collect_option(table, r, option)

    def _collect_option(self, table: Timetable, r: int, option: Option) -> None:
        key = self.rules.subject_key(r)
        starts: Iterable[Starts | None] = (option.fixed,)
        if option.timed and option.fixed is None:
            starts = table.combinations(r, option.mask)
        labels: list[str | None] = [None]
        if not option.timed:
            labels = [] if r in self.labels else [None]
            labels += sorted(self._untimed_labels.get((option.tutor, key), ()))
        for chosen in starts:
            place = Place(option.tutor, chosen)
            for channel in option.channels:
                for language in option.languages:
                    for label in labels:
                        self.users[Class(place, key, channel, language, label)].append(r)

    def _drop_dominated(self) -> None:
        """Leave out classes and seats that another of the same place makes needless.

        A class is needless if another has all its users, as many seats and no higher cost;
        a seat where only one can sit is, if its user can have another at no higher cost.
        """
        rivals = defaultdict(list)
        for cls in self.users:
            rivals[cls.place, cls.key, cls.label].append(cls)
        for classes in rivals.values():
            classes.sort(key=self._best_first)
            self._drop_needless_seats(classes)
            kept: list[Class] = []
            for cls in classes:
                mine = set(self.users[cls])
                if mine and not any(mine <= set(self.users[better]) for better in kept):
                    kept.append(cls)
                else:
                    del self.users[cls]

    def _best_first(self, cls: Class) -> tuple[int, int, int, str, str]:
        channel = self.rules.channels[cls.channel]
        users = -len(self.users[cls])
        return channel.cost, -channel.max_group, users, cls.channel, cls.language

    def _drop_needless_seats(self, classes: list[Class]) -> None:
        """`classes` come cheapest first."""
        seated: set[int] = set()
        for cls in classes:
            if self.rules.channels[cls.channel].max_group == 1:
                self.users[cls] = [r for r in self.users[cls] if r not in seated]
            seated.update(self.users[cls])

    # --- variables

    def _add_variables(self) -> None:
        together: dict[tuple[int, Place], list[Class]] = defaultdict(list)
        for cls, users in self.users.items():
            if cls.place.starts is None and cls.label is None:
                self.open[cls] = self.cp.new_int_var(0, len(users), "")
            else:
                self.open[cls] = self.cp.new_bool_var("")
            for r in users:
                together[r, cls.place].append(cls)
        for (r, place), classes in together.items():
            at = self.cp.new_bool_var("")
            self.at[r][place] = at
            if len(classes) == 1:
                self.seats[r][classes[0]] = at
                continue
            for cls in classes:
                self.seats[r][cls] = self.cp.new_bool_var("")
            self.cp.add(sum(self.seats[r][cls] for cls in classes) == at)

    # --- hard rules

    def _add_rules(self) -> None:
        self.served: dict[int, Linear] = {}
        for r, at in self.at.items():
            self.served[r] = sum(at.values())
            if r in self.rules.pins:
                self.cp.add_exactly_one(at.values())
            else:
                self.cp.add_at_most_one(at.values())
        self._limit_groups()
        self._limit_tutors()
        self._limit_homes()
        self._keep_together()

    def _limit_groups(self) -> None:
        for cls, users in self.users.items():
            most = self.rules.channels[cls.channel].max_group
            seats = [self.seats[r][cls] for r in users]
            self.cp.add(sum(seats) <= most * self.open[cls])
            if len(seats) > 1 and most > 1:
                for seat in seats:
                    self.cp.add(seat <= self.open[cls])

    def _limit_tutors(self) -> None:
        self.groups_of: dict[int, list[Class]] = defaultdict(list)
        for cls in self.users:
            self.groups_of[cls.place.tutor].append(cls)
        for t, classes in self.groups_of.items():
            lessons = sum(cls.key[2] * self.open[cls] for cls in classes)
            self.cp.add(lessons <= self.rules.tutors[t].max_lessons_per_week)
            timed = [(cls.place.starts, self.open[cls]) for cls in classes if cls.place.starts]
            for going_on in self._moments(timed):
                self.cp.add_at_most_one(going_on)

    def _limit_homes(self) -> None:
        homes: dict[int, list[int]] = defaultdict(list)
        pupils: dict[int, list[int]] = defaultdict(list)
        for r in self.at:
            homes[self.rules.home[r]].append(r)
            pupils[self.rules.pupil[r]].append(r)
        for home, members in homes.items():
            phones = self.rules.phones[home]
            if phones < len(members):
                for going_on in self._moments(self._timed_places(members)):
                    self._at_most(phones, going_on)
        for members in pupils.values():
            home = self.rules.home[members[0]]
            if self.rules.phones[home] > 1 or any(self.rules.home[r] != home for r in members):
                for going_on in self._moments(self._timed_places(members)):
                    self._at_most(1, going_on)

    def _timed_places(self, requests: list[int]) -> list[tuple[Starts, Var]]:
        return [
            (place.starts, var)
            for r in requests
            for place, var in self.at[r].items()
            if place.starts is not None
        ]

    def _at_most(self, limit: int, going_on: list[Var]) -> None:
        if limit == 1:
            self.cp.add_at_most_one(going_on)
        elif len(going_on) > limit:
            self.cp.add(sum(going_on) <= limit)

    def _moments(self, lessons: list[tuple[Starts, Var]]) -> list[list[Var]]:
        """For every start, what goes on at that moment; moments that add nothing left out."""
        by_start: dict[int, list[int]] = defaultdict(list)
        for i, (starts, _) in enumerate(lessons):
            for start in starts:
                by_start[start].append(i)
        going_on: dict[frozenset[int], None] = {}
        for moment in sorted(by_start):
            now = frozenset(
                i
                for start, found in by_start.items()
                if (moment - start) % MINUTES_A_WEEK < self.rules.grid.lesson
                for i in found
            )
            if len(now) > 1:
                going_on[now] = None
        return [[lessons[i][1] for i in sorted(now)] for now in going_on]

    def _keep_together(self) -> None:
        members = defaultdict(list)
        for r, label in self.labels.items():
            members[label].append(r)
        for requests in members.values():
            for one, other in combinations(requests, 2):
                for cls in dict.fromkeys([*self.seats[one], *self.seats[other]]):
                    self.cp.add(self.seats[one].get(cls, 0) == self.seats[other].get(cls, 0))

    # --- from timetables to values and back

    def hint(self, table: Timetable) -> None:
        """Start the search from a timetable, as far as the model has its seats."""
        self.cp.clear_hints()
        sits: set[int] = set()
        counts: dict[Class, int] = defaultdict(int)
        for group in table.groups():
            cls = self._class_for(group.tutor, group.starts, group.key, group.members)
            if cls is None:
                continue
            counts[cls] += 1
            for r in group.members:
                sits.add(self.seats[r][cls].index)
                sits.add(self.at[r][cls.place].index)
        for cls, var in self.open.items():
            self.cp.add_hint(var, counts[cls])
        booleans = {
            var.index: var
            for r in self.at
            for var in (*self.at[r].values(), *self.seats[r].values())
        }
        for index, var in booleans.items():
            self.cp.add_hint(var, index in sits)

    def _class_for(
        self, t: int, starts: Starts | None, key: tuple[str, str, int], members: list[int]
    ) -> Class | None:
        """The cheapest class that has a seat for all these members."""
        for cls in sorted(self.seats[members[0]], key=self._best_first):
            if cls.place == Place(t, starts) and cls.key == key:
                room = self.rules.channels[cls.channel].max_group
                if len(members) <= room and all(cls in self.seats[r] for r in members):
                    return cls
        return None

    def timetable(self, value: Sequence[int]) -> Timetable:
        """The timetable that a solution (values in the order of the variables) stands for."""
        table = Timetable(self.rules)
        for cls, users in self.users.items():
            members = [r for r in users if value[self.seats[r][cls].index]]
            room = self.rules.channels[cls.channel].max_group
            for first in range(0, len(members), room):
                one, *others = members[first : first + room]
                group = table.open(
                    one, cls.place.tutor, cls.channel, cls.language, cls.place.starts
                )
                for r in others:
                    table.join(r, group)
        return table
