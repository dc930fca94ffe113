"""A guardian's consent: who, when, how, to which text. Rows are added, never changed."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import NEVER_REUSE_IDS, Model
from app.models.coordinator import Coordinator
from app.models.types import UTCDateTime, states


class ConsentKind(StrEnum):
    LESSONS = "lessons"
    GROUP_LESSONS = "group_lessons"
    """Lessons in which other families can see the household's number."""


class ConsentMeans(StrEnum):
    DECLARED_BY_IMPORT = "declared_by_import"
    """A coordinator imported a list that says so, and answers for it."""
    TOLD_COORDINATOR = "told_coordinator"
    """The guardian said so to a coordinator, who wrote it down."""
    ON_PAPER = "on_paper"
    """The guardian signed a sheet that a coordinator has seen."""
    ON_FAMILY_PAGE = "on_family_page"
    """The guardian said so on the family's page, opened by its link."""
    ON_REQUEST_PAGE = "on_request_page"
    """The guardian said so when asking for help, from a telephone confirmed by a code."""


class Consent(Model):
    """One statement of a guardian on one child; the newest of a kind is in force."""

    __tablename__ = "consent"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupil.id", ondelete="CASCADE"), index=True)
    kind: Mapped[ConsentKind] = mapped_column(states(ConsentKind))
    given: Mapped[bool]
    """False is a refusal or a withdrawal."""
    guardian_name: Mapped[str] = mapped_column(String(160))
    """Who consented, as the name stood then."""
    means: Mapped[ConsentMeans] = mapped_column(states(ConsentMeans))
    text_version: Mapped[str] = mapped_column(String(24))
    """Which text the guardian was told; the texts stand in docs/consent.md."""
    declared_by_id: Mapped[int | None] = mapped_column(ForeignKey("coordinator.id"))
    """None where a command of the server's owner recorded it."""
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When it was recorded."""
    said_on: Mapped[date | None] = mapped_column(Date)
    """The day on which the guardian said so, where a coordinator wrote it down later."""

    declared_by: Mapped[Coordinator | None] = relationship()
