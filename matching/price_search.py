"""Prices that prove a low bound on the weight served, by steps along the slope.

Two stages. First each class (kind, time, channel and language) has a price for its seats, and
each household one for its phone at a time; what is asked more than it is offered becomes dearer.
Then each request has a price of its own for its seat, so that a lesson is worth no more than
those few who could really be in it would pay. Rounds involve no clock: the same rounds give the
same prices on any machine.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from matching import compiled_bound as compiled
from matching.bound import Prices, home_times, unpinned_rules
from matching.rules import Rules
from matching.trade import Trade, trade_of

Longs = NDArray[np.int64]

UNIT_BITS = 20  # prices are multiples of 2**-20 of a weight, if sums can't get too large by that
SUM_BITS = 61

CLASS_ROUNDS = 300  # of the stage of classes
FIRST_SEAT_ROUNDS = 200  # of the first cycle of the stage of seats; the next are twice as long
# What is left of the length of a step after each round; some 0.3 percent after a first cycle
CLASS_DECAY, SEAT_DECAY = 0.9795, 0.972
CLASS_STEP, SEAT_STEP = 0.3, 0.1  # the first step, in average weights
FIRST_PRICE = 0.3  # of a seat, in average weights
GAIN = 5_000  # a cycle that lowers the bound by less than this part of it is the last


class _Steps:
    """A stage: prices on the move, and what is remembered of the slopes before."""

    def __init__(self, prices: list[Longs], length: float, decay: float, rounds: int) -> None:
        self.prices = prices
        self.slopes = [np.zeros(len(one), dtype=np.int64) for one in prices]
        self.means = [np.zeros(len(one)) for one in prices]
        self.squares = [np.zeros(len(one)) for one in prices]
        self.length = length
        self.decay = decay
        self.rounds = rounds
        self._mean_left = self._square_left = 1.0

    def move(self, highest: int) -> None:
        self._mean_left *= compiled.KEEP
        self._square_left *= compiled.KEEP_SQUARES
        for i, price in enumerate(self.prices):
            compiled.move(
                price,
                self.slopes[i],
                self.means[i],
                self.squares[i],
                self.length,
                1.0 - self._mean_left,
                1.0 - self._square_left,
                highest,
            )
        self.length *= self.decay
        self.rounds -= 1


class PriceSearch:
    """`step` as often as there is time; `bound` holds at any moment, and `prices` prove it.

    The heavy loops release the interpreter lock, so that a thread of its own can do the rounds;
    `bound` may be read from another one meanwhile. `finished` when more rounds are not worth it,
    and from the beginning if the problem is too large or too odd to price.
    """

    def __init__(self, rules: Rules) -> None:
        rules, self._beyond = unpinned_rules(rules)
        times = [len(times) for times in home_times(rules)]
        seats = sum(times[home] for home in rules.home)
        weight = sum(request.weight for request in rules.requests)
        lessons = sum(request.lessons_per_week for request in rules.requests)
        unit_bits = min(UNIT_BITS, SUM_BITS - (weight * lessons).bit_length())
        self.unit = 1 << max(0, unit_bits)
        self._least = weight * self.unit  # in prices, for all without a pin; everything is free
        self._best_seat: Longs = np.zeros(seats, dtype=np.int64)
        self._best_phone: Longs = np.zeros(sum(times), dtype=np.int64)
        self.rounds = 0
        trade = trade_of(rules) if seats and unit_bits >= 0 else None
        self.finished = trade is None
        if trade is not None:
            self._begin(trade, weight)

    @property
    def bound(self) -> int:
        """No plan serves more weight."""
        return self._beyond + self._least // self.unit

    def prices(self) -> Prices:
        """Those that prove the bound, or a lower one."""
        seat, phone = self._best_seat.copy(), self._best_phone.copy()
        if not self.finished and self._by_class:
            self._price_seats(self._best_class, seat)
            self._lower(seat, phone)
        return Prices(self.unit, seat, phone)

    def step(self, rounds: int = 1) -> None:
        """Move the prices so many times."""
        for _ in range(rounds):
            if self.finished:
                return
            self._round()

    def _begin(self, trade: Trade, weight: int) -> None:
        self.trade = trade
        self.value = trade.weight * self.unit
        self.highest = int(self.value.max())
        self.average = weight * self.unit / len(self.value)
        self._at_home = np.zeros(len(trade.time_day), dtype=np.int64)
        self._taken = np.zeros(len(self._best_seat), dtype=np.int64)
        self._cheapest = np.zeros(len(self._best_seat), dtype=np.int32)
        self._worth = np.zeros(len(trade.class_seats), dtype=np.int64)
        self._last = np.zeros(len(self._worth), dtype=np.int64)
        self._given = np.zeros(len(self._worth), dtype=np.int64)
        # What nobody offers may as well be dear.
        self._best_seat[np.diff(trade.way_first) == 0] = self.highest
        self._by_class = True
        self._cycle, self._before = CLASS_ROUNDS, self._least
        self._best_class = np.zeros(len(self._worth), dtype=np.int64)
        first = np.full(len(self._worth), int(FIRST_PRICE * self.average), dtype=np.int64)
        self._seat = self._best_seat.copy()
        self._steps = _Steps(
            [first, self._best_phone.copy()],
            CLASS_STEP * self.average,
            CLASS_DECAY,
            CLASS_ROUNDS,
        )

    def _round(self) -> None:
        steps = self._steps
        found = self._gains()
        if found < self._least:
            self._least = found
            kept = self._best_class if self._by_class else self._best_seat
            kept[:] = steps.prices[0]
            self._best_phone[:] = steps.prices[1]
        self._find_slopes()
        steps.move(self.highest)
        self.rounds += 1
        if not steps.rounds:
            self._next_cycle()

    def _gains(self) -> int:
        """What all gain at the prices of now; leaves what is asked and sold."""
        trade = self.trade
        price, phone = self._steps.prices
        if self._by_class:
            self._price_seats(price, self._seat)
            compiled.full_lessons(price, trade.class_seats, self._worth)
        else:
            self._seat = price
            compiled.best_members(
                price,
                trade.class_seats,
                trade.class_first,
                trade.class_seat,
                self._worth,
                self._last,
            )
        compiled.lesson_prices(phone, trade.time_until, self._at_home)
        asked = compiled.ask(
            self._seat,
            phone,
            self._at_home,
            self.value,
            trade.home,
            trade.lessons,
            trade.seat_first,
            trade.time_first,
            trade.time_day,
            trade.time_until,
            trade.phones,
            self._taken,
            self._steps.slopes[1],
        )
        sold = compiled.sell(
            self._worth,
            trade.slot_first,
            trade.slot_before,
            trade.offer_first,
            trade.offer_class,
            trade.most_lessons,
            self._given,
        )
        return int(asked + sold)

    def _find_slopes(self) -> None:
        """After `_gains`, which leaves those of the phones."""
        trade, slope = self.trade, self._steps.slopes[0]
        if self._by_class:
            compiled.class_slopes(
                self._taken, self._cheapest, self._given, trade.class_seats, slope
            )
        else:
            compiled.seat_slopes(
                self._seat,
                self._last,
                self._taken,
                self._given,
                trade.class_seats,
                trade.class_first,
                trade.class_seat,
                slope,
            )

    def _next_cycle(self) -> None:
        """From classes to seats; then again and again, each time with twice as many rounds."""
        if self._by_class:
            self._best_seat[:] = self.prices().seat
            self._by_class = False
            rounds, decay = FIRST_SEAT_ROUNDS, SEAT_DECAY
        else:
            if (self._before - self._least) * GAIN < self._least:
                self.finished = True
                return
            rounds, decay = 2 * self._cycle, math.sqrt(self._steps.decay)
        self._before = self._least
        self._cycle = rounds
        prices = [self._best_seat.copy(), self._best_phone.copy()]
        self._steps = _Steps(prices, SEAT_STEP * self.average, decay, rounds)

    def _price_seats(self, class_price: Longs, seat: Longs) -> None:
        trade = self.trade
        compiled.seats_from_classes(
            class_price, trade.way_first, trade.way_class, seat, self._cheapest
        )

    def _lower(self, seat: Longs, phone: Longs) -> None:
        trade = self.trade
        compiled.lesson_prices(phone, trade.time_until, self._at_home)
        compiled.lower(
            seat,
            self._at_home,
            self.value,
            trade.home,
            trade.lessons,
            trade.seat_first,
            trade.time_first,
            trade.time_day,
        )
