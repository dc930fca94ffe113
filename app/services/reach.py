"""Which families no message gets to, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from flask import current_app
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.extensions import db
from app.gateways import AddressKind
from app.gateways.configured import configured_gateways
from app.models import (
    LIVE_GROUPS,
    Group,
    Household,
    HouseholdChannel,
    HouseholdWay,
    Membership,
    Message,
    MessageState,
    Pupil,
    TutoringRequest,
)
from app.services.scope import Scope
from app.services.waiting import Waiting, first_of
from app.services.ways import KINDS_OF_WAYS, WHATSAPP_CHANNELS, kinds_in_order
from scheduler import clock

LOOKED_BACK: Final = timedelta(days=14)
"""A message that failed longer ago than this says nothing of today."""
_ARRIVED: Final = (MessageState.ACCEPTED, MessageState.DELIVERED)
_LOST: Final = (MessageState.UNDELIVERED, MessageState.FAILED, MessageState.EXPIRED)


class WhyUnreached(StrEnum):
    LAST_MESSAGE = "last_message"
    """The last message to the family did not arrive."""
    NO_WAY = "no_way"
    """No gateway of this installation has an address of theirs."""
    STOPPED = "stopped"
    """They want no messages."""


@dataclass(frozen=True, slots=True)
class UnreachedFamily:
    """A family that has a place in a group, and hears nothing of it."""

    household: Household
    why: WhyUnreached
    since: datetime | None
    """When the message was lost, or messages were stopped."""


def first_unreached(scope: Scope) -> Waiting[UnreachedFamily]:
    """The first families that no message gets to; those who are called anyway are left out."""
    found = first_of(
        select(Household)
        .where(
            scope.limits(Household.zone_id),
            Household.reach_by_call.is_(False),
            or_(
                Household.id.in_(_lost().with_only_columns(Message.household_id)),
                and_(
                    Household.id.in_(_seated()),
                    or_(_no_way(), Household.messages_stopped_at.is_not(None)),
                ),
            ),
        )
        .order_by(Household.id)
        .options(
            lazyload("*"),
            joinedload(Household.zone),
            joinedload(Household.guardian),
            selectinload(Household.pupils),
        )
    )
    lost = lost_messages({household.id for household in found.first})
    return Waiting([_unreached(household, lost) for household in found.first], found.total)


def lost_messages(household_ids: set[int]) -> dict[int, datetime]:
    """When the last message to each of these families was lost; those it reached are left out."""
    rows = db.session.execute(_lost().where(Message.household_id.in_(household_ids)))
    return {number: at for number, at in rows if number is not None}


def has_no_way(household: Household) -> bool:
    """Whether no gateway of this installation has an address of the family, or one that it chose.

    Asked of many, their channels and ways should be loaded.
    """
    kinds = _kinds()
    return not any(kinds & set(addresses) for addresses in kinds_in_order(household))


def _unreached(household: Household, lost: dict[int, datetime]) -> UnreachedFamily:
    if household.messages_stopped_at is not None:
        return UnreachedFamily(household, WhyUnreached.STOPPED, household.messages_stopped_at)
    if household.id in lost:
        return UnreachedFamily(household, WhyUnreached.LAST_MESSAGE, lost[household.id])
    return UnreachedFamily(household, WhyUnreached.NO_WAY, None)


def _kinds() -> set[AddressKind]:
    gateways = configured_gateways(current_app.config["N9RAW"])
    return {kind for gateway in gateways for kind in gateway.reaches}


def _no_way() -> ColumnElement[bool]:
    """The same as `has_no_way`, of every household."""
    kinds = _kinds()
    chosen = HouseholdWay.household_id == Household.id
    return not_(
        or_(
            false(),
            *(
                and_(
                    _HAS[kind],
                    or_(~exists().where(chosen), exists().where(chosen, HouseholdWay.way == word)),
                )
                for word, kind in KINDS_OF_WAYS.items()
                if kind in kinds
            ),
        )
    )


_HAS: Final[dict[AddressKind, ColumnElement[bool]]] = {
    AddressKind.PHONE: true(),
    AddressKind.EMAIL: func.coalesce(Household.email, "") != "",
    AddressKind.WHATSAPP: exists().where(
        HouseholdChannel.household_id == Household.id,
        HouseholdChannel.channel.in_(WHATSAPP_CHANNELS),
    ),
}
"""Where a household has an address of a kind."""


def _seated() -> Select[int]:
    """The families with a child who has, or is offered, a place."""
    return (
        select(Pupil.household_id)
        .join(Pupil.requests)
        .join(Membership, Membership.request_id == TutoringRequest.id)
        .join(Membership.group)
        .where(Membership.ended_at.is_(None), Group.state.in_(LIVE_GROUPS))
    )


def _lost() -> Select[int | None, datetime]:
    """(family, when) where the last message of the recent past did not arrive."""
    at = func.coalesce(Message.handed_at, Message.ended_at)
    lost_at = func.max(case((Message.state.in_(_LOST), at)))
    arrived_at = func.max(case((Message.state.in_(_ARRIVED), at)))
    return (
        select(Message.household_id, lost_at)
        .where(
            Message.household_id.is_not(None),
            Message.state.in_(_LOST + _ARRIVED),
            at > clock.now() - LOOKED_BACK,
        )
        .group_by(Message.household_id)
        .having(
            lost_at.is_not(None),
            or_(arrived_at.is_(None), lost_at > arrived_at),
        )
    )
