"""Workers that are killed with -9 while they deliver through Kannel: nothing lost, little twice."""

from __future__ import annotations

import random
import time

import pytest

from tests.faults.conftest import CrowdedUrl
from tests.support.faults_figures import FULL, figures
from tests.support.faults_plant import (
    IN_FLIGHT,
    Plant,
    running_plant,
    waits_for,
)
from tests.support.nursery import Nursery
from tests.support.workers import wait_for

_IN_DOUBT = "SELECT id FROM message WHERE state = 'failed'"
QUICK = pytest.param(200, 5, 0, id="few")
MANY = [pytest.param(10_000, 100, seed, id=f"many-{seed}", marks=FULL) for seed in range(1, 6)]


@pytest.mark.parametrize(("messages", "kills", "seed"), [QUICK, *MANY])
def test_killed_worker_loses_nothing_and_doubles_only_what_no_receipt_settled(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, kills: int, seed: int
) -> None:
    url = crowded(messages)
    database = url.partition(":")[0]
    row = f"kill -9 of a worker, {messages} messages, {kills} kills, {database}"
    waits = waits_for(messages)
    with (
        running_plant(url, nursery, waits) as plant,
        figures(row, f"seed {seed}", waits.in_words) as found,
    ):
        _kill_and_kill_again(plant, messages, kills, random.Random(seed))
        plant.wait_until_settled(seconds=120)
        plant.nursery.end_all()
        arrived = plant.arrived
        listed = {row[0] for row in plant.ledger.rows(_IN_DOUBT)}
        all_ids = {row[0] for row in plant.ledger.rows("SELECT id FROM message")}
        first, receipts = plant.first_arrivals(), plant.first_receipts()
        twice = {number for number, times in arrived.items() if times > 1}
        settled = {
            number
            for number in twice
            if number in receipts and receipts[number] - first[number] <= waits.wait
        }
        found["lost"] = len(all_ids - set(arrived) - listed)
        found["doubled after a receipt within the wait"] = len(settled)
        found["doubled else"] = len(twice) - len(settled)
        found["listed as in doubt"] = (
            f"{len(listed)}, of which {len(listed - set(arrived))} never came"
        )
        assert len(all_ids) == messages
        assert found["lost"] == 0
        assert settled == set()
        assert max(arrived.values()) <= 2
        assert len(twice) <= kills * IN_FLIGHT
        assert set(plant.ledger.states()) <= {"accepted", "delivered", "failed"}


def _kill_and_kill_again(plant: Plant, messages: int, kills: int, chance: random.Random) -> None:
    plant.start_workers(2)
    for kill in range(kills):
        wanted = (kill + 1) * messages // (kills + 2)
        wait_for(
            lambda wanted=wanted: len(plant.kannel.arrivals) >= wanted,  # type: ignore[misc]
            f"delivery stands still: {plant.ledger.states()}",
            seconds=90,
        )
        time.sleep(chance.uniform(0, 0.05))
        plant.nursery.kill(plant.nursery.workers[0])
        plant.start_worker()
