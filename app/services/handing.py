"""Handing over: the one commit just before the wire, after which a message can't be stopped.

It checks all that may have changed since the message was planned, and writes its words from those
reminders and notices that still hold. A cancellation or a STOP that was committed before it stops
the message. Messages are handed over some at a time: one commit, and a few questions for them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import Row, select, text, union
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.interfaces import ORMOption

from app.database import transaction
from app.extensions import db
from app.gateways import Gateway, OutgoingText
from app.models import (
    CODE_KINDS,
    NOTICE_KINDS,
    SIGN_IN_STATES,
    WORDED_LATE,
    Channel,
    ConsentKind,
    Coordinator,
    GroupState,
    Household,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Notice,
    Question,
    QuestionKind,
    Reminder,
    Tutor,
    TutorState,
)
from app.services import gateway_pace, notices, quiet_hours
from app.services.addressees import Addressee, lock_addressees, own_zone_of
from app.services.consent import in_force
from app.services.fallback import REMINDER_KINDS, tried_before
from app.services.loading import GROUP_IN_TEXTS
from app.services.message_texts import ToldLesson, reminder_text, subject_line
from app.services.outbox import Claimed, end, held, postpone
from app.services.searches import searched_among
from app.services.telling import put_among_calls
from app.services.ways import Way, ways_of
from app.services.wordings import all_at_hand
from scheduler import clock

# Less than PostgreSQL takes to find a deadlock: whoever changes lessons wins, delivery tries again.
_WAIT_FOR_LOCKS: Final = "SET LOCAL lock_timeout = '500ms'"
_SOON: Final = timedelta(seconds=1)
_NO_WAY: Final = "no gateway reaches this recipient"
_NO_WAY_FOR_A_CODE: Final = "no gateway reaches this recipient, or not with a code"
_NIGHT_TO_THE_END: Final = "no time was left by day"
_DESPITE_STOP: Final = (*CODE_KINDS, MessageKind.REPLY, MessageKind.CHECK)
"""What somebody just asked for, if only by writing to us."""
_TOLD_BY_CALL: Final = (*NOTICE_KINDS, MessageKind.NEW_GROUP, MessageKind.LESSONS_END)
"""What a family must hear, if not by a message: of its lessons."""
_TO_ANY_TUTOR: Final = (MessageKind.NOTE, MessageKind.REPLY)
"""What also goes to a volunteer who may not sign in."""


@dataclass(frozen=True, slots=True)
class Handing:
    """A message that is on record as being handed over: it must be sent now, or told of."""

    claimed: Claimed
    gateway: Gateway
    outgoing: OutgoingText
    leaves_at: datetime
    """Its turn by the gateway's rate; within a second."""


@dataclass(frozen=True, slots=True)
class _Matter:
    """All that a batch of messages speaks of, as it stands until the commit, by message."""

    addressees: Mapping[int, Addressee]
    reminders: Mapping[int, Sequence[Reminder]]
    sought: frozenset[int]
    """The lessons that their volunteer can't give, while somebody else is looked for."""
    starts: Mapping[int, Sequence[datetime]]
    """Of the lessons of whose changes it tells: as they were known, and as they are."""
    questions: Mapping[int, Question]
    unlocked: frozenset[int]
    """The messages that speak of a lesson which joined them after the lessons were locked."""
    channels: Sequence[Channel]
    """All there are: kept here, so that no text has to ask for its own."""


def begin_handings(claimed: Sequence[Claimed], gateways: Sequence[Gateway]) -> list[Handing]:
    """Commit claimed messages as `handing`, with their words, as many as may leave now.

    What may not leave is ended (cancelled, suppressed, expired, failed) or put back. A message that
    another worker took in the meantime is left alone.
    """
    ids = [each.id for each in claimed]
    with transaction():
        if db.session.connection().dialect.name == "postgresql":
            db.session.execute(text(_WAIT_FOR_LOCKS))
        lessons = _lock_lessons(ids)
        addressees = lock_addressees(ids)
        messages = held(claimed, MessageState.CLAIMED)
        matter = _read(ids, addressees, lessons)
        with all_at_hand():
            ready = [
                departure
                for number in ids
                if number in messages and number in addressees
                if (departure := _departure(messages[number], matter, gateways)) is not None
            ]
        return _hand_over(ready)


@dataclass(frozen=True, slots=True)
class _Departure:
    """A message that may leave now."""

    message: Message
    addressee: Addressee
    words: str
    way: Way


def _departure(message: Message, matter: _Matter, gateways: Sequence[Gateway]) -> _Departure | None:
    """How a message may leave now; None where it may not, and what becomes of it is written."""
    if not _may_leave(message, matter):
        return None
    addressee = matter.addressees[message.id]
    quiet_hours.leave_to_the_morning(message, addressee)
    answerable = any(gateway.can_receive for gateway in gateways)
    words = _words(message, matter, answerable=answerable)
    if words is None:
        end(message, MessageState.CANCELLED)
        return None
    way = _way(message, matter, words, gateways)
    if way is None:
        return None
    if answerable and not way.gateway.can_receive:
        words = _words(message, matter, answerable=False)
        assert words is not None
    if not way.gateway.can_receive:
        _promise_call(matter.questions.get(message.id))
    if message.kind in CODE_KINDS:
        # From here on it counts among the codes of the day, also for the others of this batch.
        message.address, message.handed_at = way.address, clock.now()
    return _Departure(message, addressee, words, way)


def _promise_call(question: Question | None) -> None:
    """Have a family called that is asked for another time and can't answer by text, as it reads."""
    if question is not None and question.kind is QuestionKind.NEW_TIME and question.household_id:
        put_among_calls([question.household_id])


def _may_leave(message: Message, matter: _Matter) -> bool:
    """Whether nothing stands against a message but perhaps the hour; else its end is written."""
    now = clock.now()
    addressee = matter.addressees[message.id]
    if message.next_try_at > now:
        postpone(message, message.next_try_at)
    elif message.id in matter.unlocked:
        postpone(message, now + _SOON)
    elif message.expires_at <= now:
        end(message, MessageState.EXPIRED, message.error)
    elif _is_closed_to(addressee, message.kind):
        end(message, MessageState.CANCELLED)
    elif _is_stopped(addressee) and message.kind not in _DESPITE_STOP:
        end(message, MessageState.SUPPRESSED)
        if message.kind in _TOLD_BY_CALL and message.household_id is not None:
            put_among_calls([message.household_id])  # nobody else would tell them
    else:
        return True
    return False


def _is_closed_to(addressee: Addressee, kind: MessageKind) -> bool:
    """Whether somebody has left, or is kept out, and so is sent nothing of this kind."""
    if isinstance(addressee, Tutor):
        return addressee.state not in SIGN_IN_STATES and kind not in _TO_ANY_TUTOR
    return isinstance(addressee, Coordinator) and addressee.closed_at is not None


def _is_stopped(addressee: Addressee) -> bool:
    return isinstance(addressee, Household | Tutor) and addressee.messages_stopped_at is not None


def _words(message: Message, matter: _Matter, *, answerable: bool) -> str | None:
    """What a message says now; None where nothing of it holds any more."""
    addressee = matter.addressees[message.id]
    if isinstance(addressee, Household | Tutor):
        if message.kind in REMINDER_KINDS:
            return _reminder_words(message, addressee, matter, answerable=answerable)
        if message.kind in WORDED_LATE:
            return notices.words(message, addressee, answerable)
    return message.text


def _reminder_words(
    message: Message, recipient: Household | Tutor, matter: _Matter, *, answerable: bool
) -> str | None:
    now = clock.now()
    told = [
        ToldLesson(reminder.lesson, names, reminder.lesson_id in matter.sought)
        for reminder in matter.reminders.get(message.id, ())
        if reminder.expires_at > now and (names := _names(reminder, recipient))
    ]
    if not told:
        return None
    return reminder_text(
        message.kind,
        recipient.message_language,
        told,
        to_tutor=isinstance(recipient, Tutor),
        own_zone=own_zone_of(recipient),
        answerable=answerable,
    )


def _way(message: Message, matter: _Matter, words: str, gateways: Sequence[Gateway]) -> Way | None:
    """The first way that is open now; None where one has to wait for it, or there is none.

    A way that rests is waited for, unless that takes too long: then the next one is taken.
    """
    addressee = matter.addressees[message.id]
    tried = tried_before(message)
    found = [way for way in ways_of(addressee, message, gateways, words) if way.key not in tried]
    if not found:
        none = _NO_WAY_FOR_A_CODE if message.kind in CODE_KINDS else _NO_WAY
        end(message, MessageState.FAILED, none)
        return None
    starts, question = matter.starts.get(message.id, ()), matter.questions.get(message.id)
    if quiet_hours.is_urgent(message, addressee, starts, question):
        return found[0]
    now = clock.now()
    for way in found:
        waking = quiet_hours.next_waking(addressee, way.gateway, now)
        if waking <= now:
            return way
        if waking < message.expires_at:
            postpone(message, waking)
            return None
    end(message, MessageState.EXPIRED, _NIGHT_TO_THE_END)
    return None


def _hand_over(ready: Sequence[_Departure]) -> list[Handing]:
    """Write as `handing` as many as their gateways take at once; put the others back.

    None waits in `handing` for another: a worker that is killed leaves no more in doubt than that.
    """
    wanted = Counter(departure.way.gateway.name for departure in ready)
    by_name = {departure.way.gateway.name: departure.way.gateway for departure in ready}
    slots = {
        name: iter(gateway_pace.take_slots(by_name[name], min(number, by_name[name].sends_at_once)))
        for name, number in sorted(wanted.items())
    }
    handings = []
    for departure in ready:
        leaves_at = next(slots[departure.way.gateway.name], None)
        if leaves_at is None:
            # By its gateway it is known as waiting for it; it keeps its place among the others.
            departure.message.gateway = departure.way.gateway.name
            if departure.message.tries == 0:
                departure.message.address = departure.message.handed_at = None
            postpone(departure.message, departure.message.next_try_at)
        else:
            handings.append(_hand(departure, leaves_at))
    return handings


def _hand(departure: _Departure, leaves_at: datetime) -> Handing:
    message, way, words = departure.message, departure.way, departure.words
    assert message.claim is not None
    now = clock.now()
    cost = way.gateway.cost(words)
    language = departure.addressee.message_language
    message.state = MessageState.HANDING
    message.lease_until = now + timedelta(seconds=current_app.config["N9RAW"].message_lease_seconds)
    message.handed_at = now
    message.tries += 1
    message.gateway = way.gateway.name
    message.address = way.address
    message.language = language
    message.text = words
    message.parts = cost.parts
    message.cost = cost.thousandths
    outgoing = OutgoingText(
        reference=f"n9raw-{message.id}",
        address=way.address,
        subject=subject_line(message.kind, language),
        text=words,
        language=language,
    )
    return Handing(Claimed(message.id, message.claim), way.gateway, outgoing, leaves_at)


# --- what messages speak of


def _lock_lessons(message_ids: Collection[int]) -> set[int]:
    """Keep the lessons that messages speak of as they are until the commit; their ids."""
    spoken_of = [
        select(Reminder.lesson_id).where(
            Reminder.message_id.in_(message_ids), Reminder.cancelled_at.is_(None)
        ),
        select(Notice.lesson_id).where(
            Notice.message_id.in_(message_ids), Notice.cancelled_at.is_(None)
        ),
        select(Question.lesson_id).where(Question.message_id.in_(message_ids)),
    ]
    lock = select(Lesson.id).where(Lesson.id.in_(union(*spoken_of))).order_by(Lesson.id)
    return set(db.session.scalars(lock.with_for_update(read=True)))


def _read(
    message_ids: Collection[int], addressees: Mapping[int, Addressee], locked_lessons: set[int]
) -> _Matter:
    """What messages speak of, in as many questions for a hundred as for one."""
    unlocked: set[int] = set()
    reminders: dict[int, list[Reminder]] = {}
    for reminder in _open_reminders(message_ids):
        assert reminder.message_id is not None
        reminders.setdefault(reminder.message_id, []).append(reminder)
        if reminder.lesson_id not in locked_lessons:
            unlocked.add(reminder.message_id)
    sought = searched_among(row.lesson_id for rows in reminders.values() for row in rows)
    starts: dict[int, list[datetime]] = {}
    for message_id, was, lesson_id, starts_at in _changed_lessons(message_ids):
        assert message_id is not None
        starts.setdefault(message_id, []).extend((datetime.fromisoformat(was["at"]), starts_at))
        if lesson_id not in locked_lessons:
            unlocked.add(message_id)
    questions = {row.message_id or 0: row for row in _questions(message_ids)}
    channels = db.session.scalars(select(Channel)).all()
    return _Matter(
        addressees, reminders, frozenset(sought), starts, questions, frozenset(unlocked), channels
    )


def _open_reminders(message_ids: Collection[int]) -> Sequence[Reminder]:
    return db.session.scalars(
        select(Reminder)
        .where(Reminder.message_id.in_(message_ids), Reminder.cancelled_at.is_(None))
        .order_by(Reminder.id)
        .options(*_WHAT_A_TEXT_NEEDS)
        .execution_options(populate_existing=True)
    ).all()


def _changed_lessons(
    message_ids: Collection[int],
) -> Sequence[Row[int | None, dict[str, Any], int, datetime]]:
    return db.session.execute(
        select(Notice.message_id, Notice.was, Lesson.id, Lesson.starts_at)
        .join(Notice.lesson)
        .where(Notice.message_id.in_(message_ids), Notice.cancelled_at.is_(None))
    ).all()


def _questions(message_ids: Collection[int]) -> Sequence[Question]:
    return db.session.scalars(
        select(Question)
        .where(Question.message_id.in_(message_ids))
        .options(joinedload(Question.lesson))
        .execution_options(populate_existing=True)
    ).all()


_WHAT_A_TEXT_NEEDS: tuple[ORMOption, ...] = (
    joinedload(Reminder.lesson).options(
        joinedload(Lesson.substitute).lazyload("*"),
        joinedload(Lesson.group).options(*GROUP_IN_TEXTS),
    ),
)


def _names(reminder: Reminder, recipient: Household | Tutor) -> tuple[str, ...]:
    """The children whom a reminder still speaks of to its recipient; none where it doesn't hold."""
    lesson, group = reminder.lesson, reminder.lesson.group
    holds = (
        lesson.state is LessonState.PLANNED
        and lesson.version == reminder.lesson_version
        and group.state is GroupState.ACTIVE
        and lesson.given_by.state is TutorState.VETTED
    )
    if not holds:
        return ()
    pupils = [
        membership.request.pupil
        for membership in group.members
        if membership.active_since is not None
    ]
    return tuple(
        pupil.first_name
        for pupil in pupils
        if (isinstance(recipient, Tutor) or pupil.household_id == recipient.id)
        and in_force(pupil, ConsentKind.LESSONS)
    )
