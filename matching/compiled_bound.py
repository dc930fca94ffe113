"""The compiled loops of the price search (Numba). The arrays are those of `matching.trade`.

Prices and gains are whole numbers, so that sums do not depend on their order; only the length
of a step is worked out in floating point, number by number, and rounded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matching.loops import loop

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float64]

FAR = np.int64(2**62)  # no sum of prices reaches it
DAYS = 7

# What a step remembers of the slopes before, and of their squares.
KEEP, KEEP_SQUARES = 0.9, 0.99
# Added to the root of the mean square: keeps steps short where nothing but noise is left.
CALM = 0.3


@loop
def offers(
    slot_first: Ints,
    slot_column: Ints,
    kind_first: Ints,
    kind_of: Ints,
    manner_first: Ints,
    manner_of: Ints,
    columns: int,
    manners: int,
) -> tuple[Ints, Longs]:
    """For each slot, the keys of the classes it can be used for: (kind, column, manner)."""
    first = np.zeros(len(slot_column) + 1, np.int32)
    for t in range(len(slot_first) - 1):
        each = (kind_first[t + 1] - kind_first[t]) * (manner_first[t + 1] - manner_first[t])
        for s in range(slot_first[t], slot_first[t + 1]):
            first[s + 1] = first[s] + each
    keys = np.empty(first[-1], np.int64)
    n = 0
    for t in range(len(slot_first) - 1):
        for s in range(slot_first[t], slot_first[t + 1]):
            for k in range(kind_first[t], kind_first[t + 1]):
                base = (np.int64(kind_of[k]) * columns + slot_column[s]) * manners
                for m in range(manner_first[t], manner_first[t + 1]):
                    keys[n] = base + manner_of[m]
                    n += 1
    return first, keys


@loop
def ways(
    kind_base: Longs,
    home: Ints,
    seat_first: Ints,
    time_first: Ints,
    time_column: Ints,
    profile: Ints,
    profile_first: Ints,
    profile_manner: Ints,
    manners: int,
    class_key: Longs,
) -> tuple[Ints, Ints]:
    """For each seat, the classes in `class_key` (ascending) it may be had in."""
    first = np.zeros(seat_first[-1] + 1, np.int32)
    found = np.empty(max(16, 2 * seat_first[-1]), np.int32)
    n = 0
    for r in range(len(home)):
        p, end = profile_first[profile[r]], profile_first[profile[r] + 1]
        for q in range(seat_first[r], seat_first[r + 1]):
            column = time_column[time_first[home[r]] + q - seat_first[r]]
            base = (kind_base[r] + column) * manners
            g = np.searchsorted(class_key, base)
            m = p
            while m < end and g < len(class_key) and class_key[g] < base + manners:
                gap = class_key[g] - base - profile_manner[m]
                if gap == 0:
                    if n == len(found):
                        found = np.concatenate((found, np.empty(n, np.int32)))
                    found[n] = g
                    n += 1
                if gap >= 0:
                    m += 1
                if gap <= 0:
                    g += 1
            first[q + 1] = n
    return first, found[:n].copy()


@loop
def turned(first: Ints, of: Ints, size: int) -> tuple[Ints, Ints]:
    """For each of `size` numbers in `of`, the rows that have it, ascending."""
    turned_first = np.zeros(size + 1, np.int32)
    for x in of:
        turned_first[x + 1] += 1
    for x in range(size):
        turned_first[x + 1] += turned_first[x]
    place = turned_first[:-1].copy()
    rows = np.empty(len(of), np.int32)
    for row in range(len(first) - 1):
        for i in range(first[row], first[row + 1]):
            rows[place[of[i]]] = row
            place[of[i]] += 1
    return turned_first, rows


@loop
def seats_from_classes(
    class_price: Longs, way_first: Ints, way_class: Ints, seat: Longs, cheapest: Ints
) -> None:
    """Prices each seat at its cheapest class; those that nobody offers keep their price."""
    for q in range(len(seat)):
        cheapest[q] = -1
        for i in range(way_first[q], way_first[q + 1]):
            g = way_class[i]
            if cheapest[q] < 0 or class_price[g] < seat[q]:
                seat[q] = class_price[g]
                cheapest[q] = g


@loop
def lesson_prices(phone: Longs, time_until: Ints, at_home: Longs) -> None:
    """The price of a phone during a lesson, for each time of each household."""
    for i in range(len(phone)):
        total = np.int64(0)
        for j in range(i, time_until[i]):
            total += phone[j]
        at_home[i] = total


@loop
def cheapest_days(
    q0: int,
    q1: int,
    i0: int,
    lessons: int,
    seat: Longs,
    at_home: Longs,
    time_day: Ints,
    price: Longs,
    at: Longs,
) -> tuple[int, np.int64, np.int64, np.int64]:
    """The cheapest seat of each day into `price` and `at`, the `lessons` cheapest days first;
    how many days there are, their price, and price and seat of lessons without a start."""
    days = 0
    later, later_at = FAR, np.int64(-1)
    for q in range(q0, q1):
        i = i0 + q - q0
        cost = seat[q] + at_home[i]
        if time_day[i] < 0:
            if lessons * cost < later:
                later = lessons * cost
                later_at = np.int64(q)
        elif days > 0 and time_day[i] == time_day[i0 + at[days - 1] - q0]:
            if cost < price[days - 1]:
                price[days - 1] = cost
                at[days - 1] = q
        else:
            price[days] = cost
            at[days] = q
            days += 1
    if days < lessons:
        return days, FAR, later, later_at
    total = np.int64(0)
    for n in range(lessons):
        least = n
        for d in range(n + 1, days):
            if price[d] < price[least]:
                least = d
        price[n], price[least] = price[least], price[n]
        at[n], at[least] = at[least], at[n]
        total += price[n]
    return days, total, later, later_at


@loop
def ask(
    seat: Longs,
    phone: Longs,
    at_home: Longs,
    value: Longs,
    home: Ints,
    lessons: Ints,
    seat_first: Ints,
    time_first: Ints,
    time_day: Ints,
    time_until: Ints,
    phones: Ints,
    taken: Longs,
    used: Longs,
) -> np.int64:
    """What requests and phones gain; `taken` seats, and phones `used` beyond those there are.

    `value` is what the weight of a request is worth, in prices.
    """
    total = np.int64(0)
    for q in range(len(taken)):
        taken[q] = 0
    for h in range(len(phones)):
        for i in range(time_first[h], time_first[h + 1]):
            used[i] = -phones[h]
            if time_day[i] >= 0:
                total += phones[h] * phone[i]
    price, at = np.empty(DAYS, np.int64), np.empty(DAYS, np.int64)
    for r in range(len(home)):
        q0, q1 = seat_first[r], seat_first[r + 1]
        i0 = time_first[home[r]]
        _, timed, later, later_at = cheapest_days(
            q0, q1, i0, lessons[r], seat, at_home, time_day, price, at
        )
        if min(timed, later) >= value[r]:
            continue
        total += value[r] - min(timed, later)
        if later < timed:
            taken[later_at] += lessons[r]
            continue
        for n in range(lessons[r]):
            taken[at[n]] += 1
            i = i0 + at[n] - q0
            for j in range(i, time_until[i]):
                used[j] += 1
    return total


@loop
def lower(
    seat: Longs,
    at_home: Longs,
    value: Longs,
    home: Ints,
    lessons: Ints,
    seat_first: Ints,
    time_first: Ints,
    time_day: Ints,
) -> None:
    """Lowers the price of every seat as far as no request gains by it."""
    price, at = np.empty(DAYS, np.int64), np.empty(DAYS, np.int64)
    by_day = np.empty(DAYS, np.int64)
    for r in range(len(home)):
        q0, q1 = seat_first[r], seat_first[r + 1]
        i0 = time_first[home[r]]
        days, timed, later, _ = cheapest_days(
            q0, q1, i0, lessons[r], seat, at_home, time_day, price, at
        )
        goal = min(timed, later, value[r])
        for day in range(DAYS):
            by_day[day] = 0
        if timed < FAR:
            dearest = price[lessons[r] - 1]
            share = (timed - goal) // lessons[r]
            for d in range(days):
                by_day[time_day[i0 + at[d] - q0]] = min(price[d], dearest) - share
        for q in range(q0, q1):
            i = i0 + q - q0
            if time_day[i] < 0:
                limit = -(-goal // lessons[r])
            else:
                limit = by_day[time_day[i]] - at_home[i]
            seat[q] = max(np.int64(0), min(seat[q], limit))


@loop
def full_lessons(class_price: Longs, class_seats: Ints, worth: Longs) -> None:
    """What a lesson of each class is worth with all of its seats sold at one price."""
    for g in range(len(worth)):
        worth[g] = class_price[g] * class_seats[g]


@loop
def best_members(
    seat: Longs, class_seats: Ints, class_first: Ints, class_seat: Ints, worth: Longs, last: Longs
) -> None:
    """What a lesson of each class is worth with its dearest seats sold, and the `last` of them."""
    most = 0
    for g in range(len(worth)):
        most = max(most, class_seats[g])
    top = np.empty(most, np.int64)
    for g in range(len(worth)):
        worth[g] = 0
        last[g] = 0
        members = class_first[g + 1] - class_first[g]
        if class_seats[g] == members:
            for i in range(class_first[g], class_first[g + 1]):
                worth[g] += seat[class_seat[i]]
            continue
        n = 0
        for i in range(class_first[g], class_first[g + 1]):
            price = seat[class_seat[i]]
            if n < class_seats[g]:
                n += 1
            elif price <= top[n - 1]:
                continue
            place = n - 1
            while place > 0 and top[place - 1] < price:
                top[place] = top[place - 1]
                place -= 1
            top[place] = price
        for i in range(n):
            worth[g] += top[i]
        last[g] = top[n - 1]


@loop
def sell(
    worth: Longs,
    slot_first: Ints,
    slot_before: Ints,
    offer_first: Ints,
    offer_class: Ints,
    most_lessons: Ints,
    given: Longs,
) -> np.int64:
    """What tutors gain by their best lessons; how many of each class are `given`."""
    for g in range(len(given)):
        given[g] = 0
    slots, most = 0, 0
    for t in range(len(most_lessons)):
        timed = slot_first[t + 1] - slot_first[t] - 1
        slots = max(slots, timed)
        most = max(most, min(timed, most_lessons[t]))
    # best[i, n]: of n lessons at the most, within the tutor's first i slots
    best = np.zeros((slots + 1, most + 1), np.int64)
    value, chosen = np.empty(slots + 1, np.int64), np.empty(slots + 1, np.int64)
    total = np.int64(0)
    for t in range(len(most_lessons)):
        s0 = slot_first[t]
        timed = slot_first[t + 1] - s0 - 1
        for s in range(timed + 1):
            value[s] = 0
            chosen[s] = -1
            for i in range(offer_first[s0 + s], offer_first[s0 + s + 1]):
                g = offer_class[i]
                if worth[g] > value[s]:
                    value[s] = worth[g]
                    chosen[s] = g
        width = min(timed, most_lessons[t])
        for s in range(timed):
            before = slot_before[s0 + s]
            for n in range(1, width + 1):
                best[s + 1, n] = max(best[s, n], best[before, n - 1] + value[s])
        number, gain = 0, most_lessons[t] * value[timed]
        for n in range(1, width + 1):
            other = best[timed, n] + (most_lessons[t] - n) * value[timed]
            if other > gain:
                number, gain = n, other
        total += gain
        if chosen[timed] >= 0:
            given[chosen[timed]] += most_lessons[t] - number
        s, n = timed, number
        while s > 0 and n > 0:
            if best[s, n] == best[s - 1, n]:
                s -= 1
            else:
                given[chosen[s - 1]] += 1
                s = slot_before[s0 + s - 1]
                n -= 1
    return total


@loop
def class_slopes(
    taken: Longs, cheapest: Ints, given: Longs, class_seats: Ints, slope: Longs
) -> None:
    """Seats asked of each class beyond those offered."""
    for g in range(len(slope)):
        slope[g] = -given[g] * class_seats[g]
    for q in range(len(taken)):
        if taken[q] > 0 and cheapest[q] >= 0:
            slope[cheapest[q]] += taken[q]


@loop
def seat_slopes(
    seat: Longs,
    last: Longs,
    taken: Longs,
    given: Longs,
    class_seats: Ints,
    class_first: Ints,
    class_seat: Ints,
    slope: Longs,
) -> None:
    """How often each seat is asked beyond how often it is sold."""
    for q in range(len(slope)):
        slope[q] = taken[q]
    for g in range(len(given)):
        if given[g] == 0:
            continue
        open_seats = class_seats[g]
        for i in range(class_first[g], class_first[g + 1]):
            if seat[class_seat[i]] > last[g]:
                slope[class_seat[i]] -= given[g]
                open_seats -= 1
        for i in range(class_first[g], class_first[g + 1]):
            if open_seats > 0 and seat[class_seat[i]] == last[g]:
                slope[class_seat[i]] -= given[g]
                open_seats -= 1


@loop
def move(
    price: Longs,
    slope: Longs,
    mean: Floats,
    square: Floats,
    length: float,
    mean_known: float,
    square_known: float,
    highest: int,
) -> None:
    """One step of all prices: up where more is asked than offered. Each goes by the mean of its
    slopes in units of their usual size (Adam); `*_known` are the shares of the means that are
    not their zero beginning."""
    for i in range(len(price)):
        now = slope[i]
        if price[i] == 0 and now < 0:
            now = np.int64(0)
        mean[i] = KEEP * mean[i] + (1.0 - KEEP) * now
        square[i] = KEEP_SQUARES * square[i] + (1.0 - KEEP_SQUARES) * (now * now)
        step = length * (mean[i] / mean_known) / (np.sqrt(square[i] / square_known) + CALM)
        price[i] = min(highest, max(np.int64(0), price[i] + np.int64(step)))
