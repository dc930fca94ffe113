"""STOP and START: nothing more is sent to somebody, or messages go on. Codes always go.

Part of the caller's transaction, which has locked the household or the tutor: so has delivery in
the commit before the wire, so nothing leaves after a STOP that was committed first.
"""

from __future__ import annotations

from sqlalchemy import select, update

from app.extensions import db
from app.models import (
    OPEN_MESSAGES,
    Coordinator,
    Household,
    Message,
    MessageKind,
    MessageState,
    Reminder,
    Tutor,
)
from app.services import audit
from app.services.outbox import end
from app.services.reminders import TIMINGS, Recipient, share_messages
from scheduler import clock


def stop_messages(person: Household | Tutor, by: Coordinator | None = None) -> bool:
    """Send no more; whether that is new. `by` is the coordinator who does it on their behalf."""
    if person.messages_stopped_at is not None:
        return False
    person.messages_stopped_at = clock.now()
    if isinstance(person, Household):
        person.messages_stopped_by_id = None if by is None else by.id
    _hold_answers_back(person)
    _note("stop_messages", person, by)
    return True


def start_messages(person: Household | Tutor, by: Coordinator | None = None) -> bool:
    """Send messages again, and those reminders that were held back and are still of use."""
    if person.messages_stopped_at is None:
        return False
    person.messages_stopped_at = None
    if isinstance(person, Household):
        person.messages_stopped_by_id = None
    db.session.flush()
    _owe_again(Recipient(person.__tablename__, person.id))
    _note("want_messages", person, by)
    return True


def _hold_answers_back(person: Household | Tutor) -> None:
    """Answers to texts leave despite a STOP, since one of them confirms it: not those of before."""
    unsent = select(Message).where(
        getattr(Message, f"{person.__tablename__}_id") == person.id,
        Message.kind == MessageKind.REPLY,
        Message.state.in_(OPEN_MESSAGES),
    )
    for row in db.session.scalars(unsent.order_by(Message.id).with_for_update()):
        end(row, MessageState.SUPPRESSED)


def _owe_again(recipient: Recipient) -> None:
    now = clock.now()
    held_back = select(Message.id).where(
        getattr(Message, f"{recipient.table}_id") == recipient.id,
        Message.kind.in_(list(TIMINGS)),
        Message.state == MessageState.SUPPRESSED,
        Message.expires_at > now,
    )
    db.session.execute(
        update(Reminder)
        .where(
            Reminder.message_id.in_(held_back),
            Reminder.cancelled_at.is_(None),
            Reminder.expires_at > now,
        )
        .values(message_id=None)
        .execution_options(synchronize_session=False)
    )
    share_messages(recipient)


def _note(action: str, person: Household | Tutor, by: Coordinator | None) -> None:
    detail = {person.__tablename__: person.id}
    pupils = [pupil.id for pupil in person.pupils] if isinstance(person, Household) else []
    audit.note(action, f"{person.__tablename__}:{person.id}", by, pupil_ids=pupils, detail=detail)
