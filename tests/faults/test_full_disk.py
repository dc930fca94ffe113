"""The disk is full, or the database is locked, while messages leave: nothing stays half done.

SQLite runs on a small disk of memory that is filled up. For PostgreSQL a trigger reports what a
full disk reports (53100), since a real one would take the server down with its log.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.faults.conftest import CrowdedUrl
from tests.support.databases import copy_sqlite
from tests.support.faults_figures import FULL, figures
from tests.support.faults_ledger import Ledger
from tests.support.faults_plant import Plant, running_plant, waits_for
from tests.support.nursery import Nursery
from tests.support.workers import wait_for

ROOM_BYTES = 12_000_000
"""How much more than the database the small disk takes, for its log and its index of it."""
SIZES = [
    pytest.param(120, 2, 0, id="few"),
    pytest.param(1500, 10, 1, id="many", marks=FULL),
]

_FULL_DISK = """
CREATE TABLE disk_is_full (since timestamptz);
CREATE FUNCTION report_full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM disk_is_full) THEN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER full_disk AFTER INSERT OR UPDATE ON message
    FOR EACH STATEMENT EXECUTE FUNCTION report_full_disk();
CREATE TRIGGER full_disk AFTER INSERT ON inbound_message
    FOR EACH STATEMENT EXECUTE FUNCTION report_full_disk();
"""


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of memory of so many bytes; a skipped test where it can't be had."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a small disk; install: run the tests as root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("crowded", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("messages", "times", "seed"), SIZES)
def test_full_disk_under_sqlite_leaves_nothing_half_done(
    crowded: CrowdedUrl, nursery: Nursery, tmp_path: Path, messages: int, times: int, seed: int
) -> None:
    source = Path(crowded(messages).removeprefix("sqlite:///"))
    with small_disk(tmp_path / "disk", source.stat().st_size + ROOM_BYTES) as disk:
        url = copy_sqlite(source, disk / "n9raw.db")

        @contextmanager
        def full() -> Iterator[None]:
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(4096))
            yield
            filler.unlink()

        row = f"disk full, {times} times, {messages} messages"
        _trouble(nursery, url, row, lambda _plant, _chance: full(), (times, messages, seed), 1.5)


@pytest.mark.parametrize("crowded", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("messages", "times", "seed"), SIZES)
def test_full_disk_under_postgresql_leaves_nothing_half_done(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, times: int, seed: int
) -> None:
    @contextmanager
    def full(plant: Plant, _chance: random.Random) -> Iterator[None]:
        plant.ledger.change("INSERT INTO disk_is_full VALUES (now())")
        yield
        plant.ledger.change("DELETE FROM disk_is_full")

    url = crowded(messages)
    Ledger(url).change(_FULL_DISK)
    row = f"disk full, {times} times, {messages} messages"
    _trouble(nursery, url, row, full, (times, messages, seed), 1.5)


@pytest.mark.parametrize(("messages", "times", "seed"), SIZES)
def test_locked_database_leaves_nothing_half_done(
    crowded: CrowdedUrl, nursery: Nursery, messages: int, times: int, seed: int
) -> None:
    @contextmanager
    def locked(plant: Plant, chance: random.Random) -> Iterator[None]:
        # Every third time longer than SQLite is waited for (10 s), in the full size.
        seconds = chance.choice((1.0, 3.0, 11.0)) if messages > 1000 else 1.0
        if plant.ledger.is_sqlite:
            assert plant.ledger.url.database
            with closing(sqlite3.connect(plant.ledger.url.database, timeout=60)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                time.sleep(seconds)
                connection.rollback()
        else:
            with closing(psycopg.connect(plant.ledger.plain_url)) as connection:
                connection.execute("LOCK TABLE message, inbound_message IN ACCESS EXCLUSIVE MODE")
                time.sleep(seconds)
                connection.rollback()
        yield

    row = f"database locked, {times} times, {messages} messages"
    _trouble(nursery, crowded(messages), row, locked, (times, messages, seed), 0.0)


def _trouble(
    nursery: Nursery,
    url: str,
    row: str,
    trouble: Callable[[Plant, random.Random], AbstractContextManager[None]],
    numbers: tuple[int, int, int],
    seconds: float,
) -> None:
    """Deliver while there is trouble again and again, each time for so long."""
    times, messages, seed = numbers
    chance = random.Random(seed)
    waits = waits_for(messages)
    with (
        running_plant(url, nursery, waits) as plant,
        figures(f"{row}, {url.partition(':')[0]}", f"seed {seed}", waits.in_words) as found,
    ):
        workers = plant.start_workers(2)
        acknowledged: set[str] = set()
        for each in range(times):
            wanted = (each + 1) * messages // (times + 2)
            wait_for(
                lambda wanted=wanted: len(plant.kannel.arrivals) >= wanted,  # type: ignore[misc]
                "delivery stands still",
                seconds=120,
            )
            with trouble(plant, chance):
                for number in range(5):
                    provider_id = f"trouble-{each}-{number}"
                    if plant.text_in("+212655000000", "hello", provider_id) == 200:
                        acknowledged.add(provider_id)
                    time.sleep(seconds / 5)
        wait_for(lambda: plant.ledger.unsettled() == 0, "messages stay open", seconds=180)
        wait_for(
            lambda: set(plant.ledger.states()) == {"delivered"}, "receipts are missing", seconds=90
        )
        kept = {row[0] for row in plant.ledger.rows("SELECT provider_id FROM inbound_message")}
        arrived = plant.arrived
        found["acknowledged and lost"] = len(acknowledged - kept)
        found["never came"] = messages - len(arrived)
        found["came twice"] = sum(1 for number in arrived.values() if number > 1)
        found["half states"] = len(plant.ledger.half_states())
        assert all(worker.runs for worker in workers)
        assert acknowledged <= kept
        assert len(arrived) == messages
        assert max(arrived.values()) <= 2
        assert plant.ledger.half_states() == []
