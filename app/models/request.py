"""What a pupil wants: a subject at a level, so many lessons a week."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.programme import Level, Subject
from app.models.types import UTCDateTime, states

if TYPE_CHECKING:
    from app.models.household import Pupil


class RequestState(StrEnum):
    TO_CONFIRM = "to_confirm"
    WAITING = "waiting"
    SERVED = "served"
    ENDED = "ended"


class RequestOrigin(StrEnum):
    STAFF = "staff"
    """A list, or a coordinator by hand."""
    FAMILY = "family"
    """The family's own page."""
    PUBLIC = "public"
    """The page where anyone can ask for help."""


class TutoringRequest(Model):
    """A pupil wants a subject at a level, so many lessons a week."""

    __tablename__ = "tutoring_request"
    __table_args__ = (
        UniqueConstraint("pupil_id", "subject_id"),
        CheckConstraint("lessons_per_week BETWEEN 1 AND 7", name="lessons_per_week"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupil.id", ondelete="CASCADE"))
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"))
    level_id: Mapped[int] = mapped_column(ForeignKey("level.id"))
    lessons_per_week: Mapped[int] = mapped_column(SmallInteger, default=1)
    state: Mapped[RequestState] = mapped_column(states(RequestState), default=RequestState.WAITING)
    origin: Mapped[RequestOrigin] = mapped_column(
        states(RequestOrigin), server_default="staff", default=RequestOrigin.STAFF
    )
    """Who asked; what families ask themselves waits to be confirmed."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(500))

    pupil: Mapped[Pupil] = relationship(back_populates="requests")
    subject: Mapped[Subject] = relationship()
    level: Mapped[Level] = relationship()
    confirmed_by: Mapped[Coordinator | None] = relationship()
