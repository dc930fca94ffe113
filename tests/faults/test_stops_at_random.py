"""Cancellations and STOPs at random instants around the time when a message leaves.

Which of two commits came first is the database's own word: the order of SQLite's one writer, or
PostgreSQL's commit timestamps. What left is what the relay before Kannel saw.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import pytest

from app import create_app
from app.extensions import db
from app.services import changes
from scheduler import clock
from tests.faults.conftest import CrowdedUrl
from tests.support.databases import make_config
from tests.support.faults_figures import FULL, figures
from tests.support.faults_plant import Plant, running_plant, sends_in, waits_for
from tests.support.nursery import Nursery
from tests.support.workers import wait_for

CANCELLED_A_SECOND, STOPPED_A_SECOND = 10, 30
"""How many messages come due in a second: as many as two cores can stop beside their sending."""
BEGINS_IN_SECONDS = 3.0
AT_ONCE = 6

Act = Callable[[int], None]
"""Stop the message with that id."""


@pytest.mark.parametrize(
    ("messages", "seed"),
    [pytest.param(60, 0, id="few"), pytest.param(2000, 1, id="many", marks=FULL)],
)
def test_nothing_leaves_of_a_lesson_whose_cancellation_committed_first(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, seed: int
) -> None:
    url = crowded(messages, 1)

    @contextmanager
    def cancelling(plant: Plant) -> Iterator[Act]:
        lesson_of = dict(plant.ledger.rows("SELECT message_id, lesson_id FROM reminder"))
        app = create_app(make_config(url))

        def cancel(message: int) -> None:
            with app.app_context():
                changes.cancel_lesson(lesson_of[message], "the road is closed")

        yield cancel
        with app.app_context():
            db.engine.dispose()

    subjects = "SELECT message_id, lesson_id FROM reminder"
    marks = ("lesson", "cancelled", subjects)
    _race(url, nursery, "cancel", cancelling, marks, (messages, seed, CANCELLED_A_SECOND))


@pytest.mark.parametrize(
    ("messages", "seed"),
    [pytest.param(60, 0, id="few"), pytest.param(1000, 1, id="many", marks=FULL)],
)
def test_nothing_leaves_to_a_family_whose_stop_committed_first(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, seed: int
) -> None:
    @contextmanager
    def stopping(plant: Plant) -> Iterator[Act]:
        phone_of = {number: phone for phone, number in plant.messages_by_phone().items()}

        def stop(message: int) -> None:
            assert plant.text_in(phone_of[message], "STOP", f"stop-{message}") == 200

        yield stop

    subjects = "SELECT id, household_id FROM message"
    marks = ("household", "off", subjects)
    sizes = (messages, seed, STOPPED_A_SECOND)
    _race(crowded(messages, 1), nursery, "STOP", stopping, marks, sizes)


def _race(
    url: str,
    nursery: Nursery,
    name: str,
    acting: Callable[[Plant], AbstractContextManager[Act]],
    marks: tuple[str, str, str],
    sizes: tuple[int, int, int],
) -> None:
    what, became, subjects = marks
    messages, seed, a_second = sizes
    chance = random.Random(seed)
    row = f"{name} at random instants, {messages} messages, {url.partition(':')[0]}"
    waits = waits_for(messages)
    with (
        running_plant(url, nursery, waits) as plant,
        figures(row, f"seed {seed}", waits.in_words, f"{a_second} due a second") as found,
    ):
        of_reminders = plant.ledger.rows("SELECT id FROM message ORDER BY id")
        subject_of = dict(plant.ledger.rows(subjects))
        plant.ledger.watch()
        plant.start_workers(2)
        with acting(plant) as act:
            due = _spread(plant, [row[0] for row in of_reminders], a_second)
            _act_around(due, act, chance)

        def stops() -> dict[int, float]:
            return {
                passed.subject: passed.order
                for passed in plant.ledger.passed(what)
                if passed.became == became
            }

        # A text that was kept, and whose meaning could not be carried out, is taken up later.
        wait_for(lambda: len(stops()) == messages, "some were not stopped", seconds=90)
        plant.wait_until_settled(seconds=60)
        plant.nursery.end_all()
        stopped = stops()
        handed: dict[int, float] = {}
        for passed in plant.ledger.passed("message"):
            if passed.became == "handing":
                handed.setdefault(passed.subject, passed.order)
        left = {number for number, _call in sends_in(plant.sending)}
        first = {n for n in due if n not in handed or stopped[subject_of[n]] < handed[n]}
        found["committed first"] = len(first)
        found["of which left"] = len(first & left)
        found["came too late"] = len(due) - len(first)
        assert len(stopped) == len(due) == messages
        assert first & left == set()
        assert set(handed) & set(due) == left & set(due)
        fewest = messages // 50
        assert fewest <= len(first) <= messages - fewest  # both orders were met


def _spread(plant: Plant, messages: list[int], a_second: int) -> dict[int, float]:
    """Have messages come due one after the other; when each does, by the monotonic clock."""
    now, monotonic = clock.now(), time.monotonic()
    due = {number: BEGINS_IN_SECONDS + place / a_second for place, number in enumerate(messages)}
    instants = [
        (plant.ledger.written(now + timedelta(seconds=wait)), number)
        for number, wait in due.items()
    ]
    plant.ledger.change_many("UPDATE message SET next_try_at = ? WHERE id = ?", instants)
    return {number: monotonic + wait for number, wait in due.items()}


def _act_around(due: dict[int, float], act: Act, chance: random.Random) -> None:
    """Stop each message at a random instant between shortly before it is due and soon after."""
    at = sorted((when + chance.uniform(-1.0, 1.5), number) for number, when in due.items())
    lock = threading.Lock()
    queue = iter(at)

    def run() -> None:
        while True:
            with lock:
                found = next(queue, None)
            if found is None:
                return
            time.sleep(max(0.0, found[0] - time.monotonic()))
            act(found[1])

    with ThreadPoolExecutor(AT_ONCE) as several:
        for done in [several.submit(run) for _ in range(AT_ONCE)]:
            done.result()
