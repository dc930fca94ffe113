"""Which lessons can be held where a change of the calendar would put them, and which can't.

Plain reading, so that what is shown before a change is what the change then does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from flask import current_app
from sqlalchemy import select

from app.extensions import db
from app.models import Lesson, TutorAbsence
from scheduler import clock
from scheduler.calendar import is_within


class Standing:
    """The lessons that are to be held, by their days, and the days on which tutors are away."""

    def __init__(self, lessons: Iterable[Lesson]) -> None:
        self._by_day: dict[date, list[tuple[Lesson, datetime, int]]] = {}
        self._absences = _absences()
        for lesson in lessons:
            self.add(lesson, lesson.wall_start, lesson.given_by.id)

    def add(self, lesson: Lesson, wall: datetime, tutor_id: int) -> None:
        """Have a lesson held at a wall time by this tutor."""
        self._by_day.setdefault(wall.date(), []).append((lesson, wall, tutor_id))

    def absence(self, tutor_id: int, wall: datetime) -> TutorAbsence | None:
        """Why a tutor gives no lessons on a day."""
        return next(
            (
                row
                for row in self._absences.get(tutor_id, ())
                if is_within(wall.date(), [(row.first_day, row.last_day)])
            ),
            None,
        )

    def meets(self, lesson: Lesson, wall: datetime, tutor_id: int) -> bool:
        """Whether somebody whom a lesson needs would be in another one then; a family has one
        telephone."""
        ends = wall + timedelta(minutes=lesson.minutes)
        near = [
            (other, giver)
            for day in (-1, 0, 1)
            for other, begins, giver in self._by_day.get(wall.date() + timedelta(days=day), ())
            if begins < ends and wall < begins + timedelta(minutes=other.minutes)
        ]
        return any(
            giver == tutor_id or not _homes(lesson).isdisjoint(_homes(other))
            for other, giver in near
            if other is not lesson
        )


def _homes(lesson: Lesson) -> set[int]:
    return {member.request.pupil.household_id for member in lesson.group.members}


def _absences() -> dict[int, list[TutorAbsence]]:
    today = clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone).date()
    found: dict[int, list[TutorAbsence]] = {}
    for row in db.session.scalars(
        select(TutorAbsence).where(TutorAbsence.last_day >= today).order_by(TutorAbsence.id)
    ):
        found.setdefault(row.tutor_id, []).append(row)
    return found
