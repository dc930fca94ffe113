"""One lesson is cancelled, moved or put back: checked, told and reminded of, in one transaction.

Who may do which of it is said in change_policy.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, GroupState, Lesson, LessonState, Tutor
from app.services import audit, telling
from app.services.change_policy import (
    Act,
    Actor,
    Hours,
    Role,
    coordinator,
    family,
    given_reason,
    policy_of,
    refuse_too_late,
    tutor,
)
from app.services.clashes import STOPS, Clash, surroundings
from app.services.errors import Conflict, NotFound
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from app.services.lessons import lock_in_order, move_lessons, withdraw_lessons
from app.services.searches import end_searches
from app.services.substitution import seek

FURTHEST: Final = timedelta(days=366)
"""How far away a day can be to be looked at: years that no calendar reaches are typing errors."""
FAMILY_CANT: Final = "the family can't come"
"""The reason stored where a family gives none; pages put it in the reader's words."""


def cancel_lesson(
    lesson_id: int,
    reason: str,
    by: Coordinator | None = None,
    *,
    tutor_id: int | None = None,
    household_id: int | None = None,
) -> Lesson:
    """Cancel a planned lesson with its reminders, and tell those concerned.

    `tutor_id` or `household_id` names who does it in a coordinator's place. A family can where
    nobody else would come.
    """
    actor = _actor(by, tutor_id, household_id)
    said = given_reason(Act.CANCEL_LESSON, actor, reason, FAMILY_CANT)
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        lesson = lock_lesson(lesson_id, actor)
        _refuse_unplanned(lesson, Act.CANCEL_LESSON, actor)
        if actor.role is Role.FAMILY and not comes_alone(lesson, household_id):
            raise Conflict(_l("Others come to this lesson too: it is held without you."))
        with telling_of([lesson], actor):
            withdraw_lessons([lesson], said)
        _note("cancel_lesson", lesson, actor, {"reason": said})
    return lesson


def find_substitute(lesson_id: int, reason: str, tutor_id: int) -> Lesson:
    """Have somebody else sought for a lesson that its tutor, or who stands in, can't give."""
    actor = tutor(tutor_id)
    said = given_reason(Act.FIND_SUBSTITUTE, actor, reason)
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        lesson = lock_lesson(lesson_id, actor)
        _refuse_unplanned(lesson, Act.FIND_SUBSTITUTE, actor)
        seek(lesson, db.session.get_one(Tutor, tutor_id))
        _note("find_substitute", lesson, actor, {"reason": said})
    return lesson


def clashes_of(lesson: Lesson, wall_start: datetime, role: Role) -> list[Clash]:
    """What stands against a lesson's being held then instead, for somebody of that role."""
    policy = policy_of(Act.MOVE_LESSON, role)
    day = wall_start.date()
    if abs(day - lesson.slot_start.date()) > FURTHEST:
        return [Clash.NO_LESSONS]
    return surroundings(lesson, day, day).clashes_at(
        wall_start, ahead=policy.ahead or timedelta(0), within=policy.within or timedelta.max
    )


def move_lesson(
    lesson_id: int, wall_start: datetime, actor: Actor, overruled: Collection[Clash] = ()
) -> Lesson:
    """Hold one lesson at another time; the weekly time stays.

    `overruled` are what a coordinator saw against it and overrules. Conflict where anything else
    stands against it.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        lesson = lock_lesson(lesson_id, actor)
        move_within(lesson, wall_start, actor, overruled)
    return lesson


def move_within(
    lesson: Lesson, wall_start: datetime, actor: Actor, overruled: Collection[Clash] = ()
) -> None:
    """As `move_lesson`, part of a transaction under ONE_CHANGE_OF_GROUPS_AT_A_TIME that has locked
    the lesson."""
    _refuse_unplanned(lesson, Act.MOVE_LESSON, actor)
    if wall_start == lesson.wall_start:
        raise Conflict(_l("The lesson is at this time already."))
    found = clashes_of(lesson, wall_start, actor.role)
    refuse_clashes(found, Act.MOVE_LESSON, actor.role, overruled)
    before = lesson.wall_start
    with telling_of([lesson], actor):
        move_lessons({lesson: wall_start})
    detail = {"from": before.isoformat(), "to": wall_start.isoformat()}
    broken = [clash.value for clash in found]
    _note("move_lesson", lesson, actor, detail | ({"overruled": broken} if broken else {}))


def restore_lesson(lesson_id: int, by: Coordinator | None) -> Lesson:
    """Put a cancelled lesson back where it was, with reminders, and tell those concerned."""
    actor = coordinator(by)
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        lesson = lock_lesson(lesson_id, actor)
        if lesson.state is not LessonState.CANCELLED:
            raise Conflict(_l("Only a cancelled lesson can be put back."))
        if lesson.group.state is not GroupState.ACTIVE:
            raise Conflict(_l("This group has ended already."))
        refuse_too_late(Act.RESTORE_LESSON, actor.role, lesson)
        if why_not_back(lesson):
            raise Conflict(_l("Something stands against the time by now: look at it again."))
        with telling_of([lesson], actor):
            lesson.state = LessonState.PLANNED
            lesson.cancelled_at = lesson.cancel_reason = lesson.absence_id = None
            move_lessons({lesson: lesson.wall_start})
        _note("restore_lesson", lesson, actor)
    return lesson


def why_not_back(lesson: Lesson) -> list[Clash]:
    """What keeps a cancelled lesson from being put back."""
    return [one for one in clashes_of(lesson, lesson.wall_start, Role.COORDINATOR) if one in STOPS]


@contextmanager
def telling_of(lessons: Collection[Lesson], actor: Actor) -> Iterator[None]:
    """Tell those concerned of what is done to lessons inside, but for who does it.

    What is asked about the lessons, such as whether somebody can stand in, is of no use any more.
    """
    known = telling.remember(lessons)
    yield
    end_searches(lessons)
    telling.tell_changes(lessons, known, but=actor.untold)


def lock_lesson(lesson_id: int, actor: Actor) -> Lesson:
    """A lesson that concerns who wants to change it, with its group, locked in everybody's order;
    NotFound for any other."""
    lesson = lock_in_order(lesson_id)
    if lesson is None or not concerns(lesson, actor):
        raise NotFound(_l("This lesson does not exist."))
    return lesson


def concerns(lesson: Lesson, actor: Actor) -> bool:
    """Whether a lesson is one that somebody gives, or comes to."""
    match actor.role:
        case Role.TUTOR:
            return lesson.given_by.id == actor.tutor_id
        case Role.FAMILY:
            return actor.household_id in homes_of(lesson)
    return True


def homes_of(lesson: Lesson) -> set[int]:
    """The households whose children come to a lesson."""
    if lesson.group.state is not GroupState.ACTIVE:
        return set()
    return {
        member.request.pupil.household_id
        for member in lesson.group.members
        if member.active_since is not None
    }


def comes_alone(lesson: Lesson, household_id: int | None) -> bool:
    """Whether nobody but this family's children comes to a lesson."""
    return homes_of(lesson) == {household_id}


def refuse_clashes(
    found: Collection[Clash], act: Act, role: Role, overruled: Collection[Clash]
) -> None:
    """Conflict where something stands against a change that was not, or can't be, overruled."""
    if not found:
        return
    if not STOPS.isdisjoint(found):
        raise Conflict(_l("A lesson can't be held then: look at what stands against it."))
    if policy_of(act, role).hours is not Hours.OVERRULE:
        raise Conflict(_l("This time does not suit everybody: choose another one."))
    if not set(found) <= set(overruled):
        raise Conflict(_l("Tick each broken rule that you overrule."))


def _refuse_unplanned(lesson: Lesson, act: Act, actor: Actor) -> None:
    if lesson.state is not LessonState.PLANNED:
        raise Conflict(_l("Only a planned lesson can be changed."))
    refuse_too_late(act, actor.role, lesson)


def _actor(by: Coordinator | None, tutor_id: int | None, household_id: int | None) -> Actor:
    if tutor_id is not None:
        return tutor(tutor_id)
    return coordinator(by) if household_id is None else family(household_id)


def _note(
    action: str, lesson: Lesson, actor: Actor, detail: dict[str, object] | None = None
) -> None:
    audit.note(
        action,
        f"lesson:{lesson.id}",
        actor.by,
        pupil_ids=[member.request.pupil_id for member in lesson.group.members],
        detail=(detail or {}) | actor.trace,
    )
