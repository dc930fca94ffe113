"""What families ask of coordinators at once: worries, first of all on the desk, and calls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.household import Household
from app.models.tutor import Tutor
from app.models.types import UTCDateTime


class Worry(Model):
    """What a family said, and who has dealt with it."""

    __tablename__ = "worry"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
    text: Mapped[str] = mapped_column(String(2000))
    """Empty where the family only asked to be called."""
    reported_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    seen_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))

    household: Mapped[Household] = relationship()
    seen_by: Mapped[Coordinator | None] = relationship()


class CallRequest(Model):
    """A family that asked to be called, and who has called it."""

    __tablename__ = "call_request"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    called_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    called_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    tutor_id: Mapped[int | None] = mapped_column(ForeignKey("tutor.id", ondelete="SET NULL"))
    """The tutor to whom it was passed on, since a lesson was near; coordinators need not call."""
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When somebody was last written to because of it."""

    household: Mapped[Household] = relationship()
    called_by: Mapped[Coordinator | None] = relationship()
    tutor: Mapped[Tutor | None] = relationship()
