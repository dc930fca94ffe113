"""What comes in: texts and missed calls, and the questions that they may answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.household import Household
from app.models.lesson import Lesson
from app.models.message import ONE_RECIPIENT, Message
from app.models.tutor import Tutor
from app.models.types import UTCDateTime, states


class QuestionKind(StrEnum):
    WHICH_LESSON = "which_lesson"
    """A family's answer could mean lessons of several children: which?"""
    SUBSTITUTE = "substitute"
    """To a tutor: can you give this lesson in another's place?"""
    NEW_TIME = "new_time"
    """To a family: can the lesson be held at this other time?"""
    WAS_IT_HELD = "was_it_held"
    """To a tutor or a family, after a lesson of which nobody said anything."""


class Question(Model):
    """Something that a household or a tutor is asked, to be answered with one key."""

    __tablename__ = "question"
    __table_args__ = (CheckConstraint(ONE_RECIPIENT, name="one_recipient"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[QuestionKind] = mapped_column(states(QuestionKind))
    household_id: Mapped[int | None] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
    tutor_id: Mapped[int | None] = mapped_column(
        ForeignKey("tutor.id", ondelete="CASCADE"), index=True
    )
    lesson_id: Mapped[int | None] = mapped_column(
        ForeignKey("lesson.id", ondelete="CASCADE"), index=True
    )
    options: Mapped[list[Any]] = mapped_column(JSON)
    """What each key means, the first for "1"; its shape is that of the kind."""
    message_id: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", ondelete="SET NULL"), index=True
    )
    """The text that asks it."""
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer: Mapped[int | None]
    """The key that was chosen, from 1 on."""
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it was no longer of use, without an answer."""

    household: Mapped[Household | None] = relationship()
    tutor: Mapped[Tutor | None] = relationship()
    lesson: Mapped[Lesson | None] = relationship()
    message: Mapped[Message | None] = relationship()


class Meaning(StrEnum):
    """What a text that came in was taken for."""

    COMING = "coming"
    NOT_COMING = "not_coming"
    ANSWER = "answer"
    """The answer to a question."""
    STOP = "stop"
    START = "start"
    FREE_TEXT = "free_text"
    CALL_ME = "call_me"
    """A missed call, or a text that says so."""
    WORRY = "worry"
    """A word by which a family reports a worry."""
    UNKNOWN_NUMBER = "unknown_number"


class InboundMessage(Model):
    """One text or missed call that came in, kept before its gateway was answered."""

    __tablename__ = "inbound_message"
    __table_args__ = (
        UniqueConstraint("gateway", "provider_id"),
        Index("ix_inbound_message_received_at", "received_at"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(String(24))
    provider_id: Mapped[str] = mapped_column(String(120))
    """What the gateway calls it: the same one that comes again is the same."""
    from_address: Mapped[str] = mapped_column(String(254), index=True)
    household_id: Mapped[int | None] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
    tutor_id: Mapped[int | None] = mapped_column(
        ForeignKey("tutor.id", ondelete="CASCADE"), index=True
    )
    text: Mapped[str] = mapped_column(Text)
    meaning: Mapped[Meaning] = mapped_column(states(Meaning))
    lesson_id: Mapped[int | None] = mapped_column(ForeignKey("lesson.id", ondelete="SET NULL"))
    question_id: Mapped[int | None] = mapped_column(ForeignKey("question.id", ondelete="SET NULL"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"))
    """The message of ours that it answers."""
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    act_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    """When somebody else may do what it asks, if whoever took it did not get to it; None: done."""
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When a coordinator took note of it, where one has to."""
    read_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))

    household: Mapped[Household | None] = relationship()
    tutor: Mapped[Tutor | None] = relationship()
    lesson: Mapped[Lesson | None] = relationship()
    question: Mapped[Question | None] = relationship()
    message: Mapped[Message | None] = relationship()
    read_by: Mapped[Coordinator | None] = relationship()
