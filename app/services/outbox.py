"""The outbox: who may hand a message over now, and what became of it.

Any number of workers may call this, on either database. A message is in one worker's hands at a
time: its claim is a token with a lease. What a worker says of a message that it lost to another is
not written. Delivery is at-least-once; docs/messages.md holds the whole contract.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import ColumnElement, and_, case, exists, false, or_, select, true, update
from sqlalchemy.orm import aliased, joinedload

from app.database import transaction
from app.extensions import db
from app.gateways import (
    DeliveryReceipt,
    GatewayError,
    Permanent,
    Receipt,
    ReceiptState,
    Retryable,
)
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
from app.services import gateway_pace
from app.services.addressees import Addressee, lock_addressees
from app.services.fallback import cancelled_by_arrival, fall_back
from app.services.message_texts import LANGUAGES, code_text, family_link_text
from config import Config
from scheduler import clock
from scheduler.clock_watch import ClockWatch

IN_DOUBT: Final = "it may have left, and no receipt came"
_LONGEST_REASON = 500
_LONGEST_PROVIDER_ID = 120
_ENDED_AT_ONCE = 200
_REFERENCE: Final = re.compile(r"n9raw-(\d{1,9})", re.ASCII)
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


Said = Receipt | Retryable | Permanent | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a message that was on record as being handed over."""

    claimed: Claimed
    said: Said
    """None where it was not even begun."""


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


def claim_messages(limit: int, watch: ClockWatch | None = None) -> list[Claimed]:
    """Take up to `limit` messages that are due, codes first, then the oldest; in that order.

    Due are: planned ones whose time has come, claimed ones whose worker fell silent, and once those
    that were being handed over when theirs did, after a wait for a receipt. Those that wait for a
    gateway which takes no more at the moment are left for later. Where `watch` saw the clock being
    set, what is being handed over has its lease and wait once more from then on.
    """
    now = clock.now()
    claim = str(uuid.uuid4())
    has_room = or_(Message.gateway.is_(None), Message.gateway.not_in(gateway_pace.full(now)))
    urgency = case((Message.kind.in_(CODE_KINDS), 0), else_=1)
    due = (
        select(Message.id)
        .where(_is_due(now, watch), has_room)
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


def give_back(claim: str) -> None:
    """Put back all that was claimed together and is not being handed over yet."""
    with transaction():
        db.session.execute(
            update(Message)
            .where(Message.claim == claim, Message.state == MessageState.CLAIMED)
            .values(state=MessageState.PLANNED, claim=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )


def hold_back(claimed: Claimed, seconds: float) -> None:
    """Put back a message that could not be made ready, to be taken up again after so long."""
    with transaction():
        for row in held([claimed], MessageState.CLAIMED).values():
            postpone(row, clock.now() + timedelta(seconds=seconds))


def leave_alone(gateway_name: str, seconds: float) -> None:
    """Hand a gateway nothing for so long, so that others' messages do not wait for it."""
    with transaction():
        gateway_pace.rest(gateway_name, seconds)


def take_receipt(gateway: str, receipt: DeliveryReceipt) -> bool:
    """Write what a gateway says by itself of a text, if that raises its state; whether it did.

    It may come before the worker has written what it was told, again and again, in any order. It
    also ends the wait of a message that was handed over and is in doubt.
    """
    message_id = _spoken_of(gateway, receipt)
    if message_id is None:
        return False
    was_handed = Message.state.in_((*OPEN_MESSAGES, MessageState.HANDING))
    given_up = and_(Message.state == MessageState.FAILED, Message.error == IN_DOUBT)
    raised = select(Message).where(
        Message.id == message_id,
        Message.gateway == gateway,
        Message.handed_at.is_not(None),
        or_(was_handed, given_up, Message.state.in_(_BELOW[receipt.state])),
    )
    state = db.session.scalar(raised.with_only_columns(Message.state))
    if state is None:
        return False  # a repeated one waits for no lock
    is_usual = state is MessageState.ACCEPTED and receipt.state is ReceiptState.DELIVERED
    if is_usual and _has_arrived(message_id):
        return True
    with transaction():
        may_fall_back = receipt.state is ReceiptState.UNDELIVERED
        # Reminders and notices change hands where it did not arrive, or did after all.
        is_taken = receipt.state is ReceiptState.ACCEPTED
        addressees = {} if is_taken else lock_addressees([message_id])
        row = db.session.scalar(raised.with_for_update().execution_options(populate_existing=True))
        if row is None:
            return False
        row.provider_id = _kept_id(receipt.provider_id) or row.provider_id
        if may_fall_back:
            fall_back(row, addressees.get(row.id))
        elif receipt.state is ReceiptState.DELIVERED:
            for unsent in cancelled_by_arrival(row):
                end(unsent, MessageState.CANCELLED)
        end(row, MessageState(receipt.state.value), receipt.reason if may_fall_back else None)
        return True


def _has_arrived(message_id: int) -> bool:
    """Write that an accepted message was delivered; False where it is not accepted, or was given up
    before and is said again by another way.

    Most receipts are of these, and come by the thousand: nothing follows from them.
    """
    later = aliased(Message)
    is_alone = ~exists().where(later.fallback_of_id == message_id)
    with transaction():
        raised = db.session.execute(
            update(Message)
            .where(Message.id == message_id, Message.state == MessageState.ACCEPTED, is_alone)
            .values(state=MessageState.DELIVERED, ended_at=clock.now())
            .returning(Message.id)
            .execution_options(synchronize_session=False)
        )
        return raised.first() is not None


def _spoken_of(gateway: str, receipt: DeliveryReceipt) -> int | None:
    """The message that a receipt names, by our id or by its gateway's."""
    ours = _REFERENCE.fullmatch(receipt.reference or "")
    if ours is not None:
        return int(ours[1])
    if receipt.provider_id is None:
        return None
    return db.session.scalar(
        select(Message.id)
        .where(Message.gateway == gateway, Message.provider_id == _kept_id(receipt.provider_id))
        .order_by(Message.id.desc())
        .limit(1)
    )


def _kept_id(theirs: str | None) -> str | None:
    """What a gateway calls a text, as far as its column takes it."""
    return None if theirs is None else theirs[:_LONGEST_PROVIDER_ID]


def record_answers(answers: Collection[Answer]) -> dict[int, MessageState]:
    """Write what came of messages that were handed over; what each is now.

    Those whose claim this worker lost are left alone, and left out.
    """
    refused = [a.claimed.id for a in answers if _is_refusal(a.said)]
    with transaction():
        addressees = lock_addressees(refused) if refused else {}
        rows = held([answer.claimed for answer in answers], MessageState.HANDING)
        written = [answer for answer in answers if answer.claimed.id in rows]
        for answer in written:
            _write(rows[answer.claimed.id], answer.said, addressees.get(answer.claimed.id))
        return {number: row.state for number, row in rows.items()}


def _is_refusal(said: Said) -> bool:
    """Whether a text may have to go by another way: a provider can say at once that it is lost."""
    lost = isinstance(said, Receipt) and said.state is ReceiptState.UNDELIVERED
    return lost or isinstance(said, GatewayError)


def _write(row: Message, said: Said, addressee: Addressee | None) -> None:
    if isinstance(said, Receipt):
        row.provider_id = _kept_id(said.provider_id)
        if _is_refusal(said):
            fall_back(row, addressee)
        end(row, MessageState(said.state.value))
    elif isinstance(said, Retryable):
        _plan_next_try(row, said, addressee)
    elif isinstance(said, Permanent):
        _fail(row, str(said), addressee)
    else:  # It never left our hands.
        row.tries -= 1
        if row.tries == 0:
            row.handed_at = None
        postpone(row, clock.now())


def _plan_next_try(row: Message, refusal: Retryable, addressee: Addressee | None) -> None:
    """Out of tries a message has failed; where the next try would come too late, it has expired.

    By its next way it may still be in time.
    """
    config = _config()
    if row.tries > len(config.retry_at_seconds):
        _fail(row, str(refusal), addressee)
        return
    at = (0.0, *config.retry_at_seconds)
    wait = (at[row.tries] - at[row.tries - 1]) * (1 + random.uniform(0, _JITTER))
    next_try = clock.now() + timedelta(seconds=max(wait, refusal.after_seconds))
    if refusal.after_seconds:
        assert row.gateway is not None
        gateway_pace.rest(row.gateway, refusal.after_seconds)
    if next_try >= row.expires_at:
        fall_back(row, addressee)
        end(row, MessageState.EXPIRED, str(refusal))
    else:
        row.error = str(refusal)[:_LONGEST_REASON]
        postpone(row, next_try)


def _fail(row: Message, reason: str, addressee: Addressee | None) -> None:
    fall_back(row, addressee)
    end(row, MessageState.FAILED, reason)


def expire_messages(watch: ClockWatch | None = None) -> int:
    """End what may not leave any more, and what nobody will ever hear of again; how many.

    `watch`: as for `claim_messages`.
    """
    return _end_late() + _give_up_doubtful(watch)


def _end_late() -> int:
    """A few at a time, so that nobody waits for long after a downtime."""
    ended = 0
    while True:
        late = (
            select(Message)
            .where(Message.state.in_(OPEN_MESSAGES), Message.expires_at <= clock.now())
            .order_by(Message.id)
            .limit(_ENDED_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        with transaction():
            rows = db.session.scalars(late).all()
            for row in rows:
                end(row, MessageState.EXPIRED, row.error)
        ended += len(rows)
        if len(rows) < _ENDED_AT_ONCE:
            return ended


def _give_up_doubtful(watch: ClockWatch | None) -> int:
    """Those that were sent a second time, or can't be any more, and of which no receipt came."""
    now = clock.now()
    doubtful = and_(_lost_in_handing(now, watch), or_(Message.resent, Message.expires_at <= now))
    ended = 0
    for message_id in db.session.scalars(select(Message.id).where(doubtful)).all():
        with transaction():
            addressees = lock_addressees([message_id])
            row = db.session.scalar(
                select(Message).where(Message.id == message_id, doubtful).with_for_update()
            )
            if row is not None:
                _fail(row, IN_DOUBT, addressees.get(message_id))
                ended += 1
    return ended


def held(claimed: Collection[Claimed], state: MessageState) -> dict[int, Message]:
    """Of these messages those that this worker holds in that state, locked for a transaction."""
    claims = {each.id: each.claim for each in claimed}
    rows = db.session.scalars(
        select(Message)
        .where(
            Message.id.in_(claims),
            Message.state == state,
            Message.claim.in_(set(claims.values())),
        )
        .order_by(Message.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows if row.claim == claims[row.id]}


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


def _is_due(now: datetime, watch: ClockWatch | None) -> ColumnElement[bool]:
    return or_(
        and_(Message.state == MessageState.PLANNED, Message.next_try_at <= now),
        and_(Message.state == MessageState.CLAIMED, Message.lease_until < now),
        and_(_lost_in_handing(now, watch), ~Message.resent, Message.expires_at > now),
    )


def _lost_in_handing(now: datetime, watch: ClockWatch | None) -> ColumnElement[bool]:
    config = _config()
    if watch and watch.was_set_within(config.message_lease_seconds + config.resend_wait_seconds):
        return false()  # By such a clock a text that is on the wire this second seems to be lost.
    waited = now - timedelta(seconds=config.resend_wait_seconds)
    return and_(Message.state == MessageState.HANDING, Message.lease_until < waited)


def _config() -> Config:
    config: Any = current_app.config["N9RAW"]
    assert isinstance(config, Config)
    return config
