"""The message desk: what went, what is to go, what failed, one message's story, sending again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import joinedload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    SECRET_KINDS,
    AuditEntry,
    Coordinator,
    Household,
    InboundMessage,
    Lesson,
    LessonState,
    Message,
    MessageKind,
    MessageState,
    Notice,
    Question,
    Reminder,
    Tutor,
)
from app.models.message import NOTICE_KINDS, WORDED_LATE
from app.services import audit
from app.services.errors import Conflict, NotFound
from app.services.loading import FAMILY_BY_NAME
from app.services.message_costs import REMINDERS, within
from app.services.paging import Page, page_of
from app.services.scope import Scope
from scheduler import clock

PER_PAGE: Final = 50
STATES: Final = {
    "lost": (MessageState.UNDELIVERED, MessageState.FAILED, MessageState.EXPIRED),
    "went": (MessageState.ACCEPTED, MessageState.DELIVERED),
    "to_go": (MessageState.PLANNED, MessageState.CLAIMED, MessageState.HANDING),
    "stopped": (MessageState.CANCELLED, MessageState.SUPPRESSED),
}
"""What the desk calls states together."""
_SOON: Final = timedelta(days=1)
"""What is to go later than this stands only where it is asked for: by its state, or its day."""
_SENT_AGAIN_FOR: Final = timedelta(days=3)
_OF_USE_FOR: Final = timedelta(days=14)
"""So long after it was written, what speaks of no dated lesson may be sent again."""
_NEVER_AGAIN: Final = (*SECRET_KINDS, MessageKind.REPLY, MessageKind.CHECK, MessageKind.DIGEST)
LEAD: Final = timedelta(minutes=15)
"""Of no use less than so long before the lesson that it speaks of."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the messages is shown; None, or "", for all of it."""

    states: str = ""
    kind: MessageKind | None = None
    gateway: str = ""
    zone_id: int | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """One message, what came before it and after, and what was answered to it."""

    message: Message
    chain: list[Message]
    """It and those that say the same by other ways, in the order in which they were planned."""
    answers: list[InboundMessage]
    again: int | None
    """The message as which a coordinator had it sent again."""
    may_send_again: bool

    @property
    def pupil_ids(self) -> set[int]:
        return pupils_of([self.message])


def read_messages(scope: Scope, filters: Filters, page_number: int) -> tuple[list[Message], Page]:
    """One page of messages; what is to go first by its time, all else the newest first.

    Without a state or a day, what is to go later than in a day is left out: reminders are planned
    weeks ahead, and would hide what went.
    """
    wanted = [within(scope), *_conditions(filters)]
    counted = select(func.count()).select_from(Message).where(*wanted)
    page = page_of(db.session.scalar(counted) or 0, page_number, PER_PAGE)
    at = func.coalesce(Message.handed_at, Message.ended_at, Message.next_try_at)
    order = (at.desc(), Message.id.desc())
    if filters.states == "to_go":
        order = (Message.next_try_at.asc(), Message.id.asc())
    rows = db.session.scalars(
        select(Message)
        .where(*wanted)
        .order_by(*order)
        .limit(page.size)
        .offset(page.first)
        .options(*_with_recipients())
    )
    return list(rows), page


def count_states(scope: Scope, since: datetime) -> dict[str, int]:
    """How many messages of the desk's kinds of states there are: due since then, or to go."""
    rows = db.session.execute(
        select(Message.state, func.count())
        .where(within(scope), Message.due_at >= since)
        .group_by(Message.state)
    )
    by_state = {state: number for state, number in rows}  # noqa: C416
    return {key: sum(by_state.get(state, 0) for state in STATES[key]) for key in STATES}


def gateways_used(scope: Scope) -> list[str]:
    """The gateways by which messages left, for choosing among."""
    names = select(Message.gateway).where(Message.gateway.is_not(None), within(scope)).distinct()
    return sorted(str(name) for name in db.session.scalars(names))


def pupils_of(messages: Sequence[Message]) -> set[int]:
    """The children of the families that the messages go to."""
    families = [message.household for message in messages if message.household is not None]
    return {pupil.id for family in families for pupil in family.pupils}


def read_story(message_id: int) -> Story:
    """All that is known of one message; NotFound if there is none."""
    message = db.session.scalar(
        select(Message).where(Message.id == message_id).options(*_with_recipients())
    )
    if message is None:
        raise NotFound(_l("This message does not exist."))
    chain = _chain(message)
    return Story(
        message=message,
        chain=chain,
        answers=list(
            db.session.scalars(
                select(InboundMessage)
                .where(InboundMessage.message_id.in_([row.id for row in chain]))
                .order_by(InboundMessage.id)
            )
        ),
        again=_sent_again_as(message.id),
        may_send_again=_why_not_again(message) is None,
    )


def send_again(message_id: int, by: Coordinator) -> Message:
    """Plan a lost message anew, from its first way on; Conflict where that is of no use."""
    with transaction():
        ids = db.session.execute(
            select(Message.household_id, Message.tutor_id).where(Message.id == message_id)
        ).one_or_none()
        if ids is None:
            raise NotFound(_l("This message does not exist."))
        lesson_ids = select(Reminder.lesson_id).where(Reminder.message_id == message_id)
        db.session.execute(
            select(Lesson.id).where(Lesson.id.in_(lesson_ids)).order_by(Lesson.id).with_for_update()
        )
        for table, number in ((Household, ids.household_id), (Tutor, ids.tutor_id)):
            if number is not None:
                db.session.get(table, number, with_for_update=True)
        message = db.session.get_one(Message, message_id, with_for_update=True)
        refusal = _why_not_again(message)
        if refusal is not None:
            raise Conflict(refusal)
        again = _copy(message, by)
        audit.note(
            "resend_message",
            f"message:{message.id}",
            by,
            pupil_ids=pupils_of([message]),
            detail={"again": again.id},
        )
    return again


def is_secret(message: Message) -> bool:
    """Whether its words open a door, and are shown to nobody."""
    return message.kind in SECRET_KINDS


def _copy(message: Message, by: Coordinator) -> Message:
    now = clock.now()
    again = Message(
        household_id=message.household_id,
        tutor_id=message.tutor_id,
        coordinator_id=message.coordinator_id,
        kind=message.kind,
        due_at=now,
        next_try_at=now,
        expires_at=_of_use_until(message),
        language=message.language,
        text=None if message.kind in (*REMINDERS, *WORDED_LATE) else message.text,
        created_at=now,
        by_id=by.id,
        fallback_of_id=message.id,
        begins_anew=True,
    )
    db.session.add(again)
    db.session.flush()
    for table in (Reminder, Notice, Question):
        db.session.execute(
            update(table)
            .where(table.message_id == message.id)
            .values(message_id=again.id)
            .execution_options(synchronize_session=False)
        )
    return again


def _why_not_again(message: Message) -> Any:
    """Why a message can't be sent again, in words; None where it can."""
    if message.state not in STATES["lost"]:
        return _l("Only messages that did not arrive can be sent again.")
    if message.kind in _NEVER_AGAIN or message.to_address is not None:
        return _l("Codes, links and answers are made anew, not sent again.")
    if _sent_again_as(message.id) is not None or _has_fallback(message.id):
        return _l("It was sent again already.")
    if any(
        person is not None and person.messages_stopped_at is not None
        for person in (message.household, message.tutor)
    ):
        return _l("They want no messages: call them.")
    if _of_use_until(message) <= clock.now():
        return _l("It is of no use any more: what it speaks of is over, or changed.")
    return None


def _of_use_until(message: Message) -> datetime:
    """Until when a message would still be of use."""
    if message.kind in REMINDERS:
        return _latest(
            select(func.max(Reminder.expires_at))
            .join(Reminder.lesson)
            .where(
                Reminder.message_id == message.id,
                Reminder.cancelled_at.is_(None),
                Reminder.lesson_version == Lesson.version,
                Lesson.state == LessonState.PLANNED,
            )
        )
    if message.kind in NOTICE_KINDS:
        last = _latest(
            select(func.max(Lesson.starts_at))
            .join(Notice, Notice.lesson_id == Lesson.id)
            .where(Notice.message_id == message.id, Notice.cancelled_at.is_(None))
        )
        return min(last - LEAD, clock.now() + _SENT_AGAIN_FOR)
    if message.kind is MessageKind.QUESTION:
        return _latest(
            select(func.max(Question.expires_at)).where(
                Question.message_id == message.id,
                Question.answered_at.is_(None),
                Question.ended_at.is_(None),
            )
        )
    if message.text is None and message.kind not in WORDED_LATE:
        return message.created_at
    if clock.now() - message.created_at > _OF_USE_FOR:
        return message.created_at
    return clock.now() + _SENT_AGAIN_FOR


def _latest(statement: Any) -> datetime:
    """The instant that a statement finds; long ago where it finds none."""
    found: datetime | None = db.session.scalar(statement)
    return found or clock.now() - _OF_USE_FOR


def _sent_again_as(message_id: int) -> int | None:
    detail = db.session.scalar(
        select(AuditEntry.detail)
        .where(AuditEntry.action == "resend_message", AuditEntry.subject == f"message:{message_id}")
        .limit(1)
    )
    return None if detail is None else int(detail["again"])


def _has_fallback(message_id: int) -> bool:
    return bool(db.session.scalar(select(exists().where(Message.fallback_of_id == message_id))))


def _chain(message: Message) -> list[Message]:
    """The messages that say the same by one way after the other; each has one before it."""
    first = message
    while first.fallback_of_id is not None:
        before = db.session.get(Message, first.fallback_of_id)
        if before is None:
            break
        first = before
    chain = [first]
    while True:
        after = db.session.scalar(
            select(Message).where(Message.fallback_of_id == chain[-1].id).limit(1)
        )
        if after is None:
            return chain
        chain.append(after)


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.states:
        found.append(Message.state.in_(STATES[filters.states]))
    elif filters.day is None:
        is_of_now = Message.next_try_at <= clock.now() + _SOON
        found.append(or_(Message.state.not_in(STATES["to_go"]), is_of_now))
    if filters.kind is not None:
        found.append(Message.kind == filters.kind)
    if filters.gateway:
        found.append(Message.gateway == filters.gateway)
    if filters.zone_id is not None:
        of_zone = select(Household.id).where(Household.zone_id == filters.zone_id)
        found.append(Message.household_id.in_(of_zone))
    if filters.day is not None:
        zone = current_app.config["N9RAW"].civil_zone
        midnight = datetime.combine(filters.day, datetime.min.time())
        found.append(Message.due_at >= clock.to_utc(midnight, zone))
        found.append(Message.due_at < clock.to_utc(midnight + timedelta(days=1), zone))
    return found


def _with_recipients() -> tuple[Any, ...]:
    return (
        joinedload(Message.household).options(*FAMILY_BY_NAME),
        joinedload(Message.tutor).lazyload("*"),
        joinedload(Message.coordinator).lazyload("*"),
        joinedload(Message.by).lazyload("*"),
    )
