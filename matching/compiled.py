"""The compiled loops of the search (Numba).

`Given` (matching.arrays) is the problem, `Seats` who sits where. The members of a group, the
seats of a household, the groups of a tutor and those at a column are doubly linked lists in
arrays, NONE ending them, so that a step costs what it touches and memory is linear in the input.
What a trial does is logged, and undone by the log.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.arrays import (
    CHANNELS,
    COLUMNS,
    COLUMNS_END,
    HOME,
    IN_LANGUAGES,
    KIND,
    LANGUAGES,
    LIKES,
    LIKES_END,
    MOST_LESSONS,
    NEEDS,
    NONE,
    ON_CHANNELS,
    PHONES,
    PREVIOUS,
    PUPIL,
    SLOTS,
    SLOTS_END,
    TIMELESS,
    VETOES,
    VETOES_END,
    WATCHED,
    WEIGHT,
    ZONE,
    Given,
    Ints,
)
from matching.loops import inlined, inner_loop, loop

DAY = 1440  # minutes
WEEK = 7 * DAY
FULL = 1000  # the share of a zone in which everything asked is served

# Columns of `Seats.sits`.
GROUP = 0  # NONE: not served
NEXT_MEMBER, MEMBER_BEFORE = 1, 2
NEXT_SEAT, SEAT_BEFORE = 3, 4  # timed seats of the household
NEXT_MATE, MATE_BEFORE = 5, 6  # timed seats of a pupil who is watched
PLACE = 7  # in `waiting`, or NONE
PLACE_OF_KIND = 8  # in `waiting_of`, or NONE
SERVABLE = 9  # whether some tutor could serve it, alone in the world
PINNED = 10  # never moved
SITS_WIDTH = 11

# Columns of `Seats.group`.
TUTOR = 0
OF_KIND = 1
SIZE = 2  # members
FIRST = 3  # member
STILL_CHANNELS, STILL_LANGUAGES = 4, 5  # those possible with these members, as bits
OWN_CHANNELS, OWN_LANGUAGES = 6, 7  # and without any
FIXED = 8  # agreed upon (a pin): never closed
LISTED = 9  # among those with seats; SHUT if nobody may join
NEXT_GROUP, GROUP_BEFORE = 10, 11  # of the tutor
COST = 12  # of its channel, all lessons
GROUP_WIDTH = 13
SHUT = 2

# Columns of `Seats.gives`.
LESSONS_LEFT = 0  # that the tutor can still give a week
FIRST_GROUP = 1
SEEN = 2  # when `best_opening` last looked
GIVES_WIDTH = 3

# What `Seats.counts` counts.
FREE_GROUPS = 0
LOGGED = 1
WAITING = 2
TAKEN_OUT = 3
LOOKS = 4
TRIALS = 5
TOUCHED = 6  # zones, in this trial
COSTED = 7  # whether costs are kept account of
COUNTERS = 8

# What `Seats.value` holds.
SERVED = 0  # weight
KEPT = 1  # requests with their previous tutor
SPENT = 2  # the level `cost`, as far as COSTED says so
VALUES = 3

# What `Seats.log` says.
JOINED = 0
LEFT = 1
OPENED = 2
CLOSED = 3

# The levels that `refine` improves.
ZONES = 1
PREVIOUS_TUTORS = 2
COSTS = 3

# Constants handed to other loops are typed: Numba would compile a loop anew for each plain one.
NOBODY: int = np.int64(NONE)  # type: ignore[assignment]
IN: int = np.int64(1)  # type: ignore[assignment]
OUT: int = np.int64(-1)  # type: ignore[assignment]
YES: bool = np.bool_(True)  # type: ignore[assignment]
NO: bool = np.bool_(False)  # type: ignore[assignment]
FREE: int = np.int64(0)  # type: ignore[assignment]
DIE: int = np.int64(4)  # type: ignore[assignment]  # three in four of a tutor's groups are closed
TUTORS: int = np.int64(2)  # type: ignore[assignment]  # at most so many are ruined in a trial
COIN: int = np.int64(2)  # type: ignore[assignment]
NOISE: int = np.int64(16)  # type: ignore[assignment]  # added to scores; 16 are one of weight
FAR: int = np.int64(2**62)  # type: ignore[assignment]

# No column is looked through further than this for a tutor with a free lesson.
MOST_OFFERS = 32
# So many of those waiting are offered a new group's seats.
MOST_ASKED = 64
# Of so many that wait the one in the least-served zone is tried.
ZONES_COMPARED = 6


class Seats(NamedTuple):
    """Who sits where. R requests, G groups at most, L lessons a week at most, T tutors,
    K kinds, C columns, Z zones."""

    sits: Ints  # (R, SITS_WIDTH)
    group: Ints  # (G, GROUP_WIDTH)
    start: Ints  # (G, L) minutes of the week, NONE where agreed later
    column: Ints  # (G, L) NONE where off the columns
    node: Ints  # (G * L, 2) lists of groups with seats left, by kind and column: next, before
    node_first: Ints  # (K * C,)
    gives: Ints  # (T, GIVES_WIDTH)
    busy: Ints  # (slots,) lessons of the tutor that overlap a lesson in that slot
    seat_first: Ints  # (H,) timed seats of a household
    mate_first: Ints  # (pupils,) timed seats of a watched pupil
    demand: Ints  # (K * C,) weight of those waiting who could come
    wait_first: Ints  # (K + 1,) where the kind's part of `waiting_of` begins
    waiting_of: Ints  # (R,) by kind: those waiting
    waits: Ints  # (K,) how many of them
    waiting: Ints  # (R,) all that wait
    pool: Ints  # (R,) requests taken out in this trial
    free: Ints  # (G,) stack of the numbers of unused groups
    log: Ints  # (.., 3) what was done, to which request, with which group
    zone_served: Ints  # (Z,) weight
    zone_before: Ints  # (Z,) the same before this trial, where touched
    zone_trial: Ints  # (Z,) the last trial that touched it
    touched: Ints  # (Z,) zones touched in this trial
    counts: Ints  # (COUNTERS,)
    value: Ints  # (VALUES,)
    state: NDArray[np.uint64]  # (1,) of the random numbers, never 0


@inner_loop
def draw(seats: Seats, n: int) -> int:
    """A number from 0 to n - 1 (xorshift64*)."""
    x = seats.state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    seats.state[0] = x
    high = (x * np.uint64(2685821657736338717)) >> np.uint64(32)
    return np.int64((high * np.uint64(n)) >> np.uint64(32))  # type: ignore[return-value]


# --- asking


@inner_loop
def overlap(a: int, b: int, lesson: int) -> bool:
    apart = a - b
    if apart < 0:
        apart = -apart
    return apart < lesson or WEEK - apart < lesson


@inner_loop
def home_is_free(given: Given, seats: Seats, r: int, start: int) -> bool:
    """Whether a phone of the household, and the pupil, are free for a lesson at this minute."""
    m = seats.seat_first[given.request[r, HOME]]
    if m != NONE:
        phones = given.request[r, PHONES]
        near = 0
        while m != NONE:
            g = seats.sits[m, GROUP]
            for j in range(given.lessons[seats.group[g, OF_KIND]]):
                if overlap(seats.start[g, j], start, given.lesson):
                    near += 1
            m = seats.sits[m, NEXT_SEAT]
        if near >= phones and (phones == 1 or all_in_use(given, seats, r, start)):
            return False
    if given.request[r, WATCHED]:
        m = seats.mate_first[given.request[r, PUPIL]]
        while m != NONE:
            g = seats.sits[m, GROUP]
            for j in range(given.lessons[seats.group[g, OF_KIND]]):
                if overlap(seats.start[g, j], start, given.lesson):
                    return False
            m = seats.sits[m, NEXT_MATE]
    return True


@inner_loop
def all_in_use(given: Given, seats: Seats, r: int, start: int) -> bool:
    """Whether at some moment of a lesson at `start` all phones of the household are in use."""
    home, phones = given.request[r, HOME], given.request[r, PHONES]
    if going_on(given, seats, home, start) >= phones:
        return True
    m = seats.seat_first[home]
    while m != NONE:
        g = seats.sits[m, GROUP]
        for j in range(given.lessons[seats.group[g, OF_KIND]]):
            moment = seats.start[g, j]
            during = (moment - start) % WEEK < given.lesson
            if during and going_on(given, seats, home, moment) >= phones:
                return True
        m = seats.sits[m, NEXT_SEAT]
    return False


@inner_loop
def going_on(given: Given, seats: Seats, home: int, moment: int) -> int:
    """How many lessons the household attends at a moment."""
    n = 0
    m = seats.seat_first[home]
    while m != NONE:
        g = seats.sits[m, GROUP]
        for j in range(given.lessons[seats.group[g, OF_KIND]]):
            if (moment - seats.start[g, j]) % WEEK < given.lesson:
                n += 1
        m = seats.sits[m, NEXT_SEAT]
    return n


@inner_loop
def may_teach(given: Given, r: int, t: int) -> bool:
    """Channel, language, tags, vetoes."""
    if not given.tutor[t, ON_CHANNELS] & given.request[r, CHANNELS]:
        return False
    if not given.tutor[t, IN_LANGUAGES] & given.request[r, LANGUAGES]:
        return False
    for i in range(given.request[r, VETOES], given.request[r, VETOES_END]):
        if given.veto_of[i] == t:
            return False
    return given.has_tags[given.request[r, NEEDS], t] != 0


@inner_loop
def most_seats(given: Given, channels: int) -> int:
    most = 0
    for c in range(len(given.seats)):
        if channels >> c & 1 and given.seats[c] > most:
            most = given.seats[c]
    return most


@inner_loop
def has_column(given: Given, r: int, column: int) -> bool:
    word = given.home_has[given.request[r, HOME], column >> 6]
    return (word >> np.uint64(column & 63)) & np.uint64(1) != 0


@inner_loop
def likes(given: Given, r: int, column: int) -> bool:
    """Whether lessons of this column are at times that the request likes best."""
    if given.request[r, LIKES] == NONE or column >= given.columns - TIMELESS:
        return True
    for i in range(given.request[r, LIKES], given.request[r, LIKES_END]):
        if given.liked_of[i] == column:
            return True
    return False


@inner_loop
def can_join(given: Given, seats: Seats, r: int, g: int) -> bool:
    """Whether the request could sit in a listed group of its kind."""
    lessons = given.lessons[seats.group[g, OF_KIND]]
    for j in range(lessons):
        column = seats.column[g, j]
        if not has_column(given, r, column):
            return False
        if column >= given.columns - TIMELESS:
            break
    if not seats.group[g, STILL_LANGUAGES] & given.request[r, LANGUAGES]:
        return False
    channels = seats.group[g, STILL_CHANNELS] & given.request[r, CHANNELS]
    if most_seats(given, channels) <= seats.group[g, SIZE]:
        return False
    if seats.start[g, 0] != NONE:
        for j in range(lessons):
            if not home_is_free(given, seats, r, seats.start[g, j]):
                return False
    return may_teach(given, r, seats.group[g, TUTOR])


@inner_loop
def could_serve(given: Given, r: int, t: int) -> bool:
    """Whether the tutor, who teaches it, could serve the request, alone in the world."""
    lessons = given.lessons[given.request[r, KIND]]
    if given.tutor[t, MOST_LESSONS] < lessons or not may_teach(given, r, t):
        return False
    later = given.columns - TIMELESS
    first, last = given.tutor[t, SLOTS], given.tutor[t, SLOTS_END]
    if has_column(given, r, later + 1):
        return True  # a household without times
    days = 0
    for slot in range(first, last):
        column = given.slot_column[slot]
        if has_column(given, r, column):
            days |= 1 << (given.minute[column] // DAY)
    n = 0
    for day in range(7):
        n += days >> day & 1
    return n >= lessons


@inner_loop
def servable(given: Given, r: int) -> bool:
    base = given.taught[given.request[r, KIND]] * given.columns
    for i in range(given.request[r, COLUMNS], given.request[r, COLUMNS_END]):
        column = given.home_columns[i]
        for o in range(given.offer_first[base + column], given.offer_first[base + column + 1]):
            t = given.offer_tutor[o]
            if column == given.columns - TIMELESS:
                lessons = given.lessons[given.request[r, KIND]]
                if given.tutor[t, MOST_LESSONS] >= lessons and may_teach(given, r, t):
                    return True
            elif could_serve(given, r, t):
                return True
    return False


# --- lists


@inner_loop
def list_group(given: Given, seats: Seats, g: int, wanted: bool) -> None:
    """Put a group into the lists by column, or take it out."""
    if seats.group[g, LISTED] == SHUT or wanted == (seats.group[g, LISTED] == 1):
        return
    k = seats.group[g, OF_KIND]
    width = seats.column.shape[1]
    seats.group[g, LISTED] = wanted
    for j in range(given.lessons[k]):
        if seats.column[g, j] == NONE:
            break
        node = g * width + j
        head = k * given.columns + seats.column[g, j]
        if wanted:
            after = seats.node_first[head]
            seats.node[node, 0] = after
            seats.node[node, 1] = NONE
            if after != NONE:
                seats.node[after, 1] = node
            seats.node_first[head] = node
        else:
            after, before = seats.node[node, 0], seats.node[node, 1]
            if before == NONE:
                seats.node_first[head] = after
            else:
                seats.node[before, 0] = after
            if after != NONE:
                seats.node[after, 1] = before


@inner_loop
def start_waiting(given: Given, seats: Seats, r: int) -> None:
    if not seats.sits[r, SERVABLE]:
        return
    k = given.request[r, KIND]
    i = seats.wait_first[k] + seats.waits[k]
    seats.waiting_of[i] = r
    seats.sits[r, PLACE_OF_KIND] = i
    seats.waits[k] += 1
    i = seats.counts[WAITING]
    seats.waiting[i] = r
    seats.sits[r, PLACE] = i
    seats.counts[WAITING] += 1
    for i in range(given.request[r, COLUMNS], given.request[r, COLUMNS_END]):
        seats.demand[k * given.columns + given.home_columns[i]] += given.request[r, WEIGHT]


@inner_loop
def stop_waiting(given: Given, seats: Seats, r: int) -> None:
    if not seats.sits[r, SERVABLE]:
        return
    k = given.request[r, KIND]
    seats.waits[k] -= 1
    last = seats.waiting_of[seats.wait_first[k] + seats.waits[k]]
    seats.waiting_of[seats.sits[r, PLACE_OF_KIND]] = last
    seats.sits[last, PLACE_OF_KIND] = seats.sits[r, PLACE_OF_KIND]
    seats.sits[r, PLACE_OF_KIND] = NONE
    seats.counts[WAITING] -= 1
    last = seats.waiting[seats.counts[WAITING]]
    seats.waiting[seats.sits[r, PLACE]] = last
    seats.sits[last, PLACE] = seats.sits[r, PLACE]
    seats.sits[r, PLACE] = NONE
    for i in range(given.request[r, COLUMNS], given.request[r, COLUMNS_END]):
        seats.demand[k * given.columns + given.home_columns[i]] -= given.request[r, WEIGHT]


# --- what it is worth


@inner_loop
def account(given: Given, seats: Seats, r: int, by: int) -> None:
    """Count a seat in (by 1) or out (-1); `r` is in its group."""
    g = seats.sits[r, GROUP]
    weight = by * given.request[r, WEIGHT]
    seats.value[SERVED] += weight
    zone = given.request[r, ZONE]
    if seats.zone_trial[zone] != seats.counts[TRIALS]:
        seats.zone_trial[zone] = seats.counts[TRIALS]
        seats.zone_before[zone] = seats.zone_served[zone]
        seats.touched[seats.counts[TOUCHED]] = zone
        seats.counts[TOUCHED] += 1
    seats.zone_served[zone] += weight
    if given.request[r, PREVIOUS] == seats.group[g, TUTOR]:
        seats.value[KEPT] += by
    if seats.counts[COSTED]:
        seats.value[SPENT] += by * disliked(given, seats, r)


@inner_loop
def disliked(given: Given, seats: Seats, r: int) -> int:
    """How many lessons are outside the times liked best; of a pinned seat, which stays, none."""
    if given.request[r, LIKES] == NONE or seats.sits[r, PINNED]:
        return 0
    g = seats.sits[r, GROUP]
    n = 0
    for j in range(given.lessons[seats.group[g, OF_KIND]]):
        if seats.start[g, j] != NONE and not likes(given, r, seats.column[g, j]):
            n += 1
    return n


@inner_loop
def settle(given: Given, seats: Seats, g: int) -> None:
    """After members came or went: whether there are seats, and what the channel costs."""
    channels, size = seats.group[g, STILL_CHANNELS], seats.group[g, SIZE]
    list_group(given, seats, g, most_seats(given, channels) > size)
    if seats.counts[COSTED]:
        cost = FREE
        for c in range(len(given.seats)):  # cheapest first
            if channels >> c & 1 and given.seats[c] >= size:
                cost = given.channel_cost[c] * given.lessons[seats.group[g, OF_KIND]]
                break
        charge(seats, g, cost)


@inlined
def charge(seats: Seats, g: int, cost: int) -> None:
    seats.value[SPENT] += cost - seats.group[g, COST]
    seats.group[g, COST] = cost


@inlined
def share(given: Given, zone: int, served: int) -> int:
    return FULL * served // given.asked[zone]


@inlined
def zones_gained(given: Given, seats: Seats) -> int:
    """Whether the zones touched are better off than before the trial (1), as well (0), or worse
    (-1). Comparing these is as good as comparing all: what two ascending lists have in common
    doesn't decide which comes first."""
    n = seats.counts[TOUCHED]
    before = np.empty(n, dtype=np.int64)
    now = np.empty(n, dtype=np.int64)
    for i in range(n):
        zone = seats.touched[i]
        before[i] = share(given, zone, seats.zone_before[zone])
        now[i] = share(given, zone, seats.zone_served[zone])
    before.sort()
    now.sort()
    for i in range(n):
        if now[i] != before[i]:
            return 1 if now[i] > before[i] else -1
    return 0


# --- changing, without the log


@inner_loop
def seat(given: Given, seats: Seats, r: int, g: int) -> None:
    stop_waiting(given, seats, r)
    seats.sits[r, GROUP] = g
    after = seats.group[g, FIRST]
    seats.sits[r, NEXT_MEMBER] = after
    seats.sits[r, MEMBER_BEFORE] = NONE
    if after != NONE:
        seats.sits[after, MEMBER_BEFORE] = r
    seats.group[g, FIRST] = r
    seats.group[g, SIZE] += 1
    if not seats.sits[r, PINNED]:
        seats.group[g, STILL_CHANNELS] &= given.request[r, CHANNELS]
        seats.group[g, STILL_LANGUAGES] &= given.request[r, LANGUAGES]
    if seats.start[g, 0] != NONE:
        home = given.request[r, HOME]
        after = seats.seat_first[home]
        seats.sits[r, NEXT_SEAT] = after
        seats.sits[r, SEAT_BEFORE] = NONE
        if after != NONE:
            seats.sits[after, SEAT_BEFORE] = r
        seats.seat_first[home] = r
        if given.request[r, WATCHED]:
            pupil = given.request[r, PUPIL]
            after = seats.mate_first[pupil]
            seats.sits[r, NEXT_MATE] = after
            seats.sits[r, MATE_BEFORE] = NONE
            if after != NONE:
                seats.sits[after, MATE_BEFORE] = r
            seats.mate_first[pupil] = r
    account(given, seats, r, IN)
    settle(given, seats, g)


@inner_loop
def unseat(given: Given, seats: Seats, r: int) -> None:
    """The group is settled by the caller."""
    account(given, seats, r, OUT)
    g = seats.sits[r, GROUP]
    after, before = seats.sits[r, NEXT_MEMBER], seats.sits[r, MEMBER_BEFORE]
    if before == NONE:
        seats.group[g, FIRST] = after
    else:
        seats.sits[before, NEXT_MEMBER] = after
    if after != NONE:
        seats.sits[after, MEMBER_BEFORE] = before
    seats.group[g, SIZE] -= 1
    if seats.start[g, 0] != NONE:
        after, before = seats.sits[r, NEXT_SEAT], seats.sits[r, SEAT_BEFORE]
        if before == NONE:
            seats.seat_first[given.request[r, HOME]] = after
        else:
            seats.sits[before, NEXT_SEAT] = after
        if after != NONE:
            seats.sits[after, SEAT_BEFORE] = before
        if given.request[r, WATCHED]:
            after, before = seats.sits[r, NEXT_MATE], seats.sits[r, MATE_BEFORE]
            if before == NONE:
                seats.mate_first[given.request[r, PUPIL]] = after
            else:
                seats.sits[before, NEXT_MATE] = after
            if after != NONE:
                seats.sits[after, MATE_BEFORE] = before
    seats.sits[r, GROUP] = NONE
    start_waiting(given, seats, r)


@inner_loop
def widen(given: Given, seats: Seats, g: int) -> None:
    """After a member left: the channels and languages that the others leave possible."""
    channels, languages = seats.group[g, OWN_CHANNELS], seats.group[g, OWN_LANGUAGES]
    m = seats.group[g, FIRST]
    while m != NONE:
        if not seats.sits[m, PINNED]:
            channels &= given.request[m, CHANNELS]
            languages &= given.request[m, LANGUAGES]
        m = seats.sits[m, NEXT_MEMBER]
    seats.group[g, STILL_CHANNELS] = channels
    seats.group[g, STILL_LANGUAGES] = languages
    settle(given, seats, g)


@inner_loop
def occupy(given: Given, seats: Seats, g: int, by: int) -> None:
    """Count a group's lessons in, or out of, its tutor's time."""
    t = seats.group[g, TUTOR]
    lessons = given.lessons[seats.group[g, OF_KIND]]
    if seats.counts[COSTED]:
        gives = given.tutor[t, MOST_LESSONS] - seats.gives[t, LESSONS_LEFT]
        seats.value[SPENT] += (gives + by * lessons) ** 2 - gives**2
    seats.gives[t, LESSONS_LEFT] -= by * lessons
    for j in range(lessons):
        start = seats.start[g, j]
        if start == NONE:
            break
        for slot in range(given.tutor[t, SLOTS], given.tutor[t, SLOTS_END]):
            if overlap(given.minute[given.slot_column[slot]], start, given.lesson):
                seats.busy[slot] += by


@inner_loop
def link_group(given: Given, seats: Seats, g: int) -> None:
    """An empty group comes to its tutor."""
    t = seats.group[g, TUTOR]
    after = seats.gives[t, FIRST_GROUP]
    seats.group[g, NEXT_GROUP] = after
    seats.group[g, GROUP_BEFORE] = NONE
    if after != NONE:
        seats.group[after, GROUP_BEFORE] = g
    seats.gives[t, FIRST_GROUP] = g
    seats.group[g, STILL_CHANNELS] = seats.group[g, OWN_CHANNELS]
    seats.group[g, STILL_LANGUAGES] = seats.group[g, OWN_LANGUAGES]
    occupy(given, seats, g, IN)


@inner_loop
def unlink_group(given: Given, seats: Seats, g: int) -> None:
    """An empty group leaves its tutor and the lists."""
    t = seats.group[g, TUTOR]
    after, before = seats.group[g, NEXT_GROUP], seats.group[g, GROUP_BEFORE]
    if before == NONE:
        seats.gives[t, FIRST_GROUP] = after
    else:
        seats.group[before, NEXT_GROUP] = after
    if after != NONE:
        seats.group[after, GROUP_BEFORE] = before
    occupy(given, seats, g, OUT)
    list_group(given, seats, g, NO)
    if seats.counts[COSTED]:
        charge(seats, g, FREE)


# --- changing, with the log


@inlined
def note(seats: Seats, what: int, r: int, g: int) -> None:
    n = seats.counts[LOGGED]
    seats.log[n, 0] = what
    seats.log[n, 1] = r
    seats.log[n, 2] = g
    seats.counts[LOGGED] = n + 1


@inner_loop
def join(given: Given, seats: Seats, r: int, g: int) -> None:
    seat(given, seats, r, g)
    note(seats, JOINED, r, g)


@inner_loop
def leave(given: Given, seats: Seats, r: int) -> None:
    """Take a request out; a group that nobody is left in is closed."""
    g = seats.sits[r, GROUP]
    unseat(given, seats, r)
    note(seats, LEFT, r, g)
    if seats.group[g, SIZE]:
        widen(given, seats, g)
    else:
        unlink_group(given, seats, g)
        note(seats, CLOSED, NONE, g)


@inner_loop
def close(given: Given, seats: Seats, g: int) -> None:
    """Take everybody out into the pool."""
    while seats.group[g, SIZE]:
        r = seats.group[g, FIRST]
        unseat(given, seats, r)
        note(seats, LEFT, r, g)
        seats.pool[seats.counts[TAKEN_OUT]] = r
        seats.counts[TAKEN_OUT] += 1
    unlink_group(given, seats, g)
    note(seats, CLOSED, NONE, g)


@inlined
def new_group(seats: Seats) -> int:
    n = seats.counts[FREE_GROUPS] - 1
    seats.counts[FREE_GROUPS] = n
    return seats.free[n]


@inner_loop
def open_group(given: Given, seats: Seats, t: int, k: int, columns: Ints) -> int:
    """A group without members, at these columns: as many as lessons, or one without a time."""
    g = new_group(seats)
    seats.group[g] = 0
    seats.group[g, TUTOR] = t
    seats.group[g, OF_KIND] = k
    seats.group[g, FIRST] = NONE
    seats.group[g, OWN_CHANNELS] = given.tutor[t, ON_CHANNELS]
    seats.group[g, OWN_LANGUAGES] = given.tutor[t, IN_LANGUAGES]
    seats.start[g] = NONE
    seats.column[g] = NONE
    if columns[0] >= given.columns - TIMELESS:
        seats.column[g, 0] = columns[0]
    else:
        for j in range(given.lessons[k]):
            seats.column[g, j] = columns[j]
            seats.start[g, j] = given.minute[columns[j]]
    link_group(given, seats, g)
    note(seats, OPENED, NONE, g)
    return g


@inner_loop
def undo(given: Given, seats: Seats) -> None:
    for n in range(seats.counts[LOGGED] - 1, -1, -1):
        what, r, g = seats.log[n, 0], seats.log[n, 1], seats.log[n, 2]
        if what == JOINED:
            unseat(given, seats, r)
            widen(given, seats, g)
        elif what == LEFT:
            seat(given, seats, r, g)
        elif what == OPENED:
            unlink_group(given, seats, g)
            seats.free[seats.counts[FREE_GROUPS]] = g
            seats.counts[FREE_GROUPS] += 1
        else:
            link_group(given, seats, g)
    seats.counts[LOGGED] = 0


@inlined
def keep(seats: Seats) -> None:
    for n in range(seats.counts[LOGGED]):
        if seats.log[n, 0] == CLOSED:
            seats.free[seats.counts[FREE_GROUPS]] = seats.log[n, 2]
            seats.counts[FREE_GROUPS] += 1
    seats.counts[LOGGED] = 0


# --- inserting; `only` is the one tutor that will do, or NONE


@inner_loop
def best_seat(given: Given, seats: Seats, r: int, only: int) -> int:
    """A group with a seat for the request, at the column least asked for; or NONE."""
    k = given.request[r, KIND]
    width = seats.column.shape[1]
    best, best_score = NOBODY, FAR
    for i in range(given.request[r, COLUMNS], given.request[r, COLUMNS_END]):
        column = given.home_columns[i]
        head = k * given.columns + column
        node = seats.node_first[head]
        if node == NONE:
            continue
        score = seats.demand[head] * 16 + draw(seats, NOISE)
        if seats.counts[COSTED] and not likes(given, r, column):
            score += 64
        if score >= best_score:
            continue
        while node != NONE:
            g = node // width
            if (only == NONE or seats.group[g, TUTOR] == only) and can_join(given, seats, r, g):
                best, best_score = g, score
                break
            node = seats.node[node, 0]
    return best


@inner_loop
def best_opening(given: Given, seats: Seats, r: int, only: int, columns: Ints) -> int:
    """The tutor with whom, at a free time, most others could join, or NONE; writes the columns."""
    k = given.request[r, KIND]
    lessons = given.lessons[k]
    later = given.columns - TIMELESS
    best, best_score = NOBODY, -FAR
    seats.counts[LOOKS] += 1
    look = seats.counts[LOOKS] & (2**30 - 1)
    for i in range(given.request[r, COLUMNS], given.request[r, COLUMNS_END]):
        column = given.home_columns[i]
        head = given.taught[k] * given.columns + column
        first, n = given.offer_first[head], given.offer_first[head + 1] - given.offer_first[head]
        if not n:
            continue
        known_free = column >= later
        hope = seats.demand[k * given.columns + column]
        o = first
        if n > MOST_OFFERS and only == NONE:
            o += draw(seats, n)
            n = MOST_OFFERS
        for _ in range(n):
            if o == given.offer_first[head + 1]:
                o = first
            t, slot = given.offer_tutor[o], given.offer_slot[o]
            o += 1
            if seats.gives[t, LESSONS_LEFT] < lessons or (slot != NONE and seats.busy[slot]):
                continue
            if (only != NONE and t != only) or not may_teach(given, r, t):
                continue
            if not known_free:
                if not home_is_free(given, seats, r, given.minute[column]):
                    break
                known_free = True
            if lessons > 1 and column < later:
                if seats.gives[t, SEEN] == look:
                    continue
                seats.gives[t, SEEN] = look
                if not spread(given, seats, r, t, columns, NO):
                    continue
            room = most_seats(given, given.tutor[t, ON_CHANNELS] & given.request[r, CHANNELS])
            score = min(hope, 3 * room) * 16 + draw(seats, NOISE)
            if seats.counts[COSTED]:
                gives = given.tutor[t, MOST_LESSONS] - seats.gives[t, LESSONS_LEFT]
                score -= 16 * (2 * gives + 1 + (not likes(given, r, column)))
            if score > best_score:
                best, best_score = t, score
                columns[0] = column
    if best != NONE and lessons > 1 and columns[0] < later:
        spread(given, seats, r, best, columns, YES)
    return best


@inner_loop
def spread(given: Given, seats: Seats, r: int, t: int, columns: Ints, write: bool) -> bool:
    """Whether tutor and household have as many free days as lessons. Writes the start of each
    day that is most asked for, on the days on which that is most, in the order of the week."""
    k = given.request[r, KIND]
    lessons = given.lessons[k]
    best = np.full(7, -1, dtype=np.int64)
    at = np.zeros(7, dtype=np.int64)
    days = 0
    for slot in range(given.tutor[t, SLOTS], given.tutor[t, SLOTS_END]):
        column = given.slot_column[slot]
        if seats.busy[slot] or not has_column(given, r, column):
            continue
        if not home_is_free(given, seats, r, given.minute[column]):
            continue
        day = given.minute[column] // DAY
        score = seats.demand[k * given.columns + column] * 16
        if write:
            score += draw(seats, NOISE)
        if best[day] < 0:
            days += 1
        if score > best[day]:
            best[day] = score
            at[day] = column
    if days < lessons or not write:
        return days >= lessons
    for _ in range(days - lessons):
        worst = NOBODY
        for day in range(7):
            if best[day] >= 0 and (worst == NONE or best[day] < best[worst]):
                worst = day
        best[worst] = -1
    j = 0
    for day in range(7):
        if best[day] >= 0:
            columns[j] = at[day]
            j += 1
    return True


@inner_loop
def fill_group(given: Given, seats: Seats, g: int) -> None:
    """Offer the seats left to those waiting for the same subject and level."""
    k = seats.group[g, OF_KIND]
    if not seats.waits[k]:
        return
    i = draw(seats, seats.waits[k])
    for _ in range(min(seats.waits[k], MOST_ASKED)):
        if seats.group[g, LISTED] != 1 or not seats.waits[k]:
            return
        if i >= seats.waits[k]:
            i = 0
        r = seats.waiting_of[seats.wait_first[k] + i]
        if can_join(given, seats, r, g):
            join(given, seats, r, g)  # another one takes place i
        else:
            i += 1


@inner_loop
def insert(given: Given, seats: Seats, r: int, only: int, columns: Ints) -> bool:
    """Serve the request if that can be while nobody moves."""
    g = best_seat(given, seats, r, only)
    if g != NONE:
        join(given, seats, r, g)
        return True
    t = best_opening(given, seats, r, only, columns)
    if t == NONE:
        return False
    g = open_group(given, seats, t, given.request[r, KIND], columns)
    join(given, seats, r, g)
    fill_group(given, seats, g)
    return True


# --- ruin and recreate


@inner_loop
def some_tutor(given: Given, seats: Seats, r: int) -> int:
    """A tutor who could serve the request, at random; NONE if a few draws find nobody."""
    base = given.taught[given.request[r, KIND]] * given.columns
    first, last = given.request[r, COLUMNS], given.request[r, COLUMNS_END]
    for _ in range(8):
        head = base + given.home_columns[first + draw(seats, last - first)]
        n = given.offer_first[head + 1] - given.offer_first[head]
        if n:
            t = given.offer_tutor[given.offer_first[head] + draw(seats, n)]
            if may_teach(given, r, t):
                return t
    return NOBODY


@inner_loop
def ruin(given: Given, seats: Seats, t: int) -> None:
    """Close about three quarters of a tutor's groups."""
    g = seats.gives[t, FIRST_GROUP]
    while g != NONE:
        after = seats.group[g, NEXT_GROUP]
        if not seats.group[g, FIXED] and draw(seats, DIE):
            close(given, seats, g)
        g = after


@inlined
def recreate(given: Given, seats: Seats, columns: Ints) -> None:
    """Insert those taken out, in a random order."""
    n = seats.counts[TAKEN_OUT]
    for i in range(n):
        j = i + draw(seats, n - i)
        r = seats.pool[j]
        seats.pool[j] = seats.pool[i]
        if seats.sits[r, GROUP] == NONE:
            insert(given, seats, r, NOBODY, columns)


@inlined
def begin(seats: Seats) -> None:
    seats.counts[TAKEN_OUT] = 0
    seats.counts[TOUCHED] = 0
    seats.counts[TRIALS] += 1


@loop
def improve(given: Given, seats: Seats, trials: int, losses: Ints) -> None:
    """Serve more weight. A trial is kept if it loses no more than one drawn from `losses`."""
    columns = np.zeros(8, dtype=np.int64)
    for _ in range(trials):
        if not seats.counts[WAITING]:
            return
        begin(seats)
        before = seats.value[SERVED]
        target = seats.waiting[draw(seats, seats.counts[WAITING])]
        r = target
        for _ in range(1 + draw(seats, TUTORS)):
            t = some_tutor(given, seats, r)
            if t != NONE:
                ruin(given, seats, t)
            if seats.counts[TAKEN_OUT]:
                r = seats.pool[draw(seats, seats.counts[TAKEN_OUT])]
        insert(given, seats, target, NOBODY, columns)
        recreate(given, seats, columns)
        if seats.value[SERVED] >= before - losses[draw(seats, len(losses))]:
            keep(seats)
        else:
            undo(given, seats)


@loop
def insert_all(given: Given, seats: Seats) -> None:
    """Serve everybody who can be while nobody moves."""
    columns = np.zeros(8, dtype=np.int64)
    begin(seats)
    n = seats.counts[WAITING]
    for i in range(n):
        seats.pool[i] = seats.waiting[i]
    for i in range(n):
        if seats.sits[seats.pool[i], GROUP] == NONE:
            insert(given, seats, seats.pool[i], NOBODY, columns)
    keep(seats)


@loop
def refine(given: Given, seats: Seats, trials: int, level: int, targets: Ints) -> None:
    """Improve a level; a trial is kept unless this level, or one above it, is worse off.

    `targets` are the requests worth moving (unused for ZONES: there it is those that wait).
    """
    columns = np.zeros(8, dtype=np.int64)
    for _ in range(trials):
        begin(seats)
        served, kept, spent = seats.value[SERVED], seats.value[KEPT], seats.value[SPENT]
        if level == ZONES:
            if not seats.counts[WAITING]:
                return
            try_zones(given, seats, columns)
        elif level == PREVIOUS_TUTORS:
            try_previous(given, seats, targets[draw(seats, len(targets))], columns)
        else:
            try_cheaper(given, seats, targets[draw(seats, len(targets))], columns)
        gain = seats.value[SERVED] - served
        if not gain:
            gain = zones_gained(given, seats)
        if not gain and level >= PREVIOUS_TUTORS:
            gain = seats.value[KEPT] - kept
        if not gain and level == COSTS:
            gain = spent - seats.value[SPENT]
        if gain >= 0:
            keep(seats)
        else:
            undo(given, seats)


@inlined
def try_zones(given: Given, seats: Seats, columns: Ints) -> None:
    """Seat one who waits in a zone that is badly served, at the expense of others."""
    target, least = NOBODY, FAR
    for _ in range(ZONES_COMPARED):
        r = seats.waiting[draw(seats, seats.counts[WAITING])]
        zone = given.request[r, ZONE]
        now = share(given, zone, seats.zone_served[zone])
        if now < least:
            target, least = r, now
    t = some_tutor(given, seats, target)
    if t != NONE:
        ruin(given, seats, t)
    insert(given, seats, target, NOBODY, columns)
    recreate(given, seats, columns)


@inlined
def try_previous(given: Given, seats: Seats, target: int, columns: Ints) -> None:
    """Bring a request back to its previous tutor."""
    t = given.request[target, PREVIOUS]
    g = seats.sits[target, GROUP]
    if g != NONE:
        if seats.group[g, TUTOR] == t:
            return
        leave(given, seats, target)
    ruin(given, seats, t)
    if not insert(given, seats, target, t, columns):
        insert(given, seats, target, NOBODY, columns)
    recreate(given, seats, columns)


@inlined
def try_cheaper(given: Given, seats: Seats, target: int, columns: Ints) -> None:
    """Seat the pupils of one or two tutors anew, with costs in mind."""
    g = seats.sits[target, GROUP]
    if g == NONE:
        return
    t = seats.group[g, TUTOR]
    if draw(seats, COIN):
        ruin(given, seats, t)
        t = some_tutor(given, seats, target)
        if t != NONE:
            ruin(given, seats, t)
    else:
        seats.pool[0] = target
        seats.counts[TAKEN_OUT] = 1
        leave(given, seats, target)
    recreate(given, seats, columns)


@loop
def keep_account_of_costs(given: Given, seats: Seats) -> None:
    """From now on `value[SPENT]` follows every change; it starts from nothing spent."""
    seats.counts[COSTED] = 1
    seats.value[SPENT] = 0
    for t in range(len(given.tutor)):
        gives = given.tutor[t, MOST_LESSONS] - seats.gives[t, LESSONS_LEFT]
        seats.value[SPENT] += gives**2
        g = seats.gives[t, FIRST_GROUP]
        while g != NONE:
            seats.group[g, COST] = 0
            settle(given, seats, g)
            m = seats.group[g, FIRST]
            while m != NONE:
                seats.value[SPENT] += disliked(given, seats, m)
                m = seats.sits[m, NEXT_MEMBER]
            g = seats.group[g, NEXT_GROUP]


# --- a timetable comes in


@loop
def set_up(
    given: Given,
    seats: Seats,
    groups: Ints,
    starts: Ints,
    columns: Ints,
    member_first: Ints,
    members: Ints,
) -> None:
    """Let everybody wait who can be served, then seat these groups.

    `groups` are rows (tutor, kind, own channels, own languages, fixed, listed), `starts` and
    `columns` those of `Seats`; the members lie end to end.
    """
    for r in range(len(given.request)):
        seats.sits[r, SERVABLE] = servable(given, r)
        start_waiting(given, seats, r)
    seats.counts[TRIALS] += 1
    for i in range(len(groups)):
        g = new_group(seats)
        seats.group[g] = 0
        seats.group[g, TUTOR] = groups[i, 0]
        seats.group[g, OF_KIND] = groups[i, 1]
        seats.group[g, OWN_CHANNELS] = groups[i, 2]
        seats.group[g, OWN_LANGUAGES] = groups[i, 3]
        seats.group[g, FIXED] = groups[i, 4]
        seats.group[g, LISTED] = groups[i, 5]
        seats.group[g, FIRST] = NONE
        seats.start[g] = starts[i]
        seats.column[g] = columns[i]
        link_group(given, seats, g)
        for m in range(member_first[i], member_first[i + 1]):
            seat(given, seats, members[m], g)
    seats.counts[TOUCHED] = 0
