"""The loop that ticks: calls what it is given, again and again, until told to stop.

APScheduler holds no truth here (memory store); what is due stands in the database. A tick that is
late runs once, and a tick never overlaps itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from scheduler import clock
from scheduler.clock_watch import ClockWatch

log = logging.getLogger(__name__)
_scheduler_log = logging.getLogger("apscheduler.scheduler")

_LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Tick:
    """A callable and how often it is called; it must come back soon after `stop` is set."""

    name: str
    call: Callable[[threading.Event], None]
    every_seconds: float


def run(ticks: Sequence[Tick], stop: threading.Event, watch: ClockWatch | None = None) -> None:
    """Call every tick at its interval until `stop` is set, then wait for those under way.

    `watch` is one that the ticks look at too.
    """
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(max_workers=max(1, len(ticks)))},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    for tick in ticks:
        scheduler.add_job(
            _guarded(tick, stop),
            _After(tick.every_seconds),
            id=tick.name,
            name=tick.name,
            next_run_time=clock.now(),
        )
    _scheduler_log.setLevel(logging.ERROR)  # a tick that is due while it is busy is no news
    scheduler.start()
    try:
        _follow_clock(scheduler, stop, watch or ClockWatch())
    finally:
        scheduler.remove_all_jobs()  # or one that comes due would find no thread, and say so
        scheduler.shutdown(wait=True)


def _follow_clock(scheduler: BackgroundScheduler, stop: threading.Event, watch: ClockWatch) -> None:
    """Wait for `stop`; whenever the machine's clock was set, tick at once and go on from there.

    APScheduler waits by that clock: set back by an hour, it would hold deliveries up for the hour.
    """
    followed = watch.last_set()
    while not stop.wait(_LOOK_EVERY_SECONDS):
        last_set = watch.last_set()
        if last_set != followed:
            for job in scheduler.get_jobs():
                job.modify(next_run_time=clock.now())
        followed = last_set


class _After(BaseTrigger):  # type: ignore[misc]  # the package has no types
    """So many seconds after now, whenever the last time was.

    APScheduler's own interval counts every time that was missed: a machine that wakes, or whose
    clock is set, three days later would count to a quarter of a million before the first tick.
    """

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return now + self._interval


def _guarded(tick: Tick, stop: threading.Event) -> Callable[[], None]:
    """A failing tick is logged and called again at its next time: the loop outlives it."""

    def call() -> None:
        if stop.is_set():
            return
        try:
            tick.call(stop)
        except Exception:
            log.exception("%s failed; it is called again in %s s", tick.name, tick.every_seconds)

    return call
