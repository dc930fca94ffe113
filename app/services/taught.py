"""Which lessons a family's children take part in."""

from __future__ import annotations

from sqlalchemy import Select, select

from app.models import Group, GroupState, Lesson, Membership, Pupil, TutoringRequest


def family_lessons(household_id: int) -> Select[Lesson, Pupil]:
    """The lessons of groups that go on, each with a child of the family who has a place there."""
    return (
        select(Lesson, Pupil)
        .join(Lesson.group)
        .join(Group.memberships)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .where(
            Pupil.household_id == household_id,
            Group.state == GroupState.ACTIVE,
            Membership.active_since.is_not(None),
            Membership.ended_at.is_(None),
        )
    )
