"""When to stop: a clock, a count of iterations, a flag, a gap, or whichever comes first.

An iteration is a hundredth of a second of CP-SAT's deterministic clock, which counts work and
not time, or a hundred trials of the local search: the same problem and seed stop at the same plan
on any day.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Left:
    """What may still be spent; infinite where nothing limits it."""

    seconds: float = math.inf
    iterations: float = math.inf

    @property
    def nothing(self) -> bool:
        return self.seconds <= 0 or self.iterations <= 0


class Stop(Protocol):
    def left(self, iterations: float, weight: int | None = None, bound: int | None = None) -> Left:
        """What is left after so many iterations; asked often, and from any thread.

        `weight` is what the best plan so far serves, `bound` what no plan exceeds; None where
        they are not known.
        """
        ...


class MaxRuntime:
    """Stops so many seconds after it was made."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def left(self, iterations: float, weight: int | None = None, bound: int | None = None) -> Left:
        return Left(seconds=self._deadline - time.monotonic())


class MaxIterations:
    """Stops after so many iterations; reads no clock."""

    def __init__(self, iterations: int) -> None:
        self._iterations = iterations

    def left(self, iterations: float, weight: int | None = None, bound: int | None = None) -> Left:
        return Left(iterations=self._iterations - iterations)


class Cancelled:
    """Stops once somebody called `cancel`."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    def left(self, iterations: float, weight: int | None = None, bound: int | None = None) -> Left:
        return Left(seconds=0) if self._event.is_set() else Left()


class NoImprovement:
    """Stops once so many iterations have brought no more weight; for one solve only."""

    def __init__(self, iterations: float) -> None:
        self._iterations = iterations
        self._since = 0.0
        self._best: int | None = None

    def left(self, iterations: float, weight: int | None = None, bound: int | None = None) -> Left:
        if weight is not None and (self._best is None or weight > self._best):
            self._best, self._since = weight, iterations
        return Left(iterations=self._iterations - (iterations - self._since))


class Gap:
    """Stops once no plan can serve more than this part more: 0.01 is one per cent of the bound."""

    def __init__(self, part: float) -> None:
        self._part = part

    def left(self, iterations: float, weight: int | None = None, bound: int | None = None) -> Left:
        if weight is None or bound is None or bound - weight > self._part * bound:
            return Left()
        return Left(seconds=0)


class Proved(Gap):
    """Stops once the weight is proved to be the most, without improving the levels below."""

    def __init__(self) -> None:
        super().__init__(0)


class FirstOf:
    """Stops as soon as one of several would."""

    def __init__(self, *stops: Stop) -> None:
        self._stops = stops

    def left(self, iterations: float, weight: int | None = None, bound: int | None = None) -> Left:
        lefts = [stop.left(iterations, weight, bound) for stop in self._stops]
        return Left(
            min((left.seconds for left in lefts), default=math.inf),
            min((left.iterations for left in lefts), default=math.inf),
        )
