"""What can be bought and sold, as flat arrays for the compiled loops of the price search.

Rows of differing length lie end to end in one array, those of row i at `first[i]:first[i + 1]`.
A seat is a request at one of the times of its household; a class is a kind (subject, level,
lessons a week) at a time in one manner (channel, language and the tags of the tutor); a slot is
a time of a tutor, the last of each being lessons without a start. Memory is linear in the
number of seats and slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching import compiled_bound
from matching.bound import LATER, home_times
from matching.rules import Rules
from matching.slots import bits

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

# Sets of tags that tutors are told apart by; with more, needs are not looked at.
MOST_TAG_SETS = 8

TIMELESS = 2  # columns of times without a start


class Trade(NamedTuple):
    """R requests, Q seats, H households, N times of theirs, T tutors, S slots, G classes."""

    home: Ints  # (R,)
    lessons: Ints  # (R,) a week
    weight: Longs  # (R,)
    seat_first: Ints  # (R + 1,) seats of a request, one for each time
    way_first: Ints  # (Q + 1,)
    way_class: Ints  # classes a seat may be had in
    time_first: Ints  # (H + 1,)
    time_day: Ints  # (N,) or LATER
    time_until: Ints  # (N,) the first of the household's times that is no part of the lesson
    phones: Ints  # (H,)
    class_seats: Ints  # (G,) seats of one lesson, no more than there are members
    class_first: Ints  # (G + 1,)
    class_seat: Ints  # seats, by class: its possible members
    slot_first: Ints  # (T + 1,)
    slot_before: Ints  # (S,) how many of the tutor's earlier slots are over by then
    offer_first: Ints  # (S + 1,)
    offer_class: Ints  # classes a slot can be used for
    most_lessons: Ints  # (T,) a week


def trade_of(rules: Rules) -> Trade:
    """All there is to trade, of a problem without pins."""
    return _Builder(rules).trade()


class _Builder:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        offered = 0
        for mask in rules.tutor_mask:
            offered |= mask or 0
        self.column = {bit: i for i, bit in enumerate(bits(offered))}
        self.column[LATER] = len(self.column)
        self.columns = len(self.column) - 1 + TIMELESS
        kinds: dict[tuple[str, str, int], int] = {}
        self.kind = [
            kinds.setdefault(rules.subject_key(r), len(kinds)) for r in range(len(rules.requests))
        ]
        self.kinds = kinds
        self.span = -(-rules.grid.lesson // rules.grid.every)

    def trade(self) -> Trade:
        rules = self.rules
        times = home_times(rules)
        time_first, time_bit = _end_to_end(times)
        home = np.array(rules.home, dtype=np.int32)
        lessons = np.array([r.lessons_per_week for r in rules.requests], dtype=np.int32)
        seat_first = _firsts(np.diff(time_first)[home])
        self._name_manners()
        slot_first, slot_bit = _end_to_end(
            (LATER,) if mask is None else (*bits(mask), LATER - 1) for mask in rules.tutor_mask
        )
        key_first, keys = self._offers(slot_first, slot_bit)
        class_key, offer_class = np.unique(keys, return_inverse=True)
        profile_first, profile_manner = _end_to_end(self.home_manners)
        way_first, way_class = compiled_bound.ways(
            np.array(self.kind, dtype=np.int64) * self.columns,
            home,
            seat_first,
            time_first,
            self._columns_at(time_bit),
            np.array(self.profile, dtype=np.int32),
            profile_first,
            profile_manner,
            len(self.manners),
            class_key,
        )
        class_first, class_seat = compiled_bound.turned(way_first, way_class, len(class_key))
        most = [
            rules.channels[channel].max_group
            for channel, _, _ in sorted(self.manners, key=self.manners.__getitem__)
        ]
        members = np.diff(class_first)
        seats = np.array([min(n, len(home)) for n in most], dtype=np.int64)
        total = int(lessons.sum(dtype=np.int64))
        return Trade(
            home=home,
            lessons=lessons,
            weight=np.array([r.weight for r in rules.requests], dtype=np.int64),
            seat_first=seat_first,
            way_first=way_first,
            way_class=way_class,
            time_first=time_first,
            time_day=np.where(time_bit < 0, LATER, time_bit // rules.grid.starts_a_day).astype(
                np.int32
            ),
            time_until=self._until(time_first, time_bit),
            phones=_ints(min(n, len(home)) for n in rules.phones),
            class_seats=np.minimum(members, seats[class_key % max(1, len(most))]).astype(np.int32),
            class_first=class_first,
            class_seat=class_seat,
            slot_first=slot_first,
            slot_before=self._before(slot_first, slot_bit),
            offer_first=key_first,
            offer_class=offer_class.astype(np.int32),
            most_lessons=_ints(min(t.max_lessons_per_week, total) for t in rules.tutors),
        )

    def _columns_at(self, bit: Ints) -> Ints:
        column = np.zeros(self.rules.grid.size + TIMELESS, dtype=np.int32)
        for at, i in self.column.items():
            column[at] = i  # LATER is the last but one
        column[LATER - 1] = self.columns - 1
        column[LATER] = self.columns - 2
        return column[bit]

    def _name_manners(self) -> None:
        """Numbers each channel, language and set of tags that some tutor has; and for tutors and
        requests of each profile, lists those that they can have."""
        rules = self.rules
        self.manners: dict[tuple[str, str, int], int] = {}
        needs = sorted({tuple(sorted({*request.needs})) for request in rules.requests})
        tag_sets: dict[tuple[bool, ...], int] = {}
        sets = [
            tag_sets.setdefault(tuple({*n} <= {*tutor.tags} for n in needs), len(tag_sets))
            for tutor in rules.tutors
        ]
        if len(tag_sets) > MOST_TAG_SETS:
            tag_sets, sets = {(True,) * len(needs): 0}, [0] * len(sets)
        known: dict[tuple[tuple[str, ...], tuple[str, ...], int], Sequence[int]] = {}
        self.tutor_manners = []
        for tutor, tags in zip(rules.tutors, sets, strict=True):
            key = tutor.channels, tutor.languages, tags
            if key not in known:
                known[key] = [
                    self.manners.setdefault((channel, language, tags), len(self.manners))
                    for channel in sorted({*tutor.channels})
                    for language in sorted({*tutor.languages})
                ]
            self.tutor_manners.append(known[key])
        profiles: dict[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], int] = {}
        self.profile = []
        self.home_manners: list[Sequence[int]] = []
        for r, request in enumerate(rules.requests):
            home = rules.problem.households[rules.home[r]]
            asked = home.channels, home.languages, tuple(sorted({*request.needs}))
            if asked not in profiles:
                profiles[asked] = len(profiles)
                place = needs.index(asked[2])
                self.home_manners.append(
                    sorted(
                        self.manners[channel, language, tags]
                        for having, tags in tag_sets.items()
                        if having[place]
                        for channel in {*home.channels}
                        for language in {*home.languages}
                        if (channel, language, tags) in self.manners
                    )
                )
            self.profile.append(profiles[asked])

    def _offers(self, slot_first: Ints, slot_bit: Ints) -> tuple[Ints, Longs]:
        """For each slot, the keys of the classes it can be used for."""
        rules = self.rules
        by_taught: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for name, kind in self.kinds.items():
            by_taught.setdefault(name[:2], []).append((kind, name[2]))
        teaches: list[list[int]] = [[] for _ in rules.tutors]
        for taught, kinds in by_taught.items():
            for t in rules.teachers_of.get(taught, ()):
                most = rules.tutors[t].max_lessons_per_week
                teaches[t] += [kind for kind, lessons in kinds if lessons <= most]
        kind_first, kind_of = _end_to_end(teaches)
        manner_first, manner_of = _end_to_end(self.tutor_manners)
        return compiled_bound.offers(
            slot_first,
            self._columns_at(slot_bit),
            kind_first,
            kind_of,
            manner_first,
            manner_of,
            self.columns,
            len(self.manners),
        )

    def _until(self, first: Ints, bit: Ints) -> Ints:
        """Where the household's times end that a lesson covers; one without a start has none."""
        row = np.repeat(np.arange(len(first) - 1), np.diff(first)) * (2 * self.rules.grid.size)
        at = row + np.where(bit < 0, self.rules.grid.size + self.span - bit, bit)
        until = np.searchsorted(at, at + self.span)
        return np.where(bit < 0, np.arange(len(bit)), until).astype(np.int32)

    def _before(self, first: Ints, bit: Ints) -> Ints:
        size = 2 * self.rules.grid.size
        row = np.repeat(np.arange(len(first) - 1), np.diff(first)) * size
        at = row + np.where(bit < 0, self.rules.grid.size, bit)
        over = np.searchsorted(at, at - self.span, side="right")
        return np.maximum(0, over - np.repeat(first[:-1], np.diff(first))).astype(np.int32)


def _firsts(counts: NDArray[np.int_]) -> Ints:
    first = np.zeros(len(counts) + 1, dtype=np.int32)
    np.cumsum(counts, out=first[1:])
    return first


def _end_to_end(rows: Iterable[Sequence[int]]) -> tuple[Ints, Ints]:
    """Where each row begins (and the last one ends), and all rows in one array."""
    rows = list(rows)
    flat = np.fromiter((v for row in rows for v in row), np.int32, sum(map(len, rows)))
    return _firsts(np.array([len(row) for row in rows], dtype=np.int64)), flat


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int32)
