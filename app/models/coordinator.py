"""Coordinators: the staff who import, match and publish."""

from __future__ import annotations

import hashlib
from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import JSON, ForeignKey, SmallInteger, String, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.programme import Zone
from app.models.types import UTCDateTime


class Coordinator(Model, UserMixin):
    """A member of staff, who signs in with e-mail and password."""

    __tablename__ = "coordinator"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(255))
    wrong_passwords: Mapped[int] = mapped_column(SmallInteger, default=0)
    """Wrong tries since the last right one."""
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    """The secret of the second factor, base32. It counts once a first code has been taken."""
    totp_last_step: Mapped[int | None]
    """The time step of the last code taken, so that none is taken twice; None before the first."""
    locked_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    is_administrator: Mapped[bool] = mapped_column(server_default=true(), default=False)
    """Whether they invite others and set the programme; an administrator has all zones."""
    all_zones: Mapped[bool] = mapped_column(server_default=true(), default=True)
    """Whether they see every zone, and may run and publish; else `zones` counts."""
    message_language: Mapped[str] = mapped_column(String(8), server_default="fr", default="fr")
    """The language of what is sent to them: "fr" or "ar"."""
    wants_digest: Mapped[bool] = mapped_column(server_default=true(), default=True)
    """Whether they get a mail each morning of what waits."""
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Since when the account opens no page any more."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    zones: Mapped[list[CoordinatorZone]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )

    def get_id(self) -> str:
        """The session's key: it changes with password and second factor, which ends sessions."""
        secrets = self.password_hash + (self.totp_secret or "")
        stamp = hashlib.sha256(secrets.encode()).hexdigest()[:16]
        return f"coordinator:{self.id}:{stamp}"


class CoordinatorZone(Model):
    """A zone that a coordinator without all zones sees and edits."""

    __tablename__ = "coordinator_zone"

    coordinator_id: Mapped[int] = mapped_column(
        ForeignKey("coordinator.id", ondelete="CASCADE"), primary_key=True
    )
    zone_id: Mapped[int] = mapped_column(
        ForeignKey("zone.id", ondelete="CASCADE"), primary_key=True
    )

    zone: Mapped[Zone] = relationship(lazy="joined")


class Invitation(Model):
    """An account that an administrator offers to somebody, by a link that is shown once."""

    __tablename__ = "invitation"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), index=True)
    name: Mapped[str] = mapped_column(String(120))
    is_administrator: Mapped[bool]
    all_zones: Mapped[bool]
    zone_ids: Mapped[list[int]] = mapped_column(JSON)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    """None where a command of the server's owner invited."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it was accepted or taken back."""

    invited_by: Mapped[Coordinator | None] = relationship()


class RecoveryCode(Model):
    """A code that stands for the authenticator app once, such as after a telephone is lost."""

    __tablename__ = "recovery_code"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    coordinator_id: Mapped[int] = mapped_column(
        ForeignKey("coordinator.id", ondelete="CASCADE"), index=True
    )
    code_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
