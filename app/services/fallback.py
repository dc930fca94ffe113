"""What did not arrive by one way goes by the next: as a message of its own, checked like the first.

So does what a coordinator has sent again, only that it begins with the first way once more.

Each function is part of the caller's transaction, which has locked the recipient, then the message.
"""

from __future__ import annotations

from typing import Final

from flask import current_app
from sqlalchemy import select, update

from app.extensions import db
from app.gateways.configured import configured_gateways
from app.models import (
    OPEN_MESSAGES,
    WORDED_LATE,
    Message,
    MessageKind,
    Notice,
    Question,
    Reminder,
)
from app.services.addressees import Addressee
from app.services.ways import Way, ways_of
from scheduler import clock

REMINDER_KINDS: Final = (MessageKind.LESSON_24H, MessageKind.LESSON_2H)
WORDED_AT_HANDING: Final = (*REMINDER_KINDS, *WORDED_LATE)
"""The kinds whose words are written just before they leave; the others' when they are planned."""


def fall_back(row: Message, addressee: Addressee | None) -> Message | None:
    """Plan the same by the next way that was not tried, if there is one and it is still of use.

    Called before the text of the first is forgotten.
    """
    now = clock.now()
    if addressee is None or row.expires_at <= now or _fallback_of(row) is not None:
        return None
    if not _untried(row, addressee):
        return None
    again = Message(
        household_id=row.household_id,
        tutor_id=row.tutor_id,
        coordinator_id=row.coordinator_id,
        to_address=row.to_address,
        kind=row.kind,
        due_at=now,
        next_try_at=now,
        expires_at=row.expires_at,
        language=row.language,
        text=None if row.kind in WORDED_AT_HANDING else row.text,
        created_at=now,
        fallback_of_id=row.id,
        by_id=row.by_id,
    )
    db.session.add(again)
    db.session.flush()
    _point(row.id, again.id)
    return again


def cancelled_by_arrival(row: Message) -> list[Message]:
    """The unsent messages that say again what has arrived after all; what they spoke of is this
    one's again.
    """
    unsent = []
    later = _fallback_of(row)
    while later is not None:
        if later.state in OPEN_MESSAGES:
            _point(later.id, row.id)
            unsent.append(later)
        later = _fallback_of(later)
    return unsent


def tried_before(row: Message) -> set[tuple[str, str]]:
    """The ways by which the messages that this one says again were tried."""
    tried: set[tuple[str, str]] = set()
    number = None if row.begins_anew else row.fallback_of_id
    while number is not None:
        before = db.session.get(Message, number)
        if before is None:
            break
        if before.gateway is not None and before.address is not None:
            tried.add((before.gateway, before.address))
        number = None if before.begins_anew else before.fallback_of_id
    return tried


def _untried(row: Message, addressee: Addressee) -> list[Way]:
    if row.text is None or row.gateway is None or row.address is None:
        return []  # It never was on its way, or its code is forgotten.
    tried = tried_before(row) | {(row.gateway, row.address)}
    gateways = configured_gateways(current_app.config["N9RAW"])
    return [way for way in ways_of(addressee, row, gateways) if way.key not in tried]


def _fallback_of(row: Message) -> Message | None:
    """The message that says this one again; there is one at the most."""
    return db.session.scalar(
        select(Message).where(Message.fallback_of_id == row.id).with_for_update()
    )


def _point(message_id: int, other_id: int) -> None:
    """Have what one message speaks of be spoken of by another."""
    db.session.execute(
        update(Reminder)
        .where(Reminder.message_id == message_id, Reminder.cancelled_at.is_(None))
        .values(message_id=other_id)
    )
    db.session.execute(
        update(Notice)
        .where(Notice.message_id == message_id, Notice.cancelled_at.is_(None))
        .values(message_id=other_id)
    )
    db.session.execute(
        update(Question).where(Question.message_id == message_id).values(message_id=other_id)
    )
