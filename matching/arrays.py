"""The problem as flat arrays, for the compiled loops.

Tutors, households and requests keep the numbers that `Rules` gave them. Sets that differ from
row to row lie end to end in one array, `x_of[first[i]:first[i + 1]]` being those of row i.

A *column* is a time that a group may have: one of the grid's starts that some tutor offers, or
one of two columns for groups whose times are agreed later: `LATER`, given by tutors without
times to whoever comes, and `LATER_HOME`, given by tutors with times to households without.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.rules import Rules
from matching.slots import bits

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

NONE = -1
TIMELESS = 2  # the columns after those with a start: LATER, LATER_HOME

MOST_NAMES = 30  # of channels or of languages: sets of them are bits of one integer
ENOUGH = 2**20  # of lessons, seats or phones: more makes no difference
MOST_WEIGHT = 2**50  # of all requests together, so that shares of it can be worked out


# Columns of `Given.request`. What belongs to the household stands here again, so that all that a
# trial asks of a request lies together.
KIND = 0
HOME = 1
PUPIL = 2
WEIGHT = 3
ZONE = 4
NEEDS = 5  # row of `has_tags`
VETOES, VETOES_END = 6, 7  # in `veto_of`
COLUMNS, COLUMNS_END = 8, 9  # in `home_columns`
PHONES = 10
WATCHED = 11  # whether the pupil could be in two lessons at a time
CHANNELS = 12  # of the household, as bits
LANGUAGES = 13
LIKES, LIKES_END = 14, 15  # in `liked_of`; NONE where every time is as good
PREVIOUS = 16  # tutor, or NONE
REQUEST_WIDTH = 17

# Columns of `Given.tutor`.
ON_CHANNELS = 0  # bits
IN_LANGUAGES = 1
SLOTS, SLOTS_END = 2, 3  # in `slot_column`
MOST_LESSONS = 4  # a week
TUTOR_WIDTH = 5


class Given(NamedTuple):
    """What never changes during a search. R requests, H households, T tutors, K kinds (subject,
    level, lessons a week), B taught (subject, level), C columns, the last two without times."""

    lesson: int  # minutes
    columns: int  # C
    minute: Ints  # (C - 2,) minute of the week of each column
    seats: Ints  # (channels,) most members of a group
    channel_cost: Ints  # (channels,) of one weekly lesson
    request: Ints  # (R, REQUEST_WIDTH)
    veto_of: Ints  # tutors
    liked_of: Ints  # columns inside `preferred`
    taught: Ints  # (K,) its B
    lessons: Ints  # (K,) a week
    home_columns: Ints  # columns at which a lesson fits, ascending
    home_has: NDArray[np.uint64]  # (H, words) the same as bits
    tutor: Ints  # (T, TUTOR_WIDTH)
    slot_column: Ints  # columns of the tutor's windows, ascending
    has_tags: Bytes  # (sets of needs, T)
    offer_first: Ints  # (B * C + 1,) who teaches B at C
    offer_tutor: Ints
    offer_slot: Ints  # place in `slot_column`, or NONE without times
    asked: Ints  # (zones,) weight


def fits_arrays(rules: Rules) -> bool:
    """Whether names can be told apart by the bits of an integer, and sums fit into one."""
    languages = {name for tutor in rules.tutors for name in tutor.languages}
    weight = sum(request.weight for request in rules.requests)
    return max(len(rules.channels), len(languages)) <= MOST_NAMES and weight <= MOST_WEIGHT


def end_to_end(rows: Iterable[Sequence[int]]) -> tuple[Ints, Ints]:
    """Where each row begins (and the last one ends), and all rows in one array."""
    rows = list(rows)
    first = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=first[1:])
    flat = np.fromiter((v for row in rows for v in row), dtype=np.int64, count=int(first[-1]))
    return first, flat


class Numbering:
    """Names to numbers, in the order in which they are met."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.of: dict[str, int] = {}
        for name in names:
            self.of.setdefault(name, len(self.of))

    def bits(self, names: Iterable[str]) -> int:
        found = 0
        for name in names:
            if name in self.of:
                found |= 1 << self.of[name]
        return found


class Arrays:
    """`given`, and the names behind its numbers."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.channels = Numbering(sorted(rules.channels, key=lambda n: rules.channels[n].cost))
        self.languages = Numbering(
            sorted({name for tutor in rules.tutors for name in tutor.languages})
        )
        homes = rules.problem.households
        self.zones = sorted({homes[h].zone for h in rules.home})
        self._number_columns()
        self._number_kinds()
        self.given = self._given()

    def _number_columns(self) -> None:
        offered = 0
        for mask in self.rules.tutor_mask:
            offered |= mask or 0
        every = self.rules.grid.every
        self.column_of = {start * every: i for i, start in enumerate(bits(offered))}
        self.later = len(self.column_of)
        self.columns = self.later + TIMELESS

    def _number_kinds(self) -> None:
        rules = self.rules
        self.taught: dict[tuple[str, str], int] = {}
        self.kinds: dict[tuple[str, str, int], int] = {}
        for r in range(len(rules.requests)):
            key = rules.subject_key(r)
            self.taught.setdefault(key[:2], len(self.taught))
            self.kinds.setdefault(key, len(self.kinds))

    def _columns_of(self, mask: int | None) -> list[int]:
        every = self.rules.grid.every
        found = (self.column_of.get(start * every) for start in bits(mask or 0))
        return [column for column in found if column is not None]

    def _given(self) -> Given:
        rules = self.rules
        problem = rules.problem
        homes, tutors, requests = problem.households, rules.tutors, rules.requests
        indexes = range(len(requests))
        zone_of = {zone: i for i, zone in enumerate(self.zones)}
        cache: dict[int, list[int]] = {}

        def columns(mask: int) -> list[int]:
            if mask not in cache:
                cache[mask] = self._columns_of(mask)
            return cache[mask]

        home_first, home_columns = end_to_end(
            [self.later, self.later + 1] if mask is None else [*columns(mask), self.later]
            for mask in rules.home_mask
        )
        slot_first, slot_column = end_to_end(columns(mask or 0) for mask in rules.tutor_mask)
        veto_first, veto_of = end_to_end(sorted(rules.vetoes.get(r, ())) for r in indexes)
        liked_first, liked_of = end_to_end(self._liked(r) for r in indexes)
        sets: dict[frozenset[str], int] = {}  # of needs
        request = np.empty((len(requests), REQUEST_WIDTH), dtype=np.int64)
        home = _ints(rules.home)
        request[:, KIND] = [self.kinds[rules.subject_key(r)] for r in indexes]
        request[:, HOME] = home
        request[:, PUPIL] = rules.pupil
        request[:, WEIGHT] = [one.weight for one in requests]
        request[:, ZONE] = [zone_of[homes[h].zone] for h in rules.home]
        request[:, NEEDS] = [sets.setdefault(frozenset(one.needs), len(sets)) for one in requests]
        request[:, VETOES], request[:, VETOES_END] = veto_first[:-1], veto_first[1:]
        request[:, COLUMNS], request[:, COLUMNS_END] = home_first[home], home_first[home + 1]
        request[:, PHONES] = _ints(min(one.phones, ENOUGH) for one in homes)[home]
        request[:, WATCHED] = self._pupils_to_watch()[rules.pupil]
        request[:, CHANNELS] = _ints(self.channels.bits(one.channels) for one in homes)[home]
        request[:, LANGUAGES] = _ints(self.languages.bits(one.languages) for one in homes)[home]
        likes = np.array([one.preferred is not None for one in requests], dtype=bool)
        request[:, LIKES] = np.where(likes, liked_first[:-1], NONE)
        request[:, LIKES_END] = liked_first[1:]
        request[:, PREVIOUS] = [
            NONE if one.previous_tutor is None else rules.tutor_index[one.previous_tutor]
            for one in requests
        ]
        tutor = np.empty((len(tutors), TUTOR_WIDTH), dtype=np.int64)
        tutor[:, ON_CHANNELS] = [self.channels.bits(one.channels) for one in tutors]
        tutor[:, IN_LANGUAGES] = [self.languages.bits(one.languages) for one in tutors]
        tutor[:, SLOTS], tutor[:, SLOTS_END] = slot_first[:-1], slot_first[1:]
        tutor[:, MOST_LESSONS] = [min(one.max_lessons_per_week, ENOUGH) for one in tutors]
        offers = self._offers(slot_first, slot_column)
        zones = np.bincount(request[:, ZONE], request[:, WEIGHT], len(self.zones))
        return Given(
            lesson=rules.grid.lesson,
            columns=self.columns,
            minute=_ints(self.column_of),
            seats=_ints(min(rules.channels[name].max_group, ENOUGH) for name in self.channels.of),
            channel_cost=_ints(rules.channels[name].cost for name in self.channels.of),
            request=request,
            veto_of=veto_of,
            liked_of=liked_of,
            taught=_ints(self.taught[key[:2]] for key in self.kinds),
            lessons=_ints(key[2] for key in self.kinds),
            home_columns=home_columns,
            home_has=self._as_bits(home_first, home_columns),
            tutor=tutor,
            slot_column=slot_column,
            has_tags=self._has_tags(sets),
            offer_first=offers[0],
            offer_tutor=offers[1],
            offer_slot=offers[2],
            asked=zones.astype(np.int64),
        )

    def _has_tags(self, sets: dict[frozenset[str], int]) -> Bytes:
        table = np.zeros((max(1, len(sets)), len(self.rules.tutors)), dtype=np.uint8)
        for needed, row in sets.items():
            table[row] = [needed <= {*tutor.tags} for tutor in self.rules.tutors]
        return table

    def _liked(self, r: int) -> list[int]:
        windows = self.rules.requests[r].preferred
        return [] if not windows else self._columns_of(self.rules.grid.inside(windows))

    def _as_bits(self, first: Ints, columns: Ints) -> NDArray[np.uint64]:
        words = -(-self.columns // 64)
        rows = np.zeros((len(first) - 1, words), dtype=np.uint64)
        row = np.repeat(np.arange(len(first) - 1), np.diff(first))
        bit = np.left_shift(np.uint64(1), (columns % 64).astype(np.uint64))
        np.bitwise_or.at(rows, (row, columns // 64), bit)
        return rows

    def _pupils_to_watch(self) -> Bytes:
        """Where one phone of one household doesn't keep a pupil from two lessons at a time."""
        rules = self.rules
        home_of: dict[int, int] = {}
        watch = np.zeros(max(rules.pupil, default=-1) + 1, dtype=np.uint8)
        for pupil, home in zip(rules.pupil, rules.home, strict=True):
            if rules.phones[home] > 1 or home_of.setdefault(pupil, home) != home:
                watch[pupil] = 1
        return watch

    def _offers(self, slot_first: Ints, slot_column: Ints) -> tuple[Ints, Ints, Ints]:
        """For every subject and level, and every column: the tutors, and their slots."""
        keys: list[int] = []
        tutor: list[int] = []
        slot: list[int] = []
        timed = [mask is not None for mask in self.rules.tutor_mask]
        for name, taught in self.taught.items():
            base = taught * self.columns
            for t in self.rules.teachers_of.get(name, ()):
                keys.append(base + self.later + timed[t])
                tutor.append(t)
                slot.append(-1)
                for s in range(slot_first[t], slot_first[t + 1]):
                    keys.append(base + slot_column[s])
                    tutor.append(t)
                    slot.append(s)
        order = np.argsort(np.array(keys, dtype=np.int64), kind="stable")
        counts = np.bincount(
            np.array(keys, dtype=np.int64), minlength=len(self.taught) * self.columns
        )
        first = np.zeros(len(counts) + 1, dtype=np.int64)
        np.cumsum(counts, out=first[1:])
        return first, _ints(tutor)[order], _ints(slot)[order]


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)
