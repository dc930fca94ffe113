"""A list that waits between its first pass and the coordinator's yes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.types import UTCDateTime, states


class ListKind(StrEnum):
    PUPILS = "pupils"
    VOLUNTEERS = "volunteers"


class PendingImport(Model):
    """An uploaded file, kept until it is stored or given up, one day at most."""

    __tablename__ = "pending_import"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ListKind] = mapped_column(states(ListKind))
    filename: Mapped[str] = mapped_column(String(255))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("coordinator.id"))
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
