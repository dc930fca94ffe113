"""Which reminders are owed for a lesson, and which of them share a message.

Nothing here commits: reminders change in the transaction of the lesson that they speak of. The
order of locks is lessons, then recipients, then messages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from flask import current_app
from sqlalchemy import or_, select, update
from sqlalchemy.orm import joinedload

from app.extensions import db
from app.models import (
    OPEN_MESSAGES,
    Household,
    Lesson,
    LessonAnswer,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Reminder,
    Tutor,
)
from scheduler import clock
from scheduler import reminders as policy

TIMINGS = {
    MessageKind.LESSON_24H: policy.DAY_BEFORE,
    MessageKind.LESSON_2H: policy.HOURS_BEFORE,
}


@dataclass(frozen=True, order=True)
class Recipient:
    """A household or a tutor, as reminders name them."""

    table: str
    id: int

    @property
    def key(self) -> str:
        return f"{self.table}:{self.id}"

    @property
    def columns(self) -> dict[str, int]:
        """The column that points at them."""
        return {f"{self.table}_id": self.id}


def plan_reminders(lessons: Iterable[Lesson], only: Iterable[Recipient] | None = None) -> None:
    """Owe the reminders of these planned lessons to their tutor and their members' households, or
    only to those recipients.

    What is owed already stays as it is; what was cancelled before it left, for someone who went and
    came back, is owed again; what would come too late, or to a family that said that it can't be
    there, is not owed at all.
    """
    listed = [lesson for lesson in lessons if lesson.state is LessonState.PLANNED]
    absent = _who_cannot_come(listed)
    wanted = None if only is None else set(only)
    owed = [
        (lesson, recipient)
        for lesson in listed
        for recipient in recipients_of(lesson)
        if (wanted is None or recipient in wanted) and (lesson.id, recipient) not in absent
    ]
    recipients = {recipient for _lesson, recipient in owed}
    lock_recipients(recipients)
    known = {
        (row.lesson_id, row.lesson_version, row.recipient, row.kind): row
        for row in db.session.scalars(
            select(Reminder).where(Reminder.lesson_id.in_([lesson.id for lesson in listed]))
        )
    }
    for lesson, recipient in owed:
        for kind in TIMINGS:
            before = known.get((lesson.id, lesson.version, recipient.key, kind))
            _owe(lesson, recipient, kind, before)
    db.session.flush()
    for recipient in sorted(recipients):
        share_messages(recipient)


def _who_cannot_come(lessons: Collection[Lesson]) -> set[tuple[int, Recipient]]:
    """The families that said so, by the lesson of which they did."""
    refused = select(LessonAnswer.lesson_id, LessonAnswer.household_id).where(
        LessonAnswer.lesson_id.in_([lesson.id for lesson in lessons]), ~LessonAnswer.coming
    )
    return {
        (row.lesson_id, Recipient("household", row.household_id))
        for row in db.session.execute(refused)
    }


def _owe(lesson: Lesson, recipient: Recipient, kind: MessageKind, before: Reminder | None) -> None:
    expires = policy.expires_at(_timing(kind), lesson.starts_at)
    if expires <= clock.now():
        return
    if before is None:
        db.session.add(
            Reminder(
                lesson=lesson,
                lesson_version=lesson.version,
                recipient=recipient.key,
                kind=kind,
                due_at=policy.due_at(TIMINGS[kind], lesson.starts_at, zone_of(recipient)),
                expires_at=expires,
                **recipient.columns,
            )
        )
    elif before.cancelled_at is not None and before.message_id is None:
        before.cancelled_at = None


def _timing(kind: MessageKind) -> policy.Timing:
    """As TIMINGS, but that from when on a reminder is of no use is a setting."""
    config = current_app.config["N9RAW"]
    ends = {
        MessageKind.LESSON_24H: config.reminder_24h_ends_seconds,
        MessageKind.LESSON_2H: config.reminder_2h_ends_seconds,
    }
    return replace(TIMINGS[kind], useless=timedelta(seconds=ends[kind]))


def follow_zone(tutor_id: int) -> None:
    """Keep a tutor's reminders out of the nights of the zone that the tutor is in by now.

    Part of the transaction that changed the zone.
    """
    recipient = Recipient("tutor", tutor_id)
    db.session.flush()
    lock_recipients([recipient])
    open_reminders = (
        select(Reminder)
        .outerjoin(Reminder.message)
        .where(
            Reminder.recipient == recipient.key,
            Reminder.cancelled_at.is_(None),
            or_(Message.id.is_(None), Message.state.in_(OPEN_MESSAGES)),
        )
        .options(joinedload(Reminder.lesson))
    )
    for reminder in db.session.scalars(open_reminders):
        timing = TIMINGS[reminder.kind]
        reminder.due_at = policy.due_at(timing, reminder.lesson.starts_at, zone_of(recipient))
    db.session.flush()
    share_messages(recipient)


def zone_of(recipient: Recipient) -> str:
    """The zone whose days and nights are the recipient's; a tutor abroad has another."""
    own = None
    if recipient.table == Tutor.__tablename__:
        own = db.session.scalar(select(Tutor.time_zone).where(Tutor.id == recipient.id))
    return own or str(current_app.config["N9RAW"].civil_zone)


def cancel_reminders(lessons: Iterable[Lesson], only: Iterable[Recipient] | None = None) -> None:
    """Owe nothing any more for these lessons, to anyone or only to those recipients.

    A message that speaks of nothing else is cancelled, unless it is on its way already.
    """
    query = select(Reminder).where(
        Reminder.lesson_id.in_([lesson.id for lesson in lessons]),
        Reminder.cancelled_at.is_(None),
    )
    if only is not None:
        query = query.where(Reminder.recipient.in_([recipient.key for recipient in only]))
    rows = db.session.scalars(query).all()
    recipients = {_recipient(row) for row in rows}
    lock_recipients(recipients)
    for row in rows:
        row.cancelled_at = clock.now()
    db.session.flush()
    for recipient in sorted(recipients):
        share_messages(recipient)


def share_messages(recipient: Recipient) -> None:
    """Deal a recipient's open reminders out to messages: one a day, and one each few hours.

    The recipient is locked. Messages that have left, or may have, stay as they are, and so do those
    that say again by another way what did not arrive: nothing new shares their fate.
    """
    messages = db.session.scalars(
        select(Message)
        .where(
            getattr(Message, f"{recipient.table}_id") == recipient.id,
            Message.kind.in_(list(TIMINGS)),
            Message.state.in_(OPEN_MESSAGES),
        )
        .order_by(Message.id)
        .with_for_update()
    ).all()
    db.session.execute(
        update(Reminder)
        .where(
            Reminder.message_id.in_([message.id for message in messages]),
            Reminder.cancelled_at.is_not(None),
        )
        .values(message_id=None)
    )
    closed = {m.id for m in messages if m.resent or m.fallback_of_id is not None}
    open_ids = [message.id for message in messages if message.id not in closed]
    in_use = set(
        db.session.scalars(select(Reminder.message_id).where(Reminder.message_id.in_(closed)))
    )
    reminders = db.session.scalars(
        select(Reminder)
        .where(
            Reminder.recipient == recipient.key,
            Reminder.cancelled_at.is_(None),
            or_(
                Reminder.message_id.is_(None),
                Reminder.message_id.in_(open_ids),
            ),
        )
        .order_by(Reminder.id)
        .options(joinedload(Reminder.lesson))
    ).all()
    left = {message.id: message for message in messages if message.id not in in_use}
    zone = zone_of(recipient)
    for kind in TIMINGS:
        of_kind = [reminder for reminder in reminders if reminder.kind is kind]
        starts = [reminder.lesson.starts_at for reminder in of_kind]
        shared = (
            policy.share_by_day(starts, zone)
            if kind is MessageKind.LESSON_24H
            else policy.share_by_hours(starts)
        )
        for places in shared:
            _put_in_one_message([of_kind[place] for place in places], recipient, left)
    for message in left.values():
        message.state = MessageState.CANCELLED
        message.ended_at = clock.now()
        message.claim = None
    db.session.flush()


def _put_in_one_message(
    reminders: list[Reminder], recipient: Recipient, left: dict[int, Message]
) -> None:
    """Put reminders, in the order of their lessons, in a message that one has, or a new one."""
    had = [r.message_id for r in reminders if r.message_id in left]
    message = left.pop(had[0]) if had and had[0] is not None else None
    due = min(reminder.due_at for reminder in reminders)
    if message is None:
        message = Message(
            kind=reminders[0].kind,
            due_at=due,
            next_try_at=due,
            expires_at=due,
            created_at=clock.now(),
            **recipient.columns,
        )
        db.session.add(message)
    # A message that failed once keeps the time of its next try, unless it is due later by now.
    message.next_try_at = due if message.tries == 0 else max(message.next_try_at, due)
    message.due_at = due
    message.expires_at = max(reminder.expires_at for reminder in reminders)
    for reminder in reminders:
        reminder.message = message


def recipients_of(lesson: Lesson) -> list[Recipient]:
    """The tutor of a lesson, and the households of those who are members by now."""
    households = {
        membership.request.pupil.household_id
        for membership in lesson.group.members
        if membership.active_since is not None
    }
    return [
        Recipient("tutor", lesson.substitute_id or lesson.group.tutor_id),
        *(Recipient("household", number) for number in sorted(households)),
    ]


def _recipient(reminder: Reminder) -> Recipient:
    table, _, number = reminder.recipient.partition(":")
    return Recipient(table, int(number))


def lock_recipients(recipients: Collection[Recipient]) -> None:
    """Lock the recipients' rows in one order, so that nobody else deals out their messages."""
    for table in (Household, Tutor):
        ids = sorted(r.id for r in recipients if r.table == table.__tablename__)
        if ids:
            db.session.execute(
                select(table.id).where(table.id.in_(ids)).order_by(table.id).with_for_update()
            )
