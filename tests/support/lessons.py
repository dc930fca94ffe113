"""Lessons on Mondays, and what stands of lessons and reminders, for tests of the calendar.

Each function works inside an app context; those that make something commit.
"""

from __future__ import annotations

from sqlalchemy import select

from app.extensions import db
from app.models import Lesson, LessonState, Reminder
from tests.support import people
from tests.support.groups import active_group


def monday_group() -> int:
    """The id of a new group of one, each Monday at 18:00."""
    household = people.make_household()
    return active_group(people.make_tutor(), [household.pupils[0].requests[0].id]).id


def planned_days() -> list[str]:
    """The days of all lessons that are planned, in order."""
    rows = select(Lesson.wall_start).where(Lesson.state == LessonState.PLANNED)
    return [str(wall.date()) for wall in db.session.scalars(rows.order_by(Lesson.wall_start))]


def reminders_owed(state: LessonState) -> int:
    """How many reminders of lessons in this state nobody has cancelled."""
    rows = select(Reminder.id).join(Reminder.lesson).where(Reminder.cancelled_at.is_(None))
    return len(db.session.scalars(rows.where(Lesson.state == state)).all())
