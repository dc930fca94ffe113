"""Groups: a tutor, a subject, a level, a channel, a weekly start, and the requests in it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.programme import Level, Subject
from app.models.request import TutoringRequest
from app.models.tutor import Tutor
from app.models.types import UTCDateTime, states


class GroupState(StrEnum):
    OFFERED = "offered"
    ACTIVE = "active"
    DECLINED = "declined"
    ENDED = "ended"


LIVE_GROUPS = (GroupState.OFFERED, GroupState.ACTIVE)
"""The states in which later runs keep a group as it stands."""


class Group(Model):
    """A published group. It is offered to its tutor, who makes it active by accepting."""

    __tablename__ = "tutoring_group"
    __table_args__ = (Index("ix_tutoring_group_state", "state"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("match_run.id"), index=True)
    """The run that proposed it; None where a coordinator made it by hand."""
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor.id"), index=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"))
    level_id: Mapped[int] = mapped_column(ForeignKey("level.id"))
    channel: Mapped[str] = mapped_column(ForeignKey("channel.code"))
    language: Mapped[str] = mapped_column(ForeignKey("language.code"))
    starts: Mapped[list[list[Any] | None]] = mapped_column(JSON)
    """One a weekly lesson: [day, "HH:MM"] in the programme's wall time, None where not agreed."""
    state: Mapped[GroupState] = mapped_column(states(GroupState), default=GroupState.OFFERED)
    offered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    """The coordinator who recorded the tutor's answer; None where the tutor gave it."""
    decline_reason: Mapped[str | None] = mapped_column(String(500))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    tutor: Mapped[Tutor] = relationship()
    subject: Mapped[Subject] = relationship()
    level: Mapped[Level] = relationship()
    decided_by: Mapped[Coordinator | None] = relationship()
    memberships: Mapped[list[Membership]] = relationship(
        back_populates="group", cascade="all, delete-orphan", order_by="Membership.id"
    )

    @property
    def members(self) -> list[Membership]:
        """The memberships that have not ended."""
        return [membership for membership in self.memberships if membership.ended_at is None]


class Membership(Model):
    """A request's seat in a group; it counts once the group is active."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("group_id", "request_id"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("tutoring_group.id", ondelete="CASCADE"))
    request_id: Mapped[int] = mapped_column(
        ForeignKey("tutoring_request.id", ondelete="CASCADE"), index=True
    )
    run_id: Mapped[int | None] = mapped_column(ForeignKey("match_run.id"), index=True)
    """The run that proposed the seat, later than the group's own where it joined a group; None
    where a coordinator gave it by hand."""
    active_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the tutor accepted the seat; None while it is only offered."""
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    group: Mapped[Group] = relationship(back_populates="memberships")
    request: Mapped[TutoringRequest] = relationship()


class Veto(Model):
    """A tutor and a request that no run puts together again."""

    __tablename__ = "veto"
    __table_args__ = (UniqueConstraint("request_id", "tutor_id"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("tutoring_request.id", ondelete="CASCADE"))
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(String(500))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    """The coordinator who set it; None where the tutor declined."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    request: Mapped[TutoringRequest] = relationship()
    tutor: Mapped[Tutor] = relationship()
    by: Mapped[Coordinator | None] = relationship()


class Pin(Model):
    """A place that a coordinator wants kept: every later run takes it as agreed."""

    __tablename__ = "pin"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(
        ForeignKey("tutoring_request.id", ondelete="CASCADE"), unique=True
    )
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str | None] = mapped_column(ForeignKey("channel.code"))
    language: Mapped[str | None] = mapped_column(ForeignKey("language.code"))
    starts: Mapped[list[list[str]] | None] = mapped_column(JSON(none_as_null=True))
    """One a weekly lesson: [day, "HH:MM"]; None where the run may choose the time."""
    label: Mapped[str | None] = mapped_column(String(40))
    """Requests with the same one stay together in a group."""
    by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    request: Mapped[TutoringRequest] = relationship()
    tutor: Mapped[Tutor] = relationship()
    by: Mapped[Coordinator | None] = relationship()
