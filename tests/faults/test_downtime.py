"""After a day and a half without a worker: what is stale stays, the rest leaves within the rate."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from scheduler import clock
from tests.faults.conftest import CrowdedUrl
from tests.support.faults_figures import FULL, figures
from tests.support.faults_plant import Plant, running_plant, sends_in, waits_for
from tests.support.nursery import Nursery
from tests.support.workers import wait_for

DOWN = timedelta(hours=36)
OF_USE = timedelta(hours=22)
"""From when a reminder of the day before is due until it is of no use."""
WINDOW_SECONDS = 5.0


@pytest.mark.parametrize(
    ("messages", "per_second"),
    [pytest.param(200, 40, id="few"), pytest.param(10_000, 100, id="many", marks=FULL)],
)
def test_after_a_downtime_nothing_stale_leaves_and_the_rest_keeps_the_rate(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, per_second: int
) -> None:
    url = crowded(messages)
    row = f"36 h of downtime, {messages} due, {url.partition(':')[0]}"
    waits = waits_for(messages)
    with (
        running_plant(url, nursery, waits) as plant,
        figures(row, f"rate {per_second}/s, two workers") as found,
    ):
        _let_them_come_due_in_the_past(plant)
        expires = {
            number: plant.ledger.read(at)
            for number, at in plant.ledger.rows("SELECT id, expires_at FROM message")
        }
        of_use = {number for number, at in expires.items() if at > clock.now()}
        wall = clock.now() - timedelta(seconds=time.monotonic())
        plant.start_workers(2, N9RAW_KANNEL_PER_SECOND=str(per_second))
        seconds = 60 + 2 * messages / per_second
        wait_for(lambda: plant.ledger.unsettled() == 0, "messages stay open", seconds=seconds)
        plant.nursery.end_all()
        sends = sends_in(plant.sending)
        stale = [n for n, call in sends if wall + timedelta(seconds=call.began) >= expires[n]]
        most = _most_in_a_window([call.began for _number, call in sends])
        found["sent"] = len(sends)
        found["stale and sent"] = len(stale)
        found["left as expired"] = plant.ledger.states().get("expired", 0)
        found["most a second"] = f"{most / WINDOW_SECONDS:.0f}, over any {WINDOW_SECONDS:.0f} s"
        assert stale == []
        assert {number for number, _call in sends} == of_use
        assert len(sends) == len(of_use)
        assert plant.ledger.states()["expired"] == messages - len(of_use)
        assert most <= per_second * (WINDOW_SECONDS + 1)


def _let_them_come_due_in_the_past(plant: Plant) -> None:
    """Lesson by lesson, the first 36 hours ago and the last now; lessons a day after."""
    now = clock.now()
    lessons = [row[0] for row in plant.ledger.rows("SELECT id FROM lesson ORDER BY id")]
    lesson_of = plant.ledger.rows("SELECT message_id, lesson_id FROM reminder")
    due = {lesson: now - DOWN * (1 - place / len(lessons)) for place, lesson in enumerate(lessons)}
    written = plant.ledger.written
    plant.ledger.change_many(
        "UPDATE lesson SET starts_at = ? WHERE id = ?",
        [(written(at + timedelta(hours=24)), lesson) for lesson, at in due.items()],
    )
    times = [
        (written(due[lesson]), written(due[lesson] + OF_USE), message)
        for message, lesson in lesson_of
    ]
    plant.ledger.change_many(
        "UPDATE reminder SET due_at = ?, expires_at = ? WHERE message_id = ?", times
    )
    plant.ledger.change_many(
        "UPDATE message SET next_try_at = ?, expires_at = ? WHERE id = ?", times
    )
    plant.ledger.change("UPDATE message SET due_at = next_try_at")


def _most_in_a_window(instants: list[float]) -> int:
    instants = sorted(instants)
    most = first = 0
    for place, at in enumerate(instants):
        while instants[first] < at - WINDOW_SECONDS:
            first += 1
        most = max(most, place - first + 1)
    return most
