"""The secret addresses of families' pages. Only a hash is kept: a link is shown once, when made."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, time, timedelta

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, FamilyLink, Household
from app.services import audit
from app.services.errors import Invalid, NotFound
from app.services.imports.cells import parse_phone
from app.services.imports.problems import BadCell
from app.services.outbox import cancel_links
from app.services.terms import end_of_term
from scheduler import clock


class UnknownLink(NotFound):
    """The address of no family's page, or not any more."""


_TOKEN_BYTES = 16
_FIRST_DAY_AFTER_TERM = (8, 1)


def make_link(household_id: int, by: Coordinator | None) -> tuple[Household, str]:
    """A household and the token of its new link, which ends the one before.

    It holds until the end of the term, or of July where no term is known, by civil time.
    """
    with transaction():
        household = _lock(household_id)
        revoke_links(household)
        token = add_link(household)
        _note("make_family_link", household, by)
    return household, token


def add_link(household: Household) -> str:
    """The token of a new link, as part of the caller's transaction, which ended all others."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    now = clock.now()
    db.session.add(
        FamilyLink(
            household_id=household.id,
            token_hash=_hash(token),
            created_at=now,
            expires_at=_end_of_term(now),
        )
    )
    return token


def end_links(household_id: int, by: Coordinator) -> Household:
    """End a household's link, in the name of `by`."""
    with transaction():
        household = _lock(household_id)
        revoke_links(household)
        _note("end_family_link", household, by)
    return household


def revoke_links(household: Household) -> None:
    """End a household's link as part of the caller's transaction, such as a change of telephone."""
    db.session.execute(
        update(FamilyLink)
        .where(FamilyLink.household_id == household.id, FamilyLink.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    cancel_links(household.id)


def open_link(token: str) -> Household:
    """The household of a link that holds; UnknownLink for all others, and in one look-up."""
    household = db.session.scalar(
        select(Household)
        .join(FamilyLink, FamilyLink.household_id == Household.id)
        .where(
            FamilyLink.token_hash == _hash(token),
            FamilyLink.revoked_at.is_(None),
            FamilyLink.expires_at > clock.now(),
        )
        .options(joinedload(Household.guardian))
    )
    if household is None:
        raise UnknownLink(_l("This link does not hold."))
    return household


def linked_households(household_ids: list[int]) -> set[int]:
    """Those of the households that have a link that holds."""
    held = select(FamilyLink.household_id).where(
        FamilyLink.household_id.in_(household_ids),
        FamilyLink.revoked_at.is_(None),
        FamilyLink.expires_at > clock.now(),
    )
    return set(db.session.scalars(held))


def household_by_phone(phone: str) -> Household:
    """The household with this telephone number, in any way of writing it; Invalid if none."""
    try:
        number = parse_phone(phone.strip())
    except BadCell:
        raise Invalid(_l("This is not a telephone number.")) from None
    household = db.session.scalar(select(Household).where(Household.phone == number))
    if household is None:
        raise Invalid(_l("No family has this telephone number."))
    return household


def _lock(household_id: int) -> Household:
    household = db.session.get(Household, household_id, with_for_update=True)
    if household is None:
        raise NotFound(_l("This family does not exist."))
    return household


def _note(action: str, household: Household, by: Coordinator | None) -> None:
    pupil_ids = [pupil.id for pupil in household.pupils]
    audit.note(action, f"household:{household.id}", by, pupil_ids=pupil_ids)


def _end_of_term(now: datetime) -> datetime:
    """The end of the term that runs or comes next, else of the next 31 July; by civil time."""
    zone = current_app.config["N9RAW"].civil_zone
    today = clock.to_wall(now, zone)
    last_day = end_of_term(today.date())
    if last_day is not None:
        after = datetime.combine(last_day + timedelta(days=1), time())
        return clock.to_utc(after, zone)
    month, day = _FIRST_DAY_AFTER_TERM
    year = today.year + ((today.month, today.day) >= _FIRST_DAY_AFTER_TERM)
    return clock.to_utc(datetime(year, month, day), zone)  # noqa: DTZ001 - wall time


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
