"""The end of seats and of whole groups, with what was to come of them: lessons and reminders.

Each function is part of the caller's transaction, which holds the lock under which groups change.
Families whose lessons end are told so in one message, their tutors of the lessons that are off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select

from app.extensions import db
from app.models import Group, GroupState, Lesson, Membership, Pupil, RequestState, Tutor
from app.services import telling
from app.services.lessons import future_lessons, withdraw_lessons
from app.services.notices import group_state_of
from app.services.reminders import (
    Recipient,
    cancel_reminders,
    lock_recipients,
    recipients_of,
)
from app.services.searches import end_searches
from scheduler import clock

NOBODY_LEFT = "no pupil is left in the group"
VETTING_OVER = "the volunteer's vetting is over"
"""The reasons stored where the program itself cancels; pages put them in the reader's words."""


def lock_groups(groups: Iterable[Group]) -> None:
    """Lock the rows of groups, before their lessons: so does whoever makes lessons."""
    ids = [group.id for group in groups]
    db.session.execute(
        select(Group.id).where(Group.id.in_(ids)).order_by(Group.id).with_for_update()
    )


def end_seats(members: Iterable[Membership]) -> None:
    """End seats; their requests wait again."""
    for member in members:
        member.ended_at = clock.now()
        if member.request.state is RequestState.SERVED:
            member.request.state = RequestState.WAITING
    db.session.flush()


def end_groups(
    groups: Collection[Group], reason: str, but: Collection[Recipient] = frozenset()
) -> None:
    """End groups with all seats; what was to come of them is cancelled, and told.

    `but` are those who did it themselves.
    """
    lessons = future_lessons(*(group.id for group in groups))
    taught = _taught(member for group in groups for member in group.members)
    known = telling.remember(lessons)
    _lock_all(lessons, taught)
    end_seats(member for group in groups for member in group.members)
    for group in groups:
        _end(group)
    withdraw_lessons(lessons, reason)
    _tell(taught, lessons, known, but)


def leave_groups(leaving: Collection[Membership], but: Collection[Recipient] = frozenset()) -> None:
    """End these seats, and tell it, also to the tutor of a group that goes on. A group in which
    nobody is left to be taught ends, and its lessons. `but` are those who did it themselves, or
    never heard that they had a seat.
    """
    groups = sorted({member.group for member in leaving}, key=lambda group: group.id)
    lessons = future_lessons(*(group.id for group in groups))
    staying = {group: [m for m in group.members if m not in leaving] for group in groups}
    ending = [group for group in groups if not goes_on(group, staying[group])]
    gone = {group: _gone(group, staying[group]) for group in groups if group not in ending}
    before = {group: group_state_of(group, group.starts) for group in gone}
    taught = _taught([*leaving, *(member for group in ending for member in staying[group])])
    known = telling.remember(lessons)
    # All at once: locking group by group could meet others who lock in the order of ids.
    _lock_all(lessons, taught, gone)
    end_seats([*leaving, *(member for group in ending for member in staying[group])])
    for group in ending:
        _end(group)
    off = [lesson for lesson in lessons if lesson.group in ending]
    withdraw_lessons(off, NOBODY_LEFT)
    for group, households in gone.items():
        cancel_reminders([one for one in lessons if one.group is group], only=households)
    _tell(taught, off, known, but)
    for group, was in before.items():
        telling.tell_seats_left(group, was, but)


def goes_on(group: Group, staying: Collection[Membership]) -> bool:
    """Whether a group with just these seats left is still one.

    An active group is not, where all who stay are only offered to it.
    """
    return bool(staying) and (
        group.state is GroupState.OFFERED
        or any(member.active_since is not None for member in staying)
    )


def _tell(
    taught: dict[Tutor, list[Pupil]],
    lessons: Collection[Lesson],
    known: telling.Known,
    but: Collection[Recipient],
) -> None:
    """Families hear that the lessons have ended, and need not hear of each; tutors of the lessons
    that are off, as does who would have stood in."""
    families = set()
    for tutor, pupils in taught.items():
        families |= {Recipient("household", pupil.household_id) for pupil in pupils}
        telling.tell_lessons_end(
            [one for one in pupils if Recipient("household", one.household_id) not in but], tutor
        )
    end_searches(lessons)
    telling.tell_changes(lessons, known, but=families.union(but))


def _taught(members: Iterable[Membership]) -> dict[Tutor, list[Pupil]]:
    """By tutor, the pupils whose lessons have begun; their families know of them."""
    taught: dict[Tutor, list[Pupil]] = {}
    for member in members:
        pupil, tutor = member.request.pupil, member.group.tutor
        if member.active_since is not None and pupil not in taught.setdefault(tutor, []):
            taught[tutor].append(pupil)
    return taught


def _lock_all(
    lessons: Collection[Lesson], taught: dict[Tutor, list[Pupil]], going_on: Iterable[Group] = ()
) -> None:
    families = {
        Recipient("household", pupil.household_id) for pupils in taught.values() for pupil in pupils
    }
    tutors = {Recipient("tutor", group.tutor_id) for group in going_on}
    in_lessons = {one for lesson in lessons for one in recipients_of(lesson)}
    lock_recipients(families | tutors | in_lessons)


def _end(group: Group) -> None:
    group.state = GroupState.ENDED
    group.ended_at = clock.now()


def _gone(group: Group, staying: Collection[Membership]) -> set[Recipient]:
    """The households that have nobody left in a group once only these stay."""
    before = {member.request.pupil.household_id for member in group.members}
    after = {member.request.pupil.household_id for member in staying}
    return {Recipient("household", number) for number in before - after}
