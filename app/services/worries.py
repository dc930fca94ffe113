"""Worries that families report, and the coordinators who take them up."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.database import transaction
from app.extensions import db
from app.i18n import _l
from app.models import Coordinator, Household, Worry
from app.services import audit
from app.services.errors import NotFound
from app.services.free_text import read_text
from app.services.scope import Scope
from app.services.waiting import Waiting, first_of
from scheduler import clock

LONGEST_TEXT = 2000
MOST_SHOWN = 20
"""Worries are shown at once; one that is taken up makes room for the next."""


def report_worry(household_id: int, text: str) -> Worry:
    """Keep what a family says. Empty is enough: it asks to be called. Too long is cut, not refused.

    The same words again, while nobody has seen them, are the same worry.
    """
    said = read_text(text[:LONGEST_TEXT], LONGEST_TEXT)
    with transaction():
        household = db.session.get_one(Household, household_id, with_for_update=True)
        worry = db.session.scalar(
            select(Worry).where(
                Worry.household_id == household.id, Worry.text == said, Worry.seen_at.is_(None)
            )
        )
        if worry is None:
            worry = Worry(household_id=household.id, text=said, reported_at=clock.now())
            db.session.add(worry)
            db.session.flush()
            audit.note(
                "report_worry",
                f"worry:{worry.id}",
                None,
                pupil_ids=[pupil.id for pupil in household.pupils],
                detail={"household": household.id},
            )
    return worry


def first_worries(scope: Scope) -> Waiting[Worry]:
    """The first worries of these zones that nobody has seen, the oldest first, with families."""
    return first_of(
        select(Worry)
        .join(Worry.household)
        .where(Worry.seen_at.is_(None), scope.limits(Household.zone_id))
        .order_by(Worry.reported_at, Worry.id)
        .options(
            joinedload(Worry.household).options(
                lazyload("*"),
                joinedload(Household.guardian),
                joinedload(Household.zone),
                selectinload(Household.pupils),
            )
        ),
        MOST_SHOWN,
    )


def mark_seen(worry_id: int, by: Coordinator) -> Worry:
    """Note that `by` takes care of a worry; whoever saw it first stays named."""
    with transaction():
        worry = db.session.get(Worry, worry_id, with_for_update=True)
        if worry is None:
            raise NotFound(_l("This worry does not exist."))
        if worry.seen_at is None:
            worry.seen_at = clock.now()
            worry.seen_by_id = by.id
            audit.note("see_worry", f"worry:{worry.id}", by)
    return worry


def safeguarding_contact() -> str | None:
    """Name and telephone of the person who answers for children's safety, where one is named."""
    return current_app.config["N9RAW"].safeguarding_contact or None
