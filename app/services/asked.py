"""What somebody was asked last: the newest question or reminder that has left and is still open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from app.extensions import db
from app.models import (
    OPEN_MESSAGES,
    Lesson,
    Message,
    MessageKind,
    MessageState,
    Notice,
    Pupil,
    Question,
    QuestionKind,
    Reminder,
)
from app.services.outbox import IN_DOUBT
from app.services.senders import Sender
from app.services.taught import family_lessons
from scheduler import clock

ASKING_KINDS: Final = (
    MessageKind.LESSON_24H,
    MessageKind.LESSON_2H,
    MessageKind.CHANGE,
    MessageKind.SUBSTITUTION,
)
"""The kinds of message that a family may answer with 1 or 2, each speaking of lessons."""
BEGUN_OF_LATE: Final = timedelta(hours=24)
"""So long after a lesson has begun, an answer to its reminder is told that it comes too late."""
ANSWERED_OF_LATE: Final = timedelta(minutes=30)
"""So long the next key still speaks of the same question, such as one child after the other."""

_GONE: Final = (
    MessageState.HANDING,
    MessageState.ACCEPTED,
    MessageState.UNDELIVERED,
    MessageState.DELIVERED,
)


@dataclass(frozen=True, slots=True)
class AskedLesson:
    """A lesson that a message told of, and whether it still stands as it was told."""

    lesson: Lesson
    as_told: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a text may answer: a question, or the lessons that a message told of."""

    message_id: int | None
    left_at: datetime
    question: Question | None = None
    lessons: list[AskedLesson] = field(default_factory=list)


def newest_asked(sender: Sender) -> Asked | None:
    """What the sender was asked last, of what is not over; else what has just begun."""
    found = [_newest_question(sender), _newest_lessons(sender, clock.now())]
    open_ones = [asked for asked in found if asked is not None]
    if open_ones:
        return max(open_ones, key=lambda asked: asked.left_at)
    return _newest_lessons(sender, clock.now() - BEGUN_OF_LATE)


def was_written_to_since(sender: Sender, asked: Asked) -> bool:
    """Whether a coordinator's own words have left to the sender since that was asked."""
    household, tutor = sender.household, sender.tutor
    note = exists().where(
        or_(
            false() if household is None else Message.household_id == household.id,
            false() if tutor is None else Message.tutor_id == tutor.id,
        ),
        Message.kind == MessageKind.NOTE,
        Message.by_id.is_not(None),
        Message.handed_at > asked.left_at,
    )
    return bool(db.session.scalar(select(note)))


def lesson_children(lesson_ids: Collection[int], household_id: int) -> dict[int, list[Pupil]]:
    """The family's children who take part in each of these lessons by now, by lesson."""
    rows = db.session.execute(
        family_lessons(household_id)
        .with_only_columns(Lesson.id, Pupil)
        .where(Lesson.id.in_(lesson_ids))
        .order_by(Pupil.id)
    )
    children: dict[int, list[Pupil]] = {number: [] for number in lesson_ids}
    for number, pupil in rows:
        children[number].append(pupil)
    return children


def _newest_question(sender: Sender) -> Asked | None:
    now = clock.now()
    left_at = _left_at()
    # One that was settled stays what was asked last; which child was meant may be said again.
    stands = or_(
        Question.kind != QuestionKind.WHICH_LESSON,
        Question.answered_at.is_(None),
        Question.answered_at > now - ANSWERED_OF_LATE,
    )
    row = db.session.execute(
        select(Question, left_at)
        .join(Question.message)
        .where(_put_to(sender), Question.expires_at > now, stands, _has_left())
        .order_by(left_at.desc(), Question.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Asked(row[0].message_id, row[1], question=row[0])


def _newest_lessons(sender: Sender, after: datetime) -> Asked | None:
    """The newest message to a family that speaks of a lesson which begins after that instant."""
    if sender.household is None:
        return None
    left_at = _left_at()
    row = db.session.execute(
        select(Message.id, left_at)
        .where(
            Message.household_id == sender.household.id,
            Message.kind.in_(ASKING_KINDS),
            or_(Message.id.in_(_told_of(Reminder, after)), Message.id.in_(_told_of(Notice, after))),
            _has_left(),
        )
        .order_by(left_at.desc(), Message.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Asked(row.id, row[1], lessons=_lessons_of(row.id, after))


def _told_of(table: type[Reminder] | type[Notice], after: datetime) -> Select[int | None]:
    told = (
        select(table.message_id)
        .join(Lesson, Lesson.id == table.lesson_id)
        .where(Lesson.starts_at > after, table.message_id == Message.id)
        .correlate(Message)
    )
    # A notice is cancelled before its text leaves, which then says nothing of it.
    return told.where(Notice.cancelled_at.is_(None)) if table is Notice else told


def _lessons_of(message_id: int, after: datetime) -> list[AskedLesson]:
    reminded = db.session.execute(
        select(Lesson, Reminder.lesson_version)
        .join(Reminder, Reminder.lesson_id == Lesson.id)
        .where(Reminder.message_id == message_id, Lesson.starts_at > after)
    )
    found = {
        lesson.id: AskedLesson(lesson, lesson.version == version) for lesson, version in reminded
    }
    noticed = db.session.execute(
        select(Lesson, _is_to_hear_more(message_id))
        .join(Notice, Notice.lesson_id == Lesson.id)
        .where(
            Notice.message_id == message_id,
            Notice.cancelled_at.is_(None),
            Lesson.starts_at > after,
        )
    )
    for lesson, hears_more in noticed:
        found.setdefault(lesson.id, AskedLesson(lesson, as_told=not hears_more))
    return sorted(found.values(), key=lambda each: (each.lesson.starts_at, each.lesson.id))


def _is_to_hear_more(message_id: int) -> ColumnElement[bool]:
    """Whether a later change of the lesson has yet to be told to who had that message's notice."""
    later = aliased(Notice)
    return exists().where(
        later.recipient == Notice.recipient,
        later.lesson_id == Notice.lesson_id,
        later.cancelled_at.is_(None),
        later.message_id == Message.id,
        Message.id != message_id,
        Message.state.in_(OPEN_MESSAGES),
    )


def _put_to(sender: Sender) -> ColumnElement[bool]:
    """That a question is one to the family or the volunteer of that number."""
    household, tutor = sender.household, sender.tutor
    return or_(
        false() if household is None else Question.household_id == household.id,
        false() if tutor is None else Question.tutor_id == tutor.id,
    )


def _has_left() -> ColumnElement[bool]:
    """That a message may have been read; one that was refused each time it was handed over was not.

    A message that says again what another said counts too: that one may have been read.
    """
    may_be_read = or_(Message.state.in_(_GONE), Message.resent, Message.error == IN_DOUBT)
    handed = and_(Message.handed_at.is_not(None), may_be_read)
    return or_(handed, Message.fallback_of_id.is_not(None))


def _left_at() -> ColumnElement[datetime]:
    return func.coalesce(Message.handed_at, Message.created_at)
