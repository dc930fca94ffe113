"""Match runs, as the worker sees them: claiming one, saying how far it is, storing its end.

Who writes to a run must still hold its claim. A worker that falls silent longer than its lease
loses the run to another, and what it says afterwards is refused with ClaimLost.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update

from app.database import transaction
from app.extensions import db
from app.models import (
    Level,
    MatchRun,
    ProposedGroup,
    ProposedSeat,
    RunState,
    Subject,
    UnservedRequest,
)
from app.services import audit
from app.services.runs import pack, unpack
from scheduler import clock

MOST_ATTEMPTS = 3


class ClaimLost(RuntimeError):
    """The run belongs to another worker by now, or has ended."""


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run that this worker holds, with all that solving it takes."""

    id: int
    claim: str
    problem: dict[str, Any]
    seconds: int
    seed: int
    iterations: int | None
    may_move: int | None
    """Set where it is a repair: so many places in force may change."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is. Weights are None while unknown; seconds count from its start."""

    phase: str
    best_weight: int | None
    bound_weight: int | None
    seconds: float


def claim_run(lease_seconds: float) -> ClaimedRun | None:
    """Take the oldest run that waits, or whose worker fell silent; None where there is none.

    A run that was lost with its worker three times fails instead, so that one which exhausts the
    machine does not do so for ever.
    """
    now = clock.now()
    claim = str(uuid.uuid4())
    free = or_(
        MatchRun.state == RunState.QUEUED,
        and_(MatchRun.state == RunState.RUNNING, MatchRun.lease_until < now),
    )
    oldest = (
        select(MatchRun.id)
        .where(free)
        .order_by(MatchRun.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("oldest")
    )
    with transaction():
        run_id = db.session.scalar(
            update(MatchRun)
            .where(MatchRun.id.in_(select(oldest.c.id)))
            .values(
                state=RunState.RUNNING,
                claim=claim,
                lease_until=now + timedelta(seconds=lease_seconds),
                attempts=MatchRun.attempts + 1,
                phase=None,
                best_weight=None,
                bound_weight=None,
                elapsed_seconds=None,
                started_at=now,
            )
            .returning(MatchRun.id)
        )
        if run_id is None:
            return None
        run = db.session.get_one(MatchRun, run_id)
        if run.cancel_requested_at is not None:
            _end(run, RunState.CANCELLED)
            return None
        if run.attempts > MOST_ATTEMPTS:
            _end(run, RunState.FAILED, "The search was lost with its worker three times.")
            return None
        return ClaimedRun(
            id=run.id,
            claim=claim,
            problem=unpack(run.problem_gz),
            seconds=run.seconds,
            seed=run.seed,
            iterations=run.iterations,
            may_move=run.may_move,
        )


def record_progress(run: ClaimedRun, progress: Progress, lease_seconds: float) -> bool:
    """Write how far the run is and renew the lease; True if its coordinator asked to cancel it."""
    with transaction():
        row = _held(run)
        row.phase = progress.phase
        row.best_weight = progress.best_weight
        row.bound_weight = progress.bound_weight
        row.elapsed_seconds = progress.seconds
        row.lease_until = clock.now() + timedelta(seconds=lease_seconds)
        return row.cancel_requested_at is not None


def finish_run(
    run: ClaimedRun, plan: dict[str, Any], window_moves: list[dict[str, Any]] | None = None
) -> None:
    """Store a checked plan and its proposal; the run is done, or cancelled if that was asked.

    `window_moves` are the lines of `matching windows`; None where nobody asked to the end.
    """
    subjects = {row.code: row.id for row in db.session.scalars(select(Subject))}
    levels = {row.code: row.id for row in db.session.scalars(select(Level))}
    with transaction():
        row = _held(run)
        row.plan_gz = pack(plan)
        row.window_moves = window_moves
        row.best_weight = plan["objective"]["weight_served"]
        row.bound_weight = plan["bound"]["weight_served"]
        row.groups = [_group(group, subjects, levels) for group in plan["groups"]]
        row.unserved = [
            UnservedRequest(
                request_id=_number(entry["request"]),
                reason=entry["reason"],
                detail=entry.get("detail", {}),
            )
            for entry in plan["unserved"]
        ]
        cancelled = row.cancel_requested_at is not None
        _end(row, RunState.CANCELLED if cancelled else RunState.DONE)


def fail_run(run: ClaimedRun, why: str) -> None:
    """End a run that could not be solved."""
    with transaction():
        _end(_held(run), RunState.FAILED, why)


def give_back(run: ClaimedRun) -> None:
    """Put a run back in the queue, since this worker is stopping; it does not count as a try."""
    with transaction():
        row = _held(run)
        row.state = RunState.QUEUED
        row.claim = None
        row.lease_until = None
        row.attempts -= 1
        if row.cancel_requested_at is not None:
            _end(row, RunState.CANCELLED)


def _held(run: ClaimedRun) -> MatchRun:
    row = db.session.scalar(
        select(MatchRun)
        .where(
            MatchRun.id == run.id,
            MatchRun.claim == run.claim,
            MatchRun.state == RunState.RUNNING,
        )
        .with_for_update()
    )
    if row is None:
        raise ClaimLost(f"match run {run.id}")
    return row


def _end(row: MatchRun, state: RunState, failure: str | None = None) -> None:
    row.state = state
    row.failure = None if failure is None else failure[:500]
    row.finished_at = clock.now()
    row.claim = None
    row.lease_until = None
    audit.note(f"run_{state.value}", f"run:{row.id}", None)


def _group(
    group: dict[str, Any], subjects: dict[str, int], levels: dict[str, int]
) -> ProposedGroup:
    return ProposedGroup(
        tutor_id=_number(group["tutor"]),
        subject_id=subjects[group["subject"]],
        level_id=levels[group["level"]],
        channel=group["channel"],
        language=group["language"],
        starts=group["starts"],
        seats=[ProposedSeat(request_id=_number(name)) for name in group["requests"]],
    )


def _number(problem_id: str) -> int:
    """The row behind an id of the problem, such as R12."""
    return int(problem_id[1:])
