"""Reminders (what is owed) and messages (the outbox: what leaves, and how far it got)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.household import Household
from app.models.lesson import Lesson
from app.models.tutor import Tutor
from app.models.types import UTCDateTime, states


class MessageKind(StrEnum):
    LESSON_24H = "lesson_24h"
    LESSON_2H = "lesson_2h"
    SIGN_IN_CODE = "sign_in_code"
    CONTACT_CODE = "contact_code"
    """A code to an address that no account has: of somebody who registers or asks for help."""
    FAMILY_LINK = "family_link"
    LESSONS_END = "lessons_end"
    """That a volunteer's lessons have ended, to the families concerned."""


CODE_KINDS = (MessageKind.SIGN_IN_CODE, MessageKind.CONTACT_CODE)
"""The kinds that bring a code which somebody waits for; it stands nowhere but in the text."""
SECRET_KINDS = (*CODE_KINDS, MessageKind.FAMILY_LINK)
"""The kinds whose text opens a door: it is forgotten once it has left."""


class MessageState(StrEnum):
    PLANNED = "planned"
    CLAIMED = "claimed"
    HANDING = "handing"
    ACCEPTED = "accepted"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"


OPEN_MESSAGES = (MessageState.PLANNED, MessageState.CLAIMED)
"""The states in which a message can still be stopped: nothing of it has left."""

_ONE_RECIPIENT = "(household_id IS NULL) != (tutor_id IS NULL)"
_ONE_RECIPIENT_OR_ADDRESS = (
    "CASE WHEN household_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN tutor_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN to_address IS NULL THEN 0 ELSE 1 END = 1"
)


class Message(Model):
    """One outgoing text. Its words are written in the commit that hands it to a gateway."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint(_ONE_RECIPIENT_OR_ADDRESS, name="one_recipient"),
        Index("ix_message_due", "state", "next_try_at"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int | None] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
    tutor_id: Mapped[int | None] = mapped_column(
        ForeignKey("tutor.id", ondelete="CASCADE"), index=True
    )
    to_address: Mapped[str | None] = mapped_column(String(254), index=True)
    """The e-mail address or telephone number of somebody who has no account (yet)."""
    kind: Mapped[MessageKind] = mapped_column(states(MessageKind))
    state: Mapped[MessageState] = mapped_column(states(MessageState), default=MessageState.PLANNED)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    next_try_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When a worker may take it up: `due_at`, or later after a failed try."""
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    claim: Mapped[str | None] = mapped_column(String(40))
    """The token of the worker that holds it."""
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    gateway: Mapped[str | None] = mapped_column(String(24))
    address: Mapped[str | None] = mapped_column(String(254))
    language: Mapped[str | None] = mapped_column(String(8))
    text: Mapped[str | None] = mapped_column(Text)
    provider_id: Mapped[str | None] = mapped_column(String(120))
    """What the gateway calls it."""
    resent: Mapped[bool] = mapped_column(default=False)
    """Handed a second time, since it could not be known whether the first one arrived."""
    error: Mapped[str | None] = mapped_column(String(500))
    handed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    household: Mapped[Household | None] = relationship()
    tutor: Mapped[Tutor | None] = relationship()
    reminders: Mapped[list[Reminder]] = relationship(
        back_populates="message", order_by="Reminder.id"
    )


class Reminder(Model):
    """That a recipient is to hear of a lesson, as it stood in one version, once per kind."""

    __tablename__ = "reminder"
    __table_args__ = (
        Unique("lesson_id", "lesson_version", "recipient", "kind"),
        CheckConstraint(_ONE_RECIPIENT, name="one_recipient"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id", ondelete="CASCADE"))
    lesson_version: Mapped[int] = mapped_column(SmallInteger)
    recipient: Mapped[str] = mapped_column(String(40), index=True)
    """"household:12" or "tutor:3": what is unique where one of the two columns is null."""
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id", ondelete="CASCADE"))
    tutor_id: Mapped[int | None] = mapped_column(ForeignKey("tutor.id", ondelete="CASCADE"))
    kind: Mapped[MessageKind] = mapped_column(states(MessageKind))
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    message_id: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", ondelete="SET NULL"), index=True
    )

    lesson: Mapped[Lesson] = relationship()
    message: Mapped[Message | None] = relationship(back_populates="reminders")


class MessageWording(Model):
    """A coordinator's own wording of a kind of message in one language."""

    __tablename__ = "message_wording"

    kind: Mapped[MessageKind] = mapped_column(states(MessageKind), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    audience: Mapped[str] = mapped_column(String(8), primary_key=True)
    """"family" or "tutor"."""
    body: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
