"""A timetable as the arrays of the compiled search, and back."""

from __future__ import annotations

import numpy as np

from matching import compiled
from matching.arrays import IN_LANGUAGES, KIND, MOST_LESSONS, NONE, ON_CHANNELS, Arrays, Ints
from matching.compiled import (
    COUNTERS,
    FIRST,
    FIRST_GROUP,
    FREE_GROUPS,
    GIVES_WIDTH,
    GROUP_WIDTH,
    LESSONS_LEFT,
    NEXT_GROUP,
    NEXT_MEMBER,
    PINNED,
    SHUT,
    SITS_WIDTH,
    STILL_CHANNELS,
    STILL_LANGUAGES,
    VALUES,
    Seats,
)
from matching.timetable import OpenGroup, Timetable

# Of a trial, for every request: it leaves and joins, a group is closed and one is opened.
LOGGED_AT_MOST = 4


def empty_seats(arrays: Arrays, seed: int) -> Seats:
    """Nobody sits and nobody waits yet."""
    given, rules = arrays.given, arrays.rules
    requests, kinds = len(rules.requests), len(arrays.kinds)
    longest = int(given.lessons.max(initial=1))
    lessons = int(given.tutor[:, MOST_LESSONS].sum(dtype=np.int64))
    # Groups closed in a trial keep their numbers until it is kept; all may be closed in one.
    groups = 2 * (min(lessons, requests) + len(rules.pins)) + 2
    by_kind = np.bincount(given.request[:, KIND], minlength=kinds)
    sits = _none(requests, SITS_WIDTH)
    sits[:, PINNED] = [r in rules.pins for r in range(requests)]
    gives = _none(len(rules.tutors), GIVES_WIDTH)
    gives[:, LESSONS_LEFT] = given.tutor[:, MOST_LESSONS]
    counts = _zeros(COUNTERS)
    counts[FREE_GROUPS] = groups
    return Seats(
        sits=sits,
        group=_none(groups, GROUP_WIDTH),
        start=_none(groups, longest),
        column=_none(groups, longest),
        node=_none(groups * longest, 2),
        node_first=_none(kinds * arrays.columns),
        gives=gives,
        busy=np.zeros(len(given.slot_column), dtype=np.int64),
        seat_first=_none(len(rules.problem.households)),
        mate_first=_none(requests),
        demand=_zeros(kinds * arrays.columns),
        wait_first=np.concatenate(([0], np.cumsum(by_kind))).astype(np.int64),
        waiting_of=_none(requests),
        waits=np.zeros(kinds, dtype=np.int64),
        waiting=_none(requests),
        pool=_none(requests + 1),
        free=np.arange(groups, dtype=np.int64),
        log=_none(LOGGED_AT_MOST * requests + 8, 3),
        zone_served=_zeros(len(arrays.zones)),
        zone_before=_zeros(len(arrays.zones)),
        zone_trial=_zeros(len(arrays.zones)),
        touched=_none(len(arrays.zones)),
        counts=counts,
        value=_zeros(VALUES),
        state=np.array([(seed * 2 + 1) * 0x9E3779B97F4A7C15 % 2**64], dtype=np.uint64),
    )


def _none(*shape: int) -> Ints:
    return np.full(shape, NONE, dtype=np.int64)


def _zeros(length: int) -> Ints:
    return np.zeros(length, dtype=np.int64)


def seats_of(arrays: Arrays, table: Timetable, seed: int) -> Seats:
    """A timetable as arrays; those who sit nowhere wait, if anybody could serve them."""
    seats = empty_seats(arrays, seed)
    groups = list(table.groups())
    starts = _none(len(groups), seats.start.shape[1])
    columns = _none(len(groups), seats.start.shape[1])
    rows = np.zeros((len(groups), 6), dtype=np.int64)
    for i, group in enumerate(groups):
        rows[i] = _row(arrays, group)
        if group.starts is None:
            columns[i, 0] = arrays.later + (arrays.rules.tutor_mask[group.tutor] is not None)
            continue
        for j, start in enumerate(group.starts):
            starts[i, j] = start
            columns[i, j] = arrays.column_of.get(start, NONE)
    first = np.concatenate(([0], np.cumsum([len(g.members) for g in groups]))).astype(np.int64)
    members = np.array([m for group in groups for m in group.members], dtype=np.int64)
    compiled.set_up(arrays.given, seats, rows, starts, columns, first, members)
    return seats


def _row(arrays: Arrays, group: OpenGroup) -> tuple[int, int, int, int, bool, int]:
    """For `compiled.set_up`: tutor, kind, own channels, own languages, fixed, listed."""
    rules = arrays.rules
    t = group.tutor
    kind = arrays.kinds[group.key]
    pinned = any(r in rules.pins for r in group.members)
    channels = int(arrays.given.tutor[t, ON_CHANNELS])
    languages = int(arrays.given.tutor[t, IN_LANGUAGES])
    if not pinned:
        return t, kind, channels, languages, False, 0
    agreed_channel = 1 << arrays.channels.of[group.channel]
    agreed_language = 1 << arrays.languages.of.get(group.language, 30)
    open_to_others = channels & agreed_channel and languages & agreed_language
    if group.starts is not None:
        mask = rules.grid.mask_of(group.starts)
        mine = rules.tutor_mask[t] or 0
        open_to_others = open_to_others and mask is not None and not mask & ~mine
    return t, kind, agreed_channel, agreed_language, True, 0 if open_to_others else SHUT


def timetable_of(arrays: Arrays, seats: Seats, before: Timetable) -> Timetable:
    """The arrays as a timetable; agreed groups keep their channel and language."""
    table = Timetable(arrays.rules)
    for t in range(len(arrays.rules.tutors)):
        g = int(seats.gives[t, FIRST_GROUP])
        while g != NONE:
            first, *others = members = sorted(_members(seats, g))
            channel, language = _agreed(before, members) or _cheapest(arrays, seats, g)
            starts = tuple(int(start) for start in seats.start[g] if start != NONE) or None
            group = table.open(first, t, channel, language, starts)
            for r in others:
                table.join(r, group)
            g = int(seats.group[g, NEXT_GROUP])
    return table


def _members(seats: Seats, g: int) -> list[int]:
    members = []
    m = int(seats.group[g, FIRST])
    while m != NONE:
        members.append(m)
        m = int(seats.sits[m, NEXT_MEMBER])
    return members


def _agreed(before: Timetable, members: list[int]) -> tuple[str, str] | None:
    for r in members:
        if r in before.rules.pins:
            group = before.group_of[r]
            return group.channel, group.language
    return None


def _cheapest(arrays: Arrays, seats: Seats, g: int) -> tuple[str, str]:
    """The cheapest channel with enough seats, the language most spoken."""
    rules = arrays.rules
    channels, languages = seats.group[g, STILL_CHANNELS], seats.group[g, STILL_LANGUAGES]
    size = seats.group[g, compiled.SIZE]
    channel = next(
        name
        for name, i in arrays.channels.of.items()
        if channels >> i & 1 and rules.channels[name].max_group >= size
    )
    spoken = [name for name, i in arrays.languages.of.items() if languages >> i & 1]
    return channel, max(spoken, key=lambda name: (rules.speakers[name], name))
