"""Ways in without a password: volunteers' sign-in codes and families' links. Secrets are hashed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.household import Household
from app.models.tutor import Tutor
from app.models.types import UTCDateTime, states


class SignInCode(Model):
    """A six-digit code, bound to the browser that asked for it."""

    __tablename__ = "sign_in_code"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor.id", ondelete="CASCADE"), index=True)
    browser: Mapped[str] = mapped_column(String(64), index=True)
    """A random token in the session of the browser that asked."""
    code_hash: Mapped[str] = mapped_column(String(64))
    wrong_tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    tutor: Mapped[Tutor] = relationship()


class FamilyLink(Model):
    """The secret address of one household's page."""

    __tablename__ = "family_link"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(
        ForeignKey("household.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    household: Mapped[Household] = relationship()


class DraftKind(StrEnum):
    REGISTRATION = "registration"
    HELP_REQUEST = "help_request"


class Draft(Model):
    """What somebody without an account has answered so far, page by page."""

    __tablename__ = "draft"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DraftKind] = mapped_column(states(DraftKind))
    browser_hash: Mapped[str] = mapped_column(String(64), index=True)
    """Of the token in the session of the browser that writes it."""
    address: Mapped[str | None] = mapped_column(String(254), index=True)
    """The e-mail address or telephone number, once a code has confirmed it."""
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class ContactCode(Model):
    """A six-digit code that proves that an e-mail address or telephone is somebody's own."""

    __tablename__ = "contact_code"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DraftKind] = mapped_column(states(DraftKind))
    address: Mapped[str] = mapped_column(String(254), index=True)
    browser: Mapped[str] = mapped_column(String(64), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    wrong_tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
