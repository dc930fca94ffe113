"""A run too large to be proved by CP-SAT: what its page says meanwhile, and what a cancel keeps."""

from __future__ import annotations

import pytest
from flask import Flask

from app.models import MatchRun, RunState
from app.services import runs
from matching import check, read_plan, read_problem
from tests.support import people
from tests.support.pages import in_english, words
from tests.support.workers import running_worker, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
PUPILS, TUTORS = 1_000, 110
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SUBJECTS = ("maths", "svt", "french")


@pytest.fixture
def region(app: Flask) -> None:
    """So many pupils with an evening or two each, and too few volunteers for them."""
    with app.app_context():
        people.make_programme()
        for number in range(TUTORS):
            people.make_tutor(
                teaches=[(SUBJECTS[number % 3], "3AC"), (SUBJECTS[(number + 1) % 3], "3AC")],
                windows=[f"{DAYS[(number + day) % 7]} 17:00-20:00" for day in (0, 2, 3)],
                most=3,
            )
        for number in range(PUPILS):
            people.make_household(
                pupils=[("Hiba Touil", "3AC", SUBJECTS[number % 3 : number % 3 + 1 + number % 2])],
                channels=[("call", "whatsapp")[number % 2]],
                windows=[
                    f"{DAYS[number % 7]} {17 + number % 3}:30-{19 + number % 3}:00",
                    f"{DAYS[(number + 3) % 7]} 18:00-19:30",
                ],
                zone=f"Zone {number % 12}",
            )


class Watched:
    """A run of a database on which a real worker runs; each look is a new one."""

    def __init__(self, app: Flask, seconds: int) -> None:
        self.app = app
        with app.app_context():
            self.id = runs.start_run(None, seconds=seconds).id

    @property
    def now(self) -> MatchRun:
        with self.app.app_context():
            return runs.get_run(self.id)


def test_large_run_tells_best_bound_and_gap_and_keeps_its_best_when_cancelled(
    app: Flask, region: None, database_url: str
) -> None:
    run = Watched(app, seconds=300)
    client = in_english(app)
    address = f"/coordinator/matching/{run.id}"
    with running_worker(database_url, lease_seconds=15):
        wait_for(
            lambda: run.now.phase == "weight_served" and run.now.bound_weight is not None,
            "the search never says a bound",
            120,
        )
        page = words(client.get(address).text)
        assert "Aim 1 of 4: serve as many as possible" in page
        assert "Could still be served at most" in page
        client.post(f"{address}/cancel")
        wait_for(lambda: run.now.state is RunState.CANCELLED, "the run does not end", 60)
    with app.app_context():
        problem, plan = runs.read_problem(run.id), runs.read_plan(run.id)
    assert check(read_problem(problem), read_plan(plan)) == []
    weight = plan["levels"][0]
    assert 0 < weight["value"] <= weight["bound"]
    page = words(client.get(address).text)
    assert "The search was stopped early" in page
    more = weight["bound"] - weight["value"]
    assert f"at most {more} more points" in page
