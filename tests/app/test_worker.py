"""The worker solves runs in a child process, and neither's end loses a run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import psutil
import pytest
from flask import Flask

from app.database import transaction
from app.extensions import db
from app.models import Coordinator, MatchRun, RunState
from app.services import proposals, runs, solving
from app.solver_process import SolveFailed, SolverProcess
from app.worker import solve_next
from tests.support import people
from tests.support.workers import running_worker, solving_child, wait_for


@pytest.fixture
def coordinator(app: Flask) -> Iterator[Coordinator]:
    """A coordinator of a programme with one tutor and one family."""
    with app.app_context():
        people.make_programme()
        people.make_tutor()
        people.make_household()
        yield people.make_coordinator()


@pytest.fixture
def crowd(app: Flask) -> Iterator[Coordinator]:
    """A coordinator of so many that the search takes its whole time."""
    with app.app_context():
        people.make_programme()
        coordinator = people.make_coordinator()
        week = [f"{day} 17:00-21:00" for day in ("mon", "tue", "wed", "thu", "fri")]
        for number in range(12):
            people.make_tutor(
                teaches=[("maths", "3AC"), ("svt", "3AC"), ("french", "3AC")],
                windows=week[number % 5 :],
                channels=["call", "whatsapp", "video"],
                most=4,
            )
        for number in range(70):
            people.make_household(
                pupils=[("Hiba Touil", "3AC", ["maths", "svt", "french"][: 1 + number % 3])],
                channels=["call", "whatsapp", "video"][: 1 + number % 3],
                windows=week[: 1 + number % 5],
                zone=f"Zone {number % 9}",
            )
        yield coordinator


def state_of(run_id: int) -> RunState:
    db.session.rollback()
    db.session.expire_all()
    return runs.get_run(run_id).state


def wait_for_state(run_id: int, state: RunState) -> None:
    wait_for(lambda: state_of(run_id) is state, f"run {run_id} does not become {state}", 60)


def test_run_is_solved_and_its_proposal_stored(coordinator: Coordinator) -> None:
    run_id = runs.start_run(coordinator, seconds=20).id
    solve_next(threading.Event())
    run = runs.get_run(run_id)
    assert run.state is RunState.DONE
    assert [(g.subject.code, g.level.code, len(g.seats)) for g in run.groups] == [
        ("maths", "3AC", 1)
    ]
    assert run.groups[0].starts[0] in (["mon", "18:00"], ["mon", "18:30"], ["mon", "19:00"])
    assert (run.best_weight, run.bound_weight, run.unserved) == (3, 3, [])


def test_run_tells_whose_hours_would_help(coordinator: Coordinator) -> None:
    early = people.make_household(
        pupils=[("Aya Salhi", "3AC", ["maths"])], windows=["mon 16:30-17:30"]
    )
    request_id = early.pupils[0].requests[0].id
    people.make_tutor(windows=["mon 17:30-18:30"])
    run_id = runs.start_run(coordinator, seconds=20).id
    solve_next(threading.Event())
    assert runs.get_run(run_id).window_moves == [
        {
            "household": f"H{early.id}",
            "window": ["mon", "16:30", "17:30"],
            "moved": ["mon", "17:30", "18:30"],
            "adds": 3,
            "requests": [f"R{request_id}"],
        }
    ]
    (move,) = proposals.read_proposal(runs.get_run(run_id)).window_moves
    assert [request.pupil.name for request in move.requests] == ["Aya Salhi"]


def test_plan_is_kept_where_nobody_waits_for_the_hours_that_would_help(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker._WINDOWS_SECONDS", 0.0)
    run_id = runs.start_run(coordinator, seconds=20).id
    solve_next(threading.Event())
    run = runs.get_run(run_id)
    assert (run.state, run.window_moves) == (RunState.DONE, None)
    assert runs.read_plan(run_id)["groups"]


def test_worker_without_a_run_does_nothing(app: Flask) -> None:
    with app.app_context():
        solve_next(threading.Event())
        assert runs.list_runs(10) == []


def test_repeatable_run_gives_the_same_plan_twice(coordinator: Coordinator) -> None:
    plans = []
    for _ in range(2):
        run_id = runs.start_run(coordinator, seconds=20, seed=3, iterations=50).id
        solve_next(threading.Event())
        plans.append(runs.read_plan(run_id))
    assert plans[0] == plans[1]


def test_run_whose_problem_is_broken_fails_with_the_solvers_words(
    coordinator: Coordinator,
) -> None:
    run_id = runs.start_run(coordinator, seconds=20).id
    with transaction():
        run = db.session.get_one(MatchRun, run_id)
        run.problem_gz = runs.pack(runs.unpack(run.problem_gz) | {"lesson_minutes": 0})
    solve_next(threading.Event())
    failed = runs.get_run(run_id)
    assert failed.state is RunState.FAILED
    assert failed.failure is not None
    assert "lesson_minutes" in failed.failure


def test_child_that_is_killed_fails_the_run(crowd: Coordinator) -> None:
    runs.start_run(crowd, seconds=60)
    claimed = solving.claim_run(15)
    assert claimed is not None
    with SolverProcess(claimed) as child:
        solving_child(psutil.Process()).kill()
        assert child.ended(within_seconds=10)
        with pytest.raises(SolveFailed, match="the solver ended with -9"):
            child.plan()


def test_child_is_told_no_setting(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.start_run(coordinator, seconds=20)
    claimed = solving.claim_run(15)
    assert claimed is not None
    for name in ("SECRET_KEY", "DATABASE_URL", "SMTP_URL", "WHATEVER_COMES"):
        monkeypatch.setenv(f"N9RAW_{name}", "not for children")
    with SolverProcess(claimed):
        environment = solving_child(psutil.Process()).environ()
    assert "PATH" in environment
    assert not [name for name in environment if name.startswith("N9RAW_")]


def test_stopping_worker_gives_its_run_back(crowd: Coordinator, database_url: str) -> None:
    run_id = runs.start_run(crowd, seconds=60).id
    with running_worker(database_url) as worker:
        child = solving_child(worker)
        worker.send_signal(signal.SIGTERM)
        # The worker gives a child half a minute: it may be compiling for the first time.
        psutil.wait_procs([worker, child], timeout=45)
        assert not child.is_running()
    assert state_of(run_id) is RunState.QUEUED
    assert runs.get_run(run_id).attempts == 0


def test_killed_worker_takes_its_child_along_and_its_run_is_taken_up_again(
    crowd: Coordinator, database_url: str
) -> None:
    run_id = runs.start_run(crowd, seconds=5).id
    with running_worker(database_url) as worker:
        child = solving_child(worker)
        wait_for_state(run_id, RunState.RUNNING)
        worker.kill()
        psutil.wait_procs([worker, child], timeout=10)
        assert not child.is_running()
    assert state_of(run_id) is RunState.RUNNING
    with running_worker(database_url):
        wait_for_state(run_id, RunState.DONE)
    assert runs.get_run(run_id).attempts == 2
    assert runs.read_plan(run_id)["groups"]


def test_cancelled_search_keeps_the_best_so_far(crowd: Coordinator, database_url: str) -> None:
    run_id = runs.start_run(crowd, seconds=60).id
    with running_worker(database_url) as worker:
        solving_child(worker)
        runs.cancel_run(run_id, crowd)
        wait_for_state(run_id, RunState.CANCELLED)
    plan = runs.read_plan(run_id)
    assert plan["groups"]
    assert plan["seconds"] < 30
