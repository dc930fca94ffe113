"""A volunteer pauses or leaves, and comes back: the groups end, the pupils wait again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    LIVE_GROUPS,
    Coordinator,
    Group,
    Membership,
    Pupil,
    Tutor,
    TutoringRequest,
    TutorState,
)
from app.services import audit
from app.services.ending import end_groups
from app.services.errors import Conflict, Invalid
from app.services.free_text import read_reason
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME, note_end
from app.services.people import get_tutor
from app.services.reminders import Recipient
from app.services.substitution import hand_back_lessons, lock_for_departure
from app.services.vetting_term import clear_vetting, is_vetted, today
from scheduler import clock

_FROM = {
    TutorState.PAUSED: (TutorState.REGISTERED, TutorState.VETTED),
    TutorState.LEFT: (TutorState.REGISTERED, TutorState.VETTED, TutorState.PAUSED),
}
"""The states from which a volunteer can pause, and leave."""
MAY_RETURN = tuple(_FROM)
LONGEST_PAUSE: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Departure:
    """What a volunteer's pausing or leaving ends: the groups, and offers, that they have."""

    tutor: Tutor
    groups: list[Group]

    def is_possible(self, state: TutorState) -> bool:
        """Whether the volunteer can pause, or leave, from the state of now."""
        return self.tutor.state in _FROM[state]

    @property
    def pupil_ids(self) -> set[int]:
        """The children who sit in those groups."""
        return {member.request.pupil_id for group in self.groups for member in group.members}


def preview_departure(tutor_id: int) -> Departure:
    """What would end if the volunteer paused or left now; NotFound if there is none."""
    groups = db.session.scalars(
        select(Group)
        .where(Group.tutor_id == tutor_id, Group.state.in_(LIVE_GROUPS))
        .order_by(Group.id)
        .options(
            joinedload(Group.subject),
            joinedload(Group.level),
            selectinload(Group.memberships)
            .joinedload(Membership.request)
            .joinedload(TutoringRequest.pupil)
            .joinedload(Pupil.household)
            .lazyload("*"),
        )
    )
    return Departure(get_tutor(tutor_id), list(groups))


def pause_tutor(
    tutor_id: int,
    reason: str,
    by: Coordinator | None,
    *,
    until: date | None = None,
    by_tutor: bool = False,
) -> Departure:
    """Record that a volunteer pauses; what ended with it.

    The groups end as one ends by itself. The vetting is kept for when the volunteer comes back:
    on the day `until`, or when it is said. `by_tutor`: the volunteer records it themself.
    """
    if until is not None and until <= today():
        raise Invalid(_l("The day on which you are back must be to come."))
    if until is not None and until > today() + LONGEST_PAUSE:
        raise Invalid(_l("That is more than a year ahead."))
    return _depart(tutor_id, TutorState.PAUSED, reason, by, until=until, by_tutor=by_tutor)


def let_tutor_leave(
    tutor_id: int, reason: str, by: Coordinator | None, *, by_tutor: bool = False
) -> Departure:
    """Record that a volunteer has left; what ended with it.

    The sign-in and the calendar close, and the vetting ends: who comes back is vetted anew.
    """
    return _depart(tutor_id, TutorState.LEFT, reason, by, by_tutor=by_tutor)


def take_tutor_back(tutor_id: int, by: Coordinator | None, *, by_tutor: bool = False) -> Tutor:
    """Take back a volunteer who paused or left: vetted, if the vetting still holds, or registered.

    Nothing is matched by itself, and no group that ended comes back. Only a pause can be ended by
    the volunteer themself.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        tutor = _locked(tutor_id)
        if tutor.state not in ((TutorState.PAUSED,) if by_tutor else MAY_RETURN):
            raise Conflict(_l("Only a volunteer who pauses or has left can be taken back."))
        _return(tutor, by, by_tutor=by_tutor)
    return tutor


def bring_tutors_back() -> int:
    """Take back the volunteers whose pause is over by its own day; how many."""
    over = select(Tutor.id).where(Tutor.state == TutorState.PAUSED, Tutor.paused_until <= today())
    came = 0
    for tutor_id in db.session.scalars(over.order_by(Tutor.id)).all():
        with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
            tutor = _locked(tutor_id)
            until = tutor.paused_until
            if tutor.state is TutorState.PAUSED and until is not None and until <= today():
                _return(tutor, None, by_tutor=False)
                came += 1
    return came


def _return(tutor: Tutor, by: Coordinator | None, *, by_tutor: bool) -> None:
    tutor.state = TutorState.VETTED
    tutor.paused_at = tutor.paused_until = None
    if not is_vetted(tutor):
        tutor.state = TutorState.REGISTERED
        clear_vetting(tutor)
    audit.note("take_tutor_back", f"tutor:{tutor.id}", by, detail=_themself(tutor.id, by_tutor))


def _depart(
    tutor_id: int,
    state: TutorState,
    reason: str,
    by: Coordinator | None,
    *,
    until: date | None = None,
    by_tutor: bool,
) -> Departure:
    reason = read_reason(reason)
    if not reason:
        raise Invalid(_l("Say why."))
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        departure = preview_departure(tutor_id)
        lock_for_departure(tutor_id, departure.groups)
        pupil_ids, seats = departure.pupil_ids, [group.members for group in departure.groups]
        # Who goes has said so, on their page or to the coordinator.
        end_groups(departure.groups, reason, but={Recipient("tutor", tutor_id)})
        for group, members in zip(departure.groups, seats, strict=True):
            note_end(group, by, members, reason, tutor_id=tutor_id if by_tutor else None)
        # The volunteer's own row last, since whoever makes lessons locks it after their group's.
        tutor = _locked(tutor_id)
        if tutor.state not in _FROM[state]:
            raise Conflict(_l("This volunteer is not in a state from which that can be recorded."))
        tutor.state = state
        _set_dates(tutor, until)
        hand_back_lessons(tutor)
        detail = {"reason": reason, "groups": len(departure.groups)}
        audit.note(
            "pause_tutor" if state is TutorState.PAUSED else "tutor_left",
            f"tutor:{tutor.id}",
            by,
            pupil_ids=pupil_ids,
            detail=detail
            | ({} if until is None else {"until": str(until)})
            | _themself(tutor_id, by_tutor),
        )
    return departure


def _set_dates(tutor: Tutor, until: date | None) -> None:
    """What a volunteer keeps while pausing, and loses by leaving."""
    if tutor.state is TutorState.PAUSED:
        tutor.paused_at, tutor.paused_until = clock.now(), until
    else:
        tutor.paused_at = tutor.paused_until = None
        tutor.calendar_token_hash = None
        tutor.signed_out_at = clock.now()
        clear_vetting(tutor)


def _themself(tutor_id: int, by_tutor: bool) -> dict[str, int]:
    """What names the volunteer as who acted, in the trace."""
    return {"tutor": tutor_id} if by_tutor else {}


def _locked(tutor_id: int) -> Tutor:
    get_tutor(tutor_id)
    return db.session.get_one(Tutor, tutor_id, with_for_update=True, populate_existing=True)
