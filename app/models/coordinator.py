"""Coordinators: the staff who import, match and publish."""

from __future__ import annotations

import hashlib
from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NEVER_REUSE_IDS, Model
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
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    def get_id(self) -> str:
        """The session's key: it changes with password and second factor, which ends sessions."""
        secrets = self.password_hash + (self.totp_secret or "")
        stamp = hashlib.sha256(secrets.encode()).hexdigest()[:16]
        return f"coordinator:{self.id}:{stamp}"
