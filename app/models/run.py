"""Match runs and their proposals. A run changes nothing until a coordinator publishes it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.programme import Level, Subject
from app.models.request import TutoringRequest
from app.models.tutor import Tutor
from app.models.types import UTCDateTime, states


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PUBLISHED = "published"
    UNDONE = "undone"


class MatchRun(Model):
    """One run of the solver: what it was given, how far it is, what it found."""

    __tablename__ = "match_run"
    __table_args__ = (Index("ix_match_run_state", "state"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[RunState] = mapped_column(states(RunState), default=RunState.QUEUED)
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seed: Mapped[int]
    seconds: Mapped[int]
    iterations: Mapped[int | None]
    """Set where the run is to be repeatable to the byte: the clock then plays no part."""
    may_move: Mapped[int | None] = mapped_column(SmallInteger)
    """Set in a repair: so many of the places in force may change at most to serve more."""
    problem_gz: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """The problem as it stood when the run was asked for: gzipped JSON, docs/problem-format.md."""
    plan_gz: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)

    claim: Mapped[str | None] = mapped_column(String(40))
    """The worker's token: who writes to a run must still hold it."""
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    phase: Mapped[str | None] = mapped_column(String(24))
    best_weight: Mapped[int | None]
    bound_weight: Mapped[int | None]
    elapsed_seconds: Mapped[float | None]
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failure: Mapped[str | None] = mapped_column(String(500))
    """What went wrong, for the coordinator to pass on."""
    window_moves: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    """Whose hours, an hour later or earlier, would serve them, as `matching windows` prints it."""
    moved_seats: Mapped[int | None]
    """How many places in force its publication ended; None while it is not published."""

    has_plan: Mapped[bool] = column_property(plan_gz.is_not(None))
    """Whether it found anything; known without reading the plan itself."""

    @property
    def is_repair(self) -> bool:
        """Whether it starts from the places in force, and changes few of them."""
        return self.may_move is not None

    requested_by: Mapped[Coordinator | None] = relationship()
    groups: Mapped[list[ProposedGroup]] = relationship(
        cascade="all, delete-orphan", order_by="ProposedGroup.id"
    )
    unserved: Mapped[list[UnservedRequest]] = relationship(
        cascade="all, delete-orphan", order_by="UnservedRequest.id"
    )


class ProposedGroup(Model):
    """A group that a run proposes: a tutor, a subject, a level, a channel, a weekly start."""

    __tablename__ = "proposed_group"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("match_run.id", ondelete="CASCADE"), index=True)
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor.id", ondelete="CASCADE"))
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"))
    level_id: Mapped[int] = mapped_column(ForeignKey("level.id"))
    channel: Mapped[str] = mapped_column(ForeignKey("channel.code"))
    language: Mapped[str] = mapped_column(ForeignKey("language.code"))
    starts: Mapped[list[list[Any] | None]] = mapped_column(JSON)
    """One a weekly lesson: [day, "HH:MM"] in wall time, or None where the time is to be agreed."""

    tutor: Mapped[Tutor] = relationship()
    subject: Mapped[Subject] = relationship()
    level: Mapped[Level] = relationship()
    seats: Mapped[list[ProposedSeat]] = relationship(
        cascade="all, delete-orphan", order_by="ProposedSeat.request_id"
    )


class ProposedSeat(Model):
    """A request's place in a proposed group."""

    __tablename__ = "proposed_seat"

    group_id: Mapped[int] = mapped_column(
        ForeignKey("proposed_group.id", ondelete="CASCADE"), primary_key=True
    )
    request_id: Mapped[int] = mapped_column(
        ForeignKey("tutoring_request.id", ondelete="CASCADE"), primary_key=True
    )

    request: Mapped[TutoringRequest] = relationship()


class UnservedRequest(Model):
    """A request that a run leaves waiting, and why."""

    __tablename__ = "unserved_request"
    __table_args__ = (UniqueConstraint("run_id", "request_id"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("match_run.id", ondelete="CASCADE"))
    request_id: Mapped[int] = mapped_column(ForeignKey("tutoring_request.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(String(24))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)

    request: Mapped[TutoringRequest] = relationship()
