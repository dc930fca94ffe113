"""The loop that ticks: calls what it is given, again and again, until told to stop.

It holds no truth; what is due stands in the database. A tick that is late runs once, and a tick
never overlaps itself. Waits are by the monotonic clock: a machine's clock that is set back by an
hour must not hold deliveries up for that hour.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tick:
    """A callable and how often it is called; it must come back soon after `stop` is set."""

    name: str
    call: Callable[[threading.Event], None]
    every_seconds: float


def run(ticks: Sequence[Tick], stop: threading.Event) -> None:
    """Call every tick at its interval until `stop` is set, then wait for those under way."""
    threads = [
        threading.Thread(target=_keep_ticking, args=(tick, stop), name=tick.name) for tick in ticks
    ]
    for thread in threads:
        thread.start()
    try:
        stop.wait()
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _keep_ticking(tick: Tick, stop: threading.Event) -> None:
    """A failing tick is logged and called again at its next time: the loop outlives it."""
    next_at = time.monotonic()
    while not stop.is_set():
        try:
            tick.call(stop)
        except Exception:
            log.exception("%s failed; it is called again in %s s", tick.name, tick.every_seconds)
        next_at = max(next_at + tick.every_seconds, time.monotonic())
        stop.wait(next_at - time.monotonic())
