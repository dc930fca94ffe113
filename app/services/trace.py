"""Reading the trace."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.extensions import db
from app.models import AuditEntry
from app.services.paging import Page, page_of

PER_PAGE = 100


def read_trace(page_number: int) -> tuple[list[AuditEntry], Page]:
    """One page of the trace, the newest first."""
    total = db.session.scalar(select(func.count()).select_from(AuditEntry)) or 0
    page = page_of(total, page_number, PER_PAGE)
    entries = db.session.scalars(
        select(AuditEntry)
        .options(joinedload(AuditEntry.coordinator))
        .order_by(AuditEntry.id.desc())
        .limit(page.size)
        .offset(page.first)
    )
    return list(entries), page
