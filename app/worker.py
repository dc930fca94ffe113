"""The worker: what runs beside the web process, driven by the loop of scheduler/."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from flask import Flask, current_app

from app.services import solving
from app.services.days_off import propose_public_holidays
from app.services.delivery import deliver_due
from app.services.departures import bring_tutors_back
from app.services.digests import plan_digests
from app.services.drafts import forget_old_drafts
from app.services.imports.pending import delete_stale_imports
from app.services.inbound import finish_cut_off
from app.services.lessons import keep_lessons
from app.services.new_times import end_old_proposals
from app.services.outbox import expire_messages
from app.services.repairing import put_out
from app.services.silence import ask_whether_held
from app.services.solving import ClaimedRun, ClaimLost
from app.services.substitution import keep_searches
from app.services.vetting import end_expired_vettings
from app.solver_process import SolveFailed, SolverProcess
from config import Config
from scheduler import loop
from scheduler.clock_watch import ClockWatch
from scheduler.ending import stop_when_told
from scheduler.loop import Tick

log = logging.getLogger(__name__)

_HOUR = 3600.0
_SHORT_WORK: Final[tuple[tuple[str, Callable[[], object], float], ...]] = (
    ("finish texts cut off", finish_cut_off, 30.0),
    ("keep searches for substitutes", keep_searches, 60.0),
    ("end old proposals of times", end_old_proposals, 60.0),
    ("ask whether lessons were held", ask_whether_held, 300.0),
    ("digests", plan_digests, 300.0),
    ("keep lessons", keep_lessons, _HOUR),
    ("end expired vettings", end_expired_vettings, _HOUR),
    ("bring volunteers back", bring_tutors_back, _HOUR),
    ("forget old drafts", forget_old_drafts, _HOUR),
    ("delete stale imports", delete_stale_imports, _HOUR),
    ("propose public holidays", propose_public_holidays, 24 * _HOUR),
)
"""What is over soon, and so need not look whether it is to stop: each with its seconds between."""
_SOLVE_EVERY_SECONDS = 0.5
_DELIVER_EVERY_SECONDS = 1.0
_EXPIRE_EVERY_SECONDS = 60.0
_REPORT_EVERY_SECONDS = 1.0
_GRACE_SECONDS = 30.0
"""How long past its time a child may still be writing its plan before it is ended."""
_ROUNDS = 3
"""How often a repair is asked before all places in force are kept."""
_WINDOWS_SECONDS = 60.0
"""How long to look for families' hours that would help, after the plan is there."""


def run_worker(app: Flask) -> None:
    """Do the worker's work until SIGTERM or SIGINT, then put down what is under way."""
    stop = threading.Event()
    stop_when_told(stop)
    watch = ClockWatch()
    loop.run(_ticks(app, watch), stop, watch)


def _ticks(app: Flask, watch: ClockWatch) -> list[Tick]:
    """All that the worker does, each with how often it looks for something to do."""

    def within_app(call: Callable[[threading.Event], object]) -> Callable[[threading.Event], None]:
        def tick(stop: threading.Event) -> None:
            with app.app_context():
                call(stop)

        return tick

    def without_stop(call: Callable[[], object]) -> Callable[[threading.Event], object]:
        return lambda _stop: call()

    return [
        Tick("solve", within_app(solve_next), _SOLVE_EVERY_SECONDS),
        Tick("deliver", within_app(lambda stop: deliver_due(stop, watch)), _DELIVER_EVERY_SECONDS),
        Tick(
            "expire messages",
            within_app(without_stop(lambda: expire_messages(watch))),
            _EXPIRE_EVERY_SECONDS,
        ),
        *(Tick(name, within_app(without_stop(call)), every) for name, call, every in _SHORT_WORK),
    ]


def solve_next(stop: threading.Event) -> None:
    """Claim a waiting run and see it to its end; if `stop` is set meanwhile, give it back."""
    config: Config = current_app.config["N9RAW"]
    run = solving.claim_run(config.run_lease_seconds)
    if run is None:
        return
    log.info("match run %s: solving %s requests", run.id, len(run.problem["requests"]))
    try:
        found = _solve(run, stop, config.run_lease_seconds)
        if found is None:
            solving.give_back(run)
        else:
            solving.finish_run(run, *found)
    except ClaimLost:
        log.warning("match run %s was taken over by another worker", run.id)
    except SolveFailed as failure:
        log.error("match run %s failed: %s", run.id, failure)
        solving.fail_run(run, str(failure))


Found = tuple[dict[str, Any], list[dict[str, Any]] | None]
"""A plan, and whose hours would help; None where nobody asked to the end."""


def _solve(run: ClaimedRun, stop: threading.Event, lease_seconds: float) -> Found | None:
    """What a child found, and had checked; None if `stop` was set before it had a plan.

    A repair that would put somebody out for others is asked again, with those places kept; after a
    few times, or where it is to end now, with all of them.
    """
    in_force = {pin["request"] for pin in run.problem["pins"]}
    staying: set[str] = set()
    rounds = 0
    while True:
        with SolverProcess(run, staying) as child:
            asked_to_end = _wait_for_plan(run, child, stop, lease_seconds)
            if asked_to_end is None:
                return None
            plan = child.plan()
            out = put_out(run.problem, plan) - staying
            if run.may_move is None or not out:
                return plan, _windows(run, child, stop, lease_seconds)
        rounds += 1
        staying = in_force if asked_to_end or rounds == _ROUNDS else staying | out


def _wait_for_plan(
    run: ClaimedRun, child: SolverProcess, stop: threading.Event, lease_seconds: float
) -> bool | None:
    """Whether the search was asked to end; None if `stop` was set before it had ended."""
    deadline = time.monotonic() + run.seconds + _GRACE_SECONDS
    was_asked = False
    for asked_to_end in _until_ended(run, child, lease_seconds):
        if stop.is_set():
            return None
        if run.iterations is None and time.monotonic() > deadline:
            raise SolveFailed(f"the solver had not ended {_GRACE_SECONDS:.0f} s past its time")
        if asked_to_end:
            was_asked = True
            child.ask_to_stop()
    return was_asked


def _windows(
    run: ClaimedRun, child: SolverProcess, stop: threading.Event, lease_seconds: float
) -> list[dict[str, Any]] | None:
    """Whose hours would help; a courtesy, so that no plan waits for it longer than told."""
    deadline = time.monotonic() + _WINDOWS_SECONDS
    child.look_for_windows()
    for asked_to_end in _until_ended(run, child, lease_seconds):
        if asked_to_end or stop.is_set() or time.monotonic() > deadline:
            return None
    return child.windows()


def _until_ended(run: ClaimedRun, child: SolverProcess, lease_seconds: float) -> Iterator[bool]:
    """Report how far the child is until it has ended; each time, whether the run is to end now."""
    next_report = 0.0
    while not child.ended(within_seconds=0.1):
        asked_to_end = False
        if time.monotonic() >= next_report:
            next_report = time.monotonic() + _REPORT_EVERY_SECONDS
            asked_to_end = solving.record_progress(run, child.progress(), lease_seconds)
        yield asked_to_end
