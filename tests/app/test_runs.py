"""A match run: filed by a coordinator, claimed by one worker, ended once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import AuditEntry, Coordinator, MatchRun, RunState, TutorState
from app.services import runs, solving
from app.services.errors import Conflict, Invalid, NotFound
from app.services.solving import ClaimedRun, ClaimLost, Progress
from scheduler import clock
from tests.support import people

LEASE = 15.0


@pytest.fixture
def coordinator(app: Flask) -> Iterator[Coordinator]:
    """A coordinator of a programme with one tutor and one family."""
    with app.app_context():
        people.make_programme()
        people.make_tutor()
        people.make_household()
        yield people.make_coordinator()


def claim() -> ClaimedRun:
    run = solving.claim_run(LEASE)
    assert run is not None
    return run


def plan_of(run: ClaimedRun) -> dict[str, Any]:
    """A plan that serves nobody, of the right form."""
    return {
        "format": "n9raw-plan/1",
        "objective": {"weight_served": 0},
        "bound": {"weight_served": 3},
        "groups": [],
        "unserved": [
            {"request": request["id"], "reason": "no_tutor", "detail": {}}
            for request in run.problem["requests"]
        ],
    }


def state_of(run_id: int) -> RunState:
    db.session.expire_all()
    return runs.get_run(run_id).state


def test_filed_run_waits_with_its_problem_and_parameters(coordinator: Coordinator) -> None:
    run = runs.start_run(coordinator, seconds=20, seed=7)
    assert (run.state, run.seconds, run.seed, run.iterations) == (RunState.QUEUED, 20, 7, None)
    assert [request["subject"] for request in runs.read_problem(run.id)["requests"]] == ["maths"]
    assert runs.parameters(run)["requested_at"] == run.requested_at.isoformat()


def test_problem_holds_no_name_and_no_number(coordinator: Coordinator) -> None:
    run = runs.start_run(coordinator, seconds=20)
    text = str(runs.read_problem(run.id))
    for private in ("Hiba", "Touil", "Rania", "Mounir", "+212", "example.org"):
        assert private not in text


def test_second_run_waits_for_the_first_to_end(coordinator: Coordinator) -> None:
    first = runs.start_run(coordinator, seconds=20)
    with pytest.raises(Conflict):
        runs.start_run(coordinator, seconds=20)
    runs.cancel_run(first.id, coordinator)
    assert runs.start_run(coordinator, seconds=20).id != first.id


def test_run_needs_a_vetted_tutor_and_a_waiting_request(app: Flask) -> None:
    with app.app_context():
        people.make_programme()
        coordinator = people.make_coordinator()
        people.make_tutor(state=TutorState.REGISTERED)
        with pytest.raises(Invalid):
            runs.start_run(coordinator, seconds=20)
        people.make_tutor()
        people.make_household(consent=False)
        with pytest.raises(Invalid):
            runs.start_run(coordinator, seconds=20)
        assert runs.list_runs(10) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": 4},
        {"seconds": 3601},
        {"seconds": 20, "seed": -1},
        {"seconds": 20, "seed": 2**31},
        {"seconds": 20, "iterations": 0},
    ],
)
def test_parameter_out_of_range_is_refused(coordinator: Coordinator, wrong: dict[str, int]) -> None:
    with pytest.raises(Invalid):
        runs.start_run(coordinator, **wrong)
    assert runs.list_runs(10) == []


def test_run_is_claimed_once_by_many_workers(app: Flask, coordinator: Coordinator) -> None:
    run_id = runs.start_run(coordinator, seconds=20).id
    claimed: list[ClaimedRun] = []
    gate = threading.Barrier(8)

    def work() -> None:
        with app.app_context():
            gate.wait()
            run = solving.claim_run(LEASE)
            if run is not None:
                claimed.append(run)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.id for run in claimed] == [run_id]


def test_run_of_a_silent_worker_is_claimed_again(coordinator: Coordinator) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        runs.start_run(coordinator, seconds=20)
        first = claim()
        time.shift(timedelta(seconds=LEASE))
        assert solving.claim_run(LEASE) is None
        time.shift(timedelta(seconds=1))
        second = claim()
    assert second.id == first.id
    assert second.problem == first.problem


def test_progress_renews_the_lease(coordinator: Coordinator) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        runs.start_run(coordinator, seconds=20)
        run = claim()
        time.shift(timedelta(seconds=LEASE - 1))
        assert not solving.record_progress(run, Progress("zones", 3, 3, 1.5), LEASE)
        time.shift(timedelta(seconds=LEASE - 1))
        assert solving.claim_run(LEASE) is None
    row = runs.get_run(run.id)
    assert (row.phase, row.best_weight, row.bound_weight) == ("zones", 3, 3)


def test_worker_that_lost_its_run_can_write_nothing(coordinator: Coordinator) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        runs.start_run(coordinator, seconds=20)
        lost = claim()
        time.shift(timedelta(seconds=LEASE + 1))
        held = claim()
    for write in (
        lambda: solving.record_progress(lost, Progress("zones", 1, 1, 1.0), LEASE),
        lambda: solving.finish_run(lost, plan_of(lost)),
        lambda: solving.fail_run(lost, "no"),
        lambda: solving.give_back(lost),
    ):
        with pytest.raises(ClaimLost):
            write()
    solving.finish_run(held, plan_of(held))
    assert state_of(held.id) is RunState.DONE


def test_run_lost_three_times_fails(coordinator: Coordinator) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        run_id = runs.start_run(coordinator, seconds=20).id
        for _ in range(3):
            claim()
            time.shift(timedelta(seconds=LEASE + 1))
        assert solving.claim_run(LEASE) is None
    assert state_of(run_id) is RunState.FAILED


def test_run_given_back_is_claimed_at_once_and_counts_no_try(coordinator: Coordinator) -> None:
    run_id = runs.start_run(coordinator, seconds=20).id
    for _ in range(5):
        solving.give_back(claim())
    assert claim().id == run_id


def test_finished_run_has_its_plan_and_is_not_claimed_again(coordinator: Coordinator) -> None:
    runs.start_run(coordinator, seconds=20)
    run = claim()
    assert not runs.get_run(run.id).has_plan
    solving.finish_run(run, plan_of(run))
    assert state_of(run.id) is RunState.DONE
    assert runs.get_run(run.id).has_plan
    assert runs.read_plan(run.id) == plan_of(run)
    assert [entry.reason for entry in runs.get_run(run.id).unserved] == ["no_tutor"]
    assert solving.claim_run(LEASE) is None


def test_failed_run_says_why(coordinator: Coordinator) -> None:
    runs.start_run(coordinator, seconds=20)
    run = claim()
    solving.fail_run(run, "the solver ended with 1")
    assert state_of(run.id) is RunState.FAILED
    assert runs.get_run(run.id).failure == "the solver ended with 1"
    with pytest.raises(NotFound):
        runs.read_plan(run.id)


def test_waiting_run_is_cancelled_at_once(coordinator: Coordinator) -> None:
    run = runs.start_run(coordinator, seconds=20)
    assert runs.cancel_run(run.id, coordinator).state is RunState.CANCELLED
    assert solving.claim_run(LEASE) is None


def test_running_run_is_told_to_stop_and_keeps_its_plan(coordinator: Coordinator) -> None:
    runs.start_run(coordinator, seconds=20)
    run = claim()
    assert runs.cancel_run(run.id, coordinator).state is RunState.RUNNING
    assert solving.record_progress(run, Progress("weight_served", 0, 3, 1.0), LEASE)
    solving.finish_run(run, plan_of(run))
    assert state_of(run.id) is RunState.CANCELLED
    assert runs.read_plan(run.id) == plan_of(run)


def test_cancelled_run_whose_worker_died_is_not_taken_up_again(coordinator: Coordinator) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        runs.start_run(coordinator, seconds=20)
        run = claim()
        runs.cancel_run(run.id, coordinator)
        time.shift(timedelta(seconds=LEASE + 1))
        assert solving.claim_run(LEASE) is None
    assert state_of(run.id) is RunState.CANCELLED


def test_ended_run_cannot_be_cancelled(coordinator: Coordinator) -> None:
    run = runs.start_run(coordinator, seconds=20)
    runs.cancel_run(run.id, coordinator)
    with pytest.raises(Conflict):
        runs.cancel_run(run.id, coordinator)
    with pytest.raises(NotFound):
        runs.cancel_run(999, coordinator)


def test_every_step_of_a_run_leaves_a_trace(coordinator: Coordinator) -> None:
    runs.start_run(coordinator, seconds=20)
    run = claim()
    runs.cancel_run(run.id, coordinator)
    solving.finish_run(run, plan_of(run))
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(e.action, e.coordinator_id) for e in entries if e.subject == f"run:{run.id}"] == [
        ("start_run", coordinator.id),
        ("cancel_run", coordinator.id),
        ("run_cancelled", None),
    ]


def test_run_files_survive_packing(coordinator: Coordinator) -> None:
    document = {"zone": "Aïn Kaïcher", "name": "نقراو", "numbers": [1, 2.5, None]}
    assert runs.unpack(runs.pack(document)) == document
    assert runs.pack(document) == runs.pack(document)


def test_run_is_stored_small(coordinator: Coordinator) -> None:
    run = runs.start_run(coordinator, seconds=20)
    assert db.session.get_one(MatchRun, run.id).problem_gz[:2] == b"\x1f\x8b"
