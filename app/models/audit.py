"""The trace: who saw which children, who changed what. Rows are added, never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.types import UTCDateTime


class AuditEntry(Model):
    """One act of one person. A staff page that shows children writes one, with their ids."""

    __tablename__ = "audit_entry"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    coordinator_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    """None where a command of the server's owner or the worker acted."""
    action: Mapped[str] = mapped_column(String(40))
    """Such as "view", "import", "vet", "start_run"."""
    subject: Mapped[str] = mapped_column(String(120))
    """What it was done to: a page's path, "tutor:12", "run:3"."""
    pupil_ids: Mapped[list[int]] = mapped_column(JSON)
    """The children whose records were shown or changed."""
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)

    coordinator: Mapped[Coordinator | None] = relationship()
