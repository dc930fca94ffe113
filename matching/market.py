"""What requests of one kind (subject, level, lessons a week) may choose from, as a timetable
stands: its open groups and its tutors with time left, as sets in the bits of integers.

The bits of tutors are those of the market's `teachers`; groups are numbered as they come. A
market is told of what is opened and joined; nobody leaves while it is used.
"""

from __future__ import annotations

from collections.abc import Iterator

from matching.slots import bits
from matching.teachers import Teachers, columns, on_days, union, where
from matching.timetable import OpenGroup, Timetable

Kind = tuple[str, str, int]
Starts = tuple[int, ...] | None  # places on the grid, ascending; None: times to be agreed


class Market:
    def __init__(self, table: Timetable, kind: Kind, teachers: Teachers) -> None:
        self.table = table
        self.rules = table.rules
        self.kind = kind
        self.lessons = kind[2]
        self.teachers = teachers
        left = [table.lessons_left(t) >= self.lessons for t in teachers.tutors]
        self.able = where(left)
        free = [(self.rules.tutor_mask[t] or 0) & ~table.busy(t) for t in teachers.tutors]
        self.free = columns(free, self.rules.grid.size)
        self.groups: list[OpenGroup] = []
        self._number: dict[OpenGroup, int] = {}
        self._with_seats: dict[int, int] = {}
        self._group_at = [0] * self.rules.grid.size
        self._later = 0
        self._later_of_untimed = 0
        self._on_channel = dict.fromkeys(self.rules.channels, 0)
        self._in_language: dict[str, int] = {}
        for group in table.with_key.get(kind, ()):
            self.add(group)

    # --- told of what happens

    def add(self, group: OpenGroup) -> None:
        """A group was opened; what only its pins allow is nothing that others may join."""
        tutor = self.rules.tutors[group.tutor]
        mine = self.rules.tutor_mask[group.tutor]
        if group.channel not in tutor.channels or group.language not in tutor.languages:
            return
        bit = 1 << len(self.groups)
        if group.starts is None:
            self._later |= bit
            if mine is None:
                self._later_of_untimed |= bit
        elif group.mask is None or mine is None or group.mask & ~mine:
            return
        else:
            for start in bits(group.mask):
                self._group_at[start] |= bit
        self._number[group] = len(self.groups)
        self.groups.append(group)
        self._on_channel[group.channel] |= bit
        self._in_language[group.language] = self._in_language.get(group.language, 0) | bit
        self._put(bit, self.table.seats_left(group))

    def joined(self, group: OpenGroup) -> None:
        """A request took a seat."""
        if group in self._number:
            left = self.table.seats_left(group)
            bit = 1 << self._number[group]
            self._with_seats[left + 1] ^= bit
            self._put(bit, left)

    def _put(self, bit: int, seats: int) -> None:
        self._with_seats[seats] = self._with_seats.get(seats, 0) | bit

    def occupied(self, i: int, t: int, busy: int) -> None:
        """The i-th teacher, tutor t, has a new group; `busy` are the starts it rules out."""
        bit = 1 << i
        if self.table.lessons_left(t) < self.lessons:
            self.able &= ~bit
        for start in bits(busy):
            if self.free[start] & bit:
                self.free[start] ^= bit

    # --- asked

    def joinable(self, r: int, passing: int, starts: Starts) -> Iterator[OpenGroup]:
        """The groups with a seat for the request at these starts, the fullest first."""
        found = self.suitable(r, starts)
        if not found:
            return
        place = self.teachers.place
        for seats in sorted(self._with_seats):
            if seats > 0:
                for i in bits(found & self._with_seats[seats]):
                    if passing >> place[self.groups[i].tutor] & 1:
                        yield self.groups[i]

    def suitable(self, r: int, starts: Starts) -> int:
        """The groups, full or not, whose channel, language and times suit the request."""
        if not self.groups:
            return 0
        home = self.rules.problem.households[self.rules.home[r]]
        found = self._later
        if starts is not None:
            found = self._later_of_untimed | on_days(
                self._group_at, starts, self.lessons, self.rules.grid.starts_a_day
            )
        if found:
            found &= union(self._on_channel[name] for name in home.channels)
        if found:
            found &= union(self._in_language.get(name, 0) for name in home.languages)
        return found

    def openable(self, passing: int, starts: Starts) -> bool:
        """Whether a new group could be opened at these starts."""
        return bool(self.openers(passing, starts))

    def openers(self, passing: int, starts: Starts) -> int:
        """Who could open a new group at these starts."""
        if starts is None:
            return passing & self.able
        timed = on_days(self.free, starts, self.lessons, self.rules.grid.starts_a_day)
        return passing & self.able & (timed | self.teachers.untimed)
