"""Who a message goes to: a family, a volunteer, a coordinator, or an address without an account."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import lazyload, selectinload

from app.extensions import db
from app.gateways import AddressKind
from app.models import Coordinator, Household, Message, Tutor
from app.services.addresses import kind_of

_STRANGERS_READ: Final = "fr"


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody without an account, at one address."""

    email: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    message_language: str


Addressee = Household | Tutor | Coordinator | Stranger


def zone_of(addressee: Addressee) -> str:
    """The zone whose days and nights are theirs."""
    return own_zone_of(addressee) or str(current_app.config["N9RAW"].civil_zone)


def own_zone_of(addressee: Addressee) -> str | None:
    """The zone of a volunteer who lives by another clock than the programme."""
    return addressee.time_zone if isinstance(addressee, Tutor) else None


def lock_addressees(message_ids: Collection[int]) -> Mapping[int, Addressee]:
    """Who each message goes to, kept as they are until the commit; without those that are gone.

    Part of a transaction; comes after the locks of lessons and before those of messages.
    """
    rows = db.session.execute(
        select(
            Message.id,
            Message.household_id,
            Message.tutor_id,
            Message.coordinator_id,
            Message.to_address,
            Message.language,
        ).where(Message.id.in_(message_ids))
    ).all()
    households = _households({row.household_id for row in rows} - {None})
    tutors = _tutors({row.tutor_id for row in rows} - {None})
    coordinators = _coordinators({row.coordinator_id for row in rows} - {None})

    found: dict[int, Addressee | None] = {}
    for row in rows:
        if row.to_address is not None:
            found[row.id] = _stranger(row.to_address, row.language)
        elif row.household_id is not None:
            found[row.id] = households.get(row.household_id)
        elif row.tutor_id is not None:
            found[row.id] = tutors.get(row.tutor_id)
        else:
            found[row.id] = coordinators.get(row.coordinator_id)
    return {number: addressee for number, addressee in found.items() if addressee is not None}


def _stranger(address: str, language: str | None) -> Stranger:
    spoken = language or _STRANGERS_READ
    if kind_of(address) is AddressKind.EMAIL:
        return Stranger(email=address, phone=None, message_language=spoken)
    return Stranger(email=None, phone=address, message_language=spoken)


def _households(ids: set[int]) -> dict[int, Household]:
    if not ids:
        return {}
    found = db.session.scalars(
        select(Household)
        .where(Household.id.in_(ids))
        .order_by(Household.id)
        .with_for_update(read=True)
        .options(lazyload("*"), selectinload(Household.channels), selectinload(Household.ways))
        .execution_options(populate_existing=True)
    )
    return {household.id: household for household in found}


def _tutors(ids: set[int]) -> dict[int, Tutor]:
    if not ids:
        return {}
    found = db.session.scalars(
        select(Tutor)
        .where(Tutor.id.in_(ids))
        .order_by(Tutor.id)
        .with_for_update(read=True)
        .options(lazyload("*"), selectinload(Tutor.channels))
        .execution_options(populate_existing=True)
    )
    return {tutor.id: tutor for tutor in found}


def _coordinators(ids: set[int]) -> dict[int, Coordinator]:
    if not ids:
        return {}
    found = db.session.scalars(
        select(Coordinator).where(Coordinator.id.in_(ids)).options(lazyload("*"))
    )
    return {coordinator.id: coordinator for coordinator in found}
