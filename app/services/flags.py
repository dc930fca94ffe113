"""What lessons not held raise: a coordinator looks after it, or the pupils wait for somebody else.

A flag is raised once for a series of lessons. It is found anew with each note on a lesson of the
group, also one that corrects another, in the transaction of the note.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, lazyload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Attendance,
    Coordinator,
    Flag,
    FlagKind,
    Group,
    GroupState,
    Lesson,
    LessonState,
    Pupil,
    TutoringRequest,
)
from app.services import audit
from app.services.ending import end_groups
from app.services.errors import Conflict, Invalid, NotFound
from app.services.free_text import read_reason
from app.services.groups import note_end
from app.services.loading import GROUP_AT_THE_DESK
from app.services.pins import drop_pins
from app.services.scope import Scope
from app.services.waiting import Waiting, first_of
from app.services.within import groups_within
from scheduler import clock

ABSENCES: Final = 2
NOT_HELD: Final = 3
LESSONS_NOT_HELD: Final = "three lessons in a row were not held"
"""The reason stored where that ends a group; pages put it in the reader's words."""


def follow_note(lesson: Lesson) -> None:
    """Raise, or take back, what the notes on a group's lessons mean by now.

    Part of the transaction of a note, which holds the groups' lock and has locked the lesson.
    """
    group = lesson.group
    for request_id in sorted(_noted_requests(lesson)):
        _follow_absences(group, request_id)
    if group.state is GroupState.ACTIVE:
        series = _not_held_in_a_row(group)
        if len(series) >= NOT_HELD:
            _reopen(group, series[-1])


def first_flags(scope: Scope) -> Waiting[Flag]:
    """The first flags of these zones that nobody has looked after, the oldest first."""
    return first_of(_open_flags().where(groups_within(scope, Flag.group_id)))


def get_flag(flag_id: int) -> Flag:
    """A flag that nobody has looked after yet; NotFound for any other."""
    flag: Flag | None = db.session.scalar(_open_flags().where(Flag.id == flag_id))
    if flag is None:
        raise NotFound(_l("This is taken care of already."))
    return flag


def close_flag(flag_id: int, note: str, by: Coordinator) -> Flag:
    """Record that a coordinator looked after it, and how."""
    said = read_reason(note)
    if not said:
        raise Invalid(_l("Say what you did."))
    with transaction():
        flag = db.session.get(Flag, flag_id, with_for_update=True)
        if flag is None:
            raise NotFound(_l("This is taken care of already."))
        if flag.closed_at is not None:
            raise Conflict(_l("This is taken care of already."))
        flag.closed_at = clock.now()
        flag.closed_by_id = by.id
        audit.note(
            "close_flag",
            f"group:{flag.group_id}",
            by,
            pupil_ids=[pupil.id for pupil in pupils_of(flag)],
            detail={"flag": flag.kind.value, "reason": said},
        )
    return flag


def _open_flags() -> Select[Flag]:
    return (
        select(Flag)
        .where(Flag.closed_at.is_(None))
        .order_by(Flag.raised_at, Flag.id)
        .options(
            joinedload(Flag.lesson),
            joinedload(Flag.request)
            .joinedload(TutoringRequest.pupil)
            .joinedload(Pupil.household)
            .options(lazyload("*")),
            joinedload(Flag.group).options(*GROUP_AT_THE_DESK),
        )
    )


def pupils_of(flag: Flag) -> list[Pupil]:
    """The children whom a flag is about."""
    if flag.request is not None:
        return [flag.request.pupil]
    seats = [seat for seat in flag.group.memberships if seat.active_since is not None]
    return [seat.request.pupil for seat in seats]


# --- absences


def _noted_requests(lesson: Lesson) -> set[int]:
    """Whose absences a note on this lesson can have changed: all who ever sat in its group."""
    return {member.request_id for member in lesson.group.memberships}


def _follow_absences(group: Group, request_id: int) -> None:
    """A flag for the newest absences in a row; none any more for those that a note took back.

    Lessons that were cancelled, or not held, have no attendance: they neither count nor interrupt.
    """
    attended = [
        (number, present)
        for number, present in db.session.execute(
            select(Attendance.lesson_id, Attendance.present)
            .join(Attendance.lesson)
            .where(Lesson.group_id == group.id, Attendance.request_id == request_id)
            .order_by(Lesson.starts_at, Lesson.id)
        )
    ]
    series = [run for run in _absences_in_a_row(attended) if len(run) >= ABSENCES]
    flags = db.session.scalars(
        select(Flag).where(
            Flag.kind == FlagKind.ABSENCES,
            Flag.group_id == group.id,
            Flag.request_id == request_id,
        )
    ).all()
    for flag in flags:
        if flag.closed_at is None and not any(flag.lesson_id in run for run in series):
            db.session.delete(flag)
    newest = series[-1] if series and attended[-1][0] == series[-1][-1] else []
    if newest and not any(flag.lesson_id in newest for flag in flags):
        _raise(FlagKind.ABSENCES, group, newest[-1], request_id)


def _absences_in_a_row(attended: Iterable[tuple[int, bool]]) -> list[list[int]]:
    """The ids of lessons, as runs of absences."""
    runs: list[list[int]] = [[]]
    for number, present in attended:
        if present:
            runs.append([])
        else:
            runs[-1].append(number)
    return runs


# --- lessons not held


def _not_held_in_a_row(group: Group) -> list[int]:
    """The ids of the newest lessons that were not held, with none between them that was.

    What nobody said anything of may have been held: in between, it ends the series.
    """
    begun = db.session.execute(
        select(Lesson.id, Lesson.state)
        .where(
            Lesson.group_id == group.id,
            Lesson.state != LessonState.CANCELLED,
            Lesson.starts_at <= clock.now(),
        )
        .order_by(Lesson.starts_at, Lesson.id)
    )
    series: list[int] = []
    for number, state in begun:
        if state is LessonState.NOT_HELD:
            series.append(number)
        elif state is not LessonState.PLANNED or len(series) < NOT_HELD:
            series = []
    return series


def _reopen(group: Group, lesson_id: int) -> None:
    """End a group whose lessons are not held, and tell it: its requests wait for the next run."""
    members = group.members
    drop_pins((member.request_id for member in members), group.tutor_id)
    end_groups([group], LESSONS_NOT_HELD)
    note_end(group, None, members, LESSONS_NOT_HELD)
    _raise(FlagKind.NOT_HELD, group, lesson_id, None)


def _raise(kind: FlagKind, group: Group, lesson_id: int, request_id: int | None) -> None:
    db.session.add(
        Flag(
            kind=kind,
            group_id=group.id,
            request_id=request_id,
            lesson_id=lesson_id,
            raised_at=clock.now(),
        )
    )
    db.session.flush()
    pupil_ids = [
        member.request.pupil_id
        for member in group.memberships
        if request_id in (None, member.request_id)
    ]
    audit.note(
        "raise_flag",
        f"group:{group.id}",
        None,
        pupil_ids=pupil_ids,
        detail={"flag": kind.value, "lesson": lesson_id},
    )
