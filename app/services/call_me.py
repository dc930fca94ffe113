"""A family asks to be called: by a missed call, a text, or a button on its page.

Near a lesson it is the volunteer of that lesson who is told, at other times the coordinators of the
family's zone. What is sent names children by their first names at most, and no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, lazyload

from app.database import transaction
from app.extensions import db
from app.models import (
    CallRequest,
    Coordinator,
    CoordinatorZone,
    Group,
    Household,
    Lesson,
    LessonState,
    Tutor,
)
from app.services import audit, telling
from app.services.taught import family_lessons
from scheduler import clock

BEFORE_A_LESSON: Final = timedelta(minutes=30)
"""From so long before a lesson on, until its end, its volunteer is told."""
LONGEST_LESSON: Final = timedelta(hours=4)
TUTOR_CALLS_WITHIN: Final = timedelta(minutes=10)
"""Who asks again later than that, with the lesson still on, is passed on to coordinators too."""
TOLD_ONCE_IN: Final = timedelta(hours=1)
"""Coordinators are not written to more often than that because of one family."""


def ask(household_id: int) -> CallRequest:
    """Have somebody call the family; asking again soon changes nothing."""
    with transaction():
        household = db.session.get_one(Household, household_id, with_for_update=True)
        passed_on = _passed_on(household)
        tutor = None if passed_on is not None else _tutor_near(household)
        if tutor is not None:
            return _pass_on(household, tutor)
        now = clock.now()
        if passed_on is not None and now - passed_on.asked_at < TUTOR_CALLS_WITHIN:
            return passed_on
        call = _open_call(household)
        if call is None:
            call = CallRequest(household_id=household.id, asked_at=now)
            db.session.add(call)
            _note(household, {"household": household.id})
        if _last_told(household) is None:
            call.told_at = now
            for coordinator in coordinators_of(household.zone_id):
                telling.tell_call_me(household, coordinator)
        return call


def coordinators_of(zone_id: int) -> Sequence[Coordinator]:
    """Who answers for a zone: its own coordinators, or those of all zones where it has none."""
    own = select(CoordinatorZone.coordinator_id).where(CoordinatorZone.zone_id == zone_id)
    everywhere = or_(Coordinator.all_zones, Coordinator.is_administrator)
    open_ones = (
        select(Coordinator)
        .where(Coordinator.closed_at.is_(None))
        .order_by(Coordinator.id)
        .options(lazyload("*"))
    )
    of_zone = open_ones.where(Coordinator.id.in_(own), ~everywhere)
    return (
        db.session.scalars(of_zone).all() or db.session.scalars(open_ones.where(everywhere)).all()
    )


def _pass_on(household: Household, tutor: Tutor) -> CallRequest:
    """Tell the volunteer of the lesson; coordinators have nothing to do."""
    now = clock.now()
    call = CallRequest(
        household_id=household.id, asked_at=now, called_at=now, told_at=now, tutor_id=tutor.id
    )
    db.session.add(call)
    telling.tell_call_me(household, tutor)
    _note(household, {"household": household.id, "tutor": tutor.id})
    return call


def _passed_on(household: Household) -> CallRequest | None:
    """The newest wish that was passed on to a volunteer within the hour."""
    return db.session.scalar(
        select(CallRequest)
        .where(
            CallRequest.household_id == household.id,
            CallRequest.tutor_id.is_not(None),
            CallRequest.asked_at > clock.now() - TOLD_ONCE_IN,
        )
        .order_by(CallRequest.id.desc())
        .limit(1)
    )


def _last_told(household: Household) -> CallRequest | None:
    """A wish of which coordinators were told within the hour."""
    return db.session.scalar(
        select(CallRequest)
        .where(
            CallRequest.household_id == household.id,
            CallRequest.tutor_id.is_(None),
            CallRequest.told_at > clock.now() - TOLD_ONCE_IN,
        )
        .limit(1)
    )


def _open_call(household: Household) -> CallRequest | None:
    return db.session.scalar(
        select(CallRequest)
        .where(CallRequest.household_id == household.id, CallRequest.called_at.is_(None))
        .limit(1)
    )


def _tutor_near(household: Household) -> Tutor | None:
    """Who gives the family's lesson that begins soon or is on; None where none, or they can't be
    written to.
    """
    now = clock.now()
    lessons = db.session.scalars(
        family_lessons(household.id)
        .with_only_columns(Lesson)
        .where(
            Lesson.state == LessonState.PLANNED,
            Lesson.starts_at > now - LONGEST_LESSON,
            Lesson.starts_at <= now + BEFORE_A_LESSON,
        )
        .order_by(Lesson.starts_at.desc(), Lesson.id)
        .options(
            joinedload(Lesson.group).joinedload(Group.tutor).lazyload("*"),
            joinedload(Lesson.substitute).lazyload("*"),
        )
    )
    near = [row for row in lessons if row.starts_at + timedelta(minutes=row.minutes) > now]
    tutors = (row.given_by for row in near)
    return next((tutor for tutor in tutors if tutor.messages_stopped_at is None), None)


def _note(household: Household, detail: dict[str, int]) -> None:
    pupils = [pupil.id for pupil in household.pupils]
    audit.note("ask_for_call", f"household:{household.id}", None, pupil_ids=pupils, detail=detail)
