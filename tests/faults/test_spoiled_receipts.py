"""Receipts that come twice, in any order, or not at all: a message's state only ever rises."""

from __future__ import annotations

import random
import re
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.faults.conftest import CrowdedUrl
from tests.support.faults_figures import FULL, figures
from tests.support.faults_ledger import RECEIPTS
from tests.support.faults_plant import Plant, running_plant, waits_for
from tests.support.faults_relay import Answer, Pass, Request
from tests.support.nursery import Nursery
from tests.support.workers import wait_for

DROPPED = 0.05
UNDELIVERED = 0.1
MEANS = {"8": "accepted", "2": "undelivered", "1": "delivered"}


@dataclass
class Pile:
    """The receipts that Kannel brought, kept back."""

    requests: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, request: Request, _ask: Pass) -> Answer:
        with self.lock:
            self.requests.append(request)
        return Answer(200)


@pytest.mark.parametrize(
    ("messages", "seed"),
    [pytest.param(60, 0, id="few"), pytest.param(5000, 1, id="many", marks=FULL)],
)
def test_state_never_falls_whatever_becomes_of_the_receipts(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, seed: int
) -> None:
    url = crowded(messages)
    row = f"receipts spoiled, {messages} messages, {url.partition(':')[0]}"
    waits = waits_for(messages)
    with (
        running_plant(url, nursery, waits) as plant,
        figures(row, f"seed {seed}", waits.in_words, "5 % dropped") as found,
    ):
        plant.ledger.watch()
        pile = Pile()
        plant.hooks.spoil = pile.keep
        plant.start_workers(2)
        wait_for(lambda: len(pile.requests) >= 2 * messages, "receipts are missing", seconds=300)
        plant.wait_until_settled(seconds=60)
        brought = _spoiled(pile.requests, random.Random(seed))
        _bring(plant, brought)
        plant.nursery.end_all()
        falls = [
            passed
            for passed in plant.ledger.passed("message")
            if passed.was in RECEIPTS
            and (
                passed.became not in RECEIPTS
                or RECEIPTS.index(passed.became) < RECEIPTS.index(passed.was)
            )
        ]
        found["receipts brought"] = len(brought)
        found["states seen"] = len(plant.ledger.passed("message"))
        found["falls"] = len(falls)
        assert falls == []
        assert dict(plant.ledger.rows("SELECT id, state FROM message")) == _expected(
            messages, brought
        )
        assert set(plant.arrived.values()) == {1}


def _spoiled(requests: list[Request], chance: random.Random) -> list[Request]:
    """With some made "undelivered" too, one in twenty dropped, the rest up to thrice, shuffled."""
    found = []
    for request in requests:
        variants = [request]
        if chance.random() < UNDELIVERED:
            path = re.sub(r"state=\d+", "state=2", request.path)
            variants.append(Request(request.method, path, request.headers, request.body))
        for variant in variants:
            if chance.random() >= DROPPED:
                found += [variant] * chance.choice((1, 1, 2, 3))
    chance.shuffle(found)
    return found


def _bring(plant: Plant, requests: list[Request]) -> None:
    """Bring them to our pages, eight at a time."""
    with ThreadPoolExecutor(8) as several:
        answers = list(several.map(plant.hooks.ask, requests))
    assert {answer.status for answer in answers} == {200}


def _expected(messages: int, brought: list[Request]) -> dict[int, str]:
    """What the highest receipt that was brought says of each message."""
    said: dict[int, set[str]] = defaultdict(set)
    for request in brought:
        values = parse_qs(urlsplit(request.path).query)
        said[int(values["reference"][0].removeprefix("n9raw-"))].add(MEANS[values["state"][0]])
    return {
        number: max({"accepted"} | said[number], key=RECEIPTS.index)
        for number in range(1, messages + 1)
    }
