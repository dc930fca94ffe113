"""Handing over: the one commit just before the wire, after which a message can't be stopped.

It checks all that may have changed since the message was planned, and writes its words from those
reminders that still hold. A cancellation or a STOP that was committed before it stops the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from flask import current_app
from sqlalchemy import select, text
from sqlalchemy.orm import joinedload, lazyload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from app.database import transaction
from app.extensions import db
from app.gateways import AddressKind, Gateway, OutgoingText
from app.models import (
    CODE_KINDS,
    ConsentKind,
    Group,
    GroupState,
    Household,
    Lesson,
    LessonState,
    Membership,
    Message,
    MessageKind,
    MessageState,
    Pupil,
    Reminder,
    Tutor,
    TutoringRequest,
    TutorState,
)
from app.services import sms_codes
from app.services.addresses import kind_of
from app.services.consent import in_force
from app.services.message_texts import ToldLesson, reminder_text, subject_line
from app.services.outbox import Claimed, end, held, postpone
from app.services.telling import put_among_calls
from scheduler import clock
from scheduler import reminders as policy

# Less than PostgreSQL takes to find a deadlock: whoever changes lessons wins, delivery tries again.
_WAIT_FOR_LOCKS: Final = "SET LOCAL lock_timeout = '500ms'"
_NO_WAY: Final = "no gateway reaches this recipient"
_NO_WAY_FOR_A_CODE: Final = "no gateway reaches this recipient, or not with a code"


R = TypeVar("R", Household, Tutor)


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody without an account, who is sent codes at one address."""

    email: str | None
    phone: str | None
    message_language: str


Recipient = Household | Tutor | Stranger


@dataclass(frozen=True, slots=True)
class Handing:
    """A message that is on record as being handed over: it must be sent now, or told of."""

    claimed: Claimed
    gateway: Gateway
    outgoing: OutgoingText


def begin_handing(claimed: Claimed, gateways: Sequence[Gateway]) -> Handing | None:
    """Commit a claimed message as `handing`, with its words; None if it may not leave now.

    What may not leave is ended (cancelled, suppressed, expired, failed) or postponed. A message
    that another worker took in the meantime is left alone.
    """
    with transaction():
        if db.session.connection().dialect.name == "postgresql":
            db.session.execute(text(_WAIT_FOR_LOCKS))
        lesson_ids = _lock_lessons(claimed.id)
        recipient = _lock_recipient(claimed.id)
        message = held(claimed, MessageState.CLAIMED)
        if message is None or recipient is None:
            return None
        words = _words_to_leave(message, recipient, lesson_ids)
        return None if words is None else _hand(message, recipient, words, gateways)


def _words_to_leave(message: Message, recipient: Recipient, locked_lessons: set[int]) -> str | None:
    """What the message says, if it may leave now; else None, and what becomes of it is written."""
    now = clock.now()
    if message.next_try_at > now:
        postpone(message, message.next_try_at)
    elif message.expires_at <= now:
        end(message, MessageState.EXPIRED, message.error)
    elif isinstance(recipient, Household) and recipient.messages_stopped_at is not None:
        end(message, MessageState.SUPPRESSED)
        if message.kind is MessageKind.LESSONS_END:
            put_among_calls([recipient.id])  # nobody else would tell them
    elif isinstance(recipient, Stranger):
        return message.text  # a code, at any hour, since someone waits for it
    elif message.kind is MessageKind.SIGN_IN_CODE:
        return _code_words(message, recipient)
    elif message.kind in (MessageKind.LESSONS_END, MessageKind.FAMILY_LINK):
        return _notice_words(message, recipient, now)
    else:
        return _reminder_words(message, recipient, locked_lessons, now)
    return None


def _code_words(message: Message, recipient: Household | Tutor) -> str | None:
    """A code leaves at any hour too; to no tutor who may not sign in."""
    closed_to = (TutorState.SUSPENDED, TutorState.LEFT)
    if isinstance(recipient, Tutor) and recipient.state not in closed_to:
        return message.text
    end(message, MessageState.CANCELLED)
    return None


def _notice_words(message: Message, recipient: Household | Tutor, now: datetime) -> str | None:
    """A notice says what happened, in words written when it was planned; it waits for the day."""
    waking = policy.next_waking(now, _zone_of(recipient))
    if waking <= now:
        return message.text
    postpone(message, waking)
    return None


def _reminder_words(
    message: Message, recipient: Household | Tutor, locked_lessons: set[int], now: datetime
) -> str | None:
    """The text on those of the reminders that still hold, unless it is night."""
    reminders = _open_reminders(message.id)
    told = [
        ToldLesson(reminder.lesson, names)
        for reminder in reminders
        if reminder.expires_at > now and (names := _names(reminder, recipient))
    ]
    waking = policy.next_waking(now, _zone_of(recipient))
    if not locked_lessons >= {reminder.lesson_id for reminder in reminders}:
        postpone(message, now)  # a lesson joined meanwhile: lock it with the others
    elif not told:
        end(message, MessageState.CANCELLED)
    elif waking >= message.expires_at:
        end(message, MessageState.EXPIRED, "no time was left by day")
    elif waking > now:
        postpone(message, waking)
    else:
        return reminder_text(
            message.kind,
            recipient.message_language,
            told,
            to_tutor=isinstance(recipient, Tutor),
            own_zone=_own_zone(recipient),
        )
    return None


def _hand(
    message: Message, recipient: Recipient, words: str, gateways: Sequence[Gateway]
) -> Handing | None:
    is_code = message.kind in CODE_KINDS
    gateway, address = _way_to(message, recipient, gateways)
    if gateway is None:
        end(message, MessageState.FAILED, _NO_WAY_FOR_A_CODE if is_code else _NO_WAY)
        return None
    assert message.claim is not None
    now = clock.now()
    config = current_app.config["N9RAW"]
    message.state = MessageState.HANDING
    message.lease_until = now + timedelta(seconds=config.message_lease_seconds)
    message.handed_at = now
    message.tries += 1
    message.gateway = gateway.name
    message.address = address
    message.language = recipient.message_language
    message.text = words
    outgoing = OutgoingText(
        reference=f"n9raw-{message.id}",
        address=address,
        subject=subject_line(message.kind, recipient.message_language),
        text=words,
        language=recipient.message_language,
    )
    return Handing(Claimed(message.id, message.claim), gateway, outgoing)


def _way_to(
    message: Message, recipient: Recipient, gateways: Sequence[Gateway]
) -> tuple[Gateway | None, str]:
    """The first gateway that reaches the recipient, and the address there."""
    addresses = {AddressKind.EMAIL: recipient.email, AddressKind.PHONE: recipient.phone}
    if message.kind in CODE_KINDS and not _may_cost_an_sms(message, recipient.phone):
        addresses[AddressKind.PHONE] = None
    for gateway in gateways:
        for kind in gateway.reaches:
            if address := addresses[kind]:
                return gateway, address
    return None, ""


def _may_cost_an_sms(message: Message, phone: str | None) -> bool:
    """Whether a code may go to a telephone; one that was counted already is not counted again."""
    if phone is None or not sms_codes.goes_to(phone):
        return False
    return message.address == phone or not sms_codes.is_budget_used_up()


def _lock_lessons(message_id: int) -> set[int]:
    """Keep the lessons that a message speaks of as they are until the commit; their ids."""
    spoken_of = select(Reminder.lesson_id).where(
        Reminder.message_id == message_id, Reminder.cancelled_at.is_(None)
    )
    lock = select(Lesson.id).where(Lesson.id.in_(spoken_of)).order_by(Lesson.id)
    return set(db.session.scalars(lock.with_for_update(read=True)))


def _lock_recipient(message_id: int) -> Recipient | None:
    """The recipient of a message, kept as it is until the commit; None if it is gone."""
    ids = db.session.execute(
        select(Message.household_id, Message.tutor_id, Message.to_address, Message.language).where(
            Message.id == message_id
        )
    ).one_or_none()
    if ids is None:
        return None
    if ids.to_address is not None:
        return _stranger(ids.to_address, ids.language)
    if ids.household_id is None:
        return _kept(Tutor, ids.tutor_id)
    return _kept(Household, ids.household_id)


def _stranger(address: str, language: str) -> Stranger:
    if kind_of(address) is AddressKind.EMAIL:
        return Stranger(email=address, phone=None, message_language=language)
    return Stranger(email=None, phone=address, message_language=language)


def _kept(table: type[R], row_id: int) -> R | None:
    return db.session.scalar(
        select(table)
        .where(table.id == row_id)
        .with_for_update(read=True)
        .options(lazyload("*"))
        .execution_options(populate_existing=True)
    )


def _open_reminders(message_id: int) -> list[Reminder]:
    query = select(Reminder).where(
        Reminder.message_id == message_id, Reminder.cancelled_at.is_(None)
    )
    return list(
        db.session.scalars(
            query.order_by(Reminder.id)
            .options(*_WHAT_A_TEXT_NEEDS)
            .execution_options(populate_existing=True)
        )
    )


_WHAT_A_TEXT_NEEDS: tuple[ORMOption, ...] = (
    joinedload(Reminder.lesson)
    .joinedload(Lesson.group)
    .options(
        joinedload(Group.tutor).lazyload("*"),
        joinedload(Group.subject),
        joinedload(Group.level),
        selectinload(Group.memberships)
        .joinedload(Membership.request)
        .joinedload(TutoringRequest.pupil)
        .selectinload(Pupil.consents),
    ),
)


def _names(reminder: Reminder, recipient: Household | Tutor) -> tuple[str, ...]:
    """The children whom a reminder still speaks of to its recipient; none where it doesn't hold."""
    lesson, group = reminder.lesson, reminder.lesson.group
    holds = (
        lesson.state is LessonState.PLANNED
        and lesson.version == reminder.lesson_version
        and group.state is GroupState.ACTIVE
        and group.tutor.state is TutorState.VETTED
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


def _zone_of(recipient: Household | Tutor) -> str:
    """The zone whose nights are the recipient's."""
    return _own_zone(recipient) or str(current_app.config["N9RAW"].civil_zone)


def _own_zone(recipient: Household | Tutor) -> str | None:
    return recipient.time_zone if isinstance(recipient, Tutor) else None
