"""Families' links by message: a new link is made and put into the outbox, never shown."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import Select, select
from sqlalchemy.orm import lazyload, selectinload, subqueryload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import (
    Coordinator,
    FamilyLink,
    Group,
    GroupState,
    Household,
    Membership,
    Pupil,
    TutoringRequest,
)
from app.services import audit
from app.services.errors import Conflict, NotFound
from app.services.family_links import add_link, revoke_links
from app.services.outbox import queue_link
from app.services.reach import has_no_way
from app.services.scope import Scope
from scheduler import clock


def send_link(household_id: int, by: Coordinator) -> Household:
    """Send a family a new link, which ends the one before; Conflict where no message gets there."""
    with transaction():
        household = db.session.get(Household, household_id, with_for_update=True)
        if household is None:
            raise NotFound(_l("This family does not exist."))
        site = _site()
        if household.messages_stopped_at is not None:
            raise Conflict(_l("This family wants no messages: make the link and give it by hand."))
        if has_no_way(household):
            raise Conflict(_l("No message reaches this family: make the link and give it by hand."))
        revoke_links(household)
        _send(household, site, by)
    return household


def send_links(scope: Scope, zone_id: int | None, by: Coordinator, *, with_lessons: bool) -> int:
    """Send a link to every family that lacks one and can be written to; how many."""
    site = _site()
    with transaction():
        families = _without_link(scope, zone_id, with_lessons=with_lessons)
        lock = (
            families.order_by(Household.id)
            .with_for_update(of=Household)
            .options(selectinload(Household.pupils).lazyload("*"))
        )
        sent = [household for household in db.session.scalars(lock) if _is_written_to(household)]
        for household in sent:
            _send(household, site, by)
    return len(sent)


def count_without_link(scope: Scope, zone_id: int | None, *, with_lessons: bool) -> tuple[int, int]:
    """How many families lack a link, and how many of them can be sent one."""
    families = db.session.scalars(_without_link(scope, zone_id, with_lessons=with_lessons)).all()
    return len(families), sum(_is_written_to(household) for household in families)


def can_send() -> bool:
    """Whether this installation knows the address that its links begin with."""
    return current_app.config["N9RAW"].public_url is not None


def _site() -> str:
    site = current_app.config["N9RAW"].public_url
    if site is None:
        raise Conflict(
            _l("No link can be sent before N9RAW_PUBLIC_URL says where families find the pages.")
        )
    return str(site)


def _send(household: Household, site: str, by: Coordinator) -> None:
    queue_link(household, f"{site}/f/{add_link(household)}")
    pupil_ids = [pupil.id for pupil in household.pupils]
    audit.note("send_family_link", f"household:{household.id}", by, pupil_ids=pupil_ids)


def _is_written_to(household: Household) -> bool:
    """Whether a message gets to a family, wants to, and is read there."""
    stopped = household.messages_stopped_at is not None
    return not (stopped or household.reach_by_call or has_no_way(household))


def _without_link(scope: Scope, zone_id: int | None, *, with_lessons: bool) -> Select[Household]:
    linked = select(FamilyLink.household_id).where(
        FamilyLink.revoked_at.is_(None), FamilyLink.expires_at > clock.now()
    )
    families = (
        select(Household)
        .where(scope.limits(Household.zone_id), Household.id.not_in(linked))
        .options(lazyload("*"), subqueryload(Household.channels), subqueryload(Household.ways))
    )
    if zone_id is not None:
        families = families.where(Household.zone_id == zone_id)
    if with_lessons:
        taught = (
            select(Pupil.household_id)
            .join(Pupil.requests)
            .join(Membership, Membership.request_id == TutoringRequest.id)
            .join(Membership.group)
            .where(
                Group.state == GroupState.ACTIVE,
                Membership.active_since.is_not(None),
                Membership.ended_at.is_(None),
            )
        )
        families = families.where(Household.id.in_(taught))
    return families
