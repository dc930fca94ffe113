"""Vetting: a named coordinator answers for a volunteer. Only the vetted are matched."""

from __future__ import annotations

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import LIVE_GROUPS, Coordinator, Group, Tutor, TutorState
from app.services import audit
from app.services.errors import Conflict, NotFound
from app.services.groups import ONE_CHANGE_OF_GROUPS_AT_A_TIME
from scheduler import clock


def vet_tutor(tutor_id: int, by: Coordinator) -> Tutor:
    """Make a registered tutor vetted, in the name of `by`."""
    with transaction():
        tutor = db.session.get(Tutor, tutor_id, with_for_update=True)
        if tutor is None:
            raise NotFound(_l("This volunteer does not exist."))
        if tutor.state is not TutorState.REGISTERED:
            raise Conflict(_l("Only a volunteer who waits for vetting can be vetted."))
        tutor.state = TutorState.VETTED
        tutor.vetted_at = clock.now()
        tutor.vetted_by_id = by.id
        audit.note("vet", f"tutor:{tutor.id}", by)
    return tutor


def withdraw_vetting(tutor_id: int, by: Coordinator) -> Tutor:
    """Take a vetting back: the tutor waits again and is left out of later runs."""
    with transaction(one_at_a_time=ONE_CHANGE_OF_GROUPS_AT_A_TIME):
        tutor = db.session.get(Tutor, tutor_id, with_for_update=True)
        if tutor is None:
            raise NotFound(_l("This volunteer does not exist."))
        if tutor.state is not TutorState.VETTED:
            raise Conflict(_l("Only a vetted volunteer's vetting can be taken back."))
        if db.session.scalar(
            select(Group.id).where(Group.tutor_id == tutor.id, Group.state.in_(LIVE_GROUPS))
        ):
            raise Conflict(_l("This volunteer has groups, or offers of groups, to be ended first."))
        tutor.state = TutorState.REGISTERED
        tutor.vetted_at = None
        tutor.vetted_by_id = None
        audit.note("withdraw_vetting", f"tutor:{tutor.id}", by)
    return tutor
