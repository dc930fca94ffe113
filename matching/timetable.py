"""A plan in the making: groups that requests join, found, and leave.

It keeps every hard rule: a seat is only ever given by `open` and `join`, after `can_join` or
`free_starts` said so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, product

from matching.problem import Minute
from matching.rules import Option, Rules
from matching.slots import bits

Starts = tuple[Minute, ...]


class OpenGroup:
    """A group as it stands; `starts` is None where times are agreed later."""

    __slots__ = ("channel", "key", "language", "lessons", "mask", "members", "starts", "tutor")

    def __init__(
        self,
        tutor: int,
        key: tuple[str, str, int],
        channel: str,
        language: str,
        starts: Starts | None,
        mask: int | None,
    ) -> None:
        self.tutor = tutor
        self.key = key
        self.lessons = key[2]
        self.channel = channel
        self.language = language
        self.starts = starts
        self.mask = mask
        self.members: list[int] = []


class Timetable:
    """Who sits where; starts empty."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.group_of: dict[int, OpenGroup] = {}
        self.groups_of: list[list[OpenGroup]] = [[] for _ in rules.tutors]
        self.lessons_of = [0] * len(rules.tutors)
        self.with_key: dict[tuple[str, str, int], dict[OpenGroup, None]] = defaultdict(dict)
        self._busy = [0] * len(rules.tutors)
        self._home_seats: dict[int, dict[int, Starts]] = defaultdict(dict)
        self._pupil_seats: dict[int, dict[int, Starts]] = defaultdict(dict)

    # --- asking

    def seats_left(self, group: OpenGroup) -> int:
        return self.rules.channels[group.channel].max_group - len(group.members)

    def lessons_left(self, t: int) -> int:
        return self.rules.tutors[t].max_lessons_per_week - self.lessons_of[t]

    def fits(self, option: Option, group: OpenGroup) -> bool:
        """Whether what the group has agreed on is among what the option allows."""
        if group.channel not in option.channels or group.language not in option.languages:
            return False
        if not option.timed:
            return group.starts is None
        if option.fixed is not None:
            return group.starts == option.fixed
        return (
            group.mask is not None and group.starts is not None and not (group.mask & ~option.mask)
        )

    def can_join(self, r: int, option: Option, group: OpenGroup) -> bool:
        return (
            self.seats_left(group) > 0
            and self.fits(option, group)
            and (group.starts is None or self.home_free(r, group.starts))
        )

    def home_free(self, r: int, starts: Starts) -> bool:
        """Whether a phone of the household and the pupil are free for these lessons."""
        home, pupil = self.rules.home[r], self.rules.pupil[r]
        if not self._home_seats.get(home) and not self._pupil_seats.get(pupil):
            return self.rules.phones[home] > 0
        return not any(self._home_taken(r, start) for start in starts)

    def _home_taken(self, r: int, start: Minute) -> bool:
        return not self.phones_free(r, start, 1) or self.pupil_taken(r, start)

    def phones_free(self, r: int, start: Minute, phones: int) -> bool:
        """Whether the household has so many phones to spare throughout that lesson."""
        rules = self.rules
        least = rules.phones[rules.home[r]] - phones + 1
        taken = [s for starts in self._home_seats[rules.home[r]].values() for s in starts]
        return least > 0 and not (taken and rules.grid.crowded(start, taken, least))

    def pupil_taken(self, r: int, start: Minute, other_homes_only: bool = False) -> bool:
        """Whether the pupil has a lesson then (only as a member of another household)."""
        rules = self.rules
        return any(
            rules.grid.overlap(start, other)
            for seat, starts in self._pupil_seats[rules.pupil[r]].items()
            if not other_homes_only or rules.home[seat] != rules.home[r]
            for other in starts
        )

    def home_seats(self, r: int) -> dict[int, Starts]:
        """The timed seats of the request's household: request to starts."""
        return self._home_seats[self.rules.home[r]]

    def pupil_seats(self, r: int) -> dict[int, Starts]:
        """The timed seats of the request's pupil: request to starts."""
        return self._pupil_seats[self.rules.pupil[r]]

    def home_mask(self, r: int, mask: int) -> int:
        """Of these starts, those at which phone and pupil are free."""
        rules = self.rules
        seats = self._home_seats.get(rules.home[r])
        pupil = self._pupil_seats.get(rules.pupil[r])
        if pupil:
            mask &= ~self._around(pupil)
        if not seats:
            return mask
        near = mask & self._around(seats)
        if rules.phones[rules.home[r]] == 1:
            return mask ^ near
        for bit in bits(near):
            if not self.phones_free(r, bit * rules.grid.every, 1):
                mask ^= 1 << bit
        return mask

    def _around(self, seats: dict[int, Starts]) -> int:
        """The starts at which a lesson would overlap one of those attended."""
        near = 0
        for starts in seats.values():
            for start in starts:
                near |= self.rules.grid.around(start)
        return near

    def free_starts(self, r: int) -> tuple[int, ...] | None:
        """Where on the grid the household's windows, phone and pupil leave room for a lesson."""
        home = self.rules.home[r]
        starts = self.rules.home_starts[home]
        mask = self.rules.home_mask[home]
        if not starts or not mask:
            return starts
        free = self.home_mask(r, mask)
        return starts if free == mask else tuple(bits(free))

    def busy(self, t: int) -> int:
        """The starts at which a lesson of the tutor would overlap one that is given."""
        return self._busy[t]

    def tutor_free(self, t: int, starts: Starts) -> bool:
        grid = self.rules.grid
        return not any(
            grid.overlap(start, other)
            for group in self.groups_of[t]
            for other in group.starts or ()
            for start in starts
        )

    def free_mask(self, option: Option) -> int:
        """The starts of an option at which the tutor has no lesson."""
        return option.mask & ~self._busy[option.tutor]

    def openings(self, r: int, option: Option) -> Iterator[Starts | None]:
        """Every time at which a new group of the request could be opened, nobody moving."""
        if self.lessons_left(option.tutor) < self.rules.requests[r].lessons_per_week:
            return
        if not option.timed:
            yield None
        elif option.fixed is not None:
            if self.tutor_free(option.tutor, option.fixed) and self.home_free(r, option.fixed):
                yield option.fixed
        else:
            yield from self.combinations(r, self.home_mask(r, self.free_mask(option)))

    def combinations(self, r: int, mask: int) -> Iterator[Starts]:
        """Every choice among these starts of as many days as the request has lessons."""
        grid = self.rules.grid
        days = [grid.starts(part) for part in grid.by_day(mask)]
        for chosen in combinations(days, self.rules.requests[r].lessons_per_week):
            yield from product(*chosen)

    # --- acting

    def open(self, r: int, t: int, channel: str, language: str, starts: Starts | None) -> OpenGroup:
        mask = None if starts is None else self.rules.grid.mask_of(starts)
        group = OpenGroup(t, self.rules.subject_key(r), channel, language, starts, mask)
        self._announce(group)
        self.join(r, group)
        return group

    def _announce(self, group: OpenGroup) -> None:
        self.groups_of[group.tutor].append(group)
        self.lessons_of[group.tutor] += group.lessons
        self.with_key[group.key][group] = None
        for start in group.starts or ():
            self._busy[group.tutor] |= self.rules.grid.around(start)

    def join(self, r: int, group: OpenGroup) -> None:
        group.members.append(r)
        self.group_of[r] = group
        if group.starts is not None:
            self._home_seats[self.rules.home[r]][r] = group.starts
            self._pupil_seats[self.rules.pupil[r]][r] = group.starts

    def leave(self, r: int) -> OpenGroup:
        """Take the request out; a group that nobody is left in is closed."""
        group = self.group_of.pop(r)
        group.members.remove(r)
        self._home_seats[self.rules.home[r]].pop(r, None)
        self._pupil_seats[self.rules.pupil[r]].pop(r, None)
        if not group.members:
            self._close(group)
        return group

    def put_back(self, r: int, group: OpenGroup) -> None:
        """Undo a leave: the same group takes the request again, opened again if it was closed."""
        if not group.members:
            self._announce(group)
        self.join(r, group)

    def _close(self, group: OpenGroup) -> None:
        t = group.tutor
        self.groups_of[t].remove(group)
        self.lessons_of[t] -= group.lessons
        del self.with_key[group.key][group]
        self._busy[t] = 0
        for other in self.groups_of[t]:
            for start in other.starts or ():
                self._busy[t] |= self.rules.grid.around(start)

    def groups(self) -> Iterator[OpenGroup]:
        for groups in self.groups_of:
            yield from groups
