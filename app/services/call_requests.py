"""Families that asked to be called, and the coordinators who call them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import CallRequest, Coordinator, Household
from app.services import audit
from app.services.errors import NotFound
from app.services.scope import Scope
from app.services.waiting import Waiting, first_of
from scheduler import clock


def first_calls(scope: Scope) -> Waiting[CallRequest]:
    """The first families that wait to be called, the longest first."""
    return first_of(
        select(CallRequest)
        .join(CallRequest.household)
        .where(CallRequest.called_at.is_(None), scope.limits(Household.zone_id))
        .order_by(CallRequest.asked_at, CallRequest.id)
        .options(
            joinedload(CallRequest.household).options(
                lazyload("*"),
                joinedload(Household.zone),
                joinedload(Household.guardian),
                selectinload(Household.pupils),
            )
        )
    )


def mark_called(call_id: int, by: Coordinator) -> CallRequest:
    """Note that `by` has called the family; whoever called first stays named."""
    with transaction():
        call = db.session.get(CallRequest, call_id, with_for_update=True)
        if call is None:
            raise NotFound(_l("This call does not exist."))
        if call.called_at is None:
            call.called_at = clock.now()
            call.called_by_id = by.id
            audit.note(
                "call_family",
                f"household:{call.household_id}",
                by,
                pupil_ids=[pupil.id for pupil in call.household.pupils],
                detail={"call": call.id},
            )
    return call
