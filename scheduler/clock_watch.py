"""Whether the machine's clock was set under a running process.

What is written down as an instant and waited for by the clock, such as a lease, is over at once
where that clock jumps ahead; whoever acts on it asks here first.
"""

from __future__ import annotations

import threading
import time

from scheduler import clock

_SET_BY_SECONDS = 2.0
"""A clock that gains or loses so much between two looks was set."""


class ClockWatch:
    """Compares the clock with the monotonic one at each look; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = _seconds_ahead()
        self._last_set = float("-inf")

    def last_set(self) -> float:
        """When the clock was last seen to have been set, by the monotonic clock; else -infinity."""
        with self._lock:
            ahead = _seconds_ahead()
            if abs(ahead - self._ahead) > _SET_BY_SECONDS:
                self._last_set = time.monotonic()
            self._ahead = ahead
            return self._last_set

    def was_set_within(self, seconds: float) -> bool:
        """Whether the clock was set in the last so many seconds."""
        return time.monotonic() - self.last_set() <= seconds


def _seconds_ahead() -> float:
    return clock.now().timestamp() - time.monotonic()
