"""Volunteers, in code tutors: what they teach, how, in which languages and when."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from enum import StrEnum

from flask_login import UserMixin
from sqlalchemy import CheckConstraint, Date, ForeignKey, SmallInteger, String, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.types import UTCDateTime, states
from app.models.weekly import WeeklyWindow, window_checks


class TutorState(StrEnum):
    REGISTERED = "registered"
    VETTED = "vetted"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    LEFT = "left"


SIGN_IN_STATES = (TutorState.REGISTERED, TutorState.VETTED, TutorState.PAUSED)
"""The states in which a volunteer may come in."""


class Tutor(Model, UserMixin):
    """A volunteer, who signs in with a code. Only the vetted are matched."""

    __tablename__ = "tutor"
    __table_args__ = (
        CheckConstraint("max_lessons_per_week BETWEEN 0 AND 40", name="max_lessons_per_week"),
        CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name="reachable"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str | None] = mapped_column(String(40), unique=True)
    """The id that the coordinator's own list gives the volunteer."""
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    phone: Mapped[str | None] = mapped_column(String(16), unique=True)
    """E.164, such as +212600000201."""
    message_language: Mapped[str] = mapped_column(String(8), server_default="fr")
    """The language of what is sent to the volunteer: "fr" or "ar"."""
    messages_stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Set while the volunteer wants no messages but codes."""
    wants_digest: Mapped[bool] = mapped_column(server_default=true(), default=True)
    """Whether they get the lessons of the week to come on Sundays."""
    time_zone: Mapped[str | None] = mapped_column(String(64))
    """The IANA zone of a volunteer abroad; None in the programme's own."""
    max_lessons_per_week: Mapped[int] = mapped_column(SmallInteger)
    times_to_agree: Mapped[bool] = mapped_column(default=False)
    """True where the volunteer gave no times yet: lessons are then agreed with the families."""
    state: Mapped[TutorState] = mapped_column(states(TutorState), default=TutorState.REGISTERED)
    vetted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    vetted_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    identity_seen_on: Mapped[date | None] = mapped_column(Date)
    interviewed_on: Mapped[date | None] = mapped_column(Date)
    certificate_seen_on: Mapped[date | None] = mapped_column(Date)
    """When a certificate of good conduct was seen; no document is ever kept."""
    charter_accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    charter_version: Mapped[str | None] = mapped_column(String(24))
    paused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paused_until: Mapped[date | None] = mapped_column(Date)
    """The first day on which a volunteer who pauses is back; None where that is open."""
    suspended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    suspend_reason: Mapped[str | None] = mapped_column(String(500))
    signed_out_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When suspending, leaving or another address last ended all sessions and codes, for good."""
    calendar_token_hash: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    """Of the secret address of the volunteer's calendar; None where there is none."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    vetted_by: Mapped[Coordinator | None] = relationship()
    teaches: Mapped[list[TutorSubject]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )
    channels: Mapped[list[TutorChannel]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )
    languages: Mapped[list[TutorLanguage]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )
    windows: Mapped[list[TutorWindow]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    tags: Mapped[list[TutorTag]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    absences: Mapped[list[TutorAbsence]] = relationship(
        cascade="all, delete-orphan", order_by="TutorAbsence.first_day"
    )

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def may_sign_in(self) -> bool:
        return self.state in SIGN_IN_STATES

    def get_id(self) -> str:
        """The session's key: what changes it ends sessions."""
        return f"tutor:{self.id}:{self.sign_in_stamp}"

    @property
    def sign_in_stamp(self) -> str:
        """What sessions and codes are bound to: the addresses of now, and no end since."""
        stands = f"{self.email} {self.phone}"
        if self.signed_out_at is not None:
            stands += f" {self.signed_out_at.isoformat()}"
        return hashlib.sha256(stands.encode()).hexdigest()[:16]


class TutorSubject(Model):
    """One subject at one level that a tutor teaches."""

    __tablename__ = "tutor_subject"

    tutor_id: Mapped[int] = mapped_column(
        ForeignKey("tutor.id", ondelete="CASCADE"), primary_key=True
    )
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), primary_key=True)
    level_id: Mapped[int] = mapped_column(ForeignKey("level.id"), primary_key=True)


class TutorChannel(Model):
    __tablename__ = "tutor_channel"

    tutor_id: Mapped[int] = mapped_column(
        ForeignKey("tutor.id", ondelete="CASCADE"), primary_key=True
    )
    channel: Mapped[str] = mapped_column(ForeignKey("channel.code"), primary_key=True)


class TutorLanguage(Model):
    __tablename__ = "tutor_language"

    tutor_id: Mapped[int] = mapped_column(
        ForeignKey("tutor.id", ondelete="CASCADE"), primary_key=True
    )
    language: Mapped[str] = mapped_column(ForeignKey("language.code"), primary_key=True)


class TutorWindow(Model, WeeklyWindow):
    """A stretch of the week in which a tutor can give lessons."""

    __tablename__ = "tutor_window"
    __table_args__ = (*window_checks(), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor.id", ondelete="CASCADE"), index=True)


class TutorTag(Model):
    """Something that a pupil may need of a tutor, such as being a woman."""

    __tablename__ = "tutor_tag"

    tutor_id: Mapped[int] = mapped_column(
        ForeignKey("tutor.id", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(ForeignKey("tag.code"), primary_key=True)


class TutorAbsence(Model):
    """Days on which a tutor gives no lessons; both ends are part of it."""

    __tablename__ = "tutor_absence"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="first_before_last"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor.id", ondelete="CASCADE"), index=True)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class HoursCertificate(Model):
    """What a volunteer has given, as it was when printed; anyone can check it by its code."""

    __tablename__ = "hours_certificate"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor.id", ondelete="CASCADE"), index=True)
    tutor_name: Mapped[str] = mapped_column(String(160))
    lessons: Mapped[int] = mapped_column(SmallInteger)
    minutes: Mapped[int]
    pupils: Mapped[int] = mapped_column(SmallInteger)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    issued_at: Mapped[datetime] = mapped_column(UTCDateTime)
