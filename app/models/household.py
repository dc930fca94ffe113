"""Families, in code households: one telephone, a guardian, the children."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, SmallInteger, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.consent import Consent
from app.models.programme import Level, Zone
from app.models.request import TutoringRequest
from app.models.types import UTCDateTime
from app.models.weekly import WeeklyWindow, window_checks


class Household(Model):
    """The people who share a telephone; it can be in one lesson at a time."""

    __tablename__ = "household"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(String(16), unique=True)
    """E.164, such as +212600000101."""
    zone_id: Mapped[int] = mapped_column(ForeignKey("zone.id"), index=True)
    times_to_agree: Mapped[bool] = mapped_column(default=False)
    """True where the family gave no times: lessons are then agreed by telephone."""
    email: Mapped[str | None] = mapped_column(String(254))
    message_language: Mapped[str] = mapped_column(String(8), server_default="ar")
    """What is sent to the family: "ar", "fr", or "ary" for Darija in Latin letters."""
    reach_by_call: Mapped[bool] = mapped_column(server_default=false(), default=False)
    """True where nobody at home reads: the family is on the call sheet of the day before."""
    messages_stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Set while the family wants no messages."""
    messages_stopped_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    """The coordinator who stopped them; None where the family did."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    zone: Mapped[Zone] = relationship()
    guardian: Mapped[Guardian] = relationship(
        back_populates="household", cascade="all, delete-orphan"
    )
    pupils: Mapped[list[Pupil]] = relationship(
        back_populates="household", cascade="all, delete-orphan", order_by="Pupil.id"
    )
    channels: Mapped[list[HouseholdChannel]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )
    languages: Mapped[list[HouseholdLanguage]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )
    windows: Mapped[list[HouseholdWindow]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )
    ways: Mapped[list[HouseholdWay]] = relationship(
        cascade="all, delete-orphan", order_by="HouseholdWay.rank"
    )


class Guardian(Model):
    """The adult who answers for the household's children and consents to their lessons."""

    __tablename__ = "guardian"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), unique=True
    )
    name: Mapped[str] = mapped_column(String(160))

    household: Mapped[Household] = relationship(back_populates="guardian")


class Pupil(Model):
    """A child who asks for lessons."""

    __tablename__ = "pupil"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str | None] = mapped_column(String(40), unique=True)
    """The id that the coordinator's own list gives the child."""
    household_id: Mapped[int] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    level_id: Mapped[int] = mapped_column(ForeignKey("level.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    household: Mapped[Household] = relationship(back_populates="pupils")
    level: Mapped[Level] = relationship()
    requests: Mapped[list[TutoringRequest]] = relationship(
        back_populates="pupil", cascade="all, delete-orphan", order_by="TutoringRequest.id"
    )
    consents: Mapped[list[Consent]] = relationship(
        cascade="all, delete-orphan", order_by="Consent.id"
    )
    needs: Mapped[list[PupilNeed]] = relationship(cascade="all, delete-orphan")

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class PupilNeed(Model):
    """A tag that whoever teaches the child must have."""

    __tablename__ = "pupil_need"

    pupil_id: Mapped[int] = mapped_column(
        ForeignKey("pupil.id", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(ForeignKey("tag.code"), primary_key=True)


class HouseholdChannel(Model):
    __tablename__ = "household_channel"

    household_id: Mapped[int] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), primary_key=True
    )
    channel: Mapped[str] = mapped_column(ForeignKey("channel.code"), primary_key=True)


class HouseholdWay(Model):
    """A way by which messages get to a household, the first rank first; by default all it has."""

    __tablename__ = "household_way"

    household_id: Mapped[int] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), primary_key=True
    )
    way: Mapped[str] = mapped_column(String(24), primary_key=True)
    """"sms", "whatsapp" or "email"."""
    rank: Mapped[int] = mapped_column(SmallInteger)


class HouseholdLanguage(Model):
    __tablename__ = "household_language"

    household_id: Mapped[int] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), primary_key=True
    )
    language: Mapped[str] = mapped_column(ForeignKey("language.code"), primary_key=True)


class HouseholdWindow(Model, WeeklyWindow):
    """A stretch of the week in which the telephone is at home."""

    __tablename__ = "household_window"
    __table_args__ = (*window_checks(), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
