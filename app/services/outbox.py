"""The outbox: who may hand a message over now, and what became of it.

Any number of workers may call this, on either database. A message is in one worker's hands at a
time: its claim is a token with a lease. What a worker says of a message that it lost to another is
not written. Delivery is at-least-once; docs/messages.md holds the whole contract.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import ColumnElement, and_, case, or_, select, true, update
from sqlalchemy.orm import joinedload

from app.database import transaction
from app.extensions import db
from app.gateways import Receipt, ReceiptState
from app.gateways.console import ConsoleGateway
from app.models import (
    CODE_KINDS,
    OPEN_MESSAGES,
    SECRET_KINDS,
    Household,
    Message,
    MessageKind,
    MessageState,
    Tutor,
)
from app.services.message_texts import LANGUAGES, code_text, family_link_text
from config import Config
from scheduler import clock

IN_DOUBT: Final = "it may have left, and no receipt came"
_LONGEST_REASON = 500
_LINK_IS_TRIED_FOR: Final = timedelta(days=3)
_JITTER: Final = 0.2
"""How much of a wait may be added to it, so that what failed together doesn't return together."""

_BELOW: Final = {
    ReceiptState.ACCEPTED: (),
    ReceiptState.UNDELIVERED: (MessageState.ACCEPTED,),
    ReceiptState.DELIVERED: (MessageState.ACCEPTED, MessageState.UNDELIVERED),
}
"""What a receipt may raise of the states that are receipts themselves."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this worker holds until its lease runs out."""

    id: int
    claim: str


def queue_code(tutor_id: int, code: str, expires_at: datetime) -> Message:
    """Put a sign-in code into the outbox, in the caller's transaction; it is due at once.

    The code stands in the row until the message has left or ended, since it is kept nowhere else.
    """
    tutor = db.session.get_one(Tutor, tutor_id)
    message = _code_message(MessageKind.SIGN_IN_CODE, tutor.message_language, code, expires_at)
    message.tutor_id = tutor_id
    db.session.add(message)
    db.session.flush()
    return message


def queue_contact_code(to_address: str, language: str, code: str, expires_at: datetime) -> Message:
    """As `queue_code`, to an address without an account; `language` is that of the page."""
    spoken = language if language in LANGUAGES else LANGUAGES[0]
    message = _code_message(MessageKind.CONTACT_CODE, spoken, code, expires_at)
    message.to_address = to_address
    db.session.add(message)
    db.session.flush()
    return message


def _code_message(kind: MessageKind, language: str, code: str, expires_at: datetime) -> Message:
    now = clock.now()
    minutes = max(1, round((expires_at - now).total_seconds() / 60))
    return Message(
        kind=kind,
        due_at=now,
        next_try_at=now,
        expires_at=expires_at,
        language=language,
        text=code_text(language, code, minutes, kind),
        created_at=now,
    )


def queue_link(household: Household, link: str) -> Message:
    """Put the link of a family's page into the outbox, in the caller's transaction.

    As a code, it stands in the row until the message has left or ended; it leaves by day.
    """
    now = clock.now()
    message = Message(
        household_id=household.id,
        kind=MessageKind.FAMILY_LINK,
        due_at=now,
        next_try_at=now,
        expires_at=now + _LINK_IS_TRIED_FOR,
        language=household.message_language,
        text=family_link_text(household.message_language, link),
        created_at=now,
    )
    db.session.add(message)
    return message


def cancel_links(household_id: int) -> None:
    """Stop the family's links that have not left, since they open nothing any more; part of a
    transaction.
    """
    unsent = select(Message).where(
        Message.household_id == household_id,
        Message.kind == MessageKind.FAMILY_LINK,
        Message.state.in_(OPEN_MESSAGES),
    )
    for row in db.session.scalars(unsent.order_by(Message.id).with_for_update()):
        end(row, MessageState.CANCELLED)


def claim_messages(limit: int) -> list[Claimed]:
    """Take up to `limit` messages that are due, codes first, then the oldest; in that order.

    Due are: planned ones whose time has come, claimed ones whose worker fell silent, and once those
    that were being handed over when theirs did, after a wait for a receipt.
    """
    now = clock.now()
    claim = str(uuid.uuid4())
    urgency = case((Message.kind.in_(CODE_KINDS), 0), else_=1)
    due = (
        select(Message.id)
        .where(_is_due(now))
        .order_by(urgency, Message.next_try_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    with transaction():
        rows = db.session.execute(
            update(Message)
            .where(Message.id.in_(select(due.c.id)))
            .values(
                resent=case((Message.state == MessageState.HANDING, true()), else_=Message.resent),
                state=MessageState.CLAIMED,
                claim=claim,
                lease_until=now + timedelta(seconds=_config().message_lease_seconds),
            )
            .returning(Message.id, urgency, Message.next_try_at)
            .execution_options(synchronize_session=False)
        ).all()
    in_order = sorted(rows, key=lambda row: (row[1], row[2], row[0]))
    return [Claimed(row[0], claim) for row in in_order]


def give_back(claimed: Claimed) -> None:
    """Put back all that was claimed together with this and is not being handed over yet."""
    with transaction():
        db.session.execute(
            update(Message)
            .where(Message.claim == claimed.claim, Message.state == MessageState.CLAIMED)
            .values(state=MessageState.PLANNED, claim=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )


def hold_back(claimed: Claimed, seconds: float) -> None:
    """Put back a message that could not be made ready, to be taken up again after so long."""
    with transaction():
        row = held(claimed, MessageState.CLAIMED)
        if row is not None:
            postpone(row, clock.now() + timedelta(seconds=seconds))


def record_receipt(message_id: int, receipt: Receipt, claim: str | None = None) -> bool:
    """Write what the other side said, if that raises the message's state; whether it did.

    A worker names its claim, and writes nothing if it lost it. A receipt that comes by itself names
    none: it also ends the wait of a message that was handed over and is in doubt.
    """
    if claim is None:
        was_handed = and_(
            Message.state.in_((*OPEN_MESSAGES, MessageState.HANDING)),
            Message.handed_at.is_not(None),
        )
        raisable = or_(was_handed, Message.state.in_(_BELOW[receipt.state]))
    else:
        raisable = and_(Message.state == MessageState.HANDING, Message.claim == claim)
    with transaction():
        row = db.session.scalar(
            select(Message).where(Message.id == message_id, raisable).with_for_update()
        )
        if row is None:
            return False
        row.provider_id = receipt.provider_id
        end(row, MessageState(receipt.state.value))
        return True


def record_retry(claimed: Claimed, reason: str) -> MessageState | None:
    """Plan the next try of a message that was not taken; None if the claim was lost.

    Out of tries it has failed; where the next try would come too late, it has expired.
    """
    config = _config()
    with transaction():
        row = held(claimed, MessageState.HANDING)
        if row is None:
            return None
        if row.tries > len(config.retry_at_seconds):
            end(row, MessageState.FAILED, reason)
            return row.state
        at = (0.0, *config.retry_at_seconds)
        wait = (at[row.tries] - at[row.tries - 1]) * (1 + random.uniform(0, _JITTER))
        next_try = clock.now() + timedelta(seconds=wait)
        if next_try >= row.expires_at:
            end(row, MessageState.EXPIRED, reason)
        else:
            row.error = reason[:_LONGEST_REASON]
            postpone(row, next_try)
        return row.state


def record_failed(claimed: Claimed, reason: str) -> bool:
    """End a message that will never be taken; False if the claim was lost."""
    with transaction():
        row = held(claimed, MessageState.HANDING)
        if row is None:
            return False
        end(row, MessageState.FAILED, reason)
        return True


def expire_messages() -> int:
    """End what may not leave any more, and what nobody will ever hear of again; how many."""
    now = clock.now()
    late = and_(Message.state.in_(OPEN_MESSAGES), Message.expires_at <= now)
    doubtful = and_(_lost_in_handing(now), or_(Message.resent, Message.expires_at <= now))
    over = (
        select(Message.id)
        .where(or_(late, doubtful))
        .order_by(Message.id)
        .with_for_update(skip_locked=True)
    )
    with transaction():
        rows = db.session.scalars(select(Message).where(Message.id.in_(db.session.scalars(over))))
        ended = list(rows)
        for row in ended:
            if row.state is MessageState.HANDING:
                end(row, MessageState.FAILED, IN_DOUBT)
            else:
                end(row, MessageState.EXPIRED, row.error)
    return len(ended)


def held(claimed: Claimed, state: MessageState) -> Message | None:
    """The message, locked, if this worker holds it in that state; part of a transaction."""
    return db.session.scalar(
        select(Message)
        .where(Message.id == claimed.id, Message.state == state, Message.claim == claimed.claim)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def postpone(row: Message, until: datetime) -> None:
    """Leave a message to whoever claims it once that instant has come; part of a transaction."""
    row.state = MessageState.PLANNED
    row.next_try_at = until
    row.claim = None
    row.lease_until = None


def end(row: Message, state: MessageState, reason: str | None = None) -> None:
    """Write the end of a message, or how far it got; part of a transaction."""
    row.state = state
    row.error = None if reason is None else reason[:_LONGEST_REASON]
    row.ended_at = clock.now()
    row.claim = None
    row.lease_until = None
    if row.kind in SECRET_KINDS and row.gateway != ConsoleGateway.name:
        row.text = None


def list_newest(most: int) -> list[Message]:
    """The newest messages that are due or over, with their recipients, the newest first."""
    return list(
        db.session.scalars(
            select(Message)
            .options(
                joinedload(Message.household).joinedload(Household.guardian),
                joinedload(Message.tutor),
            )
            .where(or_(Message.due_at <= clock.now(), Message.ended_at.is_not(None)))
            .order_by(Message.due_at.desc(), Message.id.desc())
            .limit(most)
        )
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(Message.state == MessageState.PLANNED, Message.next_try_at <= now),
        and_(Message.state == MessageState.CLAIMED, Message.lease_until < now),
        and_(_lost_in_handing(now), ~Message.resent, Message.expires_at > now),
    )


def _lost_in_handing(now: datetime) -> ColumnElement[bool]:
    waited = now - timedelta(seconds=_config().resend_wait_seconds)
    return and_(Message.state == MessageState.HANDING, Message.lease_until < waited)


def _config() -> Config:
    config: Any = current_app.config["N9RAW"]
    assert isinstance(config, Config)
    return config
