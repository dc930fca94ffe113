"""A volunteer pauses or leaves, and comes back: the groups end, the pupils wait again."""

from __future__ import annotations

from dataclasses import dataclass

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
    Tutor,
    TutoringRequest,
    TutorState,
)
from app.services import audit
from app.services.ending import end_groups, lock_groups
from app.services.errors import Conflict, Invalid
from app.services.groups import LONGEST_REASON, ONE_CHANGE_OF_GROUPS_AT_A_TIME, note_end
from app.services.people import get_tutor

_FROM = {
    TutorState.PAUSED: (TutorState.REGISTERED, TutorState.VETTED),
    TutorState.LEFT: (TutorState.REGISTERED, TutorState.VETTED, TutorState.PAUSED),
}
"""The states from which a volunteer can pause, and leave."""
MAY_RETURN = tuple(_FROM)


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
            .joinedload(TutoringRequest.pupil),
        )
    )
    return Departure(get_tutor(tutor_id), list(groups))


def pause_tutor(tutor_id: int, reason: str, by: Coordinator | None) -> Departure:
    """Record that a volunteer pauses; what ended with it.

    The groups end as one ends by itself. The vetting is kept for when the volunteer comes back.
    """
    return _depart(tutor_id, TutorState.PAUSED, reason, by)


def let_tutor_leave(tutor_id: int, reason: str, by: Coordinator | None) -> Departure:
    """Record that a volunteer has left; what ended with it.

    The sign-in closes, and the vetting ends: who comes back is vetted anew.
    """
    return _depart(tutor_id, TutorState.LEFT, reason, by)


def take_tutor_back(tutor_id: int, by: Coordinator | None) -> Tutor:
    """Take back a volunteer who paused or left: vetted, if the vetting still holds, or registered.

    Nothing is matched by itself, and no group that ended comes back.
    """
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        tutor = _locked(tutor_id)
        if tutor.state not in MAY_RETURN:
            raise Conflict(_l("Only a volunteer who pauses or has left can be taken back."))
        tutor.state = TutorState.REGISTERED if tutor.vetted_at is None else TutorState.VETTED
        audit.note("take_tutor_back", f"tutor:{tutor.id}", by)
    return tutor


def _depart(tutor_id: int, state: TutorState, reason: str, by: Coordinator | None) -> Departure:
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise Invalid(_l("Say why."))
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        departure = preview_departure(tutor_id)
        lock_groups(departure.groups)
        pupil_ids, seats = departure.pupil_ids, [group.members for group in departure.groups]
        end_groups(departure.groups, reason)
        for group, members in zip(departure.groups, seats, strict=True):
            note_end(group, by, members, reason)
        # The volunteer's own row last, since whoever makes lessons locks it after their group's.
        tutor = _locked(tutor_id)
        if tutor.state not in _FROM[state]:
            raise Conflict(_l("This volunteer is not in a state from which that can be recorded."))
        tutor.state = state
        if state is TutorState.LEFT:
            tutor.vetted_at = tutor.vetted_by_id = None
        audit.note(
            "pause_tutor" if state is TutorState.PAUSED else "tutor_left",
            f"tutor:{tutor.id}",
            by,
            pupil_ids=pupil_ids,
            detail={"reason": reason, "groups": len(departure.groups)},
        )
    return departure


def _locked(tutor_id: int) -> Tutor:
    get_tutor(tutor_id)
    return db.session.get_one(Tutor, tutor_id, with_for_update=True, populate_existing=True)
