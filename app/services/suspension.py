"""Suspension: what protects children at once when something may be wrong with a volunteer.

One transaction ends the sign-in, the contacts, the lessons, the calendar and the vetting, stops
what was to be sent to the volunteer, and plans the message to each family that had lessons.
"""

from __future__ import annotations

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    OPEN_MESSAGES,
    Coordinator,
    Message,
    MessageState,
    Pin,
    Tutor,
    TutorState,
)
from app.services import audit
from app.services.departures import Departure, preview_departure
from app.services.ending import end_groups
from app.services.errors import Conflict, Invalid
from app.services.free_text import read_reason
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME, note_end
from app.services.outbox import end
from app.services.people import get_tutor
from app.services.reminders import Recipient
from app.services.substitution import hand_back_lessons, lock_for_departure
from app.services.vetting_term import clear_vetting
from scheduler import clock


def suspend_tutor(tutor_id: int, reason: str, by: Coordinator | None) -> Departure:
    """Suspend a volunteer at once, whatever the state; what ended with it.

    Conflict where that was done already, Invalid without a reason, NotFound if there is none.
    """
    reason = read_reason(reason)
    if not reason:
        raise Invalid(_l("Say why."))
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        departure = preview_departure(tutor_id)
        lock_for_departure(tutor_id, departure.groups)
        pupil_ids = departure.pupil_ids
        seats = [group.members for group in departure.groups]
        end_groups(departure.groups, reason, but={Recipient("tutor", tutor_id)})
        for group, members in zip(departure.groups, seats, strict=True):
            note_end(group, by, members, reason)
        tutor = _locked(tutor_id)
        _close(tutor, reason)
        hand_back_lessons(tutor)
        _stop_messages(tutor_id)
        audit.note(
            "suspend_tutor",
            f"tutor:{tutor_id}",
            by,
            pupil_ids=pupil_ids,
            detail={"reason": reason, "groups": len(departure.groups)},
        )
    return departure


def lift_suspension(tutor_id: int, by: Coordinator | None) -> Tutor:
    """End a suspension: the volunteer may come in again, and is vetted anew before any group."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        get_tutor(tutor_id)
        tutor = _locked(tutor_id)
        if tutor.state is not TutorState.SUSPENDED:
            raise Conflict(_l("This volunteer is not suspended."))
        tutor.state = TutorState.REGISTERED
        tutor.suspended_at = tutor.suspend_reason = None
        audit.note("lift_suspension", f"tutor:{tutor.id}", by)
    return tutor


def _close(tutor: Tutor, reason: str) -> None:
    if tutor.state is TutorState.SUSPENDED:
        raise Conflict(_l("This volunteer is suspended already."))
    tutor.state = TutorState.SUSPENDED
    tutor.suspended_at = tutor.signed_out_at = clock.now()
    tutor.suspend_reason = reason
    tutor.paused_until = None
    tutor.calendar_token_hash = None
    clear_vetting(tutor)
    for pin in db.session.scalars(select(Pin).where(Pin.tutor_id == tutor.id)):
        db.session.delete(pin)


def _stop_messages(tutor_id: int) -> None:
    """Cancel what was to be sent to the volunteer and has not begun to leave."""
    waiting = select(Message).where(Message.tutor_id == tutor_id, Message.state.in_(OPEN_MESSAGES))
    for message in db.session.scalars(waiting.order_by(Message.id).with_for_update()):
        end(message, MessageState.CANCELLED)


def _locked(tutor_id: int) -> Tutor:
    return db.session.get_one(Tutor, tutor_id, with_for_update=True, populate_existing=True)
