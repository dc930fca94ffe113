"""What can be bought and sold, as flat arrays for the compiled loops of the price search.

Rows of differing length lie end to end in one array, those of row i at `first[i]:first[i + 1]`.
A seat is a request at one of the times of its household; a class is a kind (subject, level,
lessons a week) at a time in one manner (channel, language and the tags of the tutor); a slot is
a time of a tutor, the last of each being lessons without a start. Memory is linear in the
number of seats and slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching import compiled_bound
from matching.bound import LATER, LATER_HOME, home_times
from matching.rules import Names, Rules
from matching.slots import bits

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

# How often classes may be listed, all seats (or slots) together; 4 bytes each, several times.
MOST_CLASSES_LISTED = 50_000_000

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


def trade_of(rules: Rules) -> Trade | None:
    """All there is to trade, of a problem without pins; None if that is too much."""
    builder = _Builder(rules)
    return builder.trade() if builder.fits() else None


class _Builder:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.span = -(-rules.grid.lesson // rules.grid.every)  # starts that a lesson covers
        self.home = np.array(rules.home, dtype=np.int32)
        self.lessons = np.array([r.lessons_per_week for r in rules.requests], dtype=np.int32)
        self.kinds: dict[tuple[str, str, int], int] = {}
        self.kind = _ints(
            self.kinds.setdefault(rules.subject_key(r), len(self.kinds))
            for r in range(len(rules.requests))
        )
        self.time_first, self.time_bit = _end_to_end(home_times(rules))
        self.slot_first, self.slot_bit = _end_to_end(
            (LATER,) if mask is None else (*bits(mask), LATER_HOME) for mask in rules.tutor_mask
        )
        starts = np.unique(self.slot_bit[self.slot_bit >= 0])
        self.columns = len(starts) + TIMELESS
        self.column = np.zeros(rules.grid.size + TIMELESS, dtype=np.int32)
        self.column[starts] = np.arange(len(starts))
        self.column[[LATER, LATER_HOME]] = len(starts), len(starts) + 1  # the last two
        self.kind_first, self.kind_of = _end_to_end(self._taught())
        self._name_manners()

    def fits(self) -> bool:
        """Whether the lists of classes, by seat and by slot, are of a size that can be held."""
        times = np.diff(self.time_first).astype(np.int64)[self.home]
        manners = np.diff(self.home_manner_first).astype(np.int64)[self.profile]
        classes = np.diff(self.kind_first).astype(np.int64) * np.diff(self.tutor_manner_first)
        slots = np.diff(self.slot_first)
        return bool(max((times * manners).sum(), (classes * slots).sum()) <= MOST_CLASSES_LISTED)

    def trade(self) -> Trade:
        rules = self.rules
        offer_first, keys = compiled_bound.offers(
            self.slot_first,
            self.column[self.slot_bit],
            self.kind_first,
            self.kind_of,
            self.tutor_manner_first,
            self.tutor_manner,
            self.columns,
            len(self.manners),
        )
        class_key, offer_class = np.unique(keys, return_inverse=True)
        seat_first = _firsts(np.diff(self.time_first)[self.home])
        way_first, way_class = compiled_bound.ways(
            self.kind.astype(np.int64) * self.columns,
            self.home,
            seat_first,
            self.time_first,
            self.column[self.time_bit],
            self.profile,
            self.home_manner_first,
            self.home_manner,
            len(self.manners),
            class_key,
        )
        class_first, class_seat = compiled_bound.turned(way_first, way_class, len(class_key))
        day = self.time_bit // rules.grid.starts_a_day
        lessons = int(self.lessons.sum(dtype=np.int64))
        return Trade(
            home=self.home,
            lessons=self.lessons,
            weight=np.array([r.weight for r in rules.requests], dtype=np.int64),
            seat_first=seat_first,
            way_first=way_first,
            way_class=way_class,
            time_first=self.time_first,
            time_day=np.where(self.time_bit < 0, LATER, day).astype(np.int32),
            time_until=self._until(),
            phones=_ints(min(n, len(self.home)) for n in rules.phones),
            class_seats=np.minimum(np.diff(class_first), self._seats(class_key)),
            class_first=class_first,
            class_seat=class_seat,
            slot_first=self.slot_first,
            slot_before=self._before(),
            offer_first=offer_first,
            offer_class=offer_class.astype(np.int32),
            most_lessons=_ints(min(t.max_lessons_per_week, lessons) for t in rules.tutors),
        )

    def _taught(self) -> list[list[int]]:
        """For each tutor, the kinds of groups that could be given."""
        rules = self.rules
        taught: list[list[int]] = [[] for _ in rules.tutors]
        for (subject, level, lessons), kind in self.kinds.items():
            for t in rules.teachers_of.get((subject, level), ()):
                if lessons <= rules.tutors[t].max_lessons_per_week:
                    taught[t].append(kind)
        return taught

    def _name_manners(self) -> None:
        """Numbers each channel, language and set of tags that some tutor has; and lists those
        that each tutor has, and those that requests of each profile could use."""
        rules = self.rules
        needs = sorted({tuple(sorted({*request.needs})) for request in rules.requests})
        tags: dict[tuple[bool, ...], int] = {}
        having = [
            tags.setdefault(tuple({*n} <= {*tutor.tags} for n in needs), len(tags))
            for tutor in rules.tutors
        ]
        if len(tags) > MOST_TAG_SETS:
            tags, having = {(True,) * len(needs): 0}, [0] * len(having)
        self.manners: dict[tuple[str, str, int], int] = {}
        self.tutor_manner_first, self.tutor_manner = _end_to_end(
            [
                self.manners.setdefault(manner, len(self.manners))
                for manner in product(_once(tutor.channels), _once(tutor.languages), [mine])
            ]
            for tutor, mine in zip(rules.tutors, having, strict=True)
        )
        profiles: dict[tuple[Names, Names, Names], int] = {}
        homes = rules.problem.households
        self.profile = _ints(
            profiles.setdefault(
                (homes[h].channels, homes[h].languages, tuple(sorted({*request.needs}))),
                len(profiles),
            )
            for h, request in zip(rules.home, rules.requests, strict=True)
        )
        self.home_manner_first, self.home_manner = _end_to_end(
            sorted(
                self.manners[manner]
                for met, one in tags.items()
                if met[needs.index(need)]
                for manner in product(_once(channels), _once(languages), [one])
                if manner in self.manners
            )
            for channels, languages, need in profiles
        )

    def _seats(self, class_key: Longs) -> Ints:
        """Most members of a group of each class; the manner is what remains of the key."""
        most = _ints(
            min(self.rules.channels[channel].max_group, len(self.home))
            for channel, _, _ in self.manners
        )
        return most[class_key % max(1, len(most))]

    def _until(self) -> Ints:
        """Where the household's times end that a lesson covers; one without a start covers none."""
        size, bit = self.rules.grid.size, self.time_bit
        at = _rows(self.time_first) * (2 * size) + np.where(bit < 0, size + self.span - bit, bit)
        until = np.searchsorted(at, at + self.span)
        return np.where(bit < 0, np.arange(len(bit)), until).astype(np.int32)

    def _before(self) -> Ints:
        """How many of the tutor's slots are over when a slot begins."""
        size, bit = self.rules.grid.size, self.slot_bit
        at = _rows(self.slot_first) * (2 * size) + np.where(bit < 0, size, bit)
        over = np.searchsorted(at, at - self.span, side="right")
        before = over - np.repeat(self.slot_first[:-1], np.diff(self.slot_first))
        return np.maximum(0, before).astype(np.int32)


def _once(names: Names) -> list[str]:
    return list(dict.fromkeys(names))


def _rows(first: Ints) -> NDArray[np.int_]:
    """For each element, the number of its row."""
    return np.repeat(np.arange(len(first) - 1), np.diff(first))


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
