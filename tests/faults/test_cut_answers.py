"""Kannel takes a text, and the answer never comes back: once its receipt is there, all is well."""

from __future__ import annotations

import random
import threading
import time

import pytest

from tests.faults.conftest import CrowdedUrl
from tests.support.faults_figures import FULL, figures
from tests.support.faults_nursery import Nursery
from tests.support.faults_plant import (
    LEASE_SECONDS,
    WAIT_SECONDS,
    WAITS_IN_WORDS,
    Plant,
    running_plant,
    sends_in,
)
from tests.support.faults_relay import Answer, Pass, Request
from tests.support.workers import wait_for

ONE_SEND_SECONDS = 0.2
"""How long a text may be on its way to Kannel when its receipt is committed."""


@pytest.mark.parametrize(
    ("messages", "seed"),
    [pytest.param(60, 0, id="few"), pytest.param(1000, 1, id="many", marks=FULL)],
)
def test_text_whose_answer_was_cut_is_not_sent_again_after_its_receipt(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, seed: int
) -> None:
    url = crowded(messages)
    row = f"answer cut, {messages} messages, {url.partition(':')[0]}"
    with (
        running_plant(url, nursery) as plant,
        figures(row, f"seed {seed}", WAITS_IN_WORDS, "half of the receipts late") as found,
    ):
        _cut_every_first_answer(plant)
        _let_half_of_the_receipts_be_late(plant, random.Random(seed))
        plant.start_workers(2)
        plant.wait_until_settled(seconds=60 + messages / 10)
        wait_for(
            lambda: plant.ledger.states() == {"delivered": messages},
            "receipts are missing",
            seconds=60,
        )
        plant.nursery.end_all()
        receipts = plant.first_receipts()
        sends = sends_in(plant.sending)
        after = [
            number
            for number, call in sends
            if number in receipts and call.began > receipts[number] + ONE_SEND_SECONDS
        ]
        found["sent after the receipt"] = len(after)
        found["sent twice before it"] = len(sends) - messages
        assert after == []
        assert max(plant.arrived.values()) <= 2
        assert len(plant.arrived) == messages


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


def _let_half_of_the_receipts_be_late(plant: Plant, chance: random.Random) -> None:
    """Up to twice as late as we wait; both receipts of a text together."""
    delays: dict[str, float] = {}
    lock = threading.Lock()

    def delay(request: Request, ask: Pass) -> Answer | None:
        with lock:
            late = chance.uniform(0, 2 * (LEASE_SECONDS + WAIT_SECONDS))
            delay = delays.setdefault(request.path.partition("&")[0], chance.choice((0.0, late)))
        time.sleep(delay)
        return ask()

    plant.hooks.spoil = delay
