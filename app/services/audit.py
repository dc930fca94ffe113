"""The trace that every act on people leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.database import transaction
from app.extensions import db
from app.models import AuditEntry, Coordinator
from scheduler import clock


def note(
    action: str,
    subject: str,
    by: Coordinator | None,
    *,
    pupil_ids: Iterable[int] = (),
    detail: dict[str, Any] | None = None,
) -> None:
    """Add an audit row to the transaction under way. `by` is None for a command or the worker."""
    db.session.add(
        AuditEntry(
            at=clock.now(),
            coordinator_id=None if by is None else by.id,
            action=action,
            subject=subject[:120],
            pupil_ids=sorted(set(pupil_ids)),
            detail=detail or {},
        )
    )


def record_view(page: str, by: Coordinator, pupil_ids: Iterable[int]) -> None:
    """Write, and commit, that `by` was shown these children on the page at this path."""
    with transaction():
        note("view", page, by, pupil_ids=pupil_ids)
