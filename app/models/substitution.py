"""Who gives a lesson in its tutor's place, and the flags that lessons not held raise."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.group import Group
from app.models.lesson import Lesson
from app.models.request import TutoringRequest
from app.models.tutor import Tutor
from app.models.types import UTCDateTime, states


class SubstitutionState(StrEnum):
    ASKING = "asking"
    TAKEN = "taken"
    NOBODY = "nobody"
    """None of those who could said yes in time."""
    ENDED = "ended"
    """The lesson changed otherwise, or its tutor can come after all."""


class Substitution(Model):
    """The search for somebody who gives one lesson that its tutor can't."""

    __tablename__ = "substitution"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id", ondelete="CASCADE"), index=True)
    lesson_version: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[SubstitutionState] = mapped_column(states(SubstitutionState))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime] = mapped_column(UTCDateTime)
    """The instant by which somebody has it, or its family is told."""
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    lesson: Mapped[Lesson] = relationship()
    offers: Mapped[list[SubstitutionOffer]] = relationship(
        back_populates="substitution",
        cascade="all, delete-orphan",
        order_by="SubstitutionOffer.rank",
    )


class OfferState(StrEnum):
    WAITING = "waiting"
    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CLOSED = "closed"
    """Somebody else had it first, or it was no longer needed, or no answer came."""


class SubstitutionOffer(Model):
    """One tutor who could give the lesson, in the order in which they are asked."""

    __tablename__ = "substitution_offer"
    __table_args__ = (
        UniqueConstraint("substitution_id", "tutor_id"),
        Index("ix_substitution_offer_tutor_id", "tutor_id"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    substitution_id: Mapped[int] = mapped_column(ForeignKey("substitution.id", ondelete="CASCADE"))
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor.id", ondelete="CASCADE"))
    rank: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[OfferState] = mapped_column(states(OfferState), default=OfferState.WAITING)
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    substitution: Mapped[Substitution] = relationship(back_populates="offers")
    tutor: Mapped[Tutor] = relationship()


class FlagKind(StrEnum):
    ABSENCES = "absences"
    """A pupil was absent twice in a row."""
    NOT_HELD = "not_held"
    """Three lessons of a group in a row were not held, so its requests wait again."""


class Flag(Model):
    """Something about lessons that a coordinator is to look after."""

    __tablename__ = "flag"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[FlagKind] = mapped_column(states(FlagKind))
    group_id: Mapped[int] = mapped_column(
        ForeignKey("tutoring_group.id", ondelete="CASCADE"), index=True
    )
    request_id: Mapped[int | None] = mapped_column(
        ForeignKey("tutoring_request.id", ondelete="CASCADE")
    )
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id", ondelete="CASCADE"))
    """The newest lesson of those that raised it."""
    raised_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))

    group: Mapped[Group] = relationship()
    request: Mapped[TutoringRequest | None] = relationship()
    lesson: Mapped[Lesson] = relationship()
    closed_by: Mapped[Coordinator | None] = relationship()
