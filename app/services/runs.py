"""Match runs, as their coordinators see them: starting one, cancelling one, its files."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, MatchRun, RunState
from app.services import audit
from app.services.errors import Conflict, Invalid, NotFound
from app.services.problem import build_problem
from scheduler import clock

SHORTEST_SECONDS, LONGEST_SECONDS = 5, 3600
MOST_ITERATIONS = 1_000_000
REPAIR_SECONDS = 30
MOST_MOVES = 100
LARGEST_SEED = 2**31 - 1
ACTIVE = (RunState.QUEUED, RunState.RUNNING)
_ONE_FILING_AT_A_TIME = 20_260_920


def start_run(
    by: Coordinator | None, *, seconds: int, seed: int = 0, iterations: int | None = None
) -> MatchRun:
    """File a run for the worker, with the problem as it stands now.

    `seconds` bounds the search by the clock; `iterations`, where given, bounds it by work instead,
    and the same run then gives the same plan to the byte. Invalid where a figure is out of range or
    there is nobody to match; Conflict while another run is under way.
    """
    _check_parameters(seconds, seed, iterations)
    return _file(by, seconds, seed, iterations, None)


def start_repair(
    by: Coordinator | None, *, may_move: int = 0, seconds: int = REPAIR_SECONDS, seed: int = 0
) -> MatchRun:
    """File a repair: what is in force stays, but for `may_move` places at most, and the rest fills.

    Refused like `start_run`, and where the number of moves is out of range.
    """
    _check_parameters(seconds, seed, None)
    if not 0 <= may_move <= MOST_MOVES:
        raise Invalid(_l("The number of families who may move is between 0 and 100."))
    return _file(by, seconds, seed, None, may_move)


def solve_again(run_id: int, by: Coordinator | None) -> MatchRun:
    """File a run like one that has ended, for what holds now: people, pins and vetoes."""
    run = get_run(run_id)
    return _file(by, run.seconds, run.seed, run.iterations, run.may_move)


def _file(
    by: Coordinator | None, seconds: int, seed: int, iterations: int | None, may_move: int | None
) -> MatchRun:
    with transaction(one_at_a_time=_ONE_FILING_AT_A_TIME):
        if db.session.scalar(select(MatchRun.id).where(MatchRun.state.in_(ACTIVE)).limit(1)):
            raise Conflict(_l("A matching is under way. Wait for its end, or cancel it."))
        problem = build_problem()
        _check_people(problem)
        run = MatchRun(
            requested_by_id=None if by is None else by.id,
            requested_at=clock.now(),
            seed=seed,
            seconds=seconds,
            iterations=iterations,
            may_move=may_move,
            problem_gz=pack(problem),
        )
        db.session.add(run)
        db.session.flush()
        audit.note("start_repair" if run.is_repair else "start_run", f"run:{run.id}", by)
    return run


def cancel_run(run_id: int, by: Coordinator | None) -> MatchRun:
    """Ask a run to end now; one under way keeps the best plan that it has."""
    with transaction():
        run = db.session.get(MatchRun, run_id, with_for_update=True)
        if run is None:
            raise NotFound(_l("This matching does not exist."))
        if run.state not in ACTIVE:
            raise Conflict(_l("This matching has ended already."))
        now = clock.now()
        if run.cancel_requested_at is None:
            run.cancel_requested_at = now
            audit.note("cancel_run", f"run:{run.id}", by)
        if run.state is RunState.QUEUED:
            run.state = RunState.CANCELLED
            run.finished_at = now
    return run


def list_runs(most: int) -> list[MatchRun]:
    """The newest runs, the newest first."""
    return list(db.session.scalars(select(MatchRun).order_by(MatchRun.id.desc()).limit(most)))


def newest_run_id() -> int | None:
    """The id of the newest run, if any."""
    return db.session.scalar(select(MatchRun.id).order_by(MatchRun.id.desc()).limit(1))


def newest_finished_run() -> MatchRun | None:
    """The newest run that found something, which can be solved again."""
    return db.session.scalar(
        select(MatchRun)
        .where(MatchRun.has_plan, MatchRun.state.not_in(ACTIVE))
        .order_by(MatchRun.id.desc())
        .limit(1)
    )


def get_run(run_id: int) -> MatchRun:
    """The run of that id; NotFound if there is none."""
    run = db.session.get(MatchRun, run_id)
    if run is None:
        raise NotFound(_l("This matching does not exist."))
    return run


def read_problem(run_id: int) -> dict[str, Any]:
    """The problem that a run was given."""
    return unpack(_with_files(run_id).problem_gz)


def read_plan(run_id: int) -> dict[str, Any]:
    """The plan that a run found; NotFound while there is none."""
    packed = _with_files(run_id).plan_gz
    if packed is None:
        raise NotFound(_l("This matching has no plan."))
    return unpack(packed)


def parameters(run: MatchRun) -> dict[str, Any]:
    """What a run was asked to do, for the file that its coordinator can download."""
    return {
        "run": run.id,
        "seed": run.seed,
        "seconds": run.seconds,
        "iterations": run.iterations,
        "may_move": run.may_move,
        "requested_at": _iso(run.requested_at),
        "started_at": _iso(run.started_at),
        "finished_at": _iso(run.finished_at),
        "state": run.state.value,
    }


def pack(document: dict[str, Any]) -> bytes:
    """A JSON document as it is stored: UTF-8, gzipped, the same bytes for the same document."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


def unpack(packed: bytes) -> dict[str, Any]:
    """The document that `pack` stored."""
    document: dict[str, Any] = json.loads(gzip.decompress(packed))
    return document


def _with_files(run_id: int) -> MatchRun:
    run = db.session.scalar(
        select(MatchRun)
        .where(MatchRun.id == run_id)
        .options(undefer(MatchRun.problem_gz), undefer(MatchRun.plan_gz))
    )
    if run is None:
        raise NotFound(_l("This matching does not exist."))
    return run


def _check_parameters(seconds: int, seed: int, iterations: int | None) -> None:
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise Invalid(_l("Give the search between 5 and 3600 seconds."))
    if not 0 <= seed <= LARGEST_SEED:
        raise Invalid(_l("The seed is a whole number from 0 to 2147483647."))
    if iterations is not None and not 1 <= iterations <= MOST_ITERATIONS:
        raise Invalid(_l("The number of steps is between 1 and 1000000."))


def _check_people(problem: dict[str, Any]) -> None:
    if not problem["tutors"]:
        raise Invalid(_l("No volunteer is vetted yet: vet at least one before matching."))
    if not problem["requests"]:
        raise Invalid(
            _l("No request waits for a match: import pupils whose guardians consent to lessons.")
        )


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
