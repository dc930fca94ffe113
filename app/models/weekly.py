"""The shape of a weekly window, shared by the tables of tutors' and households' times."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 24 * 60

Window = tuple[int, int, int]
"""(day 0..6 from Monday, start, end): minutes from midnight, half-open, in wall time."""


class WeeklyWindow:
    """Columns of one window: a stretch of one weekday, in the programme's wall time."""

    day: Mapped[int] = mapped_column(SmallInteger)
    start_minute: Mapped[int] = mapped_column(SmallInteger)
    end_minute: Mapped[int] = mapped_column(SmallInteger)

    def as_window(self) -> Window:
        return self.day, self.start_minute, self.end_minute


def window_checks() -> tuple[CheckConstraint, ...]:
    """The constraints that every table of windows carries."""
    return (
        CheckConstraint("day BETWEEN 0 AND 6", name="day"),
        CheckConstraint("start_minute >= 0 AND end_minute <= 1440", name="within_day"),
        CheckConstraint("start_minute < end_minute", name="start_before_end"),
    )
