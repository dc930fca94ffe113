"""What the programme offers: zones, subjects, levels, channels and languages of lessons."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import NEVER_REUSE_IDS, Model


class Named:
    """A name in each language of the pages."""

    name_fr: Mapped[str] = mapped_column(String(80))
    name_ar: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))

    def name_in(self, locale: str) -> str:
        """The name in "fr", "ar" or "en"; French for any other locale."""
        return {"ar": self.name_ar, "en": self.name_en}.get(locale, self.name_fr)


class Zone(Model):
    """A rural commune."""

    __tablename__ = "zone"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    """The name without accents, case and spaces: two spellings of one zone are one zone."""


class Subject(Model, Named):
    """A school subject, by a short code such as "maths"."""

    __tablename__ = "subject"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)


class Level(Model, Named):
    """A school year, by a short code such as "2BAC"; `rank` orders them from the youngest on."""

    __tablename__ = "level"
    __table_args__ = (
        CheckConstraint("weight > 0", name="weight"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    rank: Mapped[int] = mapped_column(SmallInteger, unique=True)
    exam: Mapped[bool]
    weight: Mapped[int] = mapped_column(SmallInteger)
    """How much a request at this level counts in the matching."""


class Channel(Model, Named):
    """How a lesson is held: call, whatsapp, video, in_person."""

    __tablename__ = "channel"
    __table_args__ = (
        CheckConstraint("max_group >= 1", name="max_group"),
        CheckConstraint("cost >= 0", name="cost"),
    )

    code: Mapped[str] = mapped_column(String(24), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger, unique=True)
    max_group: Mapped[int] = mapped_column(SmallInteger)
    cost: Mapped[int] = mapped_column(SmallInteger)
    """What one weekly lesson costs the matching; money is not meant."""
    variant_of: Mapped[str | None] = mapped_column(ForeignKey("channel.code"))
    """Set on a one-to-one variant: what families who don't share their number get instead."""


class Language(Model, Named):
    """A language that lessons are held in."""

    __tablename__ = "language"

    code: Mapped[str] = mapped_column(String(24), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger, unique=True)
