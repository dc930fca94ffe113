"""What still stands of a plan after its problem has changed.

A *pair* is a request with its seat: tutor, starts, channel and language. A pair of the old plan
stands if it still keeps every rule, beside the pins and beside the other pairs that stand. The
rest has fallen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from matching.pins import PinTaker, Seating
from matching.plan import ImpossiblePin, Plan
from matching.problem import MINUTES_A_DAY, Problem
from matching.rules import Option, Rules
from matching.slots import bits
from matching.timetable import OpenGroup, Starts, Timetable

# A tutor's groups that can't all stand are chosen from exactly up to so many of them, and sets.
MOST_CHOSEN_EXACTLY = 20
MOST_SETS = 10_000


class Seat(NamedTuple):
    """Where a request sits; `starts` ascend, and are None where times are agreed later."""

    tutor: int
    starts: Starts | None
    channel: str
    language: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The pairs that stand, by request, and a timetable of them and of the pins."""

    table: Timetable
    pairs: dict[int, Seat]
    impossible: list[ImpossiblePin]


@dataclass(frozen=True, slots=True)
class OldGroup:
    """A group of the old plan whose tutor is still there; `members` those who still are."""

    seat: Seat
    key: tuple[str, str, int]
    members: list[int]


def stand(problem: Problem, plan: Plan) -> Standing:
    """Seat what can of the old plan, the pins first.

    Where a tutor's groups can't all stand together, those do that weigh most; where a group's
    seats, a phone or a pupil are too few, the heaviest requests.
    """
    rules = Rules(problem)
    old = list(_old_groups(rules, plan))
    seats = {r: group.seat for group in old for r in group.members}
    table = Timetable(rules)
    taker = PinsComingBack(table, seats)
    impossible = taker.take()
    standing = [(group, able) for group in old if (able := _able(rules, group))]
    making_way = _pins_making_way(taker, standing)
    if making_way is None:
        _seat_all(table, standing)
    table = making_way or table
    pairs = {r: seat for r, seat in seats.items() if _sits_at(table, r, seat)}
    return Standing(table, dict(sorted(pairs.items())), impossible)


def seat_of(group: OpenGroup) -> Seat:
    return Seat(group.tutor, group.starts, group.channel, group.language)


def _sits_at(table: Timetable, r: int, seat: Seat) -> bool:
    group = table.group_of.get(r)
    return group is not None and _is_at(group, seat)


def _is_at(group: OpenGroup, seat: Seat) -> bool:
    return (
        group.tutor == seat.tutor
        and group.starts == seat.starts
        and group.channel == seat.channel
        and group.language == seat.language
    )


def _old_groups(rules: Rules, plan: Plan) -> Iterator[OldGroup]:
    seen: set[int] = set()
    for group in plan.groups:
        t = rules.tutor_index.get(group.tutor)
        starts = tuple(sorted(start for start in group.starts if start is not None))
        if t is None or group.channel not in rules.channels:
            continue
        if starts and len(starts) < len(group.starts):
            continue
        key = group.subject, group.level, len(group.starts)
        found = (rules.request_index.get(name) for name in group.requests)
        members = [
            r for r in found if r is not None and r not in seen and rules.subject_key(r) == key
        ]
        seen.update(members)
        yield OldGroup(Seat(t, starts or None, group.channel, group.language), key, members)


# --- the pins


class PinsComingBack(PinTaker):
    """Takes the pins; each request back to its old seat, if that is still to be had."""

    def __init__(self, table: Timetable, seats: dict[int, Seat]) -> None:
        super().__init__(table)
        self.seats = seats

    def _seatings(self, r: int) -> Iterator[Seating]:
        back = self._way_back(r)
        if back is not None:
            yield back
        yield from super()._seatings(r)

    def _way_back(self, r: int) -> Seating | None:
        seat, option, table = self.seats.get(r), self.options[r], self.table
        if seat is None or seat.tutor != option.tutor:
            return None
        if any(other in table.group_of for other in self._together(self.rules.pins[r])):
            return None
        for group in table.groups_of[seat.tutor]:
            if _is_at(group, seat) and group.key == self.rules.subject_key(r):
                return group if table.can_join(r, option, group) else None
        if _allows(self.rules, option, seat) and _can_open(table, r, seat):
            return seat.channel, seat.language, seat.starts
        return None

    def beside(self, table: Timetable, waiting: list[int]) -> bool:
        """Seat these in another timetable, nobody moving; whether there was room for all."""
        self.table = table
        for r in waiting:
            seating = next(self._seatings(r), None)
            if seating is None:
                return False
            self._apply(r, seating)
        return True


def _allows(rules: Rules, option: Option, seat: Seat) -> bool:
    if seat.channel not in option.channels or seat.language not in option.languages:
        return False
    if not option.timed or option.fixed is not None:
        return seat.starts == option.fixed
    mask = None if seat.starts is None else rules.grid.mask_of(seat.starts)
    return mask is not None and not mask & ~option.mask


def _can_open(table: Timetable, r: int, seat: Seat) -> bool:
    if table.lessons_left(seat.tutor) < table.rules.requests[r].lessons_per_week:
        return False
    if seat.starts is None:
        return True
    return table.tutor_free(seat.tutor, seat.starts) and table.home_free(r, seat.starts)


def _pins_making_way(
    taker: PinsComingBack, standing: list[tuple[OldGroup, list[int]]]
) -> Timetable | None:
    """The pins that leave a choice seated once more, after what stands; None if they can't be.

    Otherwise a new pin might take a time that an old group has, with another as good.
    """
    rules, first = taker.rules, taker.table
    choosy = [
        r
        for r in rules.pins
        if not taker._rigid(r) and seat_of(first.group_of[r]) != taker.seats.get(r)
    ]
    if not choosy:
        return None
    table = Timetable(rules)
    for group in first.groups():
        staying = [r for r in group.members if r not in choosy]
        for i, r in enumerate(staying):
            if i:
                table.join(r, table.group_of[staying[0]])
            else:
                table.open(r, group.tutor, group.channel, group.language, group.starts)
    _seat_all(table, standing)
    return table if taker.beside(table, choosy) else None


# --- the others


def _able(rules: Rules, group: OldGroup) -> list[int]:
    """The members without a pin whose pair keeps the rules for the two of them."""
    seat, lessons = group.seat, group.key[2]
    tutor, mine = rules.tutors[seat.tutor], rules.tutor_mask[seat.tutor]
    if seat.channel not in tutor.channels or seat.language not in tutor.languages:
        return []
    if tutor.max_lessons_per_week < lessons or not group.members:
        return []
    if seat.tutor not in rules.teachers(group.members[0]).place:
        return []
    mask = None
    if seat.starts is not None:
        mask = rules.grid.mask_of(seat.starts)
        on_days = {start // MINUTES_A_DAY for start in seat.starts}
        if mine is None or mask is None or mask & ~mine or len(on_days) < lessons:
            return []
    able = []
    for r in group.members:
        home = rules.problem.households[rules.home[r]]
        theirs = rules.home_mask[rules.home[r]]
        if mask is None:
            in_time = mine is None or theirs is None
        else:
            in_time = theirs is not None and not mask & ~theirs
        if (
            in_time
            and r not in rules.pins
            and seat.channel in home.channels
            and seat.language in home.languages
            and seat.tutor not in rules.vetoes.get(r, ())
            and all(tag in tutor.tags for tag in rules.requests[r].needs)
        ):
            able.append(r)
    return able


def _seat_all(table: Timetable, standing: list[tuple[OldGroup, list[int]]]) -> None:
    """Seat those of these pairs that can be, heaviest first."""
    of_tutor: dict[int, list[tuple[OldGroup, list[int]]]] = defaultdict(list)
    for group, able in standing:
        of_tutor[group.seat.tutor].append((group, able))
    requests = table.rules.requests
    seats: list[tuple[int, int, OldGroup]] = []
    for t, groups in of_tutor.items():
        for group, able in _heaviest(table, t, groups):
            seats += [(-requests[r].weight, r, group) for r in able]
    opened: dict[int, OpenGroup] = {}
    for _, r, group in sorted(seats):  # no two are of one request
        _sit_down(table, r, group, opened)
    left = [(r, group) for group, able in standing for r in able if r not in table.group_of]
    for r, group in sorted(left, key=lambda found: (-requests[found[0]].weight, found[0])):
        _sit_alike(table, r, group)


def _sit_down(table: Timetable, r: int, old: OldGroup, opened: dict[int, OpenGroup]) -> None:
    seat = old.seat
    if seat.starts is not None and not table.home_free(r, seat.starts):
        return
    group = opened.get(id(old)) or _held_by_pins(table, old)
    if group is None:
        opened[id(old)] = table.open(r, seat.tutor, seat.channel, seat.language, seat.starts)
    elif table.seats_left(group) > 0:
        table.join(r, group)


def _sit_alike(table: Timetable, r: int, old: OldGroup) -> None:
    """Sit in another group that is the same to the family; untimed ones may be opened anew."""
    seat = old.seat
    if seat.starts is not None and not table.home_free(r, seat.starts):
        return
    for group in table.groups_of[seat.tutor]:
        if _is_at(group, seat) and group.key == old.key and table.seats_left(group) > 0:
            table.join(r, group)
            return
    if seat.starts is None and table.lessons_left(seat.tutor) >= old.key[2]:
        table.open(r, seat.tutor, seat.channel, seat.language, None)


def _held_by_pins(table: Timetable, old: OldGroup) -> OpenGroup | None:
    """The group if pinned requests have it already; untimed ones only if they had it before."""
    for group in table.groups_of[old.seat.tutor]:
        if not _is_at(group, old.seat) or group.key != old.key:
            continue
        if old.seat.starts is not None or set(group.members) & set(old.members):
            return group
    return None


def _heaviest(
    table: Timetable, t: int, groups: list[tuple[OldGroup, list[int]]]
) -> list[tuple[OldGroup, list[int]]]:
    """Of a tutor's groups, those that weigh most and can all be, beside the pins."""
    free, chosen = [], []
    for group, able in groups:
        if _held_by_pins(table, group) is not None:
            chosen.append((group, able))
        elif group.seat.starts is None or table.tutor_free(t, group.seat.starts):
            free.append((group, able))
    return chosen + _heaviest_together(table, table.lessons_left(t), free)


def _heaviest_together(
    table: Timetable, lessons_left: int, groups: list[tuple[OldGroup, list[int]]]
) -> list[tuple[OldGroup, list[int]]]:
    lessons = [group.key[2] for group, _ in groups]
    against = _overlapping(table, [group for group, _ in groups])
    if sum(lessons) <= lessons_left and not any(against):
        return groups
    weights = [_weight(table, group, able) for group, able in groups]
    order = sorted(range(len(groups)), key=lambda i: (-weights[i], i))
    return [groups[i] for i in bits(_choose(order, weights, lessons, against, lessons_left))]


def _overlapping(table: Timetable, groups: list[OldGroup]) -> list[int]:
    """For each group, those with a lesson at the same time, as bits."""
    overlap = table.rules.grid.overlap
    against = [0] * len(groups)
    starts = sorted(
        (start, i) for i, group in enumerate(groups) for start in group.seat.starts or ()
    )
    if any(
        overlap(one, other)
        for (one, i), (other, j) in zip(starts, starts[1:] + starts[:1], strict=True)
        if i != j
    ):
        for one, i in starts:
            for other, j in starts:
                if i != j and overlap(one, other):
                    against[i] |= 1 << j
    return against


def _weight(table: Timetable, group: OldGroup, able: list[int]) -> int:
    """What the heaviest of the members weigh for whom the group has seats."""
    weights = sorted((table.rules.requests[r].weight for r in able), reverse=True)
    return sum(weights[: table.rules.channels[group.seat.channel].max_group])


def _choose(
    order: list[int], weights: list[int], lessons: list[int], against: list[int], most: int
) -> int:
    """The heaviest set without conflicts; of too many, the heaviest first as far as they go.

    Sets are bits, as in `against`: for each, those it overlaps.
    """
    exactly = len(order) <= MOST_CHOSEN_EXACTLY
    rest = [*accumulate((weights[i] for i in reversed(order)), initial=0)][::-1]
    best, heaviest = -1, 0
    stack = [(0, most, 0, 0)]  # how many were looked at, lessons left, weight, chosen
    sets = 0
    while stack and sets < MOST_SETS:
        k, left, weight, chosen = stack.pop()
        while k < len(order) and weight + rest[k] > best:
            i = order[k]
            k += 1
            if lessons[i] > left or against[i] & chosen:
                continue
            if exactly:
                stack.append((k, left, weight, chosen))
            left, weight, chosen = left - lessons[i], weight + weights[i], chosen | 1 << i
        sets += 1
        if k == len(order) and weight > best:
            best, heaviest = weight, chosen
    return heaviest
