"""Those who teach one subject at one level, as sets in the bits of integers.

Bit i stands for the i-th of them; a set of two thousand tutors is filtered by one operation,
so that what every request could have is found in microseconds, in plain Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from matching.slots import bits

if TYPE_CHECKING:
    from matching.rules import Rules

Names = tuple[str, ...]

# In the order in which tutors are filtered: the first that leaves nobody is the reason.
FILTERS = (
    "no_tutor",
    "needs_unmet",
    "no_common_channel",
    "no_common_language",
    "too_few_lessons",
    "no_common_time",
    "vetoed",
)

# Sets counted in one go; bounds the memory it takes.
AT_ONCE = 256


class Teachers:
    """`order` names the tutors, by their place in the problem; it decides their bits."""

    def __init__(self, rules: Rules, order: Sequence[int]) -> None:
        self.rules = rules
        self.tutors = list(order)
        self.place = {t: i for i, t in enumerate(self.tutors)}
        tutors = [rules.tutors[t] for t in self.tutors]
        self.everyone = (1 << len(tutors)) - 1
        self.with_tag = _having([tutor.tags for tutor in tutors])
        self.on_channel = _having([tutor.channels for tutor in tutors])
        self.in_language = _having([tutor.languages for tutor in tutors])
        self.untimed = where([tutor.available is None for tutor in tutors])
        self.at = columns([rules.tutor_mask[t] or 0 for t in self.tutors], rules.grid.size)
        self._known_giving: dict[int, int] = {}
        self._known_speaking: dict[tuple[Names, Names, int], int] = {}

    def passing(self, r: int) -> tuple[int, str | None]:
        """The tutors who could serve the request; none, and the reason for it."""
        rules = self.rules
        request = rules.requests[r]
        home = rules.problem.households[rules.home[r]]
        left = self._speaking(home.channels, home.languages, request.lessons_per_week)
        left &= self._with_common_time(r)
        for tag in request.needs:
            left &= self.with_tag.get(tag, 0)
        for t in rules.vetoes.get(r, ()):
            if t in self.place:
                left &= ~(1 << self.place[t])
        return (left, None) if left else (0, self._first_to_leave_nobody(r))

    def _speaking(self, channels: Names, languages: Names, lessons: int) -> int:
        """Those who share a channel and a language and give so many lessons a week."""
        asked = channels, languages, lessons
        if asked not in self._known_speaking:
            self._known_speaking[asked] = (
                union(self.on_channel.get(name, 0) for name in channels)
                & union(self.in_language.get(name, 0) for name in languages)
                & self._giving(lessons)
            )
        return self._known_speaking[asked]

    def _giving(self, lessons: int) -> int:
        if lessons not in self._known_giving:
            most = [self.rules.tutors[t].max_lessons_per_week for t in self.tutors]
            self._known_giving[lessons] = where([number >= lessons for number in most])
        return self._known_giving[lessons]

    def _with_common_time(self, r: int) -> int:
        starts = self.rules.home_starts[self.rules.home[r]]
        if starts is None:
            return self.everyone
        lessons = self.rules.requests[r].lessons_per_week
        return self.untimed | on_days(self.at, starts, lessons, self.rules.grid.starts_a_day)

    def _first_to_leave_nobody(self, r: int) -> str:
        request = self.rules.requests[r]
        home = self.rules.problem.households[self.rules.home[r]]
        left = self.everyone
        for reason in FILTERS[:-1]:
            if reason == "needs_unmet":
                for tag in request.needs:
                    left &= self.with_tag.get(tag, 0)
            elif reason == "no_common_channel":
                left &= union(self.on_channel.get(name, 0) for name in home.channels)
            elif reason == "no_common_language":
                left &= union(self.in_language.get(name, 0) for name in home.languages)
            elif reason == "too_few_lessons":
                left &= self._giving(request.lessons_per_week)
            elif reason == "no_common_time":
                left &= self._with_common_time(r)
            if not left:
                return reason
        return FILTERS[-1]

    def names(self, chosen: int) -> list[int]:
        """The places in the problem of the tutors in a set."""
        return [self.tutors[i] for i in bits(chosen)]

    def counted(self, chosen: Sequence[int], weights: Sequence[int]) -> NDArray[np.int64]:
        """For each of them, the weight of the sets that have them."""
        width = -(-len(self.tutors) // 8)
        total = np.zeros(len(self.tutors), dtype=np.int64)
        for first in range(0, len(chosen), AT_ONCE):
            raw = b"".join(one.to_bytes(width, "little") for one in chosen[first : first + AT_ONCE])
            rows = np.frombuffer(raw, dtype=np.uint8).reshape(-1, width)
            flags = np.unpackbits(rows, axis=1, count=len(self.tutors), bitorder="little")
            heavy = np.array(weights[first : first + AT_ONCE], dtype=np.int64)
            for weight in np.unique(heavy):
                total += weight * flags[heavy == weight].sum(axis=0, dtype=np.int64)
        return total


def union(sets: Iterable[int]) -> int:
    found = 0
    for one in sets:
        found |= one
    return found


def on_days(at: Sequence[int], starts: Sequence[int], days: int, starts_a_day: int) -> int:
    """What is in the sets of these starts (ascending) on at least so many days."""
    if days == 1:
        found = 0
        for start in starts:
            found |= at[start]
        return found
    reached = [-1, *[0] * days]  # by the number of days
    today, now = 0, -1
    for start in starts:
        if start // starts_a_day != now:
            _count(reached, today)
            today, now = 0, start // starts_a_day
        today |= at[start]
    _count(reached, today)
    return reached[days]


def _count(reached: list[int], today: int) -> None:
    for days in range(len(reached) - 1, 0, -1):
        reached[days] |= reached[days - 1] & today


def where(flags: Sequence[bool]) -> int:
    raw = np.packbits(np.array(flags, dtype=bool), bitorder="little")
    return int.from_bytes(raw.tobytes(), "little")


def _having(lists: Sequence[Sequence[str]]) -> dict[str, int]:
    names = {name for found in lists for name in found}
    return {name: where([name in found for found in lists]) for name in names}


def columns(masks: Sequence[int], size: int) -> list[int]:
    """For every bit position below `size`, the set of the masks that have it."""
    found = [0] * size
    used = list(bits(union(masks)))
    if not used:
        return found
    width = -(-size // 8)
    raw = b"".join([mask.to_bytes(width, "little") for mask in masks])
    rows = np.frombuffer(raw, dtype=np.uint8).reshape(len(masks), width)
    # Most hours of the week are nobody's: only those in use are turned over.
    table = np.unpackbits(rows, axis=1, count=size, bitorder="little")[:, used]
    raw = np.packbits(table.T, axis=1, bitorder="little").tobytes()
    width = -(-len(masks) // 8)
    for i, position in enumerate(used):
        found[position] = int.from_bytes(raw[i * width : (i + 1) * width], "little")
    return found
