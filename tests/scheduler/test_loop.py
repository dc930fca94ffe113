"""The loop calls its ticks, outlives their failures and ends when told to."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

import pytest
import time_machine

from scheduler import clock, loop


def run_until(stop: threading.Event, *ticks: loop.Tick) -> None:
    thread = threading.Thread(target=loop.run, args=(ticks, stop))
    thread.start()
    assert stop.wait(timeout=10)
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_tick_is_called_again_and_again() -> None:
    stop = threading.Event()
    calls: list[int] = []

    def tick(_stop: threading.Event) -> None:
        calls.append(1)
        if len(calls) == 3:
            stop.set()

    run_until(stop, loop.Tick("count", tick, 0.05))
    assert len(calls) == 3


def test_failing_tick_is_logged_and_called_again(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    calls: list[int] = []

    def tick(_stop: threading.Event) -> None:
        calls.append(1)
        if len(calls) == 2:
            stop.set()
        raise RuntimeError("the database is away")

    with caplog.at_level(logging.ERROR, logger="scheduler.loop"):
        run_until(stop, loop.Tick("deliver", tick, 0.05))
    assert "deliver failed; it is called again in 0.05 s" in caplog.text


def test_slow_tick_never_overlaps_itself() -> None:
    stop = threading.Event()
    under_way = threading.Semaphore(1)
    overlaps: list[int] = []
    calls: list[int] = []

    def tick(_stop: threading.Event) -> None:
        if not under_way.acquire(blocking=False):
            overlaps.append(1)
            return
        threading.Event().wait(0.2)
        calls.append(1)
        if len(calls) == 3:
            stop.set()
        under_way.release()

    run_until(stop, loop.Tick("slow", tick, 0.02))
    assert overlaps == []


def test_loop_waits_for_the_tick_under_way() -> None:
    stop = threading.Event()
    ended = threading.Event()

    def tick(stopping: threading.Event) -> None:
        stopping.set()
        threading.Event().wait(0.2)
        ended.set()

    run_until(stop, loop.Tick("last", tick, 10))
    assert ended.is_set()


def test_three_days_that_were_missed_are_one_tick() -> None:
    stop = threading.Event()
    calls: list[datetime] = []

    def tick(_stop: threading.Event) -> None:
        calls.append(clock.now())
        if len(calls) == 1:
            traveller.shift(timedelta(days=3))
        elif len(calls) == 3:
            stop.set()

    with time_machine.travel(clock.now(), tick=True) as traveller:
        run_until(stop, loop.Tick("deliver", tick, 0.05))
    assert calls[1] - calls[0] >= timedelta(days=3)
    assert calls[2] - calls[1] < timedelta(seconds=5)
