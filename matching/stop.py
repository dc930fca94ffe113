"""When to stop: a clock, a count of iterations, a flag, or whichever comes first.

An iteration is a hundredth of a second of CP-SAT's deterministic clock, which counts work
and not time: the same problem and seed stop at the same plan on any day.
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
    def left(self, iterations: float) -> Left:
        """What is left after so many iterations; asked often, and from any thread."""
        ...


class MaxRuntime:
    """Stops so many seconds after it was made."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def left(self, iterations: float) -> Left:
        return Left(seconds=self._deadline - time.monotonic())


class MaxIterations:
    """Stops after so many iterations; reads no clock."""

    def __init__(self, iterations: int) -> None:
        self._iterations = iterations

    def left(self, iterations: float) -> Left:
        return Left(iterations=self._iterations - iterations)


class Cancelled:
    """Stops once somebody called `cancel`."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    def left(self, iterations: float) -> Left:
        return Left(seconds=0) if self._event.is_set() else Left()


class FirstOf:
    """Stops as soon as one of several would."""

    def __init__(self, *stops: Stop) -> None:
        self._stops = stops

    def left(self, iterations: float) -> Left:
        lefts = [stop.left(iterations) for stop in self._stops]
        return Left(
            min((left.seconds for left in lefts), default=math.inf),
            min((left.iterations for left in lefts), default=math.inf),
        )
