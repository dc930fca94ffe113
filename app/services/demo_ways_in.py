"""Whom a visitor of the demo can be: a volunteer and a family who have a lesson together."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from app.extensions import db
from app.models import Lesson, LessonState, Tutor
from app.services.family_links import make_link
from scheduler import clock


@dataclass(frozen=True, slots=True)
class WaysIn:
    """A volunteer with an e-mail address, and the token of a family's link."""

    tutor: Tutor
    family_token: str


def open_ways_in() -> WaysIn | None:
    """The tutor of the next lesson and a new link for one of its families; None without lessons.

    Of the lessons that come, the group with the lowest number rules, so that a restart of the demo
    ends the link that the start before made.
    """
    coming = select(Lesson).where(
        Lesson.state == LessonState.PLANNED, Lesson.starts_at > clock.now()
    )
    lesson = db.session.scalar(coming.order_by(Lesson.group_id, Lesson.id).limit(1))
    if lesson is None or not lesson.group.members:
        return None
    group = lesson.group
    _household, token = make_link(group.members[0].request.pupil.household_id, None)
    return WaysIn(tutor=group.tutor, family_token=token)
