"""Those without a seat, by what they ask and when they could come, heaviest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from matching.market import Kind
from matching.slots import bits
from matching.standing import Seat
from matching.timetable import OpenGroup, Starts, Timetable
from matching.vacancies import Vacancies

# So many of those who could come are looked at for one lesson, and for several a week.
MOST_LOOKED_AT = 40
MOST_LEADERS = 3

# So many different weights are told apart where no more than a bound is asked for.
MOST_CLASSES = 8

Key = TypeVar("Key")


class Lesson(NamedTuple):
    """A group that a tutor could give to some of those who wait."""

    weight: int
    members: list[int]
    seat: Seat


class Waiting:
    """The lists are of the moment they are made: who has got a seat since is passed over."""

    def __init__(self, vacancies: Vacancies) -> None:
        self.vacancies = vacancies
        self.table: Timetable = vacancies.table
        self.rules = vacancies.rules
        self.all: list[int] = []
        self.of_kind: dict[Kind, list[int]] = defaultdict(list)
        self._untimed: dict[Kind, list[int]] = defaultdict(list)
        self._at: dict[Kind, dict[int, list[int]]] = {}
        self._passing: dict[int, int] = {}
        self._kinds: dict[int, list[Kind]] = {}
        requests = self.rules.requests
        unserved = (r for r in range(len(requests)) if r not in self.table.group_of)
        for r in sorted(unserved, key=lambda r: (-requests[r].weight, r)):
            self._add(r)
        self._seats = [
            max((self.rules.channels[name].max_group for name in tutor.channels), default=0)
            for tutor in self.rules.tutors
        ]
        self._most_of = self._heaviest(self.of_kind)
        self._most_later = self._heaviest(self._untimed)
        self._most_at = {kind: self._heaviest(at) for kind, at in self._at.items()}
        self._most = self._most_by_tutor()

    def _add(self, r: int) -> None:
        passing = self.rules.teachers(r).passing(r)[0]
        if not passing:
            return
        kind = self.rules.subject_key(r)
        self.all.append(r)
        self._passing[r] = passing
        self.of_kind[kind].append(r)
        starts = self.table.free_starts(r)
        if starts is None:
            self._untimed[kind].append(r)
        at = self._at.setdefault(kind, {})
        for start in starts or ():
            at.setdefault(start, []).append(r)

    def _heaviest(self, lists: Mapping[Key, list[int]]) -> dict[Key, int]:
        """What a group of these weighs at most."""
        requests, seats = self.rules.requests, max(self._seats, default=0)
        return {key: sum(requests[r].weight for r in found[:seats]) for key, found in lists.items()}

    def _most_by_tutor(self) -> NDArray[np.int64]:
        """By tutor and start: what a group there weighs at most, whatever its language."""
        rules = self.rules
        most = np.zeros((len(rules.tutors), rules.grid.size), dtype=np.int64)
        seats = np.array(self._seats, dtype=np.int64)
        for kind, at in self._at.items():
            teachers = rules.teachers(self.of_kind[kind][0])
            starts = sorted(at)
            if not starts:
                continue
            left = np.tile(seats[teachers.tutors], (len(starts), 1))
            total = np.zeros_like(left)
            for weight, alike in self._by_weight(self.of_kind[kind]):
                row_of = {r: i for i, r in enumerate(alike)}
                passing = _flags([self._passing[r] for r in alike], len(teachers.tutors))
                coming = [[row_of[r] for r in at[start] if r in row_of] for start in starts]
                asked = [i for i, rows in enumerate(coming) if rows]
                if not asked:
                    continue
                firsts = np.cumsum([0, *(len(coming[i]) for i in asked[:-1])])
                rows = [row for i in asked for row in coming[i]]
                counts = np.add.reduceat(passing[rows], firsts, axis=0, dtype=np.int64)
                taken = np.minimum(left[asked], counts)
                total[asked] += weight * taken
                left[asked] -= taken
            here = np.ix_(teachers.tutors, starts)
            most[here] = np.maximum(most[here], total.T)
        return most

    def _by_weight(self, found: list[int]) -> Iterator[tuple[int, list[int]]]:
        """The requests, heaviest first, in a few classes; a class is as heavy as its heaviest."""
        weights = sorted({self.rules.requests[r].weight for r in found}, reverse=True)
        step = -(-len(weights) // MOST_CLASSES)
        for first in range(0, len(weights), step):
            alike = set(weights[first : first + step])
            yield weights[first], [r for r in found if self.rules.requests[r].weight in alike]

    def kinds(self, t: int) -> list[Kind]:
        """What the tutor teaches and somebody waits for."""
        if t not in self._kinds:
            teaches = self.rules.tutors[t].teaches
            taught = {(one.subject, level) for one in teaches for level in one.levels}
            self._kinds[t] = [kind for kind in self.of_kind if kind[:2] in taught]
        return self._kinds[t]

    # --- at most

    def most_at(self, t: int) -> list[int]:
        """By start, what a group of the tutor weighs at most, if only its windows allow."""
        found: list[int] = self._most[t].tolist()
        return found

    def most_later(self, t: int) -> int:
        """What a group without starts weighs at most."""
        untimed = self.rules.tutor_mask[t] is None
        most = self._most_of if untimed else self._most_later
        return max((most.get(kind, 0) for kind in self.kinds(t)), default=0)

    def heaviest_for(self, group: OpenGroup) -> int:
        """The weight of the heaviest who might sit in the group; 0 for nobody."""
        first = next(self._for(group), None)
        return 0 if first is None else self.rules.requests[first].weight

    # --- seating them

    def fill(self, t: int) -> None:
        """Seat with a tutor those who wait, the heaviest groups first, nobody moving."""
        for group in list(self.table.groups_of[t]):
            if self.table.seats_left(group) > 0:
                self._fill(group)
        while (lesson := self._heaviest_lesson(t)) is not None:
            first, *others = lesson.members
            group = self.vacancies.open(first, lesson.seat)
            for r in others:
                if self.table.can_join(r, self.vacancies.option(r, t), group):
                    self.vacancies.join(r, group)

    def _heaviest_lesson(self, t: int) -> Lesson | None:
        best: Lesson | None = None
        for most, kind, starts in sorted(self._lessons(t), key=lambda found: -found[0]):
            if best is not None and most <= best.weight:
                break
            coming = self._coming(t, kind, starts)
            for lesson in self._groups(t, starts, coming):
                if best is None or lesson.weight > best.weight:
                    best = lesson
        return best

    def _for(self, group: OpenGroup) -> Iterator[int]:
        if group.starts is None:
            timed = self.rules.tutor_mask[group.tutor] is not None
            found = (self._untimed if timed else self.of_kind).get(group.key, [])
        elif group.mask is None:
            return
        else:
            found = self._at.get(group.key, {}).get(next(bits(group.mask)), [])
        for r in found:
            home = self.rules.problem.households[self.rules.home[r]]
            if (
                group.channel in home.channels
                and group.language in home.languages
                and self._waits_for(r, group.tutor)
            ):
                yield r

    def _fill(self, group: OpenGroup) -> None:
        for r in self._for(group):
            if self.table.can_join(r, self.vacancies.option(r, group.tutor), group):
                self.vacancies.join(r, group)

    def _waits_for(self, r: int, t: int) -> bool:
        place = self.rules.teachers(r).place[t]
        return r not in self.table.group_of and bool(self._passing[r] >> place & 1)

    def _lessons(self, t: int) -> Iterator[tuple[int, Kind, Starts | None]]:
        """New groups the tutor could give: their weight at most, what is taught, and when."""
        lessons = self.table.lessons_left(t)
        mask = self.rules.tutor_mask[t]
        free = (mask or 0) & ~self.table.busy(t)
        every = self.rules.grid.every
        for kind in self.kinds(t):
            if kind[2] > lessons:
                continue
            if mask is None:
                yield self._most_of[kind], kind, None
                continue
            if kind in self._untimed:
                yield self._most_later[kind], kind, None
            if kind[2] > 1:
                yield from self._several(t, kind, free)
            elif free:
                for start, most in self._most_at[kind].items():
                    if free >> start & 1:
                        yield most, kind, (start * every,)

    def _several(self, t: int, kind: Kind, free: int) -> Iterator[tuple[int, Kind, Starts]]:
        """Of those who want several lessons a week, when the heaviest and most others could."""
        leaders = [r for r in self.of_kind[kind] if self._waits_for(r, t)][:MOST_LEADERS]
        most = self._most_at[kind]
        for r in leaders:
            if self.rules.home_mask[self.rules.home[r]] is None:
                continue
            mask = self.table.home_mask(r, free & (self.rules.home_mask[self.rules.home[r]] or 0))
            days = [
                max(bits(day), key=lambda start: (most.get(start, 0), -start))
                for day in self.rules.grid.by_day(mask)
            ]
            if len(days) >= kind[2]:
                chosen = sorted(days, key=lambda start: (-most.get(start, 0), start))[: kind[2]]
                weight = min(most.get(start, 0) for start in chosen)
                yield weight, kind, tuple(sorted(start * self.rules.grid.every for start in chosen))

    def _coming(self, t: int, kind: Kind, starts: Starts | None) -> list[int]:
        """Those who could take these lessons of the tutor, heaviest first."""
        rules, table = self.rules, self.table
        if starts is None:
            found = (self.of_kind if rules.tutor_mask[t] is None else self._untimed)[kind]
        else:
            at = self._at[kind]
            found = at.get(starts[0] // rules.grid.every, [])
            for start in starts[1:]:
                others = set(at.get(start // rules.grid.every, ()))
                found = [r for r in found if r in others]
        coming = (
            r
            for r in found
            if self._waits_for(r, t) and (starts is None or table.home_free(r, starts))
        )
        return list(islice(coming, MOST_LOOKED_AT))

    def _groups(self, t: int, starts: Starts | None, coming: list[int]) -> Iterator[Lesson]:
        """By channel and language, the heaviest of those who come."""
        rules = self.rules
        homes = {r: rules.problem.households[rules.home[r]] for r in coming}
        for channel in rules.roomiest_first(rules.tutors[t].channels):
            for language in rules.tutors[t].languages:
                members = [
                    r
                    for r in coming
                    if channel in homes[r].channels and language in homes[r].languages
                ][: rules.channels[channel].max_group]
                if members:
                    weight = sum(rules.requests[r].weight for r in members)
                    yield Lesson(weight, members, Seat(t, starts, channel, language))


def _flags(sets: list[int], size: int) -> NDArray[np.uint8]:
    """The sets as rows of zeros and ones."""
    width = -(-size // 8)
    raw = b"".join([one.to_bytes(width, "little") for one in sets])
    rows = np.frombuffer(raw, dtype=np.uint8).reshape(len(sets), width)
    return np.unpackbits(rows, axis=1, count=size, bitorder="little")
