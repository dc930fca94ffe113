"""A process sees that the clock was set under it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from scheduler import clock
from scheduler.clock_watch import ClockWatch


def test_clock_that_runs_was_not_set() -> None:
    watch = ClockWatch()
    assert not watch.was_set_within(3600)


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=3)])
def test_clock_that_jumps_was_set_for_as_long_as_is_asked(jump: timedelta) -> None:
    with time_machine.travel(clock.now(), tick=True) as traveller:
        watch = ClockWatch()
        traveller.shift(jump)
        assert watch.was_set_within(60)
        assert watch.was_set_within(60)
        assert not watch.was_set_within(0)
    # The right clock again: another jump.
    assert watch.was_set_within(60)
