"""Reminders (what is owed) and messages (the outbox: what leaves, and how far it got)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, SmallInteger, String, Text, false
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.group import Group
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
    GROUP_OFFER = "group_offer"
    """Places that are offered to a volunteer."""
    NEW_GROUP = "new_group"
    """That a child's lessons begin: when, with whom, by what."""
    CHANGE = "change"
    CANCELLATION = "cancellation"
    SUBSTITUTION = "substitution"
    """That somebody else gives a lesson."""
    QUESTION = "question"
    DIGEST = "digest"
    """What happened and what is to be done, once a day or a week."""
    NOTE = "note"
    """A coordinator's own words."""
    CALL_ME = "call_me"
    """That a family asks to be called, to its volunteer or a coordinator."""
    REPLY = "reply"
    """The polite answer to what came in."""
    CHECK = "check"
    """A gateway's test text."""


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

NOTICE_KINDS = (MessageKind.CHANGE, MessageKind.CANCELLATION, MessageKind.SUBSTITUTION)
"""The kinds that tell what became of lessons; their words are written from notices."""
WORDED_LATE = (
    *NOTICE_KINDS,
    MessageKind.NEW_GROUP,
    MessageKind.GROUP_OFFER,
    MessageKind.QUESTION,
    MessageKind.DIGEST,
)
"""The kinds, beside reminders, whose words are written at handing, from what holds then.

A digest to a coordinator is a day's count, written when it is planned."""

ONE_RECIPIENT = "(household_id IS NULL) != (tutor_id IS NULL)"
_ONE_RECIPIENT_OR_ADDRESS = (
    "CASE WHEN household_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN tutor_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN coordinator_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN to_address IS NULL THEN 0 ELSE 1 END = 1"
)


class Message(Model):
    """One outgoing text. Its words are written in the commit that hands it to a gateway."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint(_ONE_RECIPIENT_OR_ADDRESS, name="one_recipient"),
        Index("ix_message_due", "state", "next_try_at"),
        Index("ix_message_provider_id", "provider_id"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int | None] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
    tutor_id: Mapped[int | None] = mapped_column(
        ForeignKey("tutor.id", ondelete="CASCADE"), index=True
    )
    coordinator_id: Mapped[int | None] = mapped_column(
        ForeignKey("coordinator.id", ondelete="CASCADE"), index=True
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
    fallback_of_id: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", ondelete="SET NULL"), index=True
    )
    """The message that did not arrive by another way, and that this one says again."""
    begins_anew: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A coordinator had it sent again: the ways that were tried before are tried once more."""
    parts: Mapped[int | None] = mapped_column(SmallInteger)
    """How many SMS its text takes, where it leaves as SMS."""
    cost: Mapped[int | None]
    """What its gateway asks for it, in thousandths of a dirham."""
    by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    """The coordinator who wrote it, or had it sent again."""

    household: Mapped[Household | None] = relationship()
    tutor: Mapped[Tutor | None] = relationship()
    coordinator: Mapped[Coordinator | None] = relationship(foreign_keys=[coordinator_id])
    by: Mapped[Coordinator | None] = relationship(foreign_keys=[by_id])
    notices: Mapped[list[Notice]] = relationship(back_populates="message", order_by="Notice.id")
    reminders: Mapped[list[Reminder]] = relationship(
        back_populates="message", order_by="Reminder.id"
    )


class Reminder(Model):
    """That a recipient is to hear of a lesson, as it stood in one version, once per kind."""

    __tablename__ = "reminder"
    __table_args__ = (
        Unique("lesson_id", "lesson_version", "recipient", "kind"),
        CheckConstraint(ONE_RECIPIENT, name="one_recipient"),
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


class Notice(Model):
    """That a recipient is to hear what became of a lesson, or of a group's weekly times.

    `was` is what the recipient knew last, so that changes of which nobody was told yet are told as
    one, and what became again as it was is not told at all.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint(ONE_RECIPIENT, name="one_recipient"),
        CheckConstraint("(lesson_id IS NULL) != (group_id IS NULL)", name="one_subject"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    recipient: Mapped[str] = mapped_column(String(40), index=True)
    """As a reminder's."""
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id", ondelete="CASCADE"))
    tutor_id: Mapped[int | None] = mapped_column(ForeignKey("tutor.id", ondelete="CASCADE"))
    lesson_id: Mapped[int | None] = mapped_column(
        ForeignKey("lesson.id", ondelete="CASCADE"), index=True
    )
    group_id: Mapped[int | None] = mapped_column(
        ForeignKey("tutoring_group.id", ondelete="CASCADE"), index=True
    )
    was: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    message_id: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", ondelete="SET NULL"), index=True
    )

    lesson: Mapped[Lesson | None] = relationship()
    group: Mapped[Group | None] = relationship()
    message: Mapped[Message | None] = relationship(back_populates="notices")


class GatewayPace(Model):
    """From when on a gateway may be handed the next text, by all workers together."""

    __tablename__ = "gateway_pace"

    gateway: Mapped[str] = mapped_column(String(24), primary_key=True)
    free_at: Mapped[datetime] = mapped_column(UTCDateTime)


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
