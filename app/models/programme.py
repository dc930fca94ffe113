"""What the programme offers: zones, subjects, levels, channels and languages of lessons."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    ForeignKey,
    SmallInteger,
    String,
    false,
    true,
)
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


class Offered(Named):
    """An entry of one of the programme's lists, which a coordinator may retire."""

    also: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Other spellings that imported lists may use."""
    retired: Mapped[bool] = mapped_column(server_default=false(), default=False)
    """No longer offered to be chosen; what points at it stays."""


class Zone(Model):
    """A rural commune."""

    __tablename__ = "zone"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    """The name without accents, case and spaces: two spellings of one zone are one zone."""
    name_ar: Mapped[str | None] = mapped_column(String(80))
    """The name in Arabic letters, where one was given."""
    also: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Keys of the names that it had before, and of zones that were merged into it."""
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    """Degrees north and east, where known: the sun sets by them."""
    listed: Mapped[bool] = mapped_column(server_default=true(), default=True)
    """False while only a family that asked for help named it: it is then offered to nobody."""

    def name_in(self, locale: str) -> str:
        """The name as readers of "fr", "ar" or "en" know it."""
        return self.name_ar if locale == "ar" and self.name_ar else self.name


class Subject(Model, Offered):
    """A school subject, by a short code such as "maths"."""

    __tablename__ = "subject"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)


class Level(Model, Offered):
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
    """How much a request at this level counts in the matching, long before an exam."""
    exam_on: Mapped[date | None] = mapped_column(Date)
    """The next exam of an exam level, where its date is known."""


class Channel(Model, Offered):
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


class Language(Model, Offered):
    """A language that lessons are held in."""

    __tablename__ = "language"

    code: Mapped[str] = mapped_column(String(24), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger, unique=True)


class Tag(Model, Offered):
    """Something that a pupil may need of a tutor, such as being a woman."""

    __tablename__ = "tag"

    code: Mapped[str] = mapped_column(String(24), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger, unique=True)


class Term(Model):
    """A stretch of the school year in which lessons are held; both ends are part of it."""

    __tablename__ = "term"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="first_before_last"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)


class Setting(Model):
    """One choice of the programme that is not a list, such as the length of a lesson."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
