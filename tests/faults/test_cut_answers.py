"""Kannel takes a text, and the answer never comes back: once its receipt is there, all is well."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import CrowdedUrl
from tests.support.faults_figures import FULL, figures
from tests.support.faults_ledger import RECEIPTS
from tests.support.faults_plant import (
    Plant,
    Waits,
    running_plant,
    sends_in,
    waits_for,
)
from tests.support.faults_relay import Answer, Pass, Request
from tests.support.nursery import Nursery
from tests.support.workers import wait_for

BROUGHT_AT_ONCE = 4


@pytest.mark.parametrize(
    ("messages", "seed"),
    [pytest.param(60, 0, id="few"), pytest.param(1000, 1, id="many", marks=FULL)],
)
def test_text_whose_answer_was_cut_is_not_sent_again_after_its_receipt(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, seed: int
) -> None:
    url = crowded(messages)
    row = f"answer cut, {messages} messages, {url.partition(':')[0]}"
    waits = waits_for(messages)
    with (
        running_plant(url, nursery, waits) as plant,
        figures(row, f"seed {seed}", waits.in_words, "half of the receipts late") as found,
    ):
        plant.ledger.watch()
        _cut_every_first_answer(plant)
        with _half_of_the_receipts_late(plant, waits, random.Random(seed)):
            plant.start_workers(2)
            plant.wait_until_settled(seconds=60 + messages / 5)
            wait_for(
                lambda: plant.ledger.states() == {"delivered": messages},
                "receipts are missing",
                seconds=120,
            )
        plant.nursery.end_all()
        after, handings = _handed_after_a_receipt(plant)
        sends = Counter(number for number, _call in sends_in(plant.sending))
        found["handed over after the receipt"] = len(after)
        found["sent twice before it"] = sum(sends.values()) - messages
        assert after == []
        assert sends <= handings
        assert max(plant.arrived.values()) <= 2
        assert len(plant.arrived) == messages


def _handed_after_a_receipt(plant: Plant) -> tuple[list[int], Counter[int]]:
    """The messages whose hand-over committed after a receipt of theirs; all hand-overs."""
    settled: set[int] = set()
    after: list[int] = []
    handings: Counter[int] = Counter()
    for passed in plant.ledger.passed("message"):
        if passed.became in RECEIPTS:
            settled.add(passed.subject)
        elif passed.became == "handing":
            handings[passed.subject] += 1
            if passed.subject in settled:
                after.append(passed.subject)
    return after, handings


def _cut_every_first_answer(plant: Plant) -> None:
    seen: set[str] = set()
    lock = threading.Lock()

    def cut(request: Request, ask: Pass) -> Answer | None:
        with lock:
            is_first = request.headers["x-kannel-to"] not in seen
            seen.add(request.headers["x-kannel-to"])
        answer = ask()
        return None if is_first else answer

    plant.sending.spoil = cut


@contextmanager
def _half_of_the_receipts_late(plant: Plant, waits: Waits, chance: random.Random) -> Iterator[None]:
    """Up to twice as late as we wait; both receipts of a text together.

    Kannel is answered at once, since it brings only so many at a time; the relay brings them later.
    """
    delays: dict[str, float] = {}
    lock = threading.Lock()
    late: list[tuple[float, int, Pass]] = []
    numbers = itertools.count()
    ends = threading.Event()

    def keep(request: Request, ask: Pass) -> Answer:
        with lock:
            longest = 2 * (waits.lease + waits.wait)
            drawn = chance.choice((0.0, chance.uniform(0, longest)))
            delay = delays.setdefault(request.path.partition("&")[0], drawn)
            heapq.heappush(late, (time.monotonic() + delay, next(numbers), ask))
        return Answer(200)

    def bring() -> None:
        while not ends.is_set():
            with lock:
                is_due = bool(late) and late[0][0] <= time.monotonic()
                found = heapq.heappop(late) if is_due else None
            if found is None:
                time.sleep(0.01)
            elif found[2]().status != 200:
                with lock:
                    heapq.heappush(late, (time.monotonic() + 1, found[1], found[2]))

    plant.hooks.spoil = keep
    threads = [threading.Thread(target=bring) for _ in range(BROUGHT_AT_ONCE)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ends.set()
        for thread in threads:
            thread.join()
