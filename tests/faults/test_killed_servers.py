"""PostgreSQL, Kannel's bearerbox or its smsbox is killed with -9: what was acknowledged stays.

The journal of what was acknowledged is kept outside of the database: what the relays saw answered
with "done". Nobody restarts a worker or our pages; only what was killed is started again.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import CrowdedUrl, fill
from tests.support.databases import migrate
from tests.support.faults_figures import FULL, figures
from tests.support.faults_plant import (
    Plant,
    message_of,
    receipts_in,
    running_plant,
    sends_in,
    waits_for,
)
from tests.support.nursery import Nursery
from tests.support.postgres import DURABLE, killable_server
from tests.support.workers import wait_for

RETRIES = {"N9RAW_RETRY_AT_SECONDS": "1,3,6,10,15,25,40,60,80,100"}
SIZES = [
    pytest.param(150, 2, 0, id="few"),
    pytest.param(3000, 20, 1, id="many", marks=FULL),
]
STRANGER = "+212655000000"


class Journal:
    """Texts that strangers send in while all this happens, and which of them were acknowledged."""

    def __init__(self, plant: Plant, file: Path) -> None:
        self._plant = plant
        self._file = file
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Journal:
        self._file.touch()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def acknowledged(self) -> set[str]:
        return set(self._file.read_text().split())

    def _write(self) -> None:
        number = 0
        with self._file.open("a") as file:
            while not self._stop.wait(0.05):
                number += 1
                provider_id = f"journal-{number}"
                if self._plant.text_in(STRANGER, f"text {number}", provider_id) == 200:
                    file.write(f"{provider_id}\n")
                    file.flush()


@pytest.mark.parametrize(("messages", "kills", "seed"), SIZES)
def test_killed_postgresql_loses_nothing_acknowledged_and_all_goes_on(
    tmp_path: Path, nursery: Nursery, messages: int, kills: int, seed: int
) -> None:
    with killable_server(**DURABLE) as server:
        url = server.url.render_as_string(hide_password=False)
        migrate(url)
        fill(url, messages, 20)

        def kill() -> None:
            server.kill()
            time.sleep(0.2)
            server.start()

        _hold(url, "PostgreSQL", lambda _plant: kill, (nursery, tmp_path), messages, kills, seed)


@pytest.mark.parametrize("crowded", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("messages", "kills", "seed"), SIZES)
@pytest.mark.parametrize("box", ["bearerbox", "smsbox"])
def test_killed_kannel_loses_nothing_acknowledged_and_all_goes_on(
    crowded: CrowdedUrl,
    tmp_path: Path,
    nursery: Nursery,
    messages: int,
    kills: int,
    seed: int,
    box: str,
) -> None:
    def killer(plant: Plant) -> Callable[[], None]:
        kill_it = plant.kannel.kill_bearerbox if box == "bearerbox" else plant.kannel.kill_smsbox

        def kill() -> None:
            kill_it()
            time.sleep(0.2)
            plant.kannel.start()

        return kill

    _hold(crowded(messages), box, killer, (nursery, tmp_path), messages, kills, seed)


def _hold(
    url: str,
    victim: str,
    killer: Callable[[Plant], Callable[[], None]],
    home: tuple[Nursery, Path],
    messages: int,
    kills: int,
    seed: int,
) -> None:
    chance = random.Random(seed)
    nursery, folder = home
    waits = waits_for(messages)
    settings = f"{waits.in_words}, tries again at {RETRIES['N9RAW_RETRY_AT_SECONDS']} s"
    row = f"kill -9 of {victim}, {messages} messages, {kills} kills"
    with (
        running_plant(url, nursery, waits, settings=RETRIES) as plant,
        figures(row, f"seed {seed}", settings) as found,
    ):
        workers = plant.start_workers(2)
        with Journal(plant, folder / "journal") as journal:
            kill = killer(plant)
            for each in range(kills):
                _wait_for_sends(plant, (each + 1) * messages // (kills + 2))
                time.sleep(chance.uniform(0, 0.3))
                kill()
            wait_for(lambda: _is_done(plant), "delivery does not go on", seconds=240)
        found |= _judge(plant, journal)
        assert all(worker.runs for worker in workers)
        assert found["acknowledged and lost"] == 0
        assert found["messages that never came"] == 0
        # What was cut off, or could not be written, waits for its receipt and is handed over again.
        sends = [number for number, call in sends_in(plant.sending) if call.status == 202]
        found["taken by Kannel twice"] = len(sends) - len(set(sends))
        assert max(Counter(sends).values()) <= 2


def _wait_for_sends(plant: Plant, number: int) -> None:
    wait_for(lambda: len(plant.kannel.arrivals) >= number, "delivery stands still", seconds=120)


def _is_done(plant: Plant) -> bool:
    time.sleep(0.5)
    return plant.ledger.unsettled() == 0


def _judge(plant: Plant, journal: Journal) -> dict[str, object]:
    """Hold what was acknowledged against what the database and the fake SMSC have."""
    _let_kannel_finish(plant)
    kept = {row[0] for row in plant.ledger.rows("SELECT provider_id FROM inbound_message")}
    states = dict(plant.ledger.rows("SELECT id, state FROM message"))
    receipts = [(message_of(call), call.values["state"]) for call in receipts_in(plant.hooks)]
    said = {"1": ("delivered",), "8": ("accepted", "undelivered", "delivered")}
    by_phone = plant.messages_by_phone()
    taken = {number for number, call in sends_in(plant.sending) if call.status == 202}
    arrived = {by_phone[to] for to in plant.kannel.texts_by_address if to in by_phone}
    lost = [name for name in journal.acknowledged if name not in kept]
    fallen = [number for number, state in receipts if states[number] not in said[state]]
    return {
        "texts acknowledged": len(journal.acknowledged),
        "receipts acknowledged": len(receipts),
        "texts taken by Kannel": len(taken),
        "acknowledged and lost": len(lost)
        + len(fallen)
        + len(taken & set(by_phone.values()) - arrived),
        "messages that never came": len(set(by_phone.values()) - arrived),
    }


def _let_kannel_finish(plant: Plant) -> None:
    before = -1
    while before != len(plant.hooks.calls) + len(plant.kannel.arrivals):
        before = len(plant.hooks.calls) + len(plant.kannel.arrivals)
        time.sleep(2)
