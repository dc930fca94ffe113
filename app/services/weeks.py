"""A week without lessons: of one group, or of a family that is away. A tutor's are days off."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from flask import current_app
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Coordinator,
    Group,
    GroupState,
    Lesson,
    LessonState,
    Membership,
    Pupil,
    TutoringRequest,
)
from app.services import audit
from app.services.change_policy import Act, Actor, coordinator, given_reason, tutor
from app.services.changes import FAMILY_CANT, comes_alone, telling_of
from app.services.ending import lock_groups
from app.services.errors import Conflict, Invalid, NotFound
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.lesson_answers import keep_answer
from app.services.lessons import withdraw_lessons
from scheduler import clock

WEEKS: Final = 4
"""How many weeks can be cancelled, from the one under way on: their lessons are all made."""


@dataclass(frozen=True, slots=True)
class Week:
    """A week from its Monday, with the planned lessons that are still to come in it."""

    monday: date
    lessons: list[Lesson]

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)


def weeks_of_group(group_id: int) -> list[Week]:
    """The coming weeks of a group that have a lesson."""
    return _weeks(_planned(Lesson.group_id == group_id))


def weeks_of_family(household_id: int) -> list[Week]:
    """The coming weeks in which a child of a family has a lesson."""
    return _weeks(_planned(Lesson.group_id.in_(_sits_in(household_id))))


def cancel_week(
    group_id: int, monday: date, reason: str, by: Coordinator | None, *, tutor_id: int | None = None
) -> list[Lesson]:
    """Cancel all lessons of a group in one week, and tell those concerned in one message."""
    actor = coordinator(by) if tutor_id is None else tutor(tutor_id)
    said = given_reason(Act.CANCEL_WEEK, actor, reason)
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        group = db.session.get(Group, group_id, with_for_update=True)
        if group is None or tutor_id not in (None, group.tutor_id):
            raise NotFound(_l("This group does not exist."))
        lessons = _of_week(monday, Lesson.group_id == group_id)
        with telling_of(lessons, actor):
            withdraw_lessons(lessons, said)
        _note("cancel_week", f"group:{group_id}", actor, lessons, {"week": str(monday)})
    return lessons


def family_away(
    household_id: int, monday: date, actor: Actor, reason: str = ""
) -> tuple[list[Lesson], list[Lesson]]:
    """Say that a family can't come in one week: the lessons that are held without it, and those
    that are cancelled, since nobody else would come."""
    said = given_reason(Act.CANCEL_WEEK, actor, reason, FAMILY_CANT)
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        groups = db.session.scalars(select(Group).where(Group.id.in_(_sits_in(household_id)))).all()
        lock_groups(groups)
        lessons = _of_week(monday, Lesson.group_id.in_([group.id for group in groups]))
        alone = [lesson for lesson in lessons if comes_alone(lesson, household_id)]
        others = [lesson for lesson in lessons if lesson not in alone]
        with telling_of(alone, actor):
            for lesson in others:
                keep_answer(lesson, household_id, coming=False)
            withdraw_lessons(alone, said)
        detail = {"week": str(monday), "household": household_id}
        _note("family_away", f"household:{household_id}", actor, lessons, detail)
    return others, alone


def _of_week(monday: date, condition: ColumnElement[bool]) -> list[Lesson]:
    """The planned lessons of a week that are to come, locked."""
    if monday not in _mondays():
        raise Invalid(_l("Choose one of the weeks."))
    lessons = _planned(condition, lock=True)
    found = [row for row in lessons if monday <= row.wall_start.date() < monday + timedelta(days=7)]
    if not found:
        raise Conflict(_l("No lesson is planned in this week any more."))
    return found


def _weeks(lessons: Iterable[Lesson]) -> list[Week]:
    by_week: dict[date, list[Lesson]] = {monday: [] for monday in _mondays()}
    for lesson in sorted(lessons, key=lambda row: (row.starts_at, row.id)):
        day = lesson.wall_start.date()
        monday = day - timedelta(days=day.weekday())
        if monday in by_week:
            by_week[monday].append(lesson)
    return [Week(monday, of_week) for monday, of_week in by_week.items() if of_week]


def _mondays() -> list[date]:
    today = clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone).date()
    this = today - timedelta(days=today.weekday())
    return [this + timedelta(weeks=number) for number in range(WEEKS)]


def _planned(condition: ColumnElement[bool], *, lock: bool = False) -> Collection[Lesson]:
    statement = (
        select(Lesson)
        .join(Lesson.group)
        .where(
            condition,
            Group.state == GroupState.ACTIVE,
            Lesson.state == LessonState.PLANNED,
            Lesson.starts_at > clock.now(),
        )
        .order_by(Lesson.id)
    )
    if lock:
        return db.session.scalars(
            statement.with_for_update(of=Lesson).execution_options(populate_existing=True)
        ).all()
    return db.session.scalars(
        statement.options(
            joinedload(Lesson.group).options(
                joinedload(Group.subject),
                joinedload(Group.tutor).lazyload("*"),
                selectinload(Group.memberships)
                .joinedload(Membership.request)
                .joinedload(TutoringRequest.pupil),
            )
        )
    ).all()


def _sits_in(household_id: int) -> Select[int]:
    return (
        select(Membership.group_id)
        .join(Membership.request)
        .join(TutoringRequest.pupil)
        .where(
            Pupil.household_id == household_id,
            Membership.active_since.is_not(None),
            Membership.ended_at.is_(None),
        )
    )


def _note(
    action: str, subject: str, actor: Actor, lessons: Iterable[Lesson], detail: dict[str, object]
) -> None:
    audit.note(
        action,
        subject,
        actor.by,
        pupil_ids=[m.request.pupil_id for row in lessons for m in row.group.members],
        detail=detail | {"lessons": [lesson.id for lesson in lessons]} | actor.trace,
    )
