"""Taking the pins: those with starts first, then the others, each in the problem's order.

A pin is taken if it can hold beside those already taken, moving what those leave open (their
time, channel, language or group) where needed. Otherwise it is impossible, and its request is
matched like any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

from matching.plan import ImpossiblePin
from matching.problem import Pin
from matching.rules import Option, Rules
from matching.timetable import OpenGroup, Starts, Timetable

# How far the search for a rearrangement goes before a pin is given up as not found.
MOST_MOVABLE = 200
MOST_TRIES = 20_000

Seating = OpenGroup | tuple[str, str, Starts | None]


def take_pins(table: Timetable) -> list[ImpossiblePin]:
    """Seat the pinned requests in an empty timetable; `table.rules.pins` gets those taken."""
    return PinTaker(table).take()


class PinTaker:
    def __init__(self, table: Timetable) -> None:
        self.table = table
        self.rules: Rules = table.rules
        self.options: dict[int, Option] = {}
        self._labelled: dict[str, list[int]] = defaultdict(list)
        self._tries = 0

    def take(self) -> list[ImpossiblePin]:
        pins = self.rules.problem.pins
        impossible = []
        for pin in sorted(pins, key=lambda pin: pin.starts is None):
            refusal = self._refuse(pin)
            if refusal is not None:
                why, beside = refusal
                names = tuple(self.rules.requests[r].id for r in sorted(beside))
                impossible.append(ImpossiblePin(pin.request, pin.tutor, why, names))
        return impossible

    def _refuse(self, pin: Pin) -> tuple[str, set[int]] | None:
        """Take the pin and return None, or say why it is impossible and beside whom."""
        r, t = self.rules.request_index[pin.request], self.rules.tutor_index[pin.tutor]
        if t not in self.rules.teachers(r).place:
            return "not_taught", set()
        if t in self.rules.vetoes.get(r, ()):
            return "vetoed", set()
        if self.rules.requests[r].lessons_per_week > self.rules.tutors[t].max_lessons_per_week:
            return "too_many_lessons", set()
        differing = self._differing(pin, r)
        if differing:
            return "members_differ", differing
        option = self.rules.pinned_option(pin)
        if option is None:
            return "not_found", set()
        self.rules.pins[r], self.options[r] = pin, option
        if pin.group is not None:
            self._labelled[pin.group].append(r)
        outcome = self._seat(r)
        if outcome == "seated":
            return None
        del self.rules.pins[r], self.options[r]
        if pin.group is not None:
            self._labelled[pin.group].remove(r)
        if outcome == "gave up":
            return "not_found", set()
        return self._diagnose(pin, r, option)

    def _differing(self, pin: Pin, r: int) -> set[int]:
        """The members of the pin's group that can't be together with it in any group."""
        differing = set()
        for other in self._together(pin):
            theirs = self.rules.pins[other]
            if (
                theirs.tutor != pin.tutor
                or self.rules.subject_key(other) != self.rules.subject_key(r)
                or _both_differ(theirs.starts, pin.starts)
                or _both_differ(theirs.channel, pin.channel)
                or _both_differ(theirs.language, pin.language)
            ):
                differing.add(other)
        return differing

    def _together(self, pin: Pin) -> list[int]:
        """The requests of the pins taken that carry the same group."""
        if pin.group is None:
            return []
        return list(self._labelled[pin.group])

    # --- finding a seat

    def _seat(self, r: int) -> str:
        """Seat the request; "seated", "impossible" or "gave up"."""
        for seating in self._seatings(r):
            self._apply(r, seating)
            return "seated"
        movable = [other for other in self._connected(r) if not self._rigid(other)]
        if len(movable) > MOST_MOVABLE:
            return "gave up"
        before = [(other, self.table.group_of[other]) for other in movable]
        for other in movable:
            self.table.leave(other)
        self._tries = 0
        if self._arrange([r, *movable]):
            return "seated"
        self._restore(before)
        return "gave up" if self._tries > MOST_TRIES else "impossible"

    def _seatings(self, r: int) -> Iterator[Seating]:
        """Every seat for the request beside those seated now."""
        option, table = self.options[r], self.table
        partners = [p for p in self._together(self.rules.pins[r]) if p in table.group_of]
        if partners:
            group = table.group_of[partners[0]]
            if group.key == self.rules.subject_key(r) and table.can_join(r, option, group):
                yield group
            return
        for group in list(table.groups_of[option.tutor]):
            if group.key == self.rules.subject_key(r) and table.can_join(r, option, group):
                yield group
        for starts in list(table.openings(r, option)):
            for channel, language in product(option.channels, option.languages):
                yield channel, language, starts

    def _apply(self, r: int, seating: Seating) -> None:
        if isinstance(seating, OpenGroup):
            self.table.join(r, seating)
        else:
            channel, language, starts = seating
            self.table.open(r, self.options[r].tutor, channel, language, starts)

    def _arrange(self, waiting: list[int]) -> bool:
        """Seat them all, trying every way, within MOST_TRIES; else leave nobody seated."""
        if not waiting:
            return True
        first, rest = waiting[0], waiting[1:]
        for seating in list(self._seatings(first)):
            self._tries += 1
            if self._tries > MOST_TRIES:
                return False
            self._apply(first, seating)
            if self._arrange(rest):
                return True
            self.table.leave(first)
        return False

    def _rigid(self, r: int) -> bool:
        """Whether there is only one seat where the pin could hold."""
        option = self.options[r]
        alone = len(option.channels) == len(option.languages) == 1
        return option.fixed is not None and alone

    def _connected(self, r: int) -> list[int]:
        """The seated pins that the request's pin may touch, through whom those touch, too."""
        rules, pins = self.rules, self.rules.pins
        by_trait: dict[tuple[str, object], list[int]] = {}
        for other in pins:
            for trait in self._traits(other):
                by_trait.setdefault(trait, []).append(other)
        found, waiting = {r}, [r]
        while waiting:
            for trait in self._traits(waiting.pop()):
                for other in by_trait.pop(trait, []):
                    if other not in found:
                        found.add(other)
                        waiting.append(other)
        return [other for other in rules.pins if other in found and other != r]

    def _traits(self, r: int) -> list[tuple[str, object]]:
        traits: list[tuple[str, object]] = [
            ("tutor", self.options[r].tutor),
            ("home", self.rules.home[r]),
            ("pupil", self.rules.pupil[r]),
        ]
        group = self.rules.pins[r].group
        return traits if group is None else [*traits, ("group", group)]

    def _restore(self, before: list[tuple[int, OpenGroup]]) -> None:
        """Seat these requests again as they were."""
        renewed: dict[OpenGroup, OpenGroup] = {}
        for r, group in before:
            if group.members:
                renewed.setdefault(group, group)
            if group in renewed:
                self.table.join(r, renewed[group])
            else:
                renewed[group] = self.table.open(
                    r, group.tutor, group.channel, group.language, group.starts
                )

    # --- saying why not

    def _diagnose(self, pin: Pin, r: int, option: Option) -> tuple[str, set[int]]:
        table, t = self.table, option.tutor
        mine = {m for group in table.groups_of[t] for m in group.members}
        partners = self._together(pin)
        if partners:
            group = table.group_of[partners[0]]
            if table.seats_left(group) <= 0:
                return "group_full", set(group.members)
            if not table.fits(option, group):
                return "members_differ", set(partners)
            return "phone_busy", self._home_near(r, group.starts)
        if option.fixed is not None:
            near = [group for group in table.groups_of[t] if self._meets(group, option.fixed)]
            for group in near:
                if group.key == self.rules.subject_key(r) and table.fits(option, group):
                    if table.seats_left(group) <= 0:
                        return "group_full", set(group.members)
                    return "phone_busy", self._home_near(r, option.fixed)
            if near:
                return "tutor_busy", {m for group in near for m in group.members}
            if not table.home_free(r, option.fixed):
                return "phone_busy", self._home_near(r, option.fixed)
            return "too_many_lessons", mine
        lessons = self.rules.requests[r].lessons_per_week
        if table.lessons_left(t) < lessons:
            return "too_many_lessons", mine
        if self.rules.grid.days(table.free_mask(option)) < lessons:
            return "tutor_busy", mine
        return "phone_busy", self._home_near(r, None)

    def _meets(self, group: OpenGroup, starts: Starts) -> bool:
        overlap = self.rules.grid.overlap
        return any(overlap(a, b) for a in group.starts or () for b in starts)

    def _home_near(self, r: int, starts: Starts | None) -> set[int]:
        """The seats of the household or the pupil, near these starts if any are given."""
        rules = self.rules
        overlap = rules.grid.overlap
        found = set()
        for other, group in self.table.group_of.items():
            same = rules.home[other] == rules.home[r] or rules.pupil[other] == rules.pupil[r]
            if not same or group.starts is None:
                continue
            if starts is None or any(overlap(a, b) for a in group.starts for b in starts):
                found.add(other)
        return found


def _both_differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other
