"""Groups for tests, made the way they are made: a run that found them, published, accepted.

Each function works inside an app context and commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.extensions import db
from app.models import Group, TutoringRequest
from app.services import groups, publishing, runs, solving

MONDAY_EVENING = (("mon", "18:00"),)


def propose(*proposed: dict[str, Any], impossible_pins: Sequence[dict[str, Any]] = ()) -> int:
    """The id of a finished run that proposes these groups (see `proposal`)."""
    return _finished(runs.start_run(None, seconds=20).id, proposed, impossible_pins)


def proposal(
    tutor_id: int,
    request_ids: Sequence[int],
    *,
    starts: Sequence[tuple[str, str] | None] = MONDAY_EVENING,
    channel: str = "whatsapp",
) -> dict[str, Any]:
    """A group as a plan has it; subject and level are those of the first request."""
    first = db.session.get_one(TutoringRequest, request_ids[0])
    return {
        "id": "G1",
        "tutor": f"T{tutor_id}",
        "subject": first.subject.code,
        "level": first.level.code,
        "channel": channel,
        "language": "darija",
        "starts": [start and list(start) for start in starts],
        "requests": [f"R{number}" for number in request_ids],
    }


def offer_group(
    tutor_id: int,
    request_ids: Sequence[int],
    *,
    starts: Sequence[tuple[str, str] | None] = MONDAY_EVENING,
    channel: str = "whatsapp",
) -> Group:
    """A group that is offered to its tutor."""
    proposed = proposal(tutor_id, request_ids, starts=starts, channel=channel)
    return publishing.publish_run(propose(proposed), None)[0]


def active_group(
    tutor_id: int,
    request_ids: Sequence[int],
    *,
    starts: Sequence[tuple[str, str] | None] = MONDAY_EVENING,
    channel: str = "whatsapp",
) -> Group:
    """A group that its tutor has accepted, with lessons and reminders."""
    offered = offer_group(tutor_id, request_ids, starts=starts, channel=channel)
    return groups.accept_group(offered.id)


def propose_repair(may_move: int, *proposed: dict[str, Any]) -> int:
    """As `propose`, the run being a repair."""
    return _finished(runs.start_repair(None, may_move=may_move).id, proposed, ())


def _finished(
    run_id: int, proposed: Sequence[dict[str, Any]], impossible_pins: Sequence[dict[str, Any]]
) -> int:
    claimed = solving.claim_run(60)
    assert claimed is not None
    asked = [request["id"] for request in claimed.problem["requests"]]
    served = {request for group in proposed for request in group["requests"]}
    solving.finish_run(
        claimed,
        {
            "format": "n9raw-plan/1",
            "objective": {"weight_served": 0},
            "bound": {"weight_served": 0},
            "groups": list(proposed),
            "unserved": [
                {"request": name, "reason": "no_tutor", "detail": {}}
                for name in asked
                if name not in served
            ],
            "impossible_pins": list(impossible_pins),
            "levels": [],
            "advice": [],
            "seconds": 1.0,
        },
    )
    return run_id
