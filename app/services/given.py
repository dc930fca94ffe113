"""Whose lessons are whose: the group's tutor gives them, but for those another stands in for."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select

from app.models import Group, Lesson


def given_by(tutor_id: int) -> ColumnElement[bool]:
    """The condition that a lesson is one that this tutor gives, or gave."""
    own = select(Group.id).where(Group.tutor_id == tutor_id)
    return or_(
        Lesson.substitute_id == tutor_id,
        and_(Lesson.substitute_id.is_(None), Lesson.group_id.in_(own)),
    )
