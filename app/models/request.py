"""What a pupil wants: a subject at a level, so many lessons a week."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.programme import Level, Subject
from app.models.types import UTCDateTime, states

if TYPE_CHECKING:
    from app.models.household import Pupil


class RequestState(StrEnum):
    TO_CONFIRM = "to_confirm"
    WAITING = "waiting"
    SERVED = "served"
    ENDED = "ended"


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
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    pupil: Mapped[Pupil] = relationship(back_populates="requests")
    subject: Mapped[Subject] = relationship()
    level: Mapped[Level] = relationship()
