"""What a family's page shows and does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from app.database import transaction
from app.extensions import db
from app.models import (
    Channel,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonState,
    Membership,
    Pupil,
    TutoringRequest,
)
from app.services import audit
from scheduler import clock

AHEAD = timedelta(weeks=4)
UNDER_WAY = timedelta(hours=1)
"""How long a lesson that has begun stays on the page."""


@dataclass(frozen=True, slots=True)
class FamilyLesson:
    """One lesson of one or more of the household's children."""

    lesson: Lesson
    pupils: list[Pupil]
    channel: Channel

    @property
    def cancelled(self) -> bool:
        return self.lesson.state is LessonState.CANCELLED


def coming_lessons(household: Household) -> list[FamilyLesson]:
    """The lessons of the next four weeks, the cancelled ones too, in the order of time."""
    now = clock.now()
    statement = (
        select(Lesson, Pupil)
        .join(Lesson.group)
        .join(Group.memberships)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .where(
            Pupil.household_id == household.id,
            Group.state == GroupState.ACTIVE,
            Membership.active_since.is_not(None),
            Membership.ended_at.is_(None),
            Lesson.state.in_((LessonState.PLANNED, LessonState.CANCELLED)),
            Lesson.starts_at > now - UNDER_WAY,
            Lesson.starts_at <= now + AHEAD,
        )
        .order_by(Lesson.starts_at, Lesson.id, Pupil.id)
        .options(
            contains_eager(Lesson.group).options(joinedload(Group.tutor), joinedload(Group.subject))
        )
    )
    channels = {row.code: row for row in db.session.scalars(select(Channel))}
    found: dict[int, FamilyLesson] = {}
    for lesson, pupil in db.session.execute(statement):
        entry = found.setdefault(
            lesson.id, FamilyLesson(lesson, [], channels[lesson.group.channel])
        )
        entry.pupils.append(pupil)
    return list(found.values())


def set_messages(household_id: int, *, wanted: bool) -> Household:
    """Stop the messages to a family, or send them again, as the family itself asks."""
    with transaction():
        household = db.session.get_one(Household, household_id, with_for_update=True)
        if wanted == (household.messages_stopped_at is None):
            return household
        household.messages_stopped_at = None if wanted else clock.now()
        audit.note(
            "want_messages" if wanted else "stop_messages", f"household:{household.id}", None
        )
    return household
