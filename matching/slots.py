"""The week as a grid of starts, held as bits of one integer.

Bit i of a mask stands for the start at minute `i * start_every` of the week. All windows,
overlaps and common starts of the solver are computed here; starts off the grid (which only
pins have) are plain minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from matching.problem import MINUTES_A_DAY, MINUTES_A_WEEK, Minute, Window


class Grid:
    """The starts of lessons of one length, every so many minutes from midnight."""

    def __init__(self, lesson_minutes: int, start_every: int) -> None:
        self.lesson = lesson_minutes
        self.every = start_every
        self.size = MINUTES_A_WEEK // start_every
        self.starts_a_day = MINUTES_A_DAY // start_every
        day = (1 << self.starts_a_day) - 1
        self._days = [day << (i * self.starts_a_day) for i in range(7)]
        self._around: dict[Minute, int] = {}

    def inside(self, windows: Iterable[Window]) -> int:
        """The starts whose whole lesson lies inside one of the windows."""
        mask = 0
        for window in windows:
            first = -(-window.start // self.every)
            last = (window.end - self.lesson) // self.every
            if last >= first:
                mask |= ((1 << (last - first + 1)) - 1) << first
        return mask

    def mask_of(self, starts: Iterable[Minute]) -> int | None:
        """The mask of these starts, or None if one of them is off the grid."""
        mask = 0
        for start in starts:
            if start % self.every:
                return None
            mask |= 1 << (start // self.every)
        return mask

    def starts(self, mask: int) -> list[Minute]:
        return [bit * self.every for bit in bits(mask)]

    def overlap(self, a: Minute, b: Minute) -> bool:
        """Whether lessons at these starts share a moment (the week is a circle)."""
        return (a - b) % MINUTES_A_WEEK < self.lesson or (b - a) % MINUTES_A_WEEK < self.lesson

    def around(self, start: Minute) -> int:
        """The starts of the grid whose lesson would overlap the lesson at `start`."""
        known = self._around.get(start)
        if known is None:
            known = 0
            reach = self.lesson // self.every + 1
            for step in range(-reach, reach + 2):
                near = (start // self.every + step) % self.size
                if self.overlap(near * self.every, start):
                    known |= 1 << near
            self._around[start] = known
        return known

    def crowded(self, start: Minute, taken: Sequence[Minute], limit: int) -> bool:
        """Whether, at some moment of the lesson at `start`, `limit` of those taken go on."""
        near = [other for other in taken if self.overlap(other, start)]
        if len(near) < limit:
            return False
        moments = [start, *(other for other in near if other != start)]
        return any(
            (moment - start) % MINUTES_A_WEEK < self.lesson
            and sum((moment - other) % MINUTES_A_WEEK < self.lesson for other in near) >= limit
            for moment in moments
        )

    def by_day(self, mask: int) -> list[int]:
        """The mask cut into days, empty days left out."""
        return [part for day in self._days if (part := mask & day)]

    def days(self, mask: int) -> int:
        """On how many days there is a start."""
        return sum(1 for day in self._days if mask & day)


def bits(mask: int) -> Iterator[int]:
    """The positions of the set bits, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
