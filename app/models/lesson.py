"""Lessons: the dated meetings of a group."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.group import Group
from app.models.household import Household
from app.models.request import TutoringRequest
from app.models.tutor import Tutor
from app.models.types import UTCDateTime, states


class LessonState(StrEnum):
    PLANNED = "planned"
    HELD = "held"
    PUPIL_ABSENT = "pupil_absent"
    NOT_HELD = "not_held"
    CANCELLED = "cancelled"


class Lesson(Model):
    """One dated meeting. Wall time, zone and tz version are kept beside the instant they gave."""

    __tablename__ = "lesson"
    __table_args__ = (
        UniqueConstraint("group_id", "slot_start"),
        CheckConstraint("minutes BETWEEN 15 AND 240", name="minutes"),
        CheckConstraint("version >= 1", name="version"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("tutoring_group.id", ondelete="CASCADE"))
    wall_start: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    """What the family's clock shows at the start; naive."""
    slot_start: Mapped[datetime] = mapped_column(
        DateTime(timezone=False), default=lambda row: row.get_current_parameters()["wall_start"]
    )
    """The weekly slot that it stands for; `wall_start`, until it alone is moved."""
    zone: Mapped[str] = mapped_column(String(64))
    """The IANA name of the family's zone."""
    tz_version: Mapped[str] = mapped_column(String(16))
    """The tz database that `starts_at` was derived with."""
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    minutes: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[LessonState] = mapped_column(states(LessonState), default=LessonState.PLANNED)
    version: Mapped[int] = mapped_column(SmallInteger, default=1)
    """Rises with every change that families must hear of; reminders speak of one version."""
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_reason: Mapped[str | None] = mapped_column(String(500))
    absence_id: Mapped[int | None] = mapped_column(
        ForeignKey("tutor_absence.id", ondelete="SET NULL")
    )
    """The tutor's absence that cancelled it: taken back, it gives the lesson back."""
    note: Mapped[str | None] = mapped_column(String(1000))
    """What the tutor wrote about it."""
    noted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the tutor said whether it was held."""

    substitute_id: Mapped[int | None] = mapped_column(
        ForeignKey("tutor.id", ondelete="SET NULL"), index=True
    )
    """Who gives this one lesson in the place of the group's tutor."""
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When somebody was asked whether it was held, since nobody said."""

    group: Mapped[Group] = relationship()
    substitute: Mapped[Tutor | None] = relationship()

    @property
    def given_by(self) -> Tutor:
        """Who gives it: the group's tutor, or the one who stands in."""
        return self.substitute or self.group.tutor


class Attendance(Model):
    """Whether the pupil of a request was there, as the tutor noted it."""

    __tablename__ = "attendance"

    lesson_id: Mapped[int] = mapped_column(
        ForeignKey("lesson.id", ondelete="CASCADE"), primary_key=True
    )
    request_id: Mapped[int] = mapped_column(
        ForeignKey("tutoring_request.id", ondelete="CASCADE"), primary_key=True
    )
    present: Mapped[bool]

    lesson: Mapped[Lesson] = relationship()
    request: Mapped[TutoringRequest] = relationship()


class LessonAnswer(Model):
    """What a family says of a lesson to come: that it will be there, or can't."""

    __tablename__ = "lesson_answer"

    lesson_id: Mapped[int] = mapped_column(
        ForeignKey("lesson.id", ondelete="CASCADE"), primary_key=True
    )
    household_id: Mapped[int] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), primary_key=True
    )
    coming: Mapped[bool]
    answered_at: Mapped[datetime] = mapped_column(UTCDateTime)

    lesson: Mapped[Lesson] = relationship()
    household: Mapped[Household] = relationship()
