"""Notes of coordinators on families and volunteers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.types import UTCDateTime


class Note(Model):
    """What a coordinator wants the others to know of a family or a volunteer."""

    __tablename__ = "note"
    __table_args__ = (
        CheckConstraint("(household_id IS NULL) != (tutor_id IS NULL)", name="about_one"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int | None] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
    tutor_id: Mapped[int | None] = mapped_column(
        ForeignKey("tutor.id", ondelete="CASCADE"), index=True
    )
    text: Mapped[str] = mapped_column(String(2000))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    by: Mapped[Coordinator | None] = relationship()
