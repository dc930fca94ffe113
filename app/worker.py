"""The worker: what runs beside the web process, driven by the loop of scheduler/."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app

from app.services import solving
from app.services.delivery import deliver_due
from app.services.imports.pending import delete_stale_imports
from app.services.lessons import keep_lessons
from app.services.outbox import expire_messages
from app.services.solving import ClaimedRun, ClaimLost
from app.solver_process import SolveFailed, SolverProcess
from config import Config
from scheduler import loop
from scheduler.loop import Tick

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 0.5
_REPORT_EVERY_SECONDS = 1.0
_DELIVER_EVERY_SECONDS = 1.0
_EXPIRE_EVERY_SECONDS = 60.0
_LESSONS_EVERY_SECONDS = 3600.0
_STALE_IMPORTS_EVERY_SECONDS = 3600.0
_GRACE_SECONDS = 30.0
"""How long past its time a child may still be writing its plan before it is ended."""


def run_worker(app: Flask) -> None:
    """Do the worker's work until SIGTERM or SIGINT, then put down what is under way."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    loop.run(worker_ticks(app), stop)


def worker_ticks(app: Flask) -> list[Tick]:
    """All that the worker does, each with how often it looks for something to do."""

    def within_app(call: Callable[[threading.Event], object]) -> Callable[[threading.Event], None]:
        def tick(stop: threading.Event) -> None:
            with app.app_context():
                call(stop)

        return tick

    return [
        Tick("solve", within_app(solve_next), _LOOK_EVERY_SECONDS),
        Tick("deliver", within_app(deliver_due), _DELIVER_EVERY_SECONDS),
        Tick("expire messages", within_app(lambda _stop: expire_messages()), _EXPIRE_EVERY_SECONDS),
        Tick("keep lessons", within_app(lambda _stop: keep_lessons()), _LESSONS_EVERY_SECONDS),
        Tick(
            "delete stale imports",
            within_app(lambda _stop: delete_stale_imports()),
            _STALE_IMPORTS_EVERY_SECONDS,
        ),
    ]


def solve_next(stop: threading.Event) -> None:
    """Claim a waiting run and see it to its end; if `stop` is set meanwhile, give it back."""
    config: Config = current_app.config["N9RAW"]
    run = solving.claim_run(config.run_lease_seconds)
    if run is None:
        return
    log.info("match run %s: solving %s requests", run.id, len(run.problem["requests"]))
    try:
        plan = _solve(run, stop, config.run_lease_seconds)
        if plan is None:
            solving.give_back(run)
        else:
            solving.finish_run(run, plan)
    except ClaimLost:
        log.warning("match run %s was taken over by another worker", run.id)
    except SolveFailed as failure:
        log.error("match run %s failed: %s", run.id, failure)
        solving.fail_run(run, str(failure))


def _solve(run: ClaimedRun, stop: threading.Event, lease_seconds: float) -> dict[str, Any] | None:
    """The plan that a child found, and had checked; None if `stop` was set before it had one."""
    deadline = time.monotonic() + run.seconds + _GRACE_SECONDS
    next_report = 0.0
    with SolverProcess(run) as child:
        while not child.ended(within_seconds=0.1):
            now = time.monotonic()
            if stop.is_set():
                return None
            if run.iterations is None and now > deadline:
                raise SolveFailed(f"the solver had not ended {_GRACE_SECONDS:.0f} s past its time")
            if now >= next_report:
                next_report = now + _REPORT_EVERY_SECONDS
                if solving.record_progress(run, child.progress(), lease_seconds):
                    child.ask_to_stop()
        return child.plan()
