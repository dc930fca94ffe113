"""What makes some days of the year different: days off, Ramadan, weeks of exams."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    ForeignKey,
    SmallInteger,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.group import Group
from app.models.programme import Named
from app.models.types import UTCDateTime, states


class DayOffKind(StrEnum):
    SCHOOL = "school"
    PUBLIC = "public"


class DayOffState(StrEnum):
    PROPOSED = "proposed"
    """Known by calculation alone, such as a day that the moon decides: lessons are still held."""
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    """Lessons are held on it all the same."""


class DayOff(Model, Named):
    """Days within a term on which no lessons are held; both ends are part of it."""

    __tablename__ = "day_off"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="first_before_last"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DayOffKind] = mapped_column(states(DayOffKind))
    state: Mapped[DayOffState] = mapped_column(states(DayOffState))
    first_day: Mapped[date] = mapped_column(Date, index=True)
    last_day: Mapped[date] = mapped_column(Date)
    estimated: Mapped[bool] = mapped_column(default=False)
    """Whether the days came from a calculation that the sight of the moon may correct."""
    key: Mapped[str | None] = mapped_column(String(80), unique=True)
    """What a list of public holidays calls it, with its year; None where a person added it."""
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))

    decided_by: Mapped[Coordinator | None] = relationship()


class PeriodKind(StrEnum):
    RAMADAN = "ramadan"
    EXAMS = "exams"


class ExamEffect(StrEnum):
    SUSPEND = "suspend"
    DOUBLE = "double"


class Period(Model):
    """Weeks in which lessons are held otherwise; both ends are part of it."""

    __tablename__ = "period"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="first_before_last"),
        CheckConstraint(
            "blackout_from BETWEEN 0 AND 1439 AND blackout_until BETWEEN 1 AND 1440"
            " AND blackout_from < blackout_until",
            name="blackout",
        ),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[PeriodKind] = mapped_column(states(PeriodKind))
    name: Mapped[str] = mapped_column(String(80))
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    blackout_from: Mapped[int | None] = mapped_column(SmallInteger)
    """Minutes of the day between which no lesson is held, such as around iftar."""
    blackout_until: Mapped[int | None] = mapped_column(SmallInteger)
    effect: Mapped[ExamEffect | None] = mapped_column(states(ExamEffect))
    level_ids: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    """The levels that sit these exams; None for all."""
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Since when lessons follow it; None while its times are only proposed."""


class PeriodStartsState(StrEnum):
    PROPOSED = "proposed"
    PUBLISHED = "published"
    DISMISSED = "dismissed"


class PeriodStarts(Model):
    """When a group meets in a period, in place of its weekly starts."""

    __tablename__ = "period_starts"

    period_id: Mapped[int] = mapped_column(
        ForeignKey("period.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[int] = mapped_column(
        ForeignKey("tutoring_group.id", ondelete="CASCADE"), primary_key=True
    )
    starts: Mapped[list[list[Any] | None]] = mapped_column(JSON)
    """In the places of the group's own: [day, "HH:MM"], or None for the group's own time, on
    which no lesson is held where the period forbids it. Then those that the period adds."""
    state: Mapped[PeriodStartsState] = mapped_column(states(PeriodStartsState))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))

    period: Mapped[Period] = relationship()
    group: Mapped[Group] = relationship()
    decided_by: Mapped[Coordinator | None] = relationship()
